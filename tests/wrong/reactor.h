/* SPDX-License-Identifier: MIT */
#ifndef WRONG_REACTOR_H
#define WRONG_REACTOR_H

/*
 * tests/wrong/reactor.h - a reactor that keeps the rules, to be spoilt.
 *
 * It is the core's adapter over the reference poller, all inside of one plugin;
 * CMakeLists.txt (PONS_WRONG_REACTORS) gives it the adapter's files.
 * right_...() do what is right. A file defines functions in their place and
 * ends with
 *
 *     WRONG_REACTOR("twice", wrong_reactor.poll = twice_poll)
 */

#include "core/adapter.h"
#include "core/fail.h"
#include "wrong.h"

/* What the adapter asks of the core. */
int
poni_fail(int err, const char *format, ...)
{
    (void)format;
    return err;
}

static struct pons_reactor_ops wrong_reactor;
static struct pons_reactor_ops right; // the adapter's, from its first open on

__attribute__((unused)) static int
right_open(struct pons_reactor **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = poni_adapter_open(out, &poll_ops, config, host, reason);

    if (err < 0)
        return err;
    right = *(*out)->ops;
    (*out)->ops = &wrong_reactor;
    return 0;
}

static int
right_bind(struct pons_reactor *r)
{
    return right.bind(r);
}

static void
right_close(struct pons_reactor *r)
{
    right.close(r);
}

static int
right_forget(struct pons_reactor *r, int fd)
{
    return right.forget(r, fd);
}

static void
right_forked(struct pons_reactor *r)
{
    right.forked(r);
}

static int
right_submit(struct pons_reactor *r, struct pons_op *op)
{
    return right.submit(r, op);
}

static void
right_cancel(struct pons_reactor *r, struct pons_op *op)
{
    right.cancel(r, op);
}

static int
right_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    return right.poll(r, events, cap, deadline_ns);
}

static int
right_wake(struct pons_reactor *r)
{
    return right.wake(r);
}

#define WRONG_REACTOR(engine, ...)                                     \
    __attribute__((constructor)) static void wrong_spoil_reactor(void) \
    {                                                                  \
        wrong_reactor = (struct pons_reactor_ops){                     \
            .abi = PONS_ABI,                                           \
            .size = sizeof wrong_reactor,                              \
            .name = engine,                                            \
            .open = right_open,                                        \
            .bind = right_bind,                                        \
            .close = right_close,                                      \
            .forget = right_forget,                                    \
            .forked = right_forked,                                    \
            .submit = right_submit,                                    \
            .cancel = right_cancel,                                    \
            .poll = right_poll,                                        \
            .wake = right_wake,                                        \
        };                                                             \
        __VA_ARGS__;                                                   \
    }                                                                  \
    WRONG_PLUGIN(PONS_KIND_REACTOR, "reactor:", engine, &wrong_reactor)

#endif /* WRONG_REACTOR_H */
