/* SPDX-License-Identifier: MIT */
/*
 * core/waker.c - the two words, whoever they lead to: pons/future.h.
 */

#include "waker.h"

void
pons_waker_set(struct pons_waker *slot, const struct pons_waker *w)
{
    poni_waker_set(slot, w);
}

void
pons_waker_wake(struct pons_waker *slot)
{
    poni_waker_spend(poni_waker_take(slot));
}

void
pons_waker_notify(const struct pons_waker *w)
{
    if (w->ops != NULL)
        w->ops->notify(w->data);
}

void
pons_waker_drop(struct pons_waker *slot)
{
    poni_waker_waste(poni_waker_take(slot));
}
