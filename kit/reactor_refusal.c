/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_refusal.c - R15: what an engine does where it cannot work.
 *
 * The first is the first of all tests: where open says in words why not, there
 * is nothing else to test here. The others come last.
 */

#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/atomic.h"
#include "pons/poller.h"

enum { MS = 1000000, TRIES = 1000 }; // an engine needs less than so much

/* Of a poller the adapter would make a refusal of it. */
static void
refusal_makes_something(struct kit *k)
{
    const struct pons_poller_ops *ops = k->engine->table;
    struct pons_poller *p = NULL;
    struct pons_reason reason;

    if (k->engine->kind != PONS_KIND_POLLER ||
        kit_try_open_poller(k, &p, &reason) != 0)
        return;
    KIT_WANT(p != NULL, "open: it returned 0, and made nothing");
    ops->close(p);
}

static void
refusal_opens(struct kit *k)
{
    struct pons_reason reason;
    struct pons_reactor *r;
    int err;

    refusal_makes_something(k);
    err = kit_try_open(k, &r, &reason);
    KIT_WANT(err <= 0, "open: wanted 0 or -errno, found %d", err);
    if (err == 0) {
        KIT_WANT(r != NULL, "open: it returned 0, and made nothing");
        kit_close(r);
        return;
    }
    kit_check_reason(&reason, err);
    kit_unusable(reason.text);
}

/* What open says with so many more descriptors and pieces of memory than there
 * are (-1: any number): a refusal keeps nothing. */
static int
refusal_open(struct kit *k, int descriptors, long pieces)
{
    struct rlimit all, few;
    struct pons_reason reason;
    struct pons_reactor *r;
    long before = kit_host_pieces();
    int err;

    KIT_SYS(getrlimit(RLIMIT_NOFILE, &all));
    few = all;
    if (descriptors >= 0) {
        int next = KIT_SYS(dup(STDIN_FILENO));

        close(next);
        few.rlim_cur = (rlim_t)(next + descriptors);
    }
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &few));
    kit_host_limit(pieces);
    err = kit_try_open(k, &r, &reason);
    kit_host_limit(-1);
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &all));
    if (err == 0) {
        kit_close(r); // what that leaves is R14's
        return 0;
    }
    kit_check_reason(&reason, err);
    KIT_EQ(kit_host_pieces(), before,
           "pieces of the host's memory that are kept after a refusal");
    return err;
}

static void
refusal_descriptors(struct kit *k)
{
    for (int n = 0; n < TRIES; n++) {
        int next = KIT_SYS(dup(STDIN_FILENO)), err;

        close(next);
        err = refusal_open(k, n, -1);
        if (err == 0)
            return;
        KIT_EQ(KIT_SYS(dup(STDIN_FILENO)), next,
               "the lowest free descriptor after open with %d left", n);
        close(next);
        kit_check_result(err, -EMFILE, "open with %d descriptors left", n);
    }
    kit_fail("open with %d descriptors left: wanted 0", TRIES);
}

static void
refusal_memory(struct kit *k)
{
    for (int n = 0; n < TRIES; n++) {
        int err = refusal_open(k, -1, n);

        if (err == 0)
            return;
        kit_check_result(err, -ENOMEM, "open with memory for %d pieces", n);
    }
    kit_fail("open with memory for %d pieces: wanted 0", TRIES);
}

/* --- system calls that are refused --- */

/* That it was opened here means that it works here; whether it works at all is
 * what other rules say. */
#define WORKS "control level edge error cookie R2 R3 R5 R7 R8 R11"

static void
refusal_works(struct pons_reactor *r)
{
    struct pons_event ev;
    uint64_t deadline;
    struct pons_op op;
    char c;
    int fds[2];

    kit_check_result(r->ops->bind(r), 0, "bind");
    for (unsigned i = 1; i < 30; i++) {
        deadline = kit_now() + i * MS / 10;
        kit_check_result(r->ops->poll(r, &ev, 1, deadline), 0,
                         "poll until %u00 us from now", i);
        KIT_WANT(kit_now() >= deadline, "poll came back before its deadline");
    }
    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    (void)kit_await(r, &op);
    kit_check_result(r->ops->wake(r), 0, "wake");
    while (r->ops->poll(r, &ev, 1, PONS_NEVER) != 0)
        continue;
    kit_close_pair(r, fds);
}

// clang-format off
static const struct refusal_call {
    const char *name;
    long number;
} refusal_calls[] = {
    {"io_uring_setup", SYS_io_uring_setup},
    {"io_uring_enter", SYS_io_uring_enter},
    {"io_uring_register", SYS_io_uring_register},
    {"epoll_create1", SYS_epoll_create1},
    {"epoll_ctl", SYS_epoll_ctl},
    {"epoll_pwait2", SYS_epoll_pwait2},
    {"eventfd2", SYS_eventfd2},
    {"timerfd_create", SYS_timerfd_create},
    {"membarrier", SYS_membarrier},
    {"uname", SYS_uname},
};
// clang-format on

/* A filter is for ever, so each is a child's. */
static void
refusal_forbidden(struct kit *k, const struct refusal_call *call, int err)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    if (!kit_child())
        return;
    fprintf(stderr, "%s is refused: %s\n", call->name, strerror(err));
    kit_forbid(call->number, err);
    if (kit_try_open(k, &r, &reason) == 0)
        refusal_works(r);
    else
        KIT_WANT(reason.text[0] != '\0',
                 "open with %s refused: wanted 0 or a reason in words, found "
                 "none",
                 call->name);
    kit_child_ends();
}

static void
refusal_of_calls(struct kit *k)
{
    for (size_t i = 0; i < sizeof refusal_calls / sizeof *refusal_calls; i++) {
        refusal_forbidden(k, &refusal_calls[i], EPERM);
        refusal_forbidden(k, &refusal_calls[i], ENOSYS);
    }
}

static void
refusal_of_locked_memory(struct kit *k)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    kit_lock_nothing();
    if (kit_try_open(k, &r, &reason) == 0) {
        refusal_works(r);
        kit_close(r);
        return;
    }
    KIT_WANT(reason.text[0] != '\0',
             "open without locked memory: wanted 0 or a reason in words, found "
             "none");
}

/* --- while it runs --- */

enum { LOOKS = 10 };

/* A wait of less than a millisecond and one op, over and over. 0, or what poll
 * says when it is broken for good: that is a report, too. */
static int
running_use(struct pons_reactor *r, int fds[2])
{
    struct pons_event ev;
    char c;
    int n = 0;

    for (int i = 0; i < LOOKS; i++) {
        struct pons_op op = kit_op(PONS_OP_RECV, fds[0], &c, 1);

        n = r->ops->poll(r, &ev, 1, kit_now() + MS / 2);
        if (n < 0)
            return n;
        if (kit_submit(r, &op) != PONS_SUBMIT_PENDING)
            return op.res; // an error: that it could not watch it, or so
        kit_say(fds[1], "x");
        do
            n = r->ops->poll(r, &ev, 1, PONS_NEVER);
        while (n == 0);
        if (n < 0 || ev.res != 1)
            return n < 0 ? n : ev.res;
    }
    return 0;
}

struct running {
    struct pons_reactor *r;
    int times; // the call was refused
    long said; // by the engine, before that
};

/* As a program's own filter does it, which comes when all is open. Whether the
 * engine needed that call, and goes on. */
static int
running_without(struct kit *k, const struct refusal_call *call,
                struct running *run)
{
    static int times;
    int fds[2];

    run->r = kit_open(k);
    kit_unix_pair(fds, SOCK_STREAM);
    kit_check_result(running_use(run->r, fds), 0,
                     "ops before anything is refused");
    run->said = kit_host_logged();
    fprintf(stderr, "%s is refused from now on\n", call->name);
    kit_forbid_counted(call->number, ENOSYS, &times);
    if (running_use(run->r, fds) != 0)
        return 0;
    run->times = poni_load_relaxed(&times);
    return run->times > 0;
}

static const struct refusal_call running_calls[] = {
    {"io_uring_enter", SYS_io_uring_enter},
    {"epoll_pwait", SYS_epoll_pwait},
    {"epoll_pwait2", SYS_epoll_pwait2},
    {"ppoll", SYS_ppoll},
#ifdef SYS_epoll_wait
    {"epoll_wait", SYS_epoll_wait},
#endif
    {0},
};

static void
running_says(struct kit *k)
{
    struct running run;

    for (const struct refusal_call *c = running_calls; c->name != NULL; c++) {
        if (!kit_child())
            continue;
        if (running_without(k, c, &run))
            KIT_WANT(kit_host_logged() > run.said,
                     "%s was refused %d times while it ran, and it went on "
                     "without it: wanted it to be said to the host's log, "
                     "found nothing",
                     c->name, run.times);
        kit_child_ends();
    }
}

static void
running_works(struct kit *k)
{
    struct running run;

    for (const struct refusal_call *c = running_calls; c->name != NULL; c++) {
        if (!kit_child())
            continue;
        if (running_without(k, c, &run))
            refusal_works(run.r);
        kit_child_ends();
    }
}

const struct kit_test kit_open_tests[] = {
    {"R15", "open succeeds, or says in words why not", KIT_ALL, NULL,
     refusal_opens},
    {0},
};

const struct kit_test kit_refusal_tests[] = {
    {"R15", "without descriptors open is refused and keeps nothing", KIT_ALL,
     "R14", refusal_descriptors},
    {"R15", "without memory open is refused and keeps nothing", KIT_ALL, NULL,
     refusal_memory},
    {"R15", "where system calls are refused it says so, or works", KIT_ALL,
     WORKS, refusal_of_calls},
    {"R15", "without locked memory it says so, or works", KIT_ALL, WORKS,
     refusal_of_locked_memory},
    {"R15", "what it falls back to while it runs, it says",
     KIT_IO | KIT_OWN_CALLS, WORKS, running_says},
    {"R15", "what it falls back to while it runs works", KIT_IO, WORKS,
     running_works},
    {0},
};
