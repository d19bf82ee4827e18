/* SPDX-License-Identifier: MIT */
#ifndef PONI_FIBER_H
#define PONI_FIBER_H

/*
 * core/fiber.h - a stack of one's own, and the switch between two of them.
 *
 * A fiber here is only a stack with a saved place in it; core/task.c gives it a
 * life. Two contexts take turns: the scheduler's (the thread's own stack) and
 * the fiber's.
 *
 *     fiber = poni_fiber_new(256 << 10, entry, task);
 *     poni_fiber_resume(fiber);     // runs entry(task) until it suspends
 *     ...
 *     poni_fiber_suspend(fiber);    // inside: back to who resumed
 *     ...
 *     poni_fiber_free(fiber);       // never inside; after entry returned, or
 *                                   // while suspended for good
 *
 * `entry` returns when the fiber is finished; poni_fiber_resume() then returns
 * 1 (0: it has suspended). A fiber may be resumed by any thread, one at a time.
 * The struct lives at the top of the fiber's own stack, so an idle fiber costs
 * the pages it has touched and nothing else.
 *
 * Stacks are mapped lazily, without huge pages, in batches, with a guard below
 * each, and pooled per size. They are told to ASan, TSan and valgrind.
 */

#include <stddef.h>
#include <stdint.h>

#include "pons/base.h"
#include "switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define PONI_ASAN
#elif defined(__SANITIZE_THREAD__)
#define PONI_TSAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PONI_ASAN
#elif __has_feature(thread_sanitizer)
#define PONI_TSAN
#endif
#endif

struct poni_fiber;

typedef void poni_fiber_f(void *arg);

enum {
    FIBER_STACK_DEFAULT = 256 << 10, // bytes; touched lazily
    FIBER_STACK_MIN = 16 << 10,
    FIBER_STACK_MAX = 64 << 20,
};

/* NULL with errno ENOMEM when there is no memory, EINVAL above FIBER_STACK_MAX.
 * `stack_bytes` is rounded up to the next power of two; 0 is the default. At
 * most 2 KiB of it are not the entry's. Any thread. */
struct poni_fiber *poni_fiber_new(size_t stack_bytes, poni_fiber_f *entry,
                                  void *arg);

/* Any thread, for a fiber that is not running. */
void poni_fiber_free(struct poni_fiber *f);

/*
 * resume: 1: entry has returned; 0: it has suspended. Not inside another fiber.
 * suspend: inside `f` only.
 *
 * Inlined, because the switch must not stand in a call (core/switch.h); what
 * runs behind a suspend in the same function may use no thread-local variable,
 * if the fiber may have moved. The side that is not running is the first word
 * of `f`.
 */
#if defined(PONI_ASAN) || defined(PONI_TSAN)
int poni_fiber_resume(struct poni_fiber *f);
void poni_fiber_suspend(struct poni_fiber *f);
#else
static inline int
poni_fiber_resume(struct poni_fiber *f)
{
    return poni_switch((void **)(void *)f, 0);
}

static inline void
poni_fiber_suspend(struct poni_fiber *f)
{
    (void)poni_switch((void **)(void *)f, 0);
}
#endif

/* Bounds of the usable stack, lowest address first. */
void poni_fiber_stack(const struct poni_fiber *f, void **low, void **high);

/* Whether `address` lies in the guard of any fiber's stack: for
 * pons_stack_report(). Async-signal-safe. */
int poni_fiber_guard_hit(const void *address);

/* Gives the pooled stacks that are free back to the system. */
void poni_fiber_trim(void);

#endif /* PONI_FIBER_H */
