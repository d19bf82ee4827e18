/* SPDX-License-Identifier: MIT */
/*
 * core/waker.c - the two words, whoever they lead to: pons/future.h.
 */

#include "pons/future.h"

void
pons_waker_set(struct pons_waker *slot, const struct pons_waker *w)
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

void
pons_waker_wake(struct pons_waker *slot)
{
    struct pons_waker w = *slot;

    if (w.ops == NULL)
        return;
    slot->ops = NULL;
    slot->data = NULL;
    w.ops->wake(w.data);
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
    struct pons_waker w = *slot;

    if (w.ops == NULL)
        return;
    slot->ops = NULL;
    slot->data = NULL;
    w.ops->release(w.data);
}
