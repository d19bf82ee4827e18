/* SPDX-License-Identifier: MIT */
#ifndef PONS_SOCKET_H
#define PONS_SOCKET_H

/*
 * pons/socket.h - more of sockets than bytes: messages with addresses and
 * descriptors, half a close.
 *
 *     struct pons_stream *s;
 *     int err = pons_socket(&s, AF_INET, SOCK_DGRAM, 0);
 *
 *     if (err == 0)
 *         err = pons_connect(s, address, length);
 *
 * On streams, with their queues: ownership, threads and failure are those of
 * pons/stream.h.
 */

#include <sys/socket.h>

#include "call.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A new socket, as a stream in `*out`. `type` may have SOCK_CLOEXEC and
 * SOCK_NONBLOCK, which are set in any case. 0 or -errno.
 */
struct pons_socket {
    struct pons_future base;
    struct pons_call call;
    struct pons_stream **out;
    uint64_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_socket) == 320, "ABI: pons_socket");

PONS_API void pons_socket_init(struct pons_socket *s, struct pons_stream **out,
                               int domain, int type, int protocol);
PONS_API PONS_MUST_USE int pons_socket(struct pons_stream **out, int domain,
                                       int type, int protocol);

/*
 * recvmsg(2) and sendmsg(2): how many bytes. Borrow the message and all that it
 * points to. MSG_DONTWAIT and MSG_WAITALL are -EINVAL.
 */
struct pons_recvmsg {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_recvmsg) == 208, "ABI: pons_recvmsg");

PONS_API void pons_recvmsg_init(struct pons_recvmsg *r, struct pons_stream *s,
                                struct msghdr *message, int flags);
PONS_API PONS_MUST_USE int64_t pons_recvmsg(struct pons_stream *s,
                                            struct msghdr *message, int flags);

struct pons_sendmsg {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_sendmsg) == 208, "ABI: pons_sendmsg");

PONS_API void pons_sendmsg_init(struct pons_sendmsg *w, struct pons_stream *s,
                                const struct msghdr *message, int flags);
PONS_API PONS_MUST_USE int64_t pons_sendmsg(struct pons_stream *s,
                                            const struct msghdr *message,
                                            int flags);

/* SHUT_WR ends the bytes that were sent before, in the order of the calls; the
 * others act at once. 0 or -errno. */
struct pons_shutdown {
    struct pons_future base;
    struct pons_io io;
};

PONS_STATIC_ASSERT(sizeof(struct pons_shutdown) == 208, "ABI: pons_shutdown");

PONS_API void pons_shutdown_init(struct pons_shutdown *h, struct pons_stream *s,
                                 int how);
PONS_API PONS_MUST_USE int pons_shutdown(struct pons_stream *s, int how);

#ifdef __cplusplus
}
#endif
#endif /* PONS_SOCKET_H */
