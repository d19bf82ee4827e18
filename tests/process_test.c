/* SPDX-License-Identifier: MIT */
/*
 * tests/process_test.c - waiting for children: as waitid(2) does, and without a
 * thread that waits.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/io.h"
#include "core/runtime.h"
#include "core/seat.h"
#include "everywhere.h"
#include "forbid.h"
#include "pons/process.h"
#include "pons/time.h"
#include "refused.h"

/* A child that ends with status 7 when its word is written, or at once. */
struct child {
    pid_t pid;
    int fds[2];
};

static void
child_start(struct child *c, int waits)
{
    char word;

    CHECK_EQ(pipe2(c->fds, O_CLOEXEC), 0);
    c->pid = fork();
    CHECK(c->pid >= 0);
    if (c->pid == 0) {
        close(c->fds[1]);
        while (waits && read(c->fds[0], &word, 1) < 0)
            continue;
        _exit(7);
    }
    close(c->fds[0]);
}

static void
child_go(const struct child *c)
{
    close(c->fds[1]);
}

static int64_t
go(void *c)
{
    let_others_run();
    child_go(c);
    return 0;
}

static void
says_seven(const siginfo_t *info, const struct child *c)
{
    CHECK_EQ(info->si_pid, c->pid);
    CHECK_EQ(info->si_signo, SIGCHLD);
    CHECK_EQ(info->si_code, CLD_EXITED);
    CHECK_EQ(info->si_status, 7);
}

/* --- results --- */

static int64_t
by_future(idtype_t which, unsigned id, siginfo_t *info, int options)
{
    struct pons_waitid w;
    struct pons_task *t;
    int64_t result;

    pons_waitid_init(&w, which, id, info, options);
    if (pons_runtime_current() == NULL)
        return pons_await(&w.base);
    CHECK_EQ(pons_spawn_future(NULL, &w.base, &t), 0);
    CHECK_EQ(pons_join(t, &result), 0);
    return result;
}

static void
ends_body(void *arg)
{
    siginfo_t info = {0};
    struct child c;
    struct agent a;

    (void)arg;
    child_start(&c, 1);
    CHECK_EQ(pons_waitid(P_PID, (unsigned)c.pid, &info, WEXITED | WNOHANG), 0);
    CHECK_EQ(info.si_pid, 0);
    agent_start(&a, go, &c);
    CHECK_EQ(pons_waitid(P_PID, (unsigned)c.pid, &info, WEXITED | WNOWAIT), 0);
    says_seven(&info, &c);
    info.si_pid = 0;
    CHECK_EQ(by_future(P_PID, (unsigned)c.pid, &info, WEXITED), 0);
    says_seven(&info, &c);
    CHECK_EQ(pons_waitid(P_PID, (unsigned)c.pid, NULL, WEXITED), -ECHILD);
    CHECK_EQ(agent_join(&a), 0);
    child_start(&c, 1);
    agent_start(&a, go, &c);
    CHECK_EQ(by_future(P_PID, (unsigned)c.pid, NULL, WEXITED), 0);
    CHECK_EQ(agent_join(&a), 0);
}

static void
the_end_of_a_child_is_waited_for(void)
{
    everywhere(ends_body, NULL);
}

static void
errors_body(void *arg)
{
    siginfo_t info;

    (void)arg;
    CHECK_EQ(pons_waitid(P_PID, 1, &info, WEXITED), -ECHILD);
    CHECK_EQ(pons_waitid(P_PID, 1, &info, 0), -EINVAL);
    CHECK_EQ(pons_waitid(99, 1, &info, WEXITED), -EINVAL);
    CHECK_EQ(pons_waitid(P_ALL, 0, &info, WEXITED), -ECHILD);
    CHECK_EQ(pons_waitid(P_PIDFD, 0, &info, WEXITED), -EBADF);
    CHECK_EQ(by_future(P_PID, 1, &info, WEXITED), -ECHILD);
}

static void
errors_are_those_of_the_system_call(void)
{
    everywhere(errors_body, NULL);
}

static void
others_body(void *arg)
{
    siginfo_t info = {0};
    struct child c;
    struct agent a;
    int fd;

    (void)arg;
    child_start(&c, 1);
    agent_start(&a, go, &c);
    CHECK_EQ(pons_waitid(P_ALL, 0, &info, WEXITED), 0);
    says_seven(&info, &c);
    CHECK_EQ(agent_join(&a), 0);
    child_start(&c, 1);
    CHECK_EQ(setpgid(c.pid, c.pid), 0);
    agent_start(&a, go, &c);
    CHECK_EQ(pons_waitid(P_PGID, (unsigned)c.pid, &info, WEXITED), 0);
    says_seven(&info, &c);
    CHECK_EQ(agent_join(&a), 0);
    child_start(&c, 1);
    fd = (int)syscall(SYS_pidfd_open, c.pid, 0);
    CHECK(fd >= 0);
    agent_start(&a, go, &c);
    CHECK_EQ(pons_waitid(P_PIDFD, (unsigned)fd, &info, WEXITED), 0);
    says_seven(&info, &c);
    CHECK_EQ(agent_join(&a), 0);
    CHECK_EQ(close(fd), 0); // it is still the caller's
}

static void
groups_and_pidfds_are_waited_for_too(void)
{
    everywhere(others_body, NULL);
}

static int64_t
stop(void *c)
{
    let_others_run();
    return kill(((struct child *)c)->pid, SIGSTOP);
}

static void
stops_body(void *arg)
{
    siginfo_t info = {0};
    struct child c;
    struct agent a;

    (void)arg;
    child_start(&c, 1);
    agent_start(&a, stop, &c);
    CHECK_EQ(pons_waitid(P_PID, (unsigned)c.pid, &info, WEXITED | WSTOPPED), 0);
    CHECK_EQ(info.si_code, CLD_STOPPED);
    CHECK_EQ(agent_join(&a), 0);
    CHECK_EQ(kill(c.pid, SIGKILL), 0);
    CHECK_EQ(pons_waitid(P_PID, (unsigned)c.pid, &info, WEXITED), 0);
    CHECK_EQ(info.si_code, CLD_KILLED);
    close(c.fds[1]);
}

static void
a_stop_is_waited_for(void)
{
    everywhere(stops_body, NULL);
}

/* --- without a pidfd --- */

static void
without_pidfds_the_pool_waits(void)
{
    forbid(SYS_pidfd_open, ENOSYS);
    everywhere(ends_body, NULL);
}

/* --- cancel --- */

struct waiting {
    struct child child;
    siginfo_t info;
    int64_t result;
};

static int64_t
wait_for_it(void *arg)
{
    struct waiting *w = arg;

    w->result = pons_waitid(P_PID, (unsigned)w->child.pid, &w->info, WEXITED);
    return w->result;
}

static void
deadline_body(void *arg)
{
    struct pons_stats stats = {.size = sizeof stats};
    struct waiting w;
    int before = descriptors_now();

    (void)arg;
    child_start(&w.child, 1);
    CHECK_EQ(pons_timeout(pons_after_ms(1), wait_for_it, &w, NULL), -ETIME);
    CHECK_EQ(w.result, -ECANCELED);
    CHECK_EQ(descriptors_now(), before + 1); // the child's pipe
    if (pons_runtime_current() != NULL) {
        CHECK_EQ(pons_runtime_stats(pons_runtime_current(), &stats), 0);
        CHECK_EQ(stats.jobs, 0);
    }
    child_go(&w.child);
    CHECK_EQ(wait_for_it(&w), 0); // it was not taken
    says_seven(&w.info, &w.child);
}

static void
a_deadline_ends_the_wait_and_takes_nothing(void)
{
    everywhere(deadline_body, NULL);
}

/* --- a debugger keeps the dead --- */

struct tracer {
    pid_t pid;
    int fds[2]; // closing [1] ends it
};

static void
tracer_run(const struct child *c, const int ends[2], int attached)
{
    char word = ptrace(PTRACE_SEIZE, c->pid, NULL, NULL) == 0 ? 'y' : 'n';

    close(c->fds[1]);
    close(ends[1]);
    (void)!write(attached, &word, 1);
    while (read(ends[0], &word, 1) < 0)
        continue;
    _exit(0);
}

static void
tracer_start(struct tracer *t, const struct child *c)
{
    int attached[2];
    char word = 'n';

    CHECK_EQ(pipe2(t->fds, O_CLOEXEC), 0);
    CHECK_EQ(pipe2(attached, O_CLOEXEC), 0);
    t->pid = fork();
    CHECK(t->pid >= 0);
    if (t->pid == 0)
        tracer_run(c, t->fds, attached[1]);
    close(t->fds[0]);
    close(attached[1]);
    CHECK_EQ(read(attached[0], &word, 1), 1);
    close(attached[0]);
    if (word != 'y')
        SKIP("ptrace: not allowed");
}

static struct pons_stats
stats_of(struct pons_runtime *rt)
{
    struct pons_stats s = {.size = sizeof s};

    CHECK_EQ(pons_runtime_stats(rt, &s), 0);
    return s;
}

/* Its pidfd is readable, and waitid(2) finds nothing: the pool waits then. */
static void
kept_by_a_debugger(const char *reactor, int cancelled)
{
    struct pons_runtime *rt = runtime_of(reactor, "1");
    struct tracer tracer;
    struct waiting w;
    struct pons_task *t;

    child_start(&w.child, 1);
    tracer_start(&tracer, &w.child);
    CHECK_EQ(pons_spawn(rt, wait_for_it, &w, &t), 0);
    while (stats_of(rt).ops == 0)
        let_others_run();
    child_go(&w.child); // while its pidfd is watched
    while (stats_of(rt).jobs == 0)
        let_others_run();
    if (cancelled)
        pons_cancel(t); // too late, or taken back: both are right
    close(tracer.fds[1]);
    CHECK_EQ(waitid(P_PID, (id_t)tracer.pid, NULL, WEXITED), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    if (cancelled && w.result == -ECANCELED)
        CHECK_EQ(waitid(P_PID, (id_t)w.child.pid, &w.info, WEXITED), 0);
    else
        CHECK_EQ(w.result, 0);
    says_seven(&w.info, &w.child);
    pons_runtime_unref(rt);
}

static void
a_child_that_a_debugger_keeps_is_waited_for(void)
{
    NEEDS_READINESS();
    kept_by_a_debugger("epoll", 0);
    kept_by_a_debugger("poll", 0);
    kept_by_a_debugger("epoll", 1);
}

/* A future that was started on a worker, by a fiber that polls it by hand. */
struct on_worker {
    struct waiting w;
    struct pons_waitid future;
    int started, go, stop;
};

static void
no_waker(void *data)
{
    (void)data;
}

static const struct pons_waker_ops no_waker_ops = {
    .size = sizeof no_waker_ops,
    .clone = no_waker,
    .wake = no_waker,
    .notify = no_waker,
    .release = no_waker,
};

static int
is(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void
set(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

/* Polls it, and then keeps the worker busy until told to stop. */
static int64_t
start_it(void *arg)
{
    struct pons_waker w = {&no_waker_ops, NULL};
    struct on_worker *o = arg;

    pons_waitid_init(&o->future, P_PID, (unsigned)o->w.child.pid, &o->w.info,
                     WEXITED);
    CHECK_EQ(pons_future_poll(&o->future.base, &w), PONS_PENDING);
    set(&o->started);
    while (!is(&o->stop))
        continue;
    return 0;
}

static void
cancel_from_elsewhere(int child_ends_first)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_waker w = {&no_waker_ops, NULL};
    struct pons_task *t;
    struct on_worker o = {.started = 0};
    siginfo_t info;

    child_start(&o.w.child, 1);
    CHECK_EQ(pons_spawn(rt, start_it, &o, &t), 0);
    while (!is(&o.started))
        let_others_run();
    CHECK_EQ(rt->seats[0].inflight, 1);
    pons_future_cancel(&o.future.base);
    pons_future_cancel(&o.future.base); // again: nothing
    if (child_ends_first) {
        child_go(&o.w.child);
        CHECK_EQ(waitid(P_PID, (id_t)o.w.child.pid, &info, WEXITED | WNOWAIT),
                 0);
    }
    set(&o.stop);
    while (pons_future_poll(&o.future.base, &w) == PONS_PENDING)
        let_others_run();
    CHECK_EQ(o.future.base.result, child_ends_first ? 0 : -ECANCELED);
    if (child_ends_first) {
        says_seven(&o.w.info, &o.w.child);
    } else {
        child_go(&o.w.child);
        CHECK_EQ(waitid(P_PID, (id_t)o.w.child.pid, &info, WEXITED), 0);
    }
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
}

/* The worker's own turn, by hand: an op that ends while a cancel of it is in
 * the inbox stays until that has been read. */
static int64_t
turns_by_hand(void *arg)
{
    struct pons_waker w = {&no_waker_ops, NULL};
    struct on_worker *o = arg;
    struct poni_seat *seat;
    struct pons_event ev;

    CHECK_EQ(start_it(arg), 0);
    seat = poni_self_now()->seat;
    while (seat->reactor->ops->poll(seat->reactor, &ev, 1, PONS_NEVER) == 0)
        continue;
    CHECK(ev.op == &o->future.call.op);
    poni_io_event(seat, ev.op, ev.res, ev.flags);
    CHECK_EQ(seat->inflight, 0);
    CHECK_EQ(pons_future_poll(&o->future.base, &w), PONS_PENDING);
    poni_seat_read_inboxes(seat);
    CHECK_EQ(pons_future_poll(&o->future.base, &w), PONS_READY);
    CHECK_EQ(o->future.base.result, 0);
    return 0;
}

static void
an_op_stays_while_a_cancel_of_it_is_posted(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct on_worker o = {.started = 0};
    struct pons_task *t;
    siginfo_t info;

    child_start(&o.w.child, 1);
    CHECK_EQ(pons_spawn(rt, turns_by_hand, &o, &t), 0);
    while (!is(&o.started))
        let_others_run();
    pons_future_cancel(&o.future.base);
    child_go(&o.w.child);
    CHECK_EQ(waitid(P_PID, (id_t)o.w.child.pid, &info, WEXITED | WNOWAIT), 0);
    set(&o.stop);
    CHECK_EQ(pons_join(t, NULL), 0);
    says_seven(&o.w.info, &o.w.child);
    pons_runtime_unref(rt);
}

static void
cancel_reaches_the_seat_that_has_it(void)
{
    cancel_from_elsewhere(0);
}

static void
an_end_before_the_cancel_is_the_result(void)
{
    cancel_from_elsewhere(1);
}

static void
shutdown_body(void *arg)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, wait_for_it, arg, &t), 0);
    let_others_run();
    pons_detach(t);
}

static void
a_shutdown_ends_the_wait(void)
{
    struct waiting w;
    siginfo_t info;

    for (int i = 0; i < 2; i++) {
        w.result = 1;
        child_start(&w.child, 1);
        within(i ? "poll" : "epoll", "2", shutdown_body, &w);
        CHECK_EQ(w.result, -ECANCELED);
        child_go(&w.child);
        CHECK_EQ(waitid(P_PID, (id_t)w.child.pid, &info, WEXITED), 0);
    }
}

static void
calls_of_ours(struct pons_stream *s)
{
    siginfo_t info;

    (void)s;
    CHECK_EQ(pons_waitid(P_ALL, 0, &info, WEXITED), -EDEADLK);
    CHECK_HAS(pons_last_error(), "struct pons_waitid");
}

static void
calls_inside_poll_are_refused(void)
{
    refused_inside_poll(calls_of_ours);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(the_end_of_a_child_is_waited_for),
    TEST(errors_are_those_of_the_system_call),
    TEST(groups_and_pidfds_are_waited_for_too),
    TEST(a_stop_is_waited_for),
    TEST(without_pidfds_the_pool_waits),
    TEST(a_deadline_ends_the_wait_and_takes_nothing),
    TEST(a_child_that_a_debugger_keeps_is_waited_for),
    TEST(cancel_reaches_the_seat_that_has_it),
    TEST(an_op_stays_while_a_cancel_of_it_is_posted),
    TEST(an_end_before_the_cancel_is_the_result),
    TEST(a_shutdown_ends_the_wait),
    TEST(calls_inside_poll_are_refused),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("process", tests, argc, argv);
}
