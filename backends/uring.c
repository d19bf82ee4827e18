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
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ENTRIES_MIN = 2,
    ENTRIES_MAX = 32768, // the kernel's; as is the next
    COMPLETIONS_MAX = 65536,
    COMPLETIONS = 4096,  // at least, unless cq says so: 64 KiB
    FOR_EACH = 4,        // completions for each entry: more are in flight
    MOMENT_NS = 1000000, // where the kernel has no memory for more
    YEAR_BITS = 55,      // 2^55 ns are a year; the kernel cannot add 2^63
};

/* --- into the ring --- */

static void
fill_bell(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (u->bell_rings || (sqe = uring_next_entry(&u->ring)) == NULL)
        return;
    io_uring_prep_poll_multishot(sqe, u->bell, POLLIN);
    sqe->user_data = URING_BELL;
    u->bell_rings = 1;
}

static void
fill_move(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (!u->moves_owed || (sqe = uring_next_entry(&u->ring)) == NULL)
        return;
    io_uring_prep_cancel64(sqe, 0,
                           IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = URING_MOVES;
    u->moves_owed = 0;
}

static void
fill_cancels(struct uring *u)
{
    while (u->cancels.first != NULL) {
        struct io_uring_sqe *sqe = uring_next_entry(&u->ring);

        if (sqe == NULL)
            return;
        poni_uring_fill_cancel(sqe, uring_pop(&u->cancels));
    }
}

static void
fill_queued(struct uring *u)
{
    while (u->queued.first != NULL) {
        struct io_uring_sqe *sqe = uring_next_entry(&u->ring);

        if (sqe == NULL)
            return;
        poni_uring_put(u, sqe, uring_pop(&u->queued));
    }
}

static void
fill_later(struct uring *u)
{
    struct pons_op *op;

    if (u->later.first == NULL || u->host->now(u->host) < u->later_ns)
        return;
    while ((op = uring_pop(&u->later)) != NULL)
        if (op->backend[0] == URING_DOUBTS)
            poni_uring_ask_cancel(u, op);
        else
            poni_uring_ask(u, op);
}

/* The bell first: without it a wake could be missed. Cancels before ops: they
 * must not wait for what they are to end. */
static void
uring_fill(struct uring *u)
{
    fill_move(u);
    fill_bell(u);
    fill_later(u);
    fill_cancels(u);
    fill_queued(u);
}

static enum uring_step
submit_step(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_POLL:
        return URING_WATCHES;
    case PONS_OP_POLL_MULTI:
        return URING_LOOKS_ON;
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

static int
uring_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct uring *u = uring_self(r);

    if (op->opcode >= PONS_OPCODES || !(u->can.opcodes >> op->opcode & 1))
        return PONS_SUBMIT_UNSUPPORTED;
    if (op->opcode == PONS_OP_NOP) {
        op->res = (int32_t)op->len;
        return PONS_SUBMIT_DONE;
    }
    if (poni_uring_refused(u, op, &op->res))
        return PONS_SUBMIT_DONE;
    op->backend2 = submit_step(op);
    if (submit_must_be_helped(u, op)) {
        if (poni_uring_help(op, &op->res))
            return PONS_SUBMIT_DONE;
        op->backend2 = URING_HELPS;
    }
    op->backend[2] = 0;
    poni_uring_ask(u, op);
    return PONS_SUBMIT_PENDING;
}

static void
uring_cancel(struct pons_reactor *r, struct pons_op *op)
{
    poni_uring_cancel(uring_self(r), op);
}

/* --- out of it --- */

static void
take_bell(struct uring *u, int32_t res, unsigned flags)
{
    if (flags & IORING_CQE_F_MORE)
        return;
    u->bell_rings = 0;
    if (res >= 0 || res == -ECANCELED)
        return;
    u->host->log(u->host, PONS_LOG_ERROR, "uring",
                 "the eventfd of wake() can be watched no more: %s",
                 strerror(-res));
    u->broken = res;
}

/* What one completion says. 1: *ev is an event. */
static int
take_one(struct uring *u, const struct io_uring_cqe *cqe, struct pons_event *ev)
{
    uint64_t who = cqe->user_data;
    struct pons_op *op = (struct pons_op *)(uintptr_t)(who & ~(uint64_t)1);

    if (who == URING_BELL)
        take_bell(u, cqe->res, cqe->flags);
    if (who < URING_SPECIAL)
        return 0;
    if (who & URING_CANCEL)
        return poni_uring_cancel_told(u, op, cqe->res, ev);
    return poni_uring_told(u, op, cqe->res, cqe->flags, ev);
}

/* What does not fit stays in the ring. */
static int
uring_take(struct uring *u, struct pons_event *events, unsigned cap)
{
    unsigned head = *u->ring.cq_head, n = 0;
    struct pons_op *op;

    while (n < cap && (op = uring_pop(&u->finished)) != NULL)
        events[n++] = (struct pons_event){
            .op = op, .res = op->res, .flags = op->event_flags};
    /* Pairs with the kernel's release: the completion is written. */
    while (n < cap && head != io_uring_smp_load_acquire(u->ring.cq_tail)) {
        n += (unsigned)take_one(u, &u->ring.cqes[head & u->ring.cq_mask],
                                &events[n]);
        head++;
    }
    /* Pairs with the kernel's acquire: they have been read. */
    io_uring_smp_store_release(u->ring.cq_head, head);
    return (int)n;
}

/* --- poll --- */

static int
uring_must_not_wait(const struct uring *u, uint64_t deadline_ns)
{
    return deadline_ns == 0 || u->finished.first != NULL ||
           u->queued.first != NULL || u->cancels.first != NULL ||
           uring_has_completions(&u->ring) ||
           __atomic_load_n(&u->rung, __ATOMIC_RELAXED) != 0;
}

/* How long the kernel may wait. Nothing will report what is in u->later. */
static uint64_t
uring_left_ns(const struct uring *u, uint64_t deadline_ns)
{
    const uint64_t most = UINT64_C(1) << YEAR_BITS;
    uint64_t now;

    if (u->later.first != NULL && u->later_ns < deadline_ns)
        deadline_ns = u->later_ns;
    if (deadline_ns == PONS_NEVER)
        return PONS_NEVER;
    now = u->host->now(u->host);
    if (deadline_ns <= now)
        return 0;
    return deadline_ns - now < most ? deadline_ns - now : most;
}

/* Errors that pass: a signal, the time, a backlog of completions, no memory for
 * more at once (then it waits a moment for some to end). */
static int
uring_entered(struct uring *u, int n)
{
    switch (n) {
    case -EINTR:
    case -ETIME:
        return 0;
    case -EBUSY:
    case -EAGAIN:
    case -ENOMEM:
        u->overflows++;
        n = poni_uring_ring_enter(&u->ring, 0, !uring_has_completions(&u->ring),
                                  MOMENT_NS);
        return n == -EINTR || n == -ETIME || n == -EBUSY ? 0 : n;
    default:
        break;
    }
    if (n >= 0)
        return 0;
    u->host->log(u->host, PONS_LOG_ERROR, "uring",
                 "io_uring_enter: %s: the ring is given up", strerror(-n));
    u->broken = n;
    return n;
}

/* At most one system call, if there is reason for one. */
static int
uring_enter(struct uring *u, uint64_t deadline_ns)
{
    unsigned submit = uring_unsubmitted(&u->ring), wait = 0;
    unsigned flags = __atomic_load_n(u->ring.sq_flags, __ATOMIC_RELAXED);
    uint64_t left = 0;

    if (!uring_must_not_wait(u, deadline_ns)) {
        left = uring_left_ns(u, deadline_ns);
        wait = left > 0;
    }
    if (flags & IORING_SQ_CQ_OVERFLOW)
        u->overflows++;
    if (submit == 0 && wait == 0 &&
        !(flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)))
        return 0;
    u->enters++;
    return uring_entered(u,
                         poni_uring_ring_enter(&u->ring, submit, wait, left));
}

/* Whether there was a wake; answers it. Pairs with uring_wake(): what the waker
 * wrote before is visible after. */
static int
uring_rung(struct uring *u)
{
    return __atomic_load_n(&u->rung, __ATOMIC_RELAXED) != 0 &&
           __atomic_exchange_n(&u->rung, 0, __ATOMIC_SEQ_CST) != 0;
}

static int
uring_is_late(const struct uring *u, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && u->host->now(u->host) >= deadline_ns);
}

/* Whether the ring was too small, and is emptier than it was: then poll() goes
 * on, whatever its deadline, for what is to come later has been asked now. */
static int
uring_has_backlog(const struct uring *u, unsigned unsubmitted)
{
    return (u->queued.first != NULL || u->cancels.first != NULL) &&
           uring_unsubmitted(&u->ring) < unsubmitted;
}

static int
uring_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    struct uring *u = uring_self(r);
    unsigned unsubmitted;
    int n;

    do {
        if (u->broken < 0)
            return u->broken;
        uring_fill(u);
        unsubmitted = uring_unsubmitted(&u->ring);
        n = uring_enter(u, deadline_ns);
        if (n < 0)
            return n;
        n = uring_take(u, events, cap);
    } while (n == 0 && (uring_has_backlog(u, unsubmitted) ||
                        (!uring_rung(u) && !uring_is_late(u, deadline_ns))));
    return n;
}

/* Rings once per answer; a ring that comes late, after its wake was answered,
 * is ignored by uring_poll(). Any thread, any signal handler. */
static int
uring_wake(struct pons_reactor *r)
{
    struct uring *u = uring_self(r);
    uint64_t one = 1;
    int saved = errno;

    /* Pairs with uring_rung(): publishes what the waker wrote before. */
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
                "times without room, %u moves\n",
                (unsigned long long)u->enters, (unsigned long long)u->repeats,
                (unsigned long long)u->overflows, u->moves);

    return n < 0 ? -EIO : 0;
}

static int
uring_control(struct pons_reactor *r, unsigned what, void *arg)
{
    struct uring *u = uring_self(r);

    switch (what) {
    case PONS_CONTROL_STATS:
        return uring_say_stats(u, arg);
    case PONS_CONTROL_LEND:
    case PONS_CONTROL_RETURN:
        if (!(u->can.opcodes >> PONS_OP_RECV_MULTI & 1))
            return -ENOTSUP;
        return what == PONS_CONTROL_LEND ? poni_uring_lend(u, arg)
                                         : poni_uring_return(u, arg);
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
    if (u->can.no_sqarray)
        flags |= URING_SETUP_NO_SQARRAY;
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
    u->strict = host->config_uint(config, "owner") == 1;
    u->registers = host->config_uint(config, "registered") != 0;
    u->workers = (unsigned)host->config_uint(config, "workers");
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
