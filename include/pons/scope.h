/* SPDX-License-Identifier: MIT */
#ifndef PONS_SCOPE_H
#define PONS_SCOPE_H

/*
 * pons/scope.h - several tasks that end together.
 *
 *     struct pons_scope s;
 *
 *     pons_scope_open(&s, pons_after_ms(500));
 *     err = pons_scope_spawn(&s, fetch_score, (void *)"10.0.0.1");
 *     if (err == 0)
 *         err = pons_scope_spawn(&s, fetch_score, (void *)"10.0.0.2");
 *     closed = pons_scope_close(&s);   // nothing is left behind
 *
 * When close returns, every task that the scope started has ended. The deadline
 * is for all of it: it ends the opener's own waits between open and close (on a
 * fiber or thread), and close then asks the tasks to end, as it does when the
 * opener is cancelled.
 *
 * An error of one task does not end the others: a task that wants that calls
 * pons_scope_cancel() before it answers, and leaves its error where the opener
 * finds it, for close then answers -ECANCELED.
 *
 * C never leaves a scope by itself: declare it with PONS_SCOPE_GUARD and it is
 * closed on every way out. A scope that is forgotten is reported in debug
 * builds.
 *
 * Ownership   The struct is the caller's, and stays until close returned.
 *
 * Threads     Open, spawn and close: the opener. Spawn and cancel also: tasks
 *             of the scope.
 *
 * Failure     As each says.
 */

#include "future.h"
#include "task.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pons_scope {
    uint64_t deadline_ns;
    struct pons_runtime *runtime;
    void *children;           /* the tasks that have not ended */
    struct pons_waker closer; /* who waits in close */
    int64_t first_error;
    uint32_t lock, live, state, cause;
    struct pons_mask frame; /* the deadline, for the opener's own waits */
    const char *error_born; /* the place of birth of whose error that is */
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_scope) == 112, "ABI: pons_scope");

/* Opens a scope on the current runtime; without one, spawning answers -EINVAL.
 * PONS_NEVER: no deadline. Cannot fail. */
PONS_API void pons_scope_open(struct pons_scope *s, uint64_t deadline_ns);

/* As above, on `rt` (borrowed until close). */
PONS_API void pons_scope_open_on(struct pons_scope *s, struct pons_runtime *rt,
                                 uint64_t deadline_ns);

/* Starts fn(arg) as a fiber of the scope. Borrows `arg`. -ECANCELED once it is
 * closed; the other errors are pons_spawn()'s. */
#define pons_scope_spawn(s, fn, arg) pons_scope_spawn_at(s, fn, arg, PONS_HERE)
PONS_API PONS_MUST_USE int pons_scope_spawn_at(struct pons_scope *s,
                                               pons_fiber_f *fn, void *arg,
                                               const char *where);

/* Starts `f` as a stackless task of the scope. Consumes `f`, also when it
 * fails. The same errors. */
#define pons_scope_spawn_future(s, f) \
    pons_scope_spawn_future_at(s, f, PONS_HERE)
PONS_API PONS_MUST_USE int pons_scope_spawn_future_at(struct pons_scope *s,
                                                      struct pons_future *f,
                                                      const char *where);

/* Asks all tasks of the scope to end. Does not wait; cannot fail. */
PONS_API void pons_scope_cancel(struct pons_scope *s);

/*
 * Waits until all have ended; the wait itself is never abandoned. Answers why
 * the tasks were asked to end: -ETIME (the deadline) or -ECANCELED (the opener
 * was cancelled, or pons_scope_cancel() was called), whichever came first. Both
 * outrank the tasks' own errors: only if nobody asked is it the first negative
 * answer of a task (pons_last_error() says where that was born), and 0 if there
 * is none. Closing a closed scope is 0. -EDEADLK inside poll().
 */
PONS_API int pons_scope_close(struct pons_scope *s);

/* Future form of close. */
struct pons_scope_close {
    struct pons_future base;
    struct pons_scope *scope;
    struct pons_sleep timer;
    uint64_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_scope_close) == 160,
                   "ABI: pons_scope_close");

/* Borrows `s` until it ended. */
PONS_API void pons_scope_close_init(struct pons_scope_close *c,
                                    struct pons_scope *s);

/* PONS_SCOPE_GUARD's. */
static inline void
pons_scope_guard_close(struct pons_scope *s)
{
    (void)pons_scope_close(s);
}

/* For PONS_SCOPE_GUARD: pons_scope_open(), but inside poll(), where nobody can
 * wait for the end of the block, the scope is closed already and takes nothing.
 */
PONS_API void pons_scope_open_guarded(struct pons_scope *s,
                                      uint64_t deadline_ns);

/* Declares and opens a scope that closes itself when its block is left. */
#define PONS_SCOPE_GUARD(name, deadline_ns)                      \
    struct pons_scope name PONS_CLEANUP(pons_scope_guard_close); \
    pons_scope_open_guarded(&name, deadline_ns)

#ifdef __cplusplus
}

namespace pons
{

/* The same in C++: the destructor closes. */
class scope
{
  public:
    explicit scope(uint64_t deadline_ns = PONS_NEVER)
    {
        pons_scope_open_guarded(&s_, deadline_ns);
    }
    ~scope()
    {
        (void)pons_scope_close(&s_);
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;

    /* The place of birth is the caller's. */
    int spawn(pons_fiber_f *fn, void *arg, const char *file = __builtin_FILE(),
              unsigned line = __builtin_LINE())
    {
        return pons_scope_spawn_at(&s_, fn, arg, pons_place(file, line));
    }
    int close()
    {
        return pons_scope_close(&s_);
    }
    struct pons_scope *get()
    {
        return &s_;
    }

  private:
    struct pons_scope s_;
};

} // namespace pons
#endif
#endif /* PONS_SCOPE_H */
