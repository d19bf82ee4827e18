/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_cancel.c - an op's cancel, until the kernel has answered it.
 *
 * The answer comes with the submission, before or after the op's own end. Only
 * when both are there is the op told. An answer of ENOENT to an op that has not
 * ended means that it was between two places (woken, and about to try again):
 * then it is asked once more, a moment later. But of a SEND_ZC that has told
 * its count there is nothing left to be cancelled.
 */

#include "uring.h"

#include <errno.h>

void
poni_uring_ask_cancel(struct uring *u, struct pons_op *op)
{
    op->backend[0] = URING_ASKS;
    uring_push(&u->cancels, op);
}

void
poni_uring_cancel(struct uring *u, struct pons_op *op)
{
    switch ((enum uring_place)op->backend[0]) {
    case URING_QUEUED:
        uring_unlink(&u->queued, op);
        break;
    case URING_LATER:
        uring_unlink(&u->later, op);
        break;
    case URING_STILL:
        uring_unlink(&u->still, op);
        break;
    case URING_RINGS:
        if (op->backend2 != URING_LENT)
            poni_uring_ask_cancel(u, op);
        return;
    default: // it is asked already, or has ended
        return;
    }
    op->res = -ECANCELED;
    op->event_flags = 0;
    op->backend[0] = URING_FINISHED;
    uring_push(&u->finished, op);
}

void
poni_uring_fill_cancel(struct io_uring_sqe *sqe, struct pons_op *op)
{
    io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
    sqe->user_data = (uintptr_t)op | URING_CANCEL;
    op->backend[0] = URING_ASKED;
}

int
poni_uring_cancel_told(struct uring *u, struct pons_op *op, int32_t res,
                       struct pons_event *ev)
{
    if (op->backend[0] == URING_OUTLIVED) {
        *ev = (struct pons_event){
            .op = op, .res = op->res, .flags = op->event_flags};
        return 1;
    }
    op->backend[0] = URING_TOLD;
    if (res == -ENOENT && op->backend2 != URING_LENT)
        poni_uring_postpone(u, op, URING_DOUBTS);
    return 0;
}

int
poni_uring_ends(struct uring *u, struct pons_op *op, int32_t res,
                unsigned flags, struct pons_event *ev)
{
    if (op->backend[0] == URING_ASKED) {
        op->res = res;
        op->event_flags = flags;
        op->backend[0] = URING_OUTLIVED;
        return 0;
    }
    if (op->backend[0] == URING_ASKS)
        uring_unlink(&u->cancels, op);
    if (op->backend[0] == URING_DOUBTS)
        uring_unlink(&u->later, op);
    *ev = (struct pons_event){.op = op, .res = res, .flags = flags};
    return 1;
}
