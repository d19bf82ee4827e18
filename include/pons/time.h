/* SPDX-License-Identifier: MIT */
#ifndef PONS_TIME_H
#define PONS_TIME_H

/*
 * pons/time.h - sleeping, deadlines, and hiding from them.
 *
 *     err = pons_timeout(pons_after_ms(200), ask_server, &query, &answer);
 *     return err < 0 ? err : answer;    // its failure, or what fn returned
 *
 * A deadline asks, it does not abandon (P3): when it passes, the wait in course
 * is cancelled and awaited. What succeeded after all is the result.
 *
 * Threads     Any thread, any task; the calling forms keep P1.
 *
 * Failure     -ECANCELED, -ETIME, -EDEADLK as each says. Nothing allocates.
 */

#include "future.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PONS_US UINT64_C(1000)
#define PONS_MS UINT64_C(1000000)
#define PONS_S  UINT64_C(1000000000)

/* Now, in nanoseconds of CLOCK_MONOTONIC. A signal handler, too. */
PONS_API uint64_t pons_now(void);

/* The deadline `n` nanoseconds, or milliseconds, from now; saturates at
 * PONS_NEVER. */
PONS_API uint64_t pons_after_ns(uint64_t n);
PONS_API uint64_t pons_after_ms(uint64_t n);

/* Waits at least `duration_ns`, or until `deadline_ns` has come: never less. 0,
 * -ECANCELED, or -EDEADLK inside poll(). */
PONS_API int pons_sleep(uint64_t duration_ns);
PONS_API int pons_sleep_until(uint64_t deadline_ns);

/* Future form of pons_sleep_until(). */
struct pons_sleep {
    struct pons_future base;
    uint64_t deadline_ns;
    struct pons_waker waker;
    void *owner;    /* whose list it is on */
    void *links[3]; /* Pons's */
};

PONS_STATIC_ASSERT(sizeof(struct pons_sleep) == 96, "ABI: pons_sleep");

/* 0 or -ECANCELED will be its result. */
PONS_API void pons_sleep_init(struct pons_sleep *s, uint64_t deadline_ns);

/*
 * Calls fn(arg) here, with a deadline on all that it waits for. -ETIME if the
 * deadline passed and fn answered -ECANCELED for it; else 0 and fn's answer in
 * `result` (NULL is allowed). Borrows `arg`. Deadlines nest: the earliest
 * counts. -EDEADLK inside poll().
 */
PONS_API PONS_MUST_USE int pons_timeout(uint64_t deadline_ns, pons_fiber_f *fn,
                                        void *arg, int64_t *result);

/*
 * Future form, around a future that has not been polled. Its result is the
 * child's, or -ETIME if the deadline made the child end with -ECANCELED.
 * Borrows `child` until it ended.
 */
struct pons_timeout {
    struct pons_future base;
    struct pons_future *inner;
    struct pons_sleep timer;
    uint64_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_timeout) == 152, "ABI: pons_timeout");

/* At the deadline, of CLOCK_MONOTONIC in ns, `child` is asked to end. */
PONS_API void pons_timeout_init(struct pons_timeout *t, uint64_t deadline_ns,
                                struct pons_future *child);

/*
 * Between open and close, cancels and deadlines from outside are hidden from
 * this fiber's or thread's waits, for at most `grace_ns`: time to flush, to
 * shut down, to read to the end. Deadlines set inside count. Masks nest, and
 * close in the reverse order on the stack that opened them. Cannot fail; inside
 * poll(), where nothing waits, it hides nothing.
 */
struct pons_mask {
    uint64_t deadline_ns;
    struct pons_mask *outer; /* what was open before */
    void *context;           /* whose waits it is about */
    uint64_t kind;           /* Pons's */
};

PONS_STATIC_ASSERT(sizeof(struct pons_mask) == 32, "ABI: pons_mask");

/* Borrows `m` until close. */
PONS_API void pons_mask_open(struct pons_mask *m, uint64_t grace_ns);
PONS_API void pons_mask_close(struct pons_mask *m);

#ifdef __cplusplus
}
#endif
#endif /* PONS_TIME_H */
