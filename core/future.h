/* SPDX-License-Identifier: MIT */
#ifndef PONI_FUTURE_H
#define PONI_FUTURE_H

/*
 * core/future.h - what the core's own leaves have in common.
 */

#include <errno.h>

#include "pons/future.h"

/* Ends `f`: the result stands, the answer is PONS_READY. */
static inline enum pons_poll
poni_ready(struct pons_future *f, int64_t result)
{
    f->result = result;
    return PONS_READY;
}

/* In debug builds: what was initialised and never polled is reported
 * (core/unpolled.c). Elsewhere nothing. */
#ifdef PONS_DEBUG
void poni_unpolled_add(const struct pons_future *f);
void poni_unpolled_remove(const struct pons_future *f);
unsigned poni_unpolled_report(const void *owner);
#else
#define poni_unpolled_add(f)    ((void)(f))
#define poni_unpolled_remove(f) ((void)(f))
#define poni_unpolled_report(o) ((void)(o))
#endif

/* As pons_future_init(), for those that take themselves out at their first
 * poll. */
static inline void
poni_future_init(struct pons_future *f, const struct pons_future_ops *ops)
{
    *f = (struct pons_future){.ops = ops, .result = -EINPROGRESS};
    poni_unpolled_add(f);
}

#endif /* PONI_FUTURE_H */
