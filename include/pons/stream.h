/* SPDX-License-Identifier: MIT */
#ifndef PONS_STREAM_H
#define PONS_STREAM_H

/*
 * pons/stream.h - bytes and connections over any descriptor that can be waited
 * on: TCP, Unix sockets, pipes, ttys, eventfds.
 *
 *     struct pons_stream *conn;
 *     char line[32];
 *     int64_t n = pons_tcp_connect(&conn, "10.0.0.1", "7000");
 *
 *     if (n < 0)
 *         return n;
 *     n = pons_read_line(conn, line, sizeof line);
 *     pons_stream_close(conn);
 *
 * Every waiting call has two forms: pons_X() waits (P1), struct pons_X with
 * pons_X_init() is a future whose base.result is what pons_X() returns. Each
 * direction has one operation in course and a queue: results come in the order
 * of the calls. A call that answers -ECANCELED or -ETIME has consumed nothing.
 *
 * Ownership   A stream owns its descriptor. Buffers and addresses are borrowed
 *             until the call returned or the future ended.
 *
 * Threads     Any thread, any task, several at once.
 *
 * Failure     The errno of the system call, never EAGAIN; -ECANCELED when
 *             cancelled, or when the stream is closed meanwhile; -EDEADLK
 *             inside poll(). No SIGPIPE.
 */

#include <sys/socket.h>

#include "future.h"
#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pons_stream;

/*
 * Makes a stream of `fd`; consumes it when it returns 0. The flags of the open
 * file are not changed. A tty is reopened for itself. -EBADF, -EINVAL for a
 * regular file or directory (they are always ready), -EINVAL for a listener in
 * blocking mode, -ENOMEM.
 */
PONS_API PONS_MUST_USE int pons_stream_adopt(struct pons_stream **out, int fd);

/* The descriptor, borrowed: for getsockopt() and the like. */
PONS_API int pons_stream_fd(const struct pons_stream *s);

/*
 * Cancels what is in course, waits until it has ended, and closes the
 * descriptor. Consumes `s`. The wait is masked (P3). Inside poll() the waiting
 * is left to the runtime.
 */
PONS_API void pons_stream_close(struct pons_stream *s);

/* All of close but the close; returns the descriptor, the caller's again.
 * Consumes `s`, but for -EDEADLK inside poll() while operations are in course.
 */
PONS_API PONS_MUST_USE int pons_stream_release(struct pons_stream *s);

/* What the futures below have in common. All fields are Pons's. */
struct pons_io {
    struct pons_op op;
    struct pons_stream *stream;
    struct pons_waker waker;
    void *place; /* the seat or wait that has the op */
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_io) == 168, "ABI: pons_io");

/* Up to `size` bytes as soon as there is one. 0: the other side has ended. */
struct pons_recv {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_recv) == 208, "ABI: pons_recv");

PONS_API void pons_recv_init(struct pons_recv *r, struct pons_stream *s,
                             void *buffer, size_t size);
PONS_API PONS_MUST_USE int64_t pons_recv(struct pons_stream *s, void *buffer,
                                         size_t size);

/* Up to `size` bytes, as many as there is room for. How many went. */
struct pons_send {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_send) == 208, "ABI: pons_send");

PONS_API void pons_send_init(struct pons_send *w, struct pons_stream *s,
                             const void *buffer, size_t size);
PONS_API PONS_MUST_USE int64_t pons_send(struct pons_stream *s,
                                         const void *buffer, size_t size);

/*
 * All `size` bytes. Returns `size`, or the error if none went, or how many went
 * before an error or cancel (the error is met again by the next call).
 */
struct pons_send_all {
    struct pons_future base;
    struct pons_send send;
    struct pons_stream *stream;
    const void *buffer;
    size_t size, sent;
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_send_all) == 288, "ABI: pons_send_all");

PONS_API void pons_send_all_init(struct pons_send_all *w, struct pons_stream *s,
                                 const void *buffer, size_t size);
PONS_API PONS_MUST_USE int64_t pons_send_all(struct pons_stream *s,
                                             const void *buffer, size_t size);

/*
 * As pons_send(), out of the buffer itself where engine, kernel and device can:
 * without a copy. It ends when nobody reads the buffer any more, which on TCP
 * can be as late as the other side's acknowledgement; later sends need not wait
 * for that, and may end first. So it is for large buffers (docs/performance.md
 * has the sizes) and several in turn; for all else pons_send() is the faster.
 *
 * What was sent counts: a cancel, deadline or close after that says how many
 * bytes went, and waits for the buffer all the same, for a peer that takes
 * nothing as long as TCP does (setsockopt TCP_USER_TIMEOUT bounds that).
 */
struct pons_send_zc {
    struct pons_future base;
    struct pons_io io;
    int64_t sent; /* -1 until it is known */
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_send_zc) == 224, "ABI: pons_send_zc");

PONS_API void pons_send_zc_init(struct pons_send_zc *w, struct pons_stream *s,
                                const void *buffer, size_t size);
PONS_API PONS_MUST_USE int64_t pons_send_zc(struct pons_stream *s,
                                            const void *buffer, size_t size);

/*
 * A line, without its "\n" or "\r\n", ended by 0. Returns its length; -EMSGSIZE
 * if it does not fit (it stays to be read), -ENODATA at the end of the stream,
 * -ENOMEM; a last line without "\n" counts. What was read beyond stays with the
 * stream, for pons_recv() too.
 */
struct pons_read_line {
    struct pons_future base;
    struct pons_recv recv;
    struct pons_stream *stream;
    char *buffer;
    size_t size, have;
    char extra[8];
    uintptr_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_read_line) == 296, "ABI: pons_read_line");

PONS_API void pons_read_line_init(struct pons_read_line *r,
                                  struct pons_stream *s, char *buffer,
                                  size_t size);
PONS_API PONS_MUST_USE int64_t pons_read_line(struct pons_stream *s,
                                              char *buffer, size_t size);

/* Waits until one of `events` of poll(2) holds; returns those that do. Several
 * may wait at once; they do not queue behind reads and writes. */
struct pons_ready_wait {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_ready_wait) == 208,
                   "ABI: pons_ready_wait");

PONS_API void pons_ready_wait_init(struct pons_ready_wait *r,
                                   struct pons_stream *s, short events);
PONS_API PONS_MUST_USE int64_t pons_ready_wait(struct pons_stream *s,
                                               short events);

/* The next connection of a listener, as a stream in `*out`. 0 or -errno. */
struct pons_accept {
    struct pons_future base;
    struct pons_io io;
    struct pons_stream **out;
    uint64_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_accept) == 224, "ABI: pons_accept");

PONS_API void pons_accept_init(struct pons_accept *a,
                               struct pons_stream *listener,
                               struct pons_stream **out);
PONS_API PONS_MUST_USE int pons_accept(struct pons_stream *listener,
                                       struct pons_stream **out);

/* Connects a socket that was adopted. Copies the address. 0 or -errno. */
struct pons_connect {
    struct pons_future base;
    struct pons_io io;
    struct sockaddr_storage address;
};

PONS_STATIC_ASSERT(sizeof(struct pons_connect) == 336, "ABI: pons_connect");

PONS_API void pons_connect_init(struct pons_connect *c, struct pons_stream *s,
                                const struct sockaddr *address,
                                socklen_t length);
PONS_API PONS_MUST_USE int pons_connect(struct pons_stream *s,
                                        const struct sockaddr *address,
                                        socklen_t length);

/*
 * Resolves `host` and `service` on the blocking pool (getaddrinfo; IPv4, IPv6)
 * and connects to the first address that answers. Names are copied; a resolver
 * that does not end by the deadline is abandoned. -ENOENT: no such name.
 */
struct pons_tcp_connect {
    struct pons_future base;
    struct pons_stream **out;
    void *lookup; /* the names, the addresses; Pons's, freed at the end */
    void *next;   /* the address to try next */
    struct pons_stream *trying;
    struct pons_connect connect;
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_tcp_connect) == 424,
                   "ABI: pons_tcp_connect");

PONS_API void pons_tcp_connect_init(struct pons_tcp_connect *c,
                                    struct pons_stream **out, const char *host,
                                    const char *service);
PONS_API PONS_MUST_USE int pons_tcp_connect(struct pons_stream **out,
                                            const char *host,
                                            const char *service);

/*
 * Listens on `host` (NULL: all addresses) and `service` ("0": any free port).
 * `backlog` 0: the system's. Resolves like the above.
 */
struct pons_tcp_listen {
    struct pons_future base;
    struct pons_stream **out;
    void *lookup;
    int32_t backlog;
    int32_t reserved0;
    uint64_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_tcp_listen) == 72,
                   "ABI: pons_tcp_listen");

PONS_API void pons_tcp_listen_init(struct pons_tcp_listen *l,
                                   struct pons_stream **out, const char *host,
                                   const char *service, int backlog);
PONS_API PONS_MUST_USE int pons_tcp_listen(struct pons_stream **out,
                                           const char *host,
                                           const char *service, int backlog);

/* The port of a TCP stream or listener, in host order; -errno. */
PONS_API int pons_tcp_port(const struct pons_stream *s);

#ifdef __cplusplus
}
#endif
#endif /* PONS_STREAM_H */
