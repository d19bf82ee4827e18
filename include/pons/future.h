/* SPDX-License-Identifier: MIT */
#ifndef PONS_FUTURE_H
#define PONS_FUTURE_H

/*
 * pons/future.h - a value that is not there yet, and how its waiter is woken.
 *
 * A future is a struct that its user embeds, beginning with a pons_future. It
 * is polled until it answers PONS_READY, and then never again. A future that
 * answers PONS_PENDING has left the waker it was lent with whoever can make
 * progress possible. Locals live in the struct, children are embedded in it,
 * nothing is allocated:
 *
 *     struct echo {
 *         struct pons_future base;
 *         struct pons_stream *conn;
 *         union { struct pons_recv recv; struct pons_send send; } io;
 *         char buf[512];
 *     };
 *
 *     static enum pons_poll echo_poll(struct pons_future *f,
 *                                     struct pons_waker *w)
 *     {
 *         struct echo *e = pons_container_of(f, struct echo, base);
 *
 *         PONS_BEGIN(f);
 *         for (;;) {
 *             pons_recv_init(&e->io.recv, e->conn, e->buf, sizeof e->buf);
 *             PONS_AWAIT(f, w, &e->io.recv);
 *             if (e->io.recv.base.result <= 0)
 *                 break;
 *             pons_send_init(&e->io.send, e->conn, e->buf,
 *                            (size_t)e->io.recv.base.result);
 *             PONS_AWAIT(f, w, &e->io.send);
 *         }
 *         PONS_END(f);
 *     }
 *
 *     static const struct pons_future_ops echo_ops = {
 *         .size = sizeof echo_ops, .name = "echo", .poll = echo_poll,
 *     };
 *
 * Ownership   The struct is its user's. From the first poll until PONS_READY it
 *             stays where it is, and so does all that it points to: whoever no
 *             longer wants it cancels it and goes on polling until it ended.
 *             A waker that is lent to poll() is borrowed; storing it clones.
 *
 * Threads     A future is polled and cancelled by one thread at a time, and so
 *             is a slot that a waker stands in. Wakers work from any thread;
 *             from a signal handler, through pons/completion.h only.
 *
 * Failure     Polling and waking cannot fail: an error is a result.
 */

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a poll answers. There is no third answer. */
enum pons_poll {
    PONS_PENDING, /* not yet; the waker has been left with someone */
    PONS_READY,   /* ended: `result` holds; do not poll again */
};

/* Two words by which a waiter is made to run again. {NULL, NULL} is empty. */
struct pons_waker {
    const struct pons_waker_ops *ops;
    void *data;
};

PONS_STATIC_ASSERT(sizeof(struct pons_waker) == 16, "ABI: pons_waker");

/* For authors of executors of their own. All members are required. */
struct pons_waker_ops {
    uint32_t size;               /* of this struct */
    uint32_t reserved;           /* zero */
    void (*clone)(void *data);   /* one more reference */
    void (*wake)(void *data);    /* wakes; consumes a reference */
    void (*notify)(void *data);  /* wakes; borrows */
    void (*release)(void *data); /* consumes a reference */
};

PONS_STATIC_ASSERT(sizeof(struct pons_waker_ops) == 40, "ABI: pons_waker_ops");

/* Stores a clone of `w` (borrowed) in `*slot`, unless it holds the same waker
 * already; what it held before is given up. */
PONS_API void pons_waker_set(struct pons_waker *slot,
                             const struct pons_waker *w);

/* Wakes what `*slot` holds and leaves it empty. An empty slot is allowed. */
PONS_API void pons_waker_wake(struct pons_waker *slot);

/* Wakes and keeps the reference. Wakes coalesce until the next poll. An empty
 * waker is allowed. */
PONS_API void pons_waker_notify(const struct pons_waker *w);

/* Gives up what `*slot` holds, without a wake, and leaves it empty. */
PONS_API void pons_waker_drop(struct pons_waker *slot);

struct pons_future {
    const struct pons_future_ops *ops;
    struct pons_future *child; /* what it waits for; PONS_AWAIT's to set */
    int64_t result;            /* -EINPROGRESS until it ended */
    uint32_t resume;           /* PONS_BEGIN's; 0 at the start */
    uint32_t state;            /* the future's own; 0 at the start */
    uint64_t reserved;         /* Pons's */
};

PONS_STATIC_ASSERT(sizeof(struct pons_future) == 40, "ABI: pons_future");

typedef enum pons_poll pons_poll_f(struct pons_future *f, struct pons_waker *w);

struct pons_future_ops {
    uint32_t size;     /* of this struct */
    uint32_t reserved; /* zero */
    const char *name;  /* for pons_dump() and the log */

    pons_poll_f *poll;

    /*
     * Optional: asks a future that has been polled to end soon. It goes on
     * being polled until it is ready, with its real result or -ECANCELED.
     * NULL passes the request on to `child`.
     */
    void (*cancel)(struct pons_future *f);

    /* Optional: runs once for a spawned future, after its last poll; like
     * poll() it may not wait by calling. */
    void (*drop)(struct pons_future *f);

    /* Optional: what it waits for, into `text`, e.g. "recv on fd 7". */
    void (*describe)(const struct pons_future *f, char *text, size_t size);
};

PONS_STATIC_ASSERT(offsetof(struct pons_future_ops, describe) == 40,
                   "ABI: pons_future_ops");

/* Makes `f` a future that has not been polled. Borrows `ops` (static). */
PONS_API void pons_future_init(struct pons_future *f,
                               const struct pons_future_ops *ops);

/* Asks `f`, which has been polled, to end: see `cancel` above. Borrows `f`,
 * which has to be polled again. Idempotent. The poller's thread. */
PONS_API void pons_future_cancel(struct pons_future *f);

/* Polls `f`: see the top of this page. Borrows both. */
static inline enum pons_poll
pons_future_poll(struct pons_future *f, struct pons_waker *w)
{
    return f->ops->poll(f, w);
}

/*
 * Waits for `f` and returns its result (P1). In a fiber it suspends the fiber,
 * on an ordinary thread it blocks that thread, inside poll() of a stackless
 * future it is -EDEADLK. A cancel or a deadline of the caller is passed on to
 * `f`, which ends before this returns. Borrows `f` until then. Any thread.
 * -ENOMEM: there was no memory for the thread's first wait.
 */
PONS_API PONS_MUST_USE int64_t pons_await(struct pons_future *f);

/* Lets others run: first pending, then ready. Future form. */
struct pons_yield {
    struct pons_future base;
};

PONS_STATIC_ASSERT(sizeof(struct pons_yield) == 40, "ABI: pons_yield");

/* Any thread. */
PONS_API void pons_yield_init(struct pons_yield *y);

/* Lets others run. 0, -ECANCELED, or -EDEADLK inside poll() (P1). Any thread;
 * an ordinary one lets other threads run. */
PONS_API int pons_yield(void);

/*
 * Stackless functions, after Duff's device (Tom Duff, 1983; Simon Tatham,
 * "Coroutines in C", 2000). Between PONS_BEGIN and PONS_END no local variable
 * survives a wait, and no `switch` of the user's may enclose one.
 */
#define PONS_BEGIN(f)      \
    switch ((f)->resume) { \
    default:               \
        return PONS_READY; \
    case 0:

/* Waits for the embedded child `x`, whose first member is `base`. */
#define PONS_AWAIT(f, w, x)                                    \
    do {                                                       \
        (f)->child = &(x)->base;                               \
        (f)->resume = __LINE__;                                \
        PONS_FALLTHROUGH;                                      \
    case __LINE__:                                             \
        if (pons_future_poll((f)->child, (w)) == PONS_PENDING) \
            return PONS_PENDING;                               \
        (f)->child = NULL;                                     \
    } while (0)

/* Ends the function with a result. */
#define PONS_RETURN(f, value)     \
    do {                          \
        (f)->result = (value);    \
        (f)->resume = UINT32_MAX; \
        return PONS_READY;        \
    } while (0)

/* Ends the function with 0. */
#define PONS_END(f)           \
    }                         \
    (f)->result = 0;          \
    (f)->resume = UINT32_MAX; \
    return PONS_READY

#ifdef __cplusplus
}
#endif
#endif /* PONS_FUTURE_H */
