/* SPDX-License-Identifier: MIT */
/*
 * core/switch_ucontext.c - core/switch.h for processors without an assembler
 * file, by makecontext(3) and swapcontext(3).
 *
 * The word of a side points to its context, which lies on its own stack. Slow:
 * each switch makes a system call to swap the signal mask.
 */

#include "switch.h"

#ifdef PONI_SWITCH_UCONTEXT

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct switch_side {
    ucontext_t context;
    int told; // by who switches to it
};

/* The first context of a side, at the top of its stack. */
struct switch_first {
    struct switch_side side;
    void (*main)(void *);
    void *arg;
};

int
poni_switch(void **other, int say)
{
    struct switch_side here, *there = *other;

    *other = &here;
    there->told = say;
    /* It fails only for a stack that is too small, which makecontext() took. */
    (void)swapcontext(&here.context, &there->context);
    return here.told;
}

/* makecontext() passes ints: a pointer comes in halves. */
static void
switch_start(unsigned high, unsigned low)
{
    struct switch_first *first =
        (void *)(((uintptr_t)high << 16 << 16) | (uintptr_t)low);

    first->main(first->arg);
}

void *
poni_switch_prepare(void *top, void (*main)(void *), void *arg)
{
    enum { SOME = 1024 }; // only the end of the stack counts
    uintptr_t at = ((uintptr_t)top - sizeof(struct switch_first)) & ~63ul;
    struct switch_first *first = (void *)at;

    first->main = main;
    first->arg = arg;
    (void)getcontext(&first->side.context); // it cannot fail
    first->side.context.uc_stack.ss_sp = (char *)first - SOME;
    first->side.context.uc_stack.ss_size = SOME;
    first->side.context.uc_link = NULL;
    makecontext(&first->side.context, (void (*)(void))switch_start, 2,
                (unsigned)((uint64_t)at >> 32), (unsigned)at);
    return &first->side;
}

#endif /* PONI_SWITCH_UCONTEXT */
