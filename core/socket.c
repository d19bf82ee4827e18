/* SPDX-License-Identifier: MIT */
/*
 * core/socket.c - sockets: made, messages, half a close.
 */

#include "pons/socket.h"

#include <errno.h>
#include <unistd.h>

#include "call.h"
#include "fail.h"
#include "future.h"
#include "self.h"
#include "stream.h"

static struct poni_leaf *
leaf_at(struct pons_future *f)
{
    return (struct poni_leaf *)(void *)f; // all begin like a leaf
}

/* --- socket --- */

/* base.resume 1: the descriptor has been dealt with. */
static enum pons_poll
socket_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_socket *s = pons_container_of(f, struct pons_socket, base);
    int fd;

    if (f->resume != 0)
        return PONS_READY;
    if (poni_call_ops.poll(f, w) == PONS_PENDING)
        return PONS_PENDING;
    f->resume = 1;
    if (f->result < 0)
        return PONS_READY;
    fd = (int)f->result;
    *s->out = poni_stream_new(fd, STREAM_SOCKET);
    if (*s->out == NULL) {
        close(fd);
        return poni_ready(f, poni_fail(-ENOMEM, "no memory for a stream"));
    }
    return poni_ready(f, 0);
}

static void
socket_cancel(struct pons_future *f)
{
    poni_call_ops.cancel(f);
}

static void
socket_describe(const struct pons_future *f, char *text, size_t size)
{
    poni_call_ops.describe(f, text, size);
}

static const struct pons_future_ops socket_ops = {
    .size = sizeof socket_ops,
    .name = "socket",
    .poll = socket_poll,
    .cancel = socket_cancel,
    .describe = socket_describe,
};

void
pons_socket_init(struct pons_socket *s, struct pons_stream **out, int domain,
                 int type, int protocol)
{
    struct pons_op *op =
        poni_call_init(&s->base, PONS_OP_SOCKET, domain, CALL_CANCELS);

    s->base.ops = &socket_ops;
    op->len = (uint32_t)type | SOCK_NONBLOCK | SOCK_CLOEXEC;
    op->fd2 = protocol;
    s->out = out;
    s->reserved = 0;
    *out = NULL;
}

int
pons_socket(struct pons_stream **out, int domain, int type, int protocol)
{
    struct pons_socket s;

    pons_socket_init(&s, out, domain, type, protocol);
    return (int)poni_call_await(&s.base, "socket");
}

/* --- messages --- */

static void
message_init(struct pons_future *f, struct pons_stream *s,
             enum pons_opcode opcode, const struct msghdr *message, int flags)
{
    struct poni_leaf *leaf = leaf_at(f);

    poni_io_init(leaf, s, opcode, opcode == PONS_OP_SENDMSG ? IO_WRITES : 0);
    leaf->io.op.addr = (void *)(uintptr_t)message;
    leaf->io.op.op_flags = (uint32_t)flags;
}

void
pons_recvmsg_init(struct pons_recvmsg *r, struct pons_stream *s,
                  struct msghdr *message, int flags)
{
    message_init(&r->base, s, PONS_OP_RECVMSG, message, flags);
}

int64_t
pons_recvmsg(struct pons_stream *s, struct msghdr *message, int flags)
{
    struct pons_recvmsg r;

    if (poni_self.polling)
        return poni_refuse_poll("pons_recvmsg()", "struct pons_recvmsg");
    pons_recvmsg_init(&r, s, message, flags);
    return poni_await_as(&r.base, "recvmsg");
}

void
pons_sendmsg_init(struct pons_sendmsg *w, struct pons_stream *s,
                  const struct msghdr *message, int flags)
{
    message_init(&w->base, s, PONS_OP_SENDMSG, message, flags);
}

int64_t
pons_sendmsg(struct pons_stream *s, const struct msghdr *message, int flags)
{
    struct pons_sendmsg w;

    if (poni_self.polling)
        return poni_refuse_poll("pons_sendmsg()", "struct pons_sendmsg");
    pons_sendmsg_init(&w, s, message, flags);
    return poni_await_as(&w.base, "sendmsg");
}

/* --- shutdown --- */

void
pons_shutdown_init(struct pons_shutdown *h, struct pons_stream *s, int how)
{
    struct poni_leaf *leaf = leaf_at(&h->base);

    poni_io_init(leaf, s, PONS_OP_SHUTDOWN,
                 how == SHUT_WR ? IO_WRITES : IO_POLLS);
    leaf->io.op.len = (uint32_t)how;
}

int
pons_shutdown(struct pons_stream *s, int how)
{
    struct pons_shutdown h;

    if (poni_self.polling)
        return poni_refuse_poll("pons_shutdown()", "struct pons_shutdown");
    pons_shutdown_init(&h, s, how);
    return (int)poni_await_as(&h.base, "shutdown");
}
