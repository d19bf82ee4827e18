/* SPDX-License-Identifier: MIT */
#ifndef URING_RIG_H
#define URING_RIG_H

/*
 * tests/uring_rig.h - a ring of the test's own, asked and heard directly.
 */

#include "backends/uring.h"
#include "test_host.h"
#include "unit.h"

extern const struct pons_plugin *const poni_builtin_uring;

/* Bound to this thread. NULL: with no option but the defaults. */
static inline struct pons_reactor *
open_with(const char *option, uint64_t value)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    if (test_open_with(&r, poni_builtin_uring->engines, option, value,
                       &reason) < 0)
        SKIP("%s", reason.text);
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

static inline void
pends(struct pons_reactor *r, struct pons_op *op)
{
    CHECK_EQ(r->ops->submit(r, op), PONS_SUBMIT_PENDING);
}

static inline struct pons_event
event(struct pons_reactor *r)
{
    struct pons_event ev;
    int n;

    do
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
    while (n == 0);
    CHECK_EQ(n, 1);
    return ev;
}

static inline int
ends(struct pons_reactor *r, struct pons_op *op)
{
    struct pons_event ev = event(r);

    CHECK(ev.op == op);
    CHECK_EQ(ev.flags, 0);
    return ev.res;
}

#endif /* URING_RIG_H */
