/* SPDX-License-Identifier: MIT */
#ifndef PONS_MULTISHOT_H
#define PONS_MULTISHOT_H

/*
 * pons/multishot.h - one request, many results: connections, bytes, readiness.
 *
 *     struct pons_recv_multi m;
 *     struct pons_lent bytes;
 *
 *     pons_recv_multi_init(&m, conn);
 *     while ((n = pons_recv_next(&m, &bytes)) > 0) {
 *         use(bytes.data, bytes.size);
 *         pons_lent_return(&bytes);
 *     }
 *     (void)pons_recv_multi_end(&m);
 *
 * An engine that can is asked once, and goes on telling; for others each result
 * is asked for. Either way bytes need a buffer when they are there and not
 * while they are waited for: ten thousand idle connections need none. Buffers
 * are the runtime's, and lent. There are always more: where those of an engine
 * are all out, the next is allocated, so that nobody waits for another to
 * return one.
 *
 * Every waiting call has two forms: pons_X() waits (P1), struct pons_X with
 * pons_X_init() is a future whose base.result is what pons_X() returns. A next
 * that answers -ECANCELED or -ETIME has taken nothing: the multishot goes on,
 * and what is told meanwhile is there for the next one. After an error or the
 * end the next one asks again.
 *
 * Ownership   The struct is the caller's, and stays where it is from init until
 *             its end has returned. The stream may be closed before: then what
 *             was not taken is gone with it. In that time it is not read by
 *             anything else: whoever tries waits for the end.
 *
 * Threads     Any thread, any task; one next at a time.
 *
 * Failure     That of pons_recv(), pons_accept(), pons_ready_wait(); -ENOMEM.
 */

#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the three have in common. All fields are Pons's. */
struct pons_multi {
    struct pons_future base; /* the operation in course */
    struct pons_io io;
    void *first, *last; /* told and not taken */
    void *buffer;       /* of an operation that the engine does one by one */
    uint32_t count;     /* how many; of a poll, which events */
    uint32_t events;
    uint16_t kind, flags;
    uint32_t reserved0;
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_multi) == 264, "ABI: pons_multi");

/* --- bytes --- */

/* Bytes in a buffer that is lent: the holder's, to write to as well, until it
 * is returned. */
struct pons_lent {
    void *data;
    size_t size;
    void *owner; /* Pons's */
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_lent) == 32, "ABI: pons_lent");

/* Gives it back and leaves it empty. An empty one is allowed. Any thread, also
 * after the runtime has gone. */
PONS_API void pons_lent_return(struct pons_lent *bytes);

struct pons_recv_multi {
    struct pons_multi multi;
};

/* Asks for nothing yet. `s` is a socket, else the first next is -ENOTSOCK. */
PONS_API void pons_recv_multi_init(struct pons_recv_multi *m,
                                   struct pons_stream *s);

/* The next bytes, lent in `*out`: how many; 0: the other side has ended, or an
 * empty datagram. Unless the result is positive `*out` is empty. */
struct pons_recv_next {
    struct pons_future base;
    struct pons_recv_multi *multi;
    struct pons_lent *out;
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_recv_next) == 64, "ABI: pons_recv_next");

PONS_API void pons_recv_next_init(struct pons_recv_next *n,
                                  struct pons_recv_multi *m,
                                  struct pons_lent *out);
PONS_API PONS_MUST_USE int64_t pons_recv_next(struct pons_recv_multi *m,
                                              struct pons_lent *out);

/* Ends it. What was told and not taken is in front of the stream's bytes again,
 * for pons_recv() too. 0; -ENOMEM: there was no memory for that, and it can
 * still be taken; or end again. The wait is masked (P3). */
PONS_API PONS_MUST_USE int pons_recv_multi_end(struct pons_recv_multi *m);

/* --- connections --- */

struct pons_accept_multi {
    struct pons_multi multi;
};

/* Asks for nothing yet. */
PONS_API void pons_accept_multi_init(struct pons_accept_multi *m,
                                     struct pons_stream *listener);

/* The next connection, as a stream in `*out`. 0 or -errno. */
struct pons_accept_next {
    struct pons_future base;
    struct pons_accept_multi *multi;
    struct pons_stream **out;
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_accept_next) == 64,
                   "ABI: pons_accept_next");

PONS_API void pons_accept_next_init(struct pons_accept_next *n,
                                    struct pons_accept_multi *m,
                                    struct pons_stream **out);
PONS_API PONS_MUST_USE int pons_accept_next(struct pons_accept_multi *m,
                                            struct pons_stream **out);

/* Ends it. Connections that were told and not taken are the listener's next
 * ones, for pons_accept() too. As above. */
PONS_API PONS_MUST_USE int pons_accept_multi_end(struct pons_accept_multi *m);

/* --- readiness --- */

struct pons_poll_multi {
    struct pons_multi multi;
};

/* Asks for nothing yet. `events` of poll(2). */
PONS_API void pons_poll_multi_init(struct pons_poll_multi *m,
                                   struct pons_stream *s, short events);

/* What holds at first, then whenever something new comes: which of the events.
 * It may repeat itself; what was not waited for is told as one. */
struct pons_poll_next {
    struct pons_future base;
    struct pons_poll_multi *multi;
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_poll_next) == 64, "ABI: pons_poll_next");

PONS_API void pons_poll_next_init(struct pons_poll_next *n,
                                  struct pons_poll_multi *m);
PONS_API PONS_MUST_USE int64_t pons_poll_next(struct pons_poll_multi *m);

/* Ends it: 0. */
PONS_API PONS_MUST_USE int pons_poll_multi_end(struct pons_poll_multi *m);

/* --- the end of any of them, as a future --- */

struct pons_multi_end {
    struct pons_future base;
    struct pons_multi *multi;
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_multi_end) == 64, "ABI: pons_multi_end");

/* `m` is the member `multi` of one. */
PONS_API void pons_multi_end_init(struct pons_multi_end *e,
                                  struct pons_multi *m);

#ifdef __cplusplus
}
#endif
#endif /* PONS_MULTISHOT_H */
