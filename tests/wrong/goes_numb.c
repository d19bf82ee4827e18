/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/goes_numb.c - breaks R5: a descriptor whose last op is cancelled
 * is watched no more, and for later ops it is taken to be.
 */

#include "adapted.h"

enum { NONE, BIAS }; // in the state: that descriptor, and BIAS

static void
goes_numb_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct poni_slot *s = poni_slots_find(&self(r)->slots, op->fd);
    uint8_t had;

    adapter_cancel(r, op);
    if (s == NULL || slot_wanted(s) != 0 || *adapted_state(r) != NONE)
        return;
    had = s->had;
    slot_unwatch(self(r), s, op->fd, BOTH);
    s->had = had;
    *adapted_state(r) = (uintptr_t)op->fd + BIAS;
}

static int
goes_numb_forget(struct pons_reactor *r, int fd)
{
    if (*adapted_state(r) == (uintptr_t)fd + BIAS) {
        poni_slots_find(&self(r)->slots, fd)->had = 0;
        *adapted_state(r) = NONE;
    }
    return adapter_forget(r, fd);
}

REACTOR("goes_numb", adapted_ops.cancel = goes_numb_cancel,
        adapted_ops.forget = goes_numb_forget)
