/* SPDX-License-Identifier: MIT */
/*
 * backends/null.c - the reactor that does nothing, at once.
 *
 * Every op ends as if it had succeeded (accept does not): what is left of an
 * op's time is the runtime's own. It looks at no descriptor, so `auto` never
 * chooses it. Deadlines and wakes are kept as by any other reactor.
 *
 *   inline=no   submit() answers PENDING, the next poll() has the event
 *   inline=yes  submit() answers DONE
 */

#include "pons/reactor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 }; // in ns

struct null_reactor {
    struct pons_reactor base;
    const struct pons_host *host;
    int bell;                     // the eventfd behind wake()
    int is_inline;                // the option
    struct pons_op *first, **end; // ended; their events come with the next poll
};

static struct null_reactor *
self(struct pons_reactor *r)
{
    return pons_container_of(r, struct null_reactor, base);
}

/* Made all the same, by the core: who asked for a descriptor gets a real one,
 * and it is closed. And ops of many events, for it has one of each. */
#define NULL_LEAVES                                                        \
    (UINT64_C(1) << PONS_OP_OPENAT | UINT64_C(1) << PONS_OP_CLOSE |        \
     UINT64_C(1) << PONS_OP_SOCKET | UINT64_C(1) << PONS_OP_ACCEPT_MULTI | \
     UINT64_C(1) << PONS_OP_RECV_MULTI | UINT64_C(1) << PONS_OP_POLL_MULTI)

/* As many bytes as the op itself asks for; everything else is 0, but what would
 * give a descriptor: 0 is one, and somebody's. */
static int32_t
null_result(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_NOP:
    case PONS_OP_RECV:
    case PONS_OP_SEND:
    case PONS_OP_SEND_ZC:
    case PONS_OP_READ:
    case PONS_OP_WRITE:
    case PONS_OP_SPLICE:
        return (int32_t)op->len;
    case PONS_OP_ACCEPT:
        return -EOPNOTSUPP;
    default:
        return 0;
    }
}

static int
null_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct null_reactor *n = self(r);

    if (op->opcode > PONS_OP_POLL && op->opcode < PONS_OPCODES &&
        NULL_LEAVES >> op->opcode & 1)
        return PONS_SUBMIT_UNSUPPORTED;
    if (n->is_inline) {
        op->res = null_result(op);
        return PONS_SUBMIT_DONE;
    }
    op->next = NULL;
    *n->end = op;
    n->end = &op->next;
    return PONS_SUBMIT_PENDING;
}

/* Too late, always: the op has ended, and its event says how. */
static void
null_cancel(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    (void)op;
}

static int
null_take(struct null_reactor *n, struct pons_event *events, unsigned cap)
{
    unsigned filled = 0;

    while (filled < cap && n->first != NULL) {
        struct pons_op *op = n->first;

        n->first = op->next;
        events[filled++] =
            (struct pons_event){.op = op, .res = null_result(op)};
    }
    if (n->first == NULL)
        n->end = &n->first;
    return (int)filled;
}

/* Whether the time of a poll() that has nothing is up. */
static int
null_is_late(const struct null_reactor *n, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && n->host->now(n->host) >= deadline_ns);
}

/* Sleeps until the bell or the deadline. 1: the bell; 0: something else. */
static int
null_sleep(struct null_reactor *n, uint64_t deadline_ns)
{
    struct pollfd bell = {.fd = n->bell, .events = POLLIN};
    struct timespec left = {0};
    uint64_t rings, now;

    if (deadline_ns != PONS_NEVER) {
        now = n->host->now(n->host);
        now = now < deadline_ns ? deadline_ns - now : 0;
        left.tv_sec = (time_t)(now / SECOND);
        left.tv_nsec = (long)(now % SECOND);
    }
    if (ppoll(&bell, 1, deadline_ns != PONS_NEVER ? &left : NULL, NULL) < 0)
        return errno == EINTR ? 0 : -errno;
    return read(n->bell, &rings, sizeof rings) > 0;
}

static int
null_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    struct null_reactor *n = self(r);

    while (n->first == NULL && !null_is_late(n, deadline_ns)) {
        int rung = null_sleep(n, deadline_ns);

        if (rung < 0)
            return rung;
        if (rung)
            break;
    }
    return null_take(n, events, cap);
}

/* Any thread, any signal handler: write(2) is safe in both. */
static int
null_wake(struct pons_reactor *r)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(self(r)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

static int
null_bind(struct pons_reactor *r)
{
    (void)r; // nothing here knows its thread
    return 0;
}

/* Also in a forked child: nothing is shared but the bell. */
static void
null_close(struct pons_reactor *r)
{
    struct null_reactor *n = self(r);

    close(n->bell);
    n->host->free(n->host, n, sizeof *n);
}

static const struct pons_reactor_ops null_ops; // below; it names open()

static int
null_open(struct pons_reactor **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    struct null_reactor *n = host->alloc(host, sizeof *n);

    if (n == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the reactor");
    n->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (n->bell < 0) {
        int err = -errno;

        host->free(host, n, sizeof *n);
        return host->refuse(reason, err, "eventfd: %s", strerror(-err));
    }
    n->base.ops = &null_ops;
    n->base.opcodes[0] = ~NULL_LEAVES; // it can do anything else
    n->base.opcodes[1] = UINT64_MAX;
    n->base.caps = PONS_REACTOR_FILES;
    n->host = host;
    n->is_inline = host->config_uint(config, "inline") != 0;
    n->end = &n->first;
    *out = &n->base;
    return 0;
}

static const struct pons_reactor_ops null_ops = {
    .abi = PONS_ABI,
    .size = sizeof null_ops,
    .name = "null",
    .open = null_open,
    .bind = null_bind,
    .close = null_close,
    .forked = null_close,
    .submit = null_submit,
    .cancel = null_cancel,
    .poll = null_poll,
    .wake = null_wake,
};

static const struct pons_option null_options[] = {
    {.name = "inline",
     .type = PONS_OPTION_BOOL,
     .fallback = "no",
     .help = "whether ops end in submit already"},
    {0},
};

static const struct pons_engine null_engines[] = {
    {.kind = PONS_KIND_REACTOR,
     .rank = 0,
     .name = "null",
     .summary = "does nothing, at once: for measuring the runtime itself",
     .options = null_options,
     .table = &null_ops},
    {0},
};

static const struct pons_plugin null_plugin = {
    .abi = PONS_ABI,
    .size = sizeof null_plugin,
    .name = "null",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = null_engines,
};

PONS_PLUGIN(null_plugin, "null", PONS_VERSION, "MIT", "reactor:null")
