/* SPDX-License-Identifier: MIT */
/*
 * core/fiber.c - see core/fiber.h: a stack of core/stack.c, a side of
 * core/switch.h, and what the sanitizers must be told.
 *
 * The struct is one cache line at the top of the stack, next to the frames that
 * a switch touches anyway. It has no state: whether it ran to its end is what
 * it says with its last switch.
 *
 * ASan keeps the bounds of the stack it is on and poisons frames until they
 * return; TSan keeps a history of calls per fiber. They are told before and
 * after each switch, which then is a call. Valgrind is told of the stacks, once
 * (core/stack.c). A plain build has none of it.
 */

#include "fiber.h"

#include "stack.h"

#ifdef PONI_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PONI_TSAN
#include <sanitizer/tsan_interface.h>
#endif

struct poni_fiber {
    void *other; // the side that is not running; first: core/fiber.h

    /* Set once. */
    poni_fiber_f *entry;
    void *arg;

#ifdef PONI_ASAN
    void *fake, *caller_fake; // stacks for use-after-return, of who is away
    const void *caller_low;
    size_t caller_bytes;
#endif
#ifdef PONI_TSAN
    void *tsan, *caller_tsan;
#endif

    struct poni_stack stack; // last: core/stack.h
};
_Static_assert(offsetof(struct poni_fiber, other) == 0, "core/fiber.h");
_Static_assert(offsetof(struct poni_fiber, stack) + sizeof(struct poni_stack) ==
                   sizeof(struct poni_fiber),
               "core/stack.h");

/* TSan notes the calls and returns of functions: those of one that goes over to
 * another fiber would be noted for two. */
#define TOLD static inline __attribute__((always_inline))

#if defined(PONI_ASAN)

TOLD void
told_init(struct poni_fiber *f)
{
    f->fake = NULL;
}

/* The fake stack goes when a fiber is left for good: leave it, in name, from
 * here. Nothing that ASan checks may happen between the lines. */
__attribute__((no_sanitize_address)) static void
told_fini(struct poni_fiber *f)
{
    size_t bytes = (size_t)((char *)f - f->stack.low);
    const void *low;
    void *fake;

    if (f->fake != NULL) {
        __sanitizer_start_switch_fiber(&fake, f->stack.low, bytes);
        __sanitizer_finish_switch_fiber(f->fake, &low, &bytes);
        __sanitizer_start_switch_fiber(NULL, low, bytes);
        __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    }
    __asan_unpoison_memory_region(f->stack.low,
                                  (size_t)((char *)f - f->stack.low));
}

TOLD void
told_resuming(struct poni_fiber *f)
{
    __sanitizer_start_switch_fiber(&f->caller_fake, f->stack.low,
                                   (size_t)((char *)f - f->stack.low));
}

TOLD void
told_back(struct poni_fiber *f)
{
    __sanitizer_finish_switch_fiber(f->caller_fake, NULL, NULL);
}

TOLD void
told_leaving(struct poni_fiber *f, int for_good)
{
    __sanitizer_start_switch_fiber(for_good ? NULL : &f->fake, f->caller_low,
                                   f->caller_bytes);
}

TOLD void
told_arrived(struct poni_fiber *f)
{
    __sanitizer_finish_switch_fiber(f->fake, &f->caller_low, &f->caller_bytes);
    f->fake = NULL;
}

#elif defined(PONI_TSAN)

TOLD void
told_init(struct poni_fiber *f)
{
    f->tsan = __tsan_create_fiber(0);
}

static void
told_fini(struct poni_fiber *f)
{
    __tsan_destroy_fiber(f->tsan);
}

TOLD void
told_resuming(struct poni_fiber *f)
{
    f->caller_tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->tsan, 0);
}

TOLD void
told_back(struct poni_fiber *f)
{
    (void)f;
}

TOLD void
told_leaving(struct poni_fiber *f, int for_good)
{
    (void)for_good;
    __tsan_switch_to_fiber(f->caller_tsan, 0);
}

TOLD void
told_arrived(struct poni_fiber *f)
{
    (void)f;
}

#else

#define told_init(f)              ((void)(f))
#define told_fini(f)              ((void)(f))
#define told_leaving(f, for_good) ((void)(f))
#define told_arrived(f)           ((void)(f))

#endif

/* The bottom of each fiber's stack. It never returns. */
static void
fiber_main(void *fiber)
{
    struct poni_fiber *f = fiber;

    told_arrived(f);
    f->entry(f->arg);
    told_leaving(f, 1);
    (void)poni_switch(&f->other, 1);
    __builtin_unreachable();
}

struct poni_fiber *
poni_fiber_new(size_t stack_bytes, poni_fiber_f *entry, void *arg)
{
    struct poni_stack *s =
        poni_stack_take(stack_bytes != 0 ? stack_bytes : FIBER_STACK_DEFAULT);
    struct poni_fiber *f;

    if (s == NULL)
        return NULL;
    f = pons_container_of(s, struct poni_fiber, stack);
    f->entry = entry;
    f->arg = arg;
    f->other = poni_switch_prepare(f, fiber_main, f);
    told_init(f);
    return f;
}

void
poni_fiber_free(struct poni_fiber *f)
{
    told_fini(f);
    poni_stack_give(&f->stack);
}

#if defined(PONI_ASAN) || defined(PONI_TSAN)

int
poni_fiber_resume(struct poni_fiber *f)
{
    int finished;

    told_resuming(f);
    finished = poni_switch(&f->other, 0);
    told_back(f);
    return finished;
}

void
poni_fiber_suspend(struct poni_fiber *f)
{
    told_leaving(f, 0);
    (void)poni_switch(&f->other, 0);
    told_arrived(f);
}

#endif

void
poni_fiber_stack(const struct poni_fiber *f, void **low, void **high)
{
    *low = f->stack.low;
    *high = (void *)(uintptr_t)f;
}

int
poni_fiber_guard_hit(const void *address)
{
    return poni_stack_guard_hit(address);
}

void
poni_fiber_trim(void)
{
    poni_stack_trim();
}
