/* SPDX-License-Identifier: MIT */
#ifndef PONI_STACK_H
#define PONI_STACK_H

/*
 * core/stack.h - memory for the stacks of fibers: mapped in regions, a guard
 * below each stack, pooled per size.
 *
 * A stack is known by the struct at its very top. Who takes one may embed that
 * struct as the last member of its own, which then reaches down into the stack
 * and is where the rest of it begins.
 */

#include <stddef.h>
#include <stdint.h>

struct poni_stack {
    _Alignas(32) struct poni_stack *next; // while it is pooled
    /* Set once, when the stack is carved out of its region. */
    struct stack_region *region;
    char *low; // the lowest byte above the guard
    uint32_t slot;
    uint32_t valgrind; // its name for the stack
};

enum {
    /* What the free stacks of one size may keep touched: a thousand of the
     * default size, at worst whole. Beyond, each keeps its top page only. */
    STACK_WARM_BYTES = 256 << 20,
};

/*
 * The last one freed of its size, else a new one. `bytes` is rounded up to a
 * power of two. The struct ends at a multiple of 64. NULL: errno is ENOMEM
 * (memory, address space, mappings), or EINVAL above FIBER_STACK_MAX; else it
 * is kept. Any thread.
 */
struct poni_stack *poni_stack_take(size_t bytes);

/* Consumes `s`. Any thread; errno is kept. */
void poni_stack_give(struct poni_stack *s);

/* Gives the memory of all free stacks back to the system. Any thread. */
void poni_stack_trim(void);

/* Whether `address` lies in the guard of a stack. Async-signal-safe. */
int poni_stack_guard_hit(const void *address);

#endif /* PONI_STACK_H */
