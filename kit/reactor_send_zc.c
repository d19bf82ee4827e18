/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_send_zc.c - R2, R4, R5 and R9 of SEND_ZC: a count, and the end of
 * a buffer, which may be two events.
 *
 * The trap is that a buffer which is read too late looks like any other, until
 * somebody writes into it: so each byte says where it stands, and the buffer is
 * overwritten as soon as it is said to be free. The other side takes little at
 * a time, so that bytes are still to go when the count is known.
 */

#include "kit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/opcode.h"

enum {
    BYTES = 256 * 1024, // of one send; more than a socket may hold
    SENDS = 20,
    RACES = 100,
    RACED = 20000,      // bytes of one of those
    NARROW = 32 * 1024, // what the other side's socket is asked to hold
    SIP = 1500,         // what it takes at a time
    PRIME = 251,        // so that no send begins where bytes repeat
    POISON = 0xaa,
    MOMENT_NS = 100000,
};

/* A send, and the other side. */
struct zc {
    struct pons_reactor *r;
    int fds[2];
    char *buffer;
    struct pons_op op;
    int pending, counted;
    int64_t count;       // of the op; or its error
    uint64_t sent, read; // of all
};

static struct zc
zc_over(struct pons_reactor *r)
{
    struct zc z = {.r = r, .buffer = malloc(BYTES)};
    const int narrow = NARROW;

    KIT_WANT(z.buffer != NULL, "the kit itself has no memory");
    kit_tcp_pair(z.fds);
    KIT_SYS(
        setsockopt(z.fds[0], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof narrow));
    KIT_SYS(
        setsockopt(z.fds[1], SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow));
    return z;
}

static struct zc
zc_open(struct kit *k)
{
    return zc_over(kit_open(k));
}

static void
zc_close(struct zc *z)
{
    kit_close_pair(z->r, z->fds);
    kit_close(z->r);
    free(z->buffer);
}

/* The other side takes up to `n` bytes, which are the next ones. */
static void
zc_read(struct zc *z, size_t n)
{
    char bytes[SIP];
    ssize_t got = recv(z->fds[1], bytes, n < SIP ? n : SIP, MSG_DONTWAIT);

    for (ssize_t i = 0; i < got; i++, z->read++)
        KIT_EQ((unsigned char)bytes[i], z->read % PRIME,
               "byte %llu of those that were sent out of a buffer until it was "
               "free",
               (unsigned long long)z->read);
}

static void
zc_ends(struct zc *z, int64_t count)
{
    z->pending = 0;
    z->count = count;
    z->sent += count > 0 ? (uint64_t)count : 0;
    memset(z->buffer, POISON, BYTES);
}

/* Submits a send of the next `n` bytes. */
static void
zc_begin(struct zc *z, size_t n)
{
    int how;

    for (size_t i = 0; i < n; i++)
        z->buffer[i] = (char)((z->sent + i) % PRIME);
    z->op = kit_op(PONS_OP_SEND_ZC, z->fds[0], z->buffer, n);
    z->counted = 0;
    z->pending = 1;
    how = kit_submit(z->r, &z->op);
    KIT_WANT(how != PONS_SUBMIT_UNSUPPORTED,
             "submit of SEND_ZC, which it declares: found UNSUPPORTED");
    if (how == PONS_SUBMIT_DONE)
        zc_ends(z, z->op.res);
}

static void
zc_event(struct zc *z, const struct pons_event *ev)
{
    KIT_WANT(ev->op == &z->op, "wanted an event of SEND_ZC, found one of "
                               "another op");
    KIT_WANT(z->pending, "SEND_ZC: found an event after the last one");
    if (ev->flags & PONS_EVENT_MORE) {
        KIT_EQ(z->counted, 0, "counts that SEND_ZC had told before this one");
        KIT_WANT(ev->res >= 0,
                 "SEND_ZC: wanted %d, an error, as its last event, found MORE",
                 ev->res);
        z->counted = 1;
        z->count = ev->res;
        return;
    }
    if (z->counted)
        kit_check_result(ev->res, 0, "the event of SEND_ZC after its count");
    zc_ends(z, z->counted ? z->count : ev->res);
}

/* One poll, of a moment at most, and one sip of the other side. */
static void
zc_turn(struct zc *z)
{
    struct pons_event ev;
    int n = z->r->ops->poll(z->r, &ev, 1, kit_now() + MOMENT_NS);

    KIT_WANT(n == 0 || n == 1, "poll with room for 1 event: found %d", n);
    if (n == 1)
        zc_event(z, &ev);
    else
        zc_read(z, SIP);
}

/* To its end; the count, or the error. */
static int64_t
zc_await(struct zc *z)
{
    while (z->pending)
        zc_turn(z);
    return z->count;
}

/* All that was sent, and nothing else. */
static void
zc_read_all(struct zc *z)
{
    while (z->read < z->sent)
        zc_turn(z);
    zc_turn(z);
    KIT_EQ(z->read, z->sent, "bytes that came, of those that were counted");
}

static void
zc_buffer(struct kit *k)
{
    struct zc z = zc_open(k);

    for (int i = 0; i < SENDS; i++) {
        zc_begin(&z, BYTES - (size_t)i);
        KIT_WANT(zc_await(&z) > 0, "SEND_ZC: wanted a count, found %lld",
                 (long long)z.count);
    }
    zc_read_all(&z);
    zc_close(&z);
}

static void
zc_error(struct kit *k)
{
    struct zc z = zc_open(k);

    close(z.fds[1]);
    do
        zc_begin(&z, BYTES);
    while (zc_await(&z) > 0); // what was sent before the other side said so
    KIT_WANT(z.count == -EPIPE || z.count == -ECONNRESET,
             "SEND_ZC to what is closed: wanted -EPIPE or -ECONNRESET, found "
             "%lld",
             (long long)z.count);
    kit_quiet(z.r);
    kit_forget(z.r, z.fds[0]);
    kit_close(z.r);
    free(z.buffer);
}

/* --- cancel --- */

/* Bytes that go before, until there is no room. */
static void
zc_fill(struct zc *z)
{
    char bytes[SIP];
    ssize_t n;

    do {
        for (unsigned i = 0; i < SIP; i++)
            bytes[i] = (char)((z->sent + i) % PRIME);
        n = send(z->fds[0], bytes, SIP, MSG_DONTWAIT | MSG_NOSIGNAL);
        z->sent += n > 0 ? (uint64_t)n : 0;
    } while (n > 0);
}

static void
zc_check_cancelled(const struct zc *z)
{
    KIT_WANT(z->count == -ECANCELED || z->count > 0,
             "a cancelled SEND_ZC: wanted -ECANCELED or a count, found %lld",
             (long long)z->count);
}

static void
zc_cancel_waiting(struct kit *k)
{
    struct zc z = zc_open(k);

    for (int i = 0; i < SENDS; i++) {
        zc_fill(&z);
        zc_begin(&z, BYTES);
        if (i % 2)
            kit_quiet(z.r);
        if (z.pending)
            z.r->ops->cancel(z.r, &z.op);
        (void)zc_await(&z);
        zc_check_cancelled(&z);
        zc_read(&z, SIP);
    }
    zc_read_all(&z);
    zc_close(&z);
}

/* The other side has taken nothing, so the buffer may not be free. */
static void
zc_cancel_counted(struct kit *k)
{
    struct zc z = zc_open(k);

    for (int i = 0; i < SENDS; i++) {
        int64_t count;

        zc_begin(&z, BYTES);
        while (z.pending && !z.counted)
            zc_turn(&z);
        count = z.count;
        for (int n = 0; z.pending && n < 2; n++)
            z.r->ops->cancel(z.r, &z.op);
        kit_check_result(zc_await(&z), count,
                         "SEND_ZC cancelled after its "
                         "count");
    }
    zc_read_all(&z);
    zc_close(&z);
}

static void
zc_cancel_race(struct kit *k)
{
    struct zc z = zc_open(k);

    for (int i = 0; i < RACES; i++) {
        zc_begin(&z, RACED);
        for (int n = 0; z.pending && n < i % 4; n++)
            zc_turn(&z);
        if (z.pending)
            z.r->ops->cancel(z.r, &z.op);
        (void)zc_await(&z);
        zc_check_cancelled(&z);
    }
    zc_read_all(&z);
    zc_close(&z);
}

/* --- tiny queues --- */

static void
zc_configured(struct pons_reactor *r, const char *how)
{
    struct zc z = zc_over(r);

    (void)how;
    if (!poni_reactor_has(r, PONS_OP_SEND_ZC)) {
        zc_close(&z); // it is switched off
        return;
    }
    for (int i = 0; i < SENDS; i++) {
        zc_begin(&z, RACED);
        if (i % 4 == 0 && z.pending)
            z.r->ops->cancel(z.r, &z.op);
        (void)zc_await(&z);
        zc_check_cancelled(&z);
    }
    zc_read_all(&z);
    zc_close(&z);
}

static void
zc_each(struct kit *k)
{
    kit_each_configuration(k, zc_configured);
}

/* --- results --- */

static void
zc_is(struct zc *z, int fd, size_t n, int flags, int64_t wanted)
{
    int how;

    z->op = kit_op(PONS_OP_SEND_ZC, fd, z->buffer, n);
    z->op.op_flags = (uint32_t)flags;
    z->counted = 0;
    z->pending = 1;
    how = kit_submit(z->r, &z->op);
    if (how == PONS_SUBMIT_DONE)
        zc_ends(z, z->op.res);
    kit_check_result(zc_await(z), wanted,
                     "SEND_ZC of %zu bytes, with flags 0x%x, beside send(2)", n,
                     (unsigned)flags);
}

static int64_t
zc_said(ssize_t n)
{
    return n < 0 ? -errno : n;
}

static void
zc_results(struct kit *k)
{
    struct zc z = zc_open(k);
    int fds[2], fd = kit_tcp_socket(SOCK_NONBLOCK);
    char bytes[4];

    zc_is(&z, z.fds[0], 0, 0, 0);
    zc_is(&z, z.fds[0], BYTES, MSG_DONTWAIT, -EINVAL);
    zc_is(&z, z.fds[0], BYTES, MSG_WAITALL, -EINVAL);
    zc_is(&z, -1, BYTES, 0, -EBADF);
    zc_is(&z, fd, BYTES, 0, zc_said(send(fd, bytes, 1, MSG_NOSIGNAL)));
    kit_forget(z.r, fd);
    kit_pipe(fds);
    zc_is(&z, fds[1], BYTES, 0, -ENOTSOCK);
    close(fds[0]);
    kit_forget(z.r, fds[1]);
    kit_unix_pair(fds, SOCK_STREAM);
    memcpy(z.buffer, "abc", 3);
    zc_is(&z, fds[0], 3, 0, 3);
    KIT_EQ(read(fds[1], bytes, sizeof bytes), 3,
           "bytes of a SEND_ZC that came "
           "by a unix socket");
    KIT_WANT(memcmp(bytes, "abc", 3) == 0,
             "bytes of a SEND_ZC: wanted \"abc\", "
             "found \"%.3s\"",
             bytes);
    close(fds[1]);
    zc_is(&z, fds[0], BYTES, 0, -EPIPE);
    kit_forget(z.r, fds[0]);
    zc_close(&z);
}

#define NEEDS (KIT_IO | KIT_SEND_ZC)

const struct kit_test kit_send_zc_tests[] = {
    {"R2", "a zero-copy send counts once, and its buffer is free at its end",
     NEEDS, NULL, zc_buffer},
    {"R2", "an error of a zero-copy send is its last event", NEEDS, NULL,
     zc_error},
    {"R4", "zero-copy sends, with each option's least and most",
     NEEDS | KIT_OPTIONS, NULL, zc_each},
    {"R5", "a zero-copy send that waits is cancelled, or counts", NEEDS, NULL,
     zc_cancel_waiting},
    {"R5", "a cancel after the count of a zero-copy send changes nothing",
     NEEDS, NULL, zc_cancel_counted},
    {"R5", "zero-copy sends lose nothing to cancels", NEEDS, NULL,
     zc_cancel_race},
    {"R9", "a zero-copy send has the results of a plain one", NEEDS, NULL,
     zc_results},
    {0},
};
