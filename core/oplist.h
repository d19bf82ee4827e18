/* SPDX-License-Identifier: MIT */
#ifndef PONI_OPLIST_H
#define PONI_OPLIST_H

/*
 * core/oplist.h - a queue of ops that a reactor has: a circle by op->next,
 * named by its last. One word instead of two ends; NULL is empty. The owner's.
 */

#include "pons/op.h"

static inline struct pons_op *
oplist_first(struct pons_op *last)
{
    return last != NULL ? last->next : NULL;
}

static inline void
oplist_push(struct pons_op **last, struct pons_op *op)
{
    if (*last != NULL) {
        op->next = (*last)->next;
        (*last)->next = op;
    } else {
        op->next = op;
    }
    *last = op;
}

static inline void
oplist_remove_after(struct pons_op **last, struct pons_op *before)
{
    struct pons_op *op = before->next;

    before->next = op->next;
    if (op == before)
        *last = NULL;
    else if (op == *last)
        *last = before;
}

static inline struct pons_op *
oplist_pop(struct pons_op **last)
{
    struct pons_op *first = oplist_first(*last);

    if (first != NULL)
        oplist_remove_after(last, *last);
    return first;
}

/* `op` is in it. Walks: queues on one descriptor are short. */
static inline void
oplist_remove(struct pons_op **last, const struct pons_op *op)
{
    struct pons_op *before = *last;

    while (before->next != op)
        before = before->next;
    oplist_remove_after(last, before);
}

#endif /* PONI_OPLIST_H */
