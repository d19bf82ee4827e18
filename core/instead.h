/* SPDX-License-Identifier: MIT */
#ifndef PONI_INSTEAD_H
#define PONI_INSTEAD_H

/*
 * core/instead.h - what a reactor does not know, done by what every reactor
 * does.
 *
 * An engine may be older than an opcode that waits. Then the core makes the
 * call, and where that would block the op is a POLL until it is worth another.
 */

#include "pons/reactor.h"

/* PONS_SUBMIT_PENDING (of USER_INSTEAD: the event is the POLL's) or DONE. The
 * owner of the seat; `op` is no IO_POLLS one. */
int poni_instead_submit(struct pons_reactor *r, struct pons_op *op);

/* The POLL has ended: `op` is what it was. */
void poni_instead_end(struct pons_op *op);

/* The same once more, for one whose POLL has ended well: -ENOBUFS when that has
 * told of room again and again that there is not. */
int poni_instead_again(struct pons_reactor *r, struct pons_op *op);

#endif /* PONI_INSTEAD_H */
