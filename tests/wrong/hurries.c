/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hurries.c - breaks R2: a buffer is said to be free while the end
 * of it is still to be sent.
 */

#include "lending.h"

enum { TAIL = 16 };

static struct hurries_tail {
    int fd;
    const char *bytes; // where they stand; NULL: none is left
    size_t left;
} tail; // of the only one

static int
hurries_submit(struct pons_reactor *r, struct pons_op *op)
{
    ssize_t n;

    if (op->opcode != PONS_OP_SEND_ZC || op->len <= TAIL || tail.left > 0 ||
        op->op_flags != 0)
        return lending_submit(r, op);
    n = send(op->fd, op->addr, op->len - TAIL, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < (ssize_t)op->len - TAIL && n <= TAIL)
        return lending_submit(r, op);
    tail = (struct hurries_tail){op->fd, (char *)op->addr + n, TAIL};
    op->res = (int32_t)(n + TAIL);
    lending_sent(r, op);
    return PONS_SUBMIT_PENDING;
}

static int
hurries_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    ssize_t n;

    if (*lending_list(r) == NULL && tail.left > 0) {
        n = send(tail.fd, tail.bytes, tail.left, MSG_DONTWAIT | MSG_NOSIGNAL);
        tail.bytes += n > 0 ? n : 0;
        tail.left -= n > 0 ? (size_t)n : 0;
        if (n < 0 && errno != EAGAIN)
            tail.left = 0;
    }
    return lending_poll(r, events, cap, deadline_ns);
}

LENDING("hurries", adapted_ops.submit = hurries_submit,
        adapted_ops.poll = hurries_poll)
