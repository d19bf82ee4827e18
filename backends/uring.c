/* SPDX-License-Identifier: MIT */
/*
 * backends/uring.c - io_uring: operations are written into a ring, and the
 * kernel says in another how they ended.
 *
 * submit() fills an entry, or puts the op behind others that wait for one.
 * poll() gives all entries to the kernel and waits for completions, in one
 * system call; with nothing to give and something completed, in none.
 *
 * A ring is a thread's as far as the kernel is concerned. By default
 * (COOP_TASKRUN) it can be handed over (backends/uring_owner.c); with
 * owner=strict (SINGLE_ISSUER, DEFER_TASKRUN) not, and completions are made in
 * poll() only.
 *
 * The bell of wake() is an eventfd that the ring watches. Each write tells, so
 * it is not read: its counter would take 2^64 rings to fill.
 */

#include "uring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ENTRIES_MIN = 2,
    ENTRIES_MAX = 32768, // the kernel's; as is the next
    COMPLETIONS_MAX = 65536,
    COMPLETIONS = 4096, // at least, unless cq says so: 64 KiB
    FOR_EACH = 4,       // completions for each entry: more are in flight
    BUFFER_SIZE_MAX = 1 << 30,
};

#define ZERO_COPY_NEVER (UINT64_C(1) << 31) // no send is that long

/* --- ops --- */

static enum uring_step
submit_step(struct uring *u, const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_POLL:
        return URING_WATCHES;
    case PONS_OP_POLL_MULTI:
        return URING_LOOKS_ON;
    case PONS_OP_SEND_ZC:
        return poni_uring_send_step(u, op);
    default:
        return URING_CALLS;
    }
}

/* Before Linux 6.18 no entry keeps SIGPIPE away from a pipe's writer. */
static int
submit_must_be_helped(const struct uring *u, const struct pons_op *op)
{
    return op->opcode == PONS_OP_WRITE && !u->can.nosignal &&
           op->offset == PONS_AT_POSITION &&
           poni_uring_instead(op->fd) != URING_INSISTS;
}

__attribute__((noinline)) static int
submit_other(struct uring *u, struct pons_op *op)
{
    if (op->opcode >= PONS_OPCODES || !(u->can.opcodes >> op->opcode & 1))
        return PONS_SUBMIT_UNSUPPORTED;
    if (op->opcode == PONS_OP_NOP) {
        op->res = (int32_t)op->len;
        return PONS_SUBMIT_DONE;
    }
    if (poni_uring_refused(u, op, &op->res))
        return PONS_SUBMIT_DONE;
    op->backend2 = submit_step(u, op);
    if (submit_must_be_helped(u, op)) {
        if (poni_uring_help(op, &op->res))
            return PONS_SUBMIT_DONE;
        op->backend2 = URING_HELPS;
    }
    op->backend[2] = 0;
    poni_uring_ask(u, op);
    return PONS_SUBMIT_PENDING;
}

/* Nothing is to be looked at, but what poni_uring_refused() would. */
static inline int
submit_is_plain(const struct pons_op *op)
{
    return (op->opcode == PONS_OP_RECV || op->opcode == PONS_OP_SEND) &&
           !(op->op_flags & (MSG_DONTWAIT | MSG_WAITALL));
}

static int
uring_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct uring *u = uring_self(r);

    if (!submit_is_plain(op))
        return submit_other(u, op);
    op->backend2 = URING_CALLS;
    op->backend[2] = 0;
    poni_uring_ask(u, op);
    return PONS_SUBMIT_PENDING;
}

static void
uring_cancel(struct pons_reactor *r, struct pons_op *op)
{
    poni_uring_cancel(uring_self(r), op);
}

static int
uring_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    return poni_uring_turn(uring_self(r), events, cap, deadline_ns);
}

/* Rings once per answer; a ring that comes late, after its wake was answered,
 * is ignored by poll(). Any thread, any signal handler. */
static int
uring_wake(struct pons_reactor *r)
{
    struct uring *u = uring_self(r);
    uint64_t one = 1;
    int saved = errno;

    /* Pairs with turn_rung(): publishes what the waker wrote before. */
    if (__atomic_exchange_n(&u->rung, 1, __ATOMIC_SEQ_CST) != 0)
        return 0;
    (void)!write(u->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

/* --- control --- */

static int
uring_say_stats(const struct uring *u, FILE *to)
{
    int n =
        fprintf(to,
                "uring: %llu system calls, %llu entries repeated, %llu "
                "times without room, %u moves, %llu buffers lent, %llu of "
                "them copied\n",
                (unsigned long long)u->enters, (unsigned long long)u->repeats,
                (unsigned long long)u->overflows, u->moves,
                (unsigned long long)u->zero_copy.lent,
                (unsigned long long)u->zero_copy.copied);

    return n < 0 ? -EIO : 0;
}

/* The kernel wakes nobody who polls a ring with DEFER_TASKRUN, but tells an
 * eventfd. */
static int
uring_nest(struct uring *u, int *fd)
{
    int err;

    u->nested = 1;
    *fd = u->strict ? u->herald : u->ring.io.ring_fd;
    if (*fd >= 0)
        return 0;
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*fd < 0)
        return -errno;
    err = poni_uring_register(&u->ring, IORING_REGISTER_EVENTFD, fd, 1);
    if (err < 0)
        close(*fd);
    else
        u->herald = *fd;
    return err;
}

static int
uring_say_lending(const struct uring *u, struct pons_buffers *b)
{
    b->count = u->lending.count;
    b->size = u->lending.size;
    b->ahead = u->lending.ahead;
    return 0;
}

static int
uring_control_buffers(struct uring *u, unsigned what, void *arg)
{
    switch (what) {
    case PONS_CONTROL_LEND:
        return poni_uring_lend(u, arg);
    case PONS_CONTROL_RETURN:
        return poni_uring_return(u, arg);
    default:
        return uring_say_lending(u, arg);
    }
}

static int
uring_control(struct pons_reactor *r, unsigned what, void *arg)
{
    struct uring *u = uring_self(r);

    switch (what) {
    case PONS_CONTROL_POLLABLE_FD:
        return uring_nest(u, arg);
    case PONS_CONTROL_STATS:
        return uring_say_stats(u, arg);
    case PONS_CONTROL_LEND:
    case PONS_CONTROL_RETURN:
    case PONS_CONTROL_LENDING:
        if (u->can.opcodes >> PONS_OP_RECV_MULTI & 1)
            return uring_control_buffers(u, what, arg);
        return -ENOTSUP;
    default:
        return -ENOTSUP;
    }
}

static int
uring_bind(struct pons_reactor *r)
{
    return poni_uring_bind(uring_self(r));
}

/* --- open, close --- */

static void
uring_free(struct uring *u, int forked)
{
    poni_uring_free_groups(u, forked);
    close(u->bell);
    if (u->herald >= 0)
        close(u->herald);
    u->host->free(u->host, u, sizeof *u);
}

static void
uring_close(struct pons_reactor *r)
{
    struct uring *u = uring_self(r);

    poni_uring_leave(u);
    poni_uring_ring_close(&u->ring);
    uring_free(u, 0);
}

/* The ring's memory is not the child's, and the ring itself is the parent's. */
static void
uring_forked(struct pons_reactor *r)
{
    struct uring *u = uring_self(r);

    poni_uring_ring_forked(&u->ring);
    uring_free(u, 1);
}

static int
uring_open_ring(struct uring *u, const struct pons_config *config,
                struct pons_reason *reason)
{
    unsigned entries = (unsigned)u->host->config_uint(config, "entries");
    unsigned cq = (unsigned)u->host->config_uint(config, "cq");
    unsigned flags = IORING_SETUP_TASKRUN_FLAG;
    int err;

    if (cq == 0)
        cq =
            FOR_EACH * entries > COMPLETIONS ? FOR_EACH * entries : COMPLETIONS;
    if (cq > COMPLETIONS_MAX)
        cq = COMPLETIONS_MAX;
    if (cq < entries)
        return u->host->refuse(reason, -EINVAL,
                               "cq=%u is fewer than entries=%u", cq, entries);
    if (u->strict && !u->can.registers)
        return u->host->refuse(reason, -EPERM,
                               "owner=strict needs io_uring_register(2), which "
                               "is forbidden");
    flags |= u->strict
                 ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                       IORING_SETUP_R_DISABLED
                 : IORING_SETUP_COOP_TASKRUN;
    err = poni_uring_ring_open(&u->ring, entries, cq, flags);
    if (err == -EINVAL && u->strict)
        return u->host->refuse(reason, err,
                               "owner=strict needs Linux 6.1 (DEFER_TASKRUN)");
    return err < 0 ? poni_uring_refuse(u->host, reason, err) : 0;
}

static int
uring_open_all(struct uring *u, const struct pons_config *config,
               struct pons_reason *reason)
{
    int err;

    u->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->bell < 0)
        return u->host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
    err = poni_uring_probe(&u->can, u->host, u->bell, reason);
    if (err < 0)
        goto close_bell;
    err = uring_open_ring(u, config, reason);
    if (err < 0)
        goto close_bell;
    return 0;

close_bell:
    close(u->bell);
    return err;
}

static struct uring_lending
uring_lending_of(const struct pons_host *host, const struct pons_config *config)
{
    struct uring_lending l = {
        .count = 1,
        .size = (uint32_t)host->config_uint(config, "buffer_size"),
        .ahead = (uint16_t)host->config_uint(config, "ahead")};

    while (l.count < host->config_uint(config, "buffers"))
        l.count *= 2;
    return l;
}

static const struct pons_reactor_ops uring_ops; // below; it names open()

static int
uring_open(struct pons_reactor **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    struct uring *u = host->alloc(host, sizeof *u);
    int err;

    if (u == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the reactor");
    u->host = host;
    u->herald = -1;
    u->strict = host->config_uint(config, "owner") == 1;
    u->registers = host->config_uint(config, "registered") != 0;
    u->workers = (unsigned)host->config_uint(config, "workers");
    u->zero_copy.at_least = host->config_uint(config, "zero_copy");
    u->lending = uring_lending_of(host, config);
    err = uring_open_all(u, config, reason);
    if (err < 0) {
        host->free(host, u, sizeof *u);
        return err;
    }
    poni_uring_prepare();
    u->base.ops = &uring_ops;
    u->base.caps = PONS_REACTOR_COMPLETION | PONS_REACTOR_FILES;
    if (u->strict)
        u->base.caps |= PONS_REACTOR_PINNED;
    if (u->zero_copy.at_least == ZERO_COPY_NEVER)
        u->can.opcodes &= ~(UINT64_C(1) << PONS_OP_SEND_ZC);
    u->base.opcodes[0] = u->can.opcodes;
    *out = &u->base;
    return 0;
}

static const struct pons_reactor_ops uring_ops = {
    .abi = PONS_ABI,
    .size = sizeof uring_ops,
    .name = "uring",
    .open = uring_open,
    .bind = uring_bind,
    .close = uring_close,
    .control = uring_control,
    .forked = uring_forked,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .poll = uring_poll,
    .wake = uring_wake,
};

static const struct pons_option uring_options[] = {
    {.name = "entries",
     .type = PONS_OPTION_UINT,
     .fallback = "256",
     .min = ENTRIES_MIN,
     .max = ENTRIES_MAX,
     .help = "operations per system call; the kernel makes a power of two of "
             "it"},
    {.name = "cq",
     .type = PONS_OPTION_UINT,
     .fallback = "0",
     .min = 0,
     .max = COMPLETIONS_MAX,
     .help = "completions that have room; 0: four times entries, 4096 or more"},
    {.name = "owner",
     .type = PONS_OPTION_CHOICE,
     .fallback = "cooperative",
     .choices = "cooperative|strict",
     .help = "strict: one thread for ever, whose completions wait for poll"},
    {.name = "registered",
     .type = PONS_OPTION_BOOL,
     .fallback = "yes",
     .help = "whether the first owner registers the ring's descriptor"},
    {.name = "workers",
     .type = PONS_OPTION_UINT,
     .fallback = "0",
     .min = 0,
     .max = 512,
     .help = "the most kernel threads per owner for files; 0: the kernel's own "
             "limit"},
    {.name = "zero_copy",
     .type = PONS_OPTION_BYTES,
     .fallback = "16k",
     .min = 0,
     .max = ZERO_COPY_NEVER,
     .help = "from how many bytes on a zero-copy send is one, until the kernel "
             "says that it copies; 0: always; 2G: never"},
    {.name = "buffers",
     .type = PONS_OPTION_UINT,
     .fallback = "64",
     .min = 1,
     .max = PONS_BUFFERS_MAX,
     .help = "how many a worker has to lend to multishot receives; a power of "
             "two is made of it"},
    {.name = "buffer_size",
     .type = PONS_OPTION_BYTES,
     .fallback = "16k",
     .min = 1,
     .max = BUFFER_SIZE_MAX,
     .help = "of each of them"},
    {.name = "ahead",
     .type = PONS_OPTION_UINT,
     .fallback = "16",
     .min = 1,
     .max = PONS_BUFFERS_MAX,
     .help = "so many receives of one connection that nobody has taken, and "
             "it is not read from until they are"},
    {0},
};

static const struct pons_engine uring_engines[] = {
    {.kind = PONS_KIND_REACTOR,
     .rank = 40,
     .name = "uring",
     .summary = "completions by io_uring(7)",
     .options = uring_options,
     .table = &uring_ops},
    {0},
};

static const struct pons_plugin uring_plugin = {
    .abi = PONS_ABI,
    .size = sizeof uring_plugin,
    .name = "uring",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = uring_engines,
};

PONS_PLUGIN(uring_plugin, "uring", PONS_VERSION, "MIT", "reactor:uring")
