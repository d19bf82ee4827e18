/* SPDX-License-Identifier: MIT */
#ifndef PONI_SEND_ZC_H
#define PONI_SEND_ZC_H

/*
 * core/send_zc.h - what core/io.c asks about a send without a copy
 * (USER_SEND_ZC).
 *
 *   the op is            has                  left by
 *   as any other         its direction's turn the count, or the end
 *   in course, counted   no turn              the end: the buffer is free
 *
 * So the next send begins when the bytes are on their way, not when they have
 * arrived; a close waits for both.
 */

#include "io.h"
#include "seat.h"

/* The owner, before a reactor gets it that has no SEND_ZC: a plain SEND. */
void poni_send_zc_plainly(struct pons_op *op);

/* The owner: an event of such an op (USER_SEND_ZC). */
void poni_send_zc_event(struct poni_seat *seat, struct pons_op *op, int32_t res,
                        uint32_t flags);

#endif /* PONI_SEND_ZC_H */
