/* SPDX-License-Identifier: MIT */
/*
 * core/send_zc.c - pons_send_zc(): see core/send_zc.h for its two steps.
 *
 * The trap is the buffer. Its end may be far off and nothing may hurry it: who
 * cancels is told the count, once the engine says that nobody reads the buffer
 * any more (R2).
 */

#include "send_zc.h"

#include <stdio.h>

#include "fail.h"
#include "future.h"
#include "opcode.h"
#include "stream.h"

enum { NOT_KNOWN = -1 }; // send_zc->sent

static struct poni_leaf *
leaf_of(struct pons_send_zc *z)
{
    return (struct poni_leaf *)(void *)z; // it begins like one
}

void
poni_send_zc_plainly(struct pons_op *op)
{
    poni_store_relaxed(&op->opcode, PONS_OP_SEND); // for a describe
    poni_op_belongs(op, USER_STREAM);
}

void
poni_send_zc_event(struct poni_seat *seat, struct pons_op *op, int32_t res,
                   uint32_t flags)
{
    struct pons_send_zc *z = pons_container_of(op, struct pons_send_zc, io.op);

    if (flags & PONS_EVENT_MORE) {
        poni_store_relaxed(&z->sent, res); // for a describe
        poni_io_pass(leaf_of(z));
        return;
    }
    poni_io_end_event(seat, op, z->sent == NOT_KNOWN ? res : (int32_t)z->sent);
}

static void
send_zc_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_send_zc *z = (const struct pons_send_zc *)(const void *)f;
    long long sent = (long long)poni_load_relaxed(&z->sent);

    if (sent == NOT_KNOWN)
        poni_io_ops.describe(f, text, size);
    else
        (void)snprintf(text, size,
                       "%s on descriptor %d: %lld sent, until the buffer is "
                       "free",
                       poni_opcode_name(PONS_OP_SEND_ZC), z->io.op.fd, sent);
}

static const struct pons_future_ops send_zc_ops = {
    .size = sizeof send_zc_ops,
    .name = "send_zc",
    .poll = poni_io_poll,
    .cancel = poni_io_cancel,
    .describe = send_zc_describe,
};

void
pons_send_zc_init(struct pons_send_zc *z, struct pons_stream *s,
                  const void *buffer, size_t size)
{
    int is_socket = s->kind == STREAM_SOCKET;

    poni_io_init(leaf_of(z), s, is_socket ? PONS_OP_SEND_ZC : PONS_OP_WRITE,
                 IO_WRITES);
    z->base.ops = &send_zc_ops;
    if (is_socket)
        poni_op_belongs(&z->io.op, USER_SEND_ZC);
    z->io.op.addr = (void *)(uintptr_t)buffer;
    z->io.op.len = size < IO_LEN_MAX ? (uint32_t)size : (uint32_t)IO_LEN_MAX;
    z->sent = NOT_KNOWN;
    z->reserved = 0;
}

/* An ordinary thread has no engine to lend a buffer to. */
int64_t
pons_send_zc(struct pons_stream *s, const void *buffer, size_t size)
{
    struct pons_send_zc z;

    if (poni_self.polling)
        return poni_refuse_poll("pons_send_zc()", "struct pons_send_zc");
    if (poni_self.seat == NULL)
        return pons_send(s, buffer, size);
    pons_send_zc_init(&z, s, buffer, size);
    return poni_await_as(&z.base, "send_zc");
}
