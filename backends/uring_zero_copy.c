/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_zero_copy.c - when a send is worth lending its buffer, and
 * what came of it.
 *
 * Two completions come of one entry: the count, and later that the kernel needs
 * the buffer no more. The first has the second even where it is an error: so a
 * send that has failed is looked at only when its buffer is back.
 *
 * Where a device does not read memory by itself (loopback, most tunnels) the
 * kernel copies all the same, later, and that costs more than a plain send; it
 * says so (Linux 6.2). A unix socket refuses; so does a limit of locked memory.
 * Then this descriptor is sent to plainly, and tried again after SKIPS sends:
 * its number may be another's by then, and shares its place with others. What
 * they lose by that is a copy.
 *
 * The second completion is made by the thread that submitted. After a move
 * (backends/uring_owner.c) those that are out can each wake the old owner once.
 */

#include "uring.h"

#include <errno.h>

enum { SKIPS = 255 };

static uint8_t *
lent_skips(struct uring *u, const struct pons_op *op)
{
    return &u->zero_copy.skips[(unsigned)op->fd % URING_SKIPS];
}

enum uring_step
poni_uring_send_step(struct uring *u, const struct pons_op *op)
{
    uint8_t *skips = lent_skips(u, op);

    if (u->zero_copy.at_least == 0)
        return URING_LENDS;
    if (op->len < u->zero_copy.at_least)
        return URING_CALLS;
    if (*skips > 0) {
        --*skips;
        return URING_CALLS;
    }
    return URING_LENDS;
}

int
poni_uring_lent_told(struct uring *u, struct pons_op *op, int32_t res,
                     struct pons_event *ev)
{
    if (res < 0) {
        op->res = res;
        op->backend2 = URING_REGRETS;
        return 0;
    }
    u->zero_copy.lent++;
    op->backend2 = URING_LENT;
    *ev = (struct pons_event){.op = op, .res = res, .flags = PONS_EVENT_MORE};
    return 1;
}

void
poni_uring_lent_back(struct uring *u, const struct pons_op *op, int32_t res)
{
    if (!u->can.reports || !((uint32_t)res & URING_ZC_COPIED))
        return;
    if (u->zero_copy.copied++ == 0 && u->zero_copy.at_least > 0)
        u->host->log(u->host, PONS_LOG_INFO, "uring",
                     "zero-copy send to descriptor %d: the kernel has copied "
                     "(loopback, a tunnel?); what is like it is sent plainly",
                     op->fd);
    poni_uring_send_plainly(u, op);
}

int
poni_uring_lent_in_vain(const struct pons_op *op, int32_t res)
{
    if (op->backend2 != URING_LENDS)
        return 0;
    return res == -EOPNOTSUPP || res == -EINVAL || res == -ENOMEM ||
           res == -ENOBUFS || res == -EFAULT;
}

void
poni_uring_send_plainly(struct uring *u, const struct pons_op *op)
{
    *lent_skips(u, op) = SKIPS;
}
