/* SPDX-License-Identifier: MIT */
/*
 * MINE.c - the reactor MINE, by poll(2). Rules R1 to R15: pons/reactor.h.
 *
 * An operation is tried at once (call.h), and what would block waits until
 * poll(2) says when to try it again (waiting.h). A system that completes
 * operations by itself needs neither file: submit() gives it the operation,
 * poll() takes what has ended, and cancel() asks.
 *
 * The traps are the same: what did not fit into `events` comes first the next
 * time, no wake is lost, and nothing is touched after its event.
 */

#define _GNU_SOURCE

#include <pons/reactor.h>

#include <string.h>
#include <sys/eventfd.h>

#include "waiting.h"

enum {
    SECOND = 1000000000, // in ns
    RETRY_NS = 2000000,  // between two tries that nothing reports
};

/*
 * Where an op is; in op->backend[0].
 *
 *     submit --+--> WAITS   --+--> event
 *              +--> RETRIED --+
 *                      cancel +--> CANCELLED --> event
 */
enum place {
    WAITS,     // in the entry of its descriptor
    RETRIED,   // in the entry RETRIES
    CANCELLED, // its event comes with the next poll()
};

#define ANYTHING ((short)-1) // is ready

struct MINE_reactor {
    struct pons_reactor base;
    const struct pons_host *host;
    int bell; // the eventfd behind wake()
    struct waiting waiting;
    unsigned start; // the entry that is served first
    struct pons_op *cancelled, **cancelled_end; // oldest first
};

static struct MINE_reactor *
self(struct pons_reactor *r)
{
    return pons_container_of(r, struct MINE_reactor, base);
}

/* --- submit --- */

static int
submit_ends(struct pons_op *op, int res)
{
    op->res = res;
    return PONS_SUBMIT_DONE;
}

/* The entry where `op` waits; `count` if there is none yet. */
static unsigned
MINE_entry(const struct MINE_reactor *m, const struct pons_op *op)
{
    return op->backend[0] == RETRIED ? RETRIES
                                     : waiting_find(&m->waiting, op->fd);
}

static int
MINE_wait(struct MINE_reactor *m, struct pons_op *op)
{
    unsigned i = MINE_entry(m, op);
    int err = i == m->waiting.count ? waiting_add(&m->waiting, op->fd) : 0;

    if (err == -EPERM)
        return PONS_SUBMIT_UNSUPPORTED; // the pool waits for the disk
    if (err < 0)
        return submit_ends(op, err);
    waiting_push(&m->waiting, i, op);
    return PONS_SUBMIT_PENDING;
}

/* The sentence of R9. */
static void
MINE_explain(const struct MINE_reactor *m, const struct pons_op *op)
{
    if (op->opcode == PONS_OP_ACCEPT && op->res == -EINVAL)
        m->host->log(m->host, PONS_LOG_WARN, "MINE",
                     "accept on descriptor %d: it does not listen, or is in "
                     "blocking mode; make it non-blocking",
                     op->fd);
}

static int
MINE_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct MINE_reactor *m = self(r);

    switch (op->opcode) {
    case PONS_OP_NOP:
        return submit_ends(op, (int)op->len);
    case PONS_OP_READ:
    case PONS_OP_WRITE:
        if (op->offset != PONS_AT_POSITION)
            return PONS_SUBMIT_UNSUPPORTED; // only files have offsets
        break;
    case PONS_OP_RECV:
    case PONS_OP_SEND:
        if (op->op_flags & (MSG_DONTWAIT | MSG_WAITALL))
            return submit_ends(op, -EINVAL); // R9; R5
        break;
    case PONS_OP_ACCEPT:
    case PONS_OP_CONNECT:
    case PONS_OP_POLL:
        break;
    default:
        return PONS_SUBMIT_UNSUPPORTED;
    }
    if (!waiting_ahead(&m->waiting, op) && call_try(op)) {
        MINE_explain(m, op);
        return PONS_SUBMIT_DONE;
    }
    op->backend[0] = call_is_put_off(op) ? RETRIED : WAITS;
    return MINE_wait(m, op);
}

/* Nothing was consumed: its call was not made. One that is cancelled already
 * has its event coming. */
static void
MINE_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct MINE_reactor *m = self(r);

    if (op->backend[0] == CANCELLED)
        return;
    waiting_remove(&m->waiting, MINE_entry(m, op), op);
    op->backend[0] = CANCELLED;
    op->next = NULL;
    *m->cancelled_end = op;
    m->cancelled_end = &op->next;
}

/* --- poll --- */

static unsigned
MINE_take_cancelled(struct MINE_reactor *m, struct pons_event *events,
                    unsigned cap)
{
    unsigned filled = 0;

    while (filled < cap && m->cancelled != NULL) {
        struct pons_op *op = m->cancelled;

        m->cancelled = op->next;
        events[filled++] = (struct pons_event){.op = op, .res = -ECANCELED};
    }
    if (m->cancelled == NULL)
        m->cancelled_end = &m->cancelled;
    return filled;
}

/* An error or hang-up is whatever is wanted: the call finds out which. */
static short
MINE_ready(const struct MINE_reactor *m, unsigned i)
{
    short bad = POLLERR | POLLHUP | POLLNVAL, said = m->waiting.fds[i].revents;

    return i == RETRIES || (said & bad) != 0 ? ANYTHING : said;
}

/* Makes the calls of those who wait in an entry. Of those who want the same
 * the first goes first: who has to wait on holds up the others. */
static unsigned
MINE_serve(struct MINE_reactor *m, unsigned i, struct pons_event *events,
           unsigned cap)
{
    short ready = MINE_ready(m, i), held_up = 0;
    struct pons_op *op, **at = &m->waiting.ops[i];
    unsigned filled = 0;

    while ((op = *at) != NULL && filled < cap) {
        struct pons_op *behind = op->next;
        short wants = call_events(op);

        if ((ready == ANYTHING || (wants & ready) != 0) &&
            (op->opcode == PONS_OP_POLL || (wants & held_up) == 0) &&
            call_try(op)) {
            *at = behind;
            events[filled++] = (struct pons_event){.op = op, .res = op->res};
            continue;
        }
        if (op->opcode != PONS_OP_POLL && i != RETRIES)
            held_up |= wants;
        at = &op->next;
    }
    return filled;
}

static unsigned
MINE_fill(struct MINE_reactor *m, struct pons_event *events, unsigned cap)
{
    unsigned filled = 0;

    for (unsigned n = RETRIES; n < m->waiting.count && filled < cap; n++) {
        unsigned i = m->start >= RETRIES && m->start < m->waiting.count
                         ? m->start
                         : RETRIES;

        if (MINE_ready(m, i) != 0)
            filled += MINE_serve(m, i, events + filled, cap - filled);
        m->start = i + 1;
    }
    for (unsigned i = m->waiting.count; filled > 0 && i-- > RETRIES;)
        waiting_update(&m->waiting, i);
    return filled;
}

static int
MINE_is_late(const struct MINE_reactor *m, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && m->host->now(m->host) >= deadline_ns);
}

/* How long poll(2) may sleep; NULL: as long as it likes. */
static const struct timespec *
MINE_span(const struct MINE_reactor *m, uint64_t deadline_ns,
          struct timespec *span)
{
    uint64_t now = deadline_ns != 0 ? m->host->now(m->host) : 0;
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

    if (m->waiting.ops[RETRIES] != NULL && left > RETRY_NS)
        left = RETRY_NS;
    else if (deadline_ns == PONS_NEVER)
        return NULL;
    *span = (struct timespec){.tv_sec = (time_t)(left / SECOND),
                              .tv_nsec = (long)(left % SECOND)};
    return span;
}

/* Only an event, a wake or the deadline ends it (R7): after a signal, a retry
 * and a report that helped nobody it sleeps on. */
static int
MINE_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    struct MINE_reactor *m = self(r);
    unsigned filled = MINE_take_cancelled(m, events, cap);

    while (filled == 0) {
        struct timespec span;
        uint64_t rings = 0;
        int n = ppoll(m->waiting.fds, m->waiting.count,
                      MINE_span(m, deadline_ns, &span), NULL);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n >= 0) // else nothing was reported
            filled = MINE_fill(m, events, cap);
        if (n > 0 && m->waiting.fds[BELL].revents != 0)
            (void)!read(m->bell, &rings, sizeof rings);
        if (rings > 0 || (filled == 0 && MINE_is_late(m, deadline_ns)))
            break;
    }
    return (int)filled;
}

/* Any thread, any signal handler: write(2) is safe in both. */
static int
MINE_wake(struct pons_reactor *r)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(self(r)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

/* --- the beginning and the end --- */

static int
MINE_bind(struct pons_reactor *r)
{
    (void)r; // nothing here knows its thread
    return 0;
}

/* Also in a forked child: nothing is shared but the bell. */
static void
MINE_close(struct pons_reactor *r)
{
    struct MINE_reactor *m = self(r);
    const struct pons_host *h = m->host;

    close(m->bell);
    waiting_fini(&m->waiting);
    h->free(h, m, sizeof *m);
}

static const struct pons_reactor_ops MINE_ops; // below; it names open()

static int
MINE_open(struct pons_reactor **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    struct MINE_reactor *m = host->alloc(host, sizeof *m);
    int err;

    (void)config; // it has no options
    if (m == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the reactor");
    m->base.ops = &MINE_ops;
    m->base.opcodes[0] = CALL_OPCODES;
    m->host = host;
    m->cancelled_end = &m->cancelled;
    m->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->bell < 0) {
        err = host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
        goto free_reactor;
    }
    if (waiting_init(&m->waiting, host, m->bell) < 0) {
        err = host->refuse(reason, -ENOMEM, "no memory for the reactor");
        goto close_bell;
    }
    *out = &m->base;
    return 0;

close_bell:
    close(m->bell);
free_reactor:
    host->free(host, m, sizeof *m);
    return err;
}

static const struct pons_reactor_ops MINE_ops = {
    .abi = PONS_ABI,
    .size = sizeof MINE_ops,
    .name = "MINE",
    .open = MINE_open,
    .bind = MINE_bind,
    .close = MINE_close,
    .forked = MINE_close,
    .submit = MINE_submit,
    .cancel = MINE_cancel,
    .poll = MINE_poll,
    .wake = MINE_wake,
};

static const struct pons_engine MINE_engines[] = {
    {.kind = PONS_KIND_REACTOR,
     .rank = 0, // `auto` never takes it by itself
     .name = "MINE",
     .summary = "operations by poll(2)",
     .table = &MINE_ops},
    {0},
};

static const struct pons_plugin MINE_plugin = {
    .abi = PONS_ABI,
    .size = sizeof MINE_plugin,
    .name = "MINE",
    .version = "0.1.0",
    .licence = "MIT",
    .engines = MINE_engines,
};

PONS_PLUGIN(MINE_plugin, "MINE", "0.1.0", "MIT", "reactor:MINE")
