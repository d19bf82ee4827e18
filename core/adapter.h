/* SPDX-License-Identifier: MIT */
#ifndef PONI_ADAPTER_H
#define PONI_ADAPTER_H

/*
 * core/adapter.h - makes a reactor of a poller: the readiness adapter.
 *
 * It tries the system call, keeps what would block in a slot per descriptor,
 * and retries when the poller says ready. See pons/reactor.h for the rules that
 * it keeps and pons/poller.h for what it stands on.
 */

#include "pons/poller.h"
#include "pons/reactor.h"

/* A reactor over a new poller of `ops`. 0, or -errno with the reason. */
int poni_adapter_open(struct pons_reactor **out,
                      const struct pons_poller_ops *ops,
                      const struct pons_config *config,
                      const struct pons_host *host, struct pons_reason *reason);

/*
 * Makes the system call of `op` without ever blocking the caller. 1: it ended,
 * op->res holds; 0: it would block. Used by the adapter, by ordinary threads
 * and by seats that are not the descriptor's home. Any thread. Keeps errno.
 *
 * CONNECT: the first try starts it and sets op->backend2 to 1; with backend2
 * set a try asks the socket for its outcome (SO_ERROR), after poll says
 * writable.
 */
int poni_op_try(struct pons_op *op);

/* Which of POLLIN and POLLOUT (and others, for POLL) `op` waits for. */
short poni_op_events(const struct pons_op *op);

#endif /* PONI_ADAPTER_H */
