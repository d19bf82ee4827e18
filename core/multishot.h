/* SPDX-License-Identifier: MIT */
#ifndef PONI_MULTISHOT_H
#define PONI_MULTISHOT_H

/*
 * core/multishot.h - what core/io.c asks about an operation of a multishot
 * (USER_MULTI).
 *
 * Its leaf is an operation like any other, begun by a next and left in course
 * when that next has its result. Where the reactor can, it is multishot; else
 * (and on an ordinary thread, or when all buffers are out) it is the plain one,
 * and each result begins another.
 *
 *   the leaf is      what came                       the next does
 *   NEW              -                               begins it
 *   in course        is told: the list of items      takes, or waits
 *   ENDED            and its own result, if it was   takes; begins it again, or
 *                    the plain one                   says why it ended
 *
 * From its first operation to its end it keeps the turn of its direction,
 * unless the stream is closed before. What is told is guarded by the stream's
 * lock.
 */

#include "buffers.h"
#include "pons/multishot.h"

/* The op is about to be given to the reactor of `seat`, which its owner does;
 * NULL: to be tried on an ordinary thread. 0 or -ENOMEM. */
int poni_multi_prepare(struct poni_seat *seat, struct pons_op *op);

/* The owner: the reactor has it; the reactor is to be closed, so all are to
 * end. */
void poni_multi_enter(struct poni_seat *seat, struct pons_op *op);
void poni_multi_leave_all(struct poni_seat *seat);

/* The owner: an event of a multishot's op (USER_MULTI). */
void poni_multi_event(struct poni_seat *seat, struct pons_op *op, int32_t res,
                      uint32_t flags);

#endif /* PONI_MULTISHOT_H */
