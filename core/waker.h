/* SPDX-License-Identifier: MIT */
#ifndef PONI_WAKER_H
#define PONI_WAKER_H

/*
 * core/waker.h - the two words where they are not called by name: inlined where
 * every operation passes.
 */

#include "pons/future.h"

/* As pons_waker_set(). */
static inline void
poni_waker_set(struct pons_waker *slot, const struct pons_waker *w)
{
    struct pons_waker before = *slot;

    if (before.ops == w->ops && before.data == w->data)
        return;
    if (w->ops != NULL)
        w->ops->clone(w->data);
    *slot = *w;
    if (before.ops != NULL)
        before.ops->release(before.data);
}

/* Leaves the slot empty: the waker is the caller's. */
static inline struct pons_waker
poni_waker_take(struct pons_waker *slot)
{
    struct pons_waker w = *slot;

    *slot = (struct pons_waker){NULL, NULL};
    return w;
}

/* Wakes, and consumes the waker. */
static inline void
poni_waker_spend(struct pons_waker w)
{
    if (w.ops != NULL)
        w.ops->wake(w.data);
}

/* Consumes the waker without a wake. */
static inline void
poni_waker_waste(struct pons_waker w)
{
    if (w.ops != NULL)
        w.ops->release(w.data);
}

#endif /* PONI_WAKER_H */
