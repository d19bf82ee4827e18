/* SPDX-License-Identifier: MIT */
/*
 * tests/fork_test.c - a forked child and what it inherited (P10): every handle
 * answers -EOWNERDEAD, a new runtime can be made, and the parent does not
 * notice.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/runtime.h"
#include "core/task.h"
#include "everywhere.h"
#include "on_valgrind.h"
#include "pons/error.h"
#include "pons/scope.h"
#include "pons/time.h"

enum {
    CHILD_SECONDS = 20, // a child that hangs ends by SIGALRM
    FORKS = 40,         // while workers run
    BUSY = 6,           // tasks that never stop
    DESCRIPTORS = 100,  // that are looked at
};

/* TSan's own threads are not in the child: nothing may be started there. */
#ifdef PONI_TSAN
enum { CHILD_HAS_THREADS = 0 };
#else
enum { CHILD_HAS_THREADS = 1 };
#endif

#define NEEDS_THREADS_IN_A_CHILD()                          \
    do {                                                    \
        if (!CHILD_HAS_THREADS)                             \
            SKIP("TSan has no threads in forked children"); \
    } while (0)

/* A thread that starts or works may be inside ASan's allocator. */
#ifdef PONI_ASAN
enum { ALLOCATOR_FORKS = 0 };
#else
enum { ALLOCATOR_FORKS = 1 };
#endif

#define NEEDS_AN_ALLOCATOR_THAT_FORKS()                                        \
    do {                                                                       \
        if (!ALLOCATOR_FORKS)                                                  \
            SKIP("ASan's allocator takes no care of fork: another thread may " \
                 "hold one of its mutexes, for ever in the child");            \
    } while (0)

/* Runs `fn` in a forked child. */
static void
in_child(body_f *fn, void *arg)
{
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(CHILD_SECONDS);
        fn(arg);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fprintf(stderr, "the child ended with status 0x%x\n", status);
    CHECK_EQ(status, 0);
}

/* --- what a child inherits --- */

struct home {
    struct pons_runtime *rt;
    struct pons_stream *s[2]; // a task waits on s[0], which is registered
    struct pons_task *waits;
    struct pons_scope scope;
    int stop, busy; // which stream is closed: the other is released
};

static int64_t
receives(void *arg)
{
    struct home *h = arg;
    char byte;

    return pons_recv(h->s[0], &byte, 1);
}

static int64_t
sleeps(void *arg)
{
    (void)arg;
    return pons_sleep_until(PONS_NEVER);
}

static int64_t
answers(void *arg)
{
    (void)arg;
    return 3;
}

/* Nobody is inside an allocator then, whose locks a child inherits as they
 * are: glibc's takes care of that, a sanitizer's does not. */
static void
until_workers_sleep(struct pons_runtime *rt)
{
    uint64_t all = rt->workers > 0 ? ((uint64_t)1 << rt->workers) - 1 : 0;

    while (poni_load_seq(&rt->sleepers) != all)
        (void)sched_yield();
}

static void
home_open(struct home *h, const char *workers)
{
    *h = (struct home){.rt = runtime_of("epoll", workers)};
    stream_pair(h->s);
    CHECK_EQ(pons_spawn(h->rt, receives, h, &h->waits), 0);
    if (strcmp(workers, "0") != 0)
        stream_until(h->s[0], 0, 1);
    pons_scope_open_on(&h->scope, h->rt, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&h->scope, sleeps, NULL), 0);
    until_workers_sleep(h->rt);
}

static int64_t
home_end(void *arg)
{
    struct home *h = arg;
    int64_t answer;

    CHECK_EQ(pons_send(h->s[1], "x", 1), 1);
    CHECK_EQ(pons_join(h->waits, &answer), 0);
    CHECK_EQ(answer, 1); // nobody has disturbed it
    pons_scope_cancel(&h->scope);
    CHECK_EQ(pons_scope_close(&h->scope), -ECANCELED);
    return 0;
}

static void
home_close(struct home *h)
{
    CHECK_EQ(pons_block_on(h->rt, home_end, h, NULL), 0);
    pons_stream_close(h->s[0]);
    pons_stream_close(h->s[1]);
    pons_runtime_unref(h->rt);
}

/* --- in the child --- */

static int dropped;

static enum pons_poll
never_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)f;
    (void)w;
    CHECK(!"polled");
    return PONS_READY;
}

static void
never_drop(struct pons_future *f)
{
    (void)f;
    dropped++;
}

static const struct pons_future_ops never_ops = {.size = sizeof never_ops,
                                                 .name = "never",
                                                 .poll = never_poll,
                                                 .drop = never_drop};

static int64_t
never(void *arg)
{
    (void)arg;
    CHECK(!"called");
    return 0;
}

static void
destroys(void *arg)
{
    (void)arg;
    dropped++;
}

static void
is_dead(int64_t err)
{
    CHECK_EQ(err, -EOWNERDEAD);
    CHECK_HAS(pons_last_error(), "fork");
}

static void
runtime_is_dead(struct pons_runtime *rt)
{
    struct pons_stats stats = {.size = sizeof stats};
    struct pons_future f;
    struct pons_blocking b;
    struct pons_scope s;
    struct pons_task *t;
    uint32_t handles;
    int64_t answer;

    is_dead(pons_spawn(rt, never, NULL, &t));
    is_dead(pons_spawn(rt, never, NULL, NULL));
    pons_future_init(&f, &never_ops);
    is_dead(pons_spawn_future(rt, &f, &t));
    CHECK_EQ(dropped, 1);
    is_dead(pons_block_on(rt, never, NULL, &answer));
    is_dead(pons_block_on_future(rt, &f, &answer));
    is_dead(pons_blocking_detached(rt, never, NULL, destroys));
    CHECK_EQ(dropped, 2);
    pons_blocking_init(&b, rt, never, NULL);
    is_dead(pons_await(&b.base));
    is_dead(pons_runtime_stats(rt, &stats));
    is_dead(pons_runtime_explain(rt, stderr));
    is_dead(pons_dump(rt, stderr));
    is_dead(pons_runtime_shutdown(rt, PONS_NEVER));
    pons_scope_open_on(&s, rt, PONS_NEVER);
    is_dead(pons_scope_spawn(&s, never, NULL));
    CHECK_EQ(pons_scope_close(&s), 0); // it is the child's own
    handles = rt->handles;
    pons_runtime_unref(rt);
    CHECK_EQ(rt->handles, handles);
}

static void
handles_are_dead(struct home *h)
{
    uint32_t word = poni_load_acquire(&h->waits->word);
    char byte, line[8];

    pons_cancel(h->waits);
    is_dead(pons_join(h->waits, NULL));
    pons_detach(h->waits);
    CHECK_EQ(poni_load_acquire(&h->waits->word), word); // the parent's
    pons_scope_cancel(&h->scope);
    is_dead(pons_scope_spawn(&h->scope, never, NULL));
    is_dead(pons_scope_close(&h->scope));
    is_dead(pons_recv(h->s[0], &byte, 1));
    is_dead(pons_send(h->s[0], &byte, 1));
    is_dead(pons_send_all(h->s[0], &byte, 1));
    is_dead(pons_send_zc(h->s[0], &byte, 1));
    is_dead(pons_read_line(h->s[0], line, sizeof line));
    is_dead(pons_recv(h->s[1], &byte, 1)); // nobody uses it
    is_dead(pons_ready_wait(h->s[0], 1));
}

/* The descriptor is the child's own; the stream can be left, also one that a
 * task of the parent is at. */
static void
streams_can_be_left(struct home *h)
{
    int fd = pons_stream_fd(h->s[h->busy]), released;

    CHECK(fcntl(fd, F_GETFD) >= 0);
    pons_stream_close(h->s[h->busy]);
    CHECK(fcntl(fd, F_GETFD) < 0);
    released = pons_stream_release(h->s[!h->busy]);
    CHECK(fcntl(released, F_GETFD) >= 0);
    close(released);
}

static void
child_of_home(void *arg)
{
    struct home *h = arg;

    dropped = 0;
    handles_are_dead(h);
    runtime_is_dead(h->rt);
    streams_can_be_left(h);
}

static void
inherited_handles_answer_eownerdead(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct home h;

        home_open(&h, workers[i]);
        for (h.busy = 0; h.busy < 2; h.busy++)
            in_child(child_of_home, &h);
        home_close(&h);
    }
}

/* --- a new runtime --- */

static int64_t
spawns_and_blocks(void *arg)
{
    struct pons_stream *s[2];
    struct pons_task *t;
    int64_t answer;
    char byte;

    CHECK_EQ(pons_spawn(NULL, answers, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 3);
    CHECK_EQ(pons_blocking(answers, NULL, &answer), 0);
    CHECK_EQ(answer, 3);
    stream_pair(s);
    CHECK_EQ(pons_send(s[0], "x", 1), 1);
    CHECK_EQ(pons_recv(s[1], &byte, 1), 1);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    return (intptr_t)arg;
}

static void
child_makes_its_own(void *arg)
{
    static const char *const workers[] = {"0", "2"};
    struct home *h = arg;
    struct pons_runtime *rt;
    int64_t answer;

    is_dead(pons_block_on(h->rt, never, NULL, NULL));
    for (int i = 0; i < 2; i++) {
        rt = runtime_of("poll", workers[i]);
        CHECK_EQ(pons_block_on(rt, spawns_and_blocks, NULL, &answer), 0);
        CHECK_EQ(answer, 0);
        is_dead(pons_spawn(h->rt, never, NULL, NULL)); // still
        until_workers_sleep(rt);
        in_child(child_of_home, h); // and in its child
        pons_runtime_unref(rt);
    }
}

static void
child_can_make_a_new_runtime(void)
{
    static const char *const workers[] = {"0", "2"};

    NEEDS_THREADS_IN_A_CHILD();
    for (int i = 0; i < 2; i++) {
        struct home h;

        home_open(&h, workers[i]);
        in_child(child_makes_its_own, &h);
        home_close(&h);
    }
}

static void
child_gets_another_default(void *arg)
{
    struct pons_runtime *rt;

    CHECK_EQ(pons_runtime_default(&rt), 0);
    CHECK(rt != arg);
    CHECK_EQ(pons_block_on(rt, spawns_and_blocks, NULL, NULL), 0);
    pons_runtime_unref(rt);
}

static void
default_of_a_child_is_its_own(void)
{
    struct pons_runtime *rt, *again;

    NEEDS_THREADS_IN_A_CHILD();
    CHECK_EQ(pons_runtime_default(&rt), 0);
    until_workers_sleep(rt);
    in_child(child_gets_another_default, rt);
    CHECK_EQ(pons_runtime_default(&again), 0);
    CHECK(again == rt);
    CHECK_EQ(pons_block_on(rt, spawns_and_blocks, NULL, NULL), 0);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    pons_runtime_unref(again);
    pons_runtime_unref(rt);
}

/* --- forked inside pons_block_on() --- */

static void
child_inside(void *arg)
{
    struct pons_stream *s[2], *conn;
    struct pons_task *t;
    int64_t answer = 0;
    char byte;

    (void)arg;
    is_dead(pons_spawn(NULL, never, NULL, &t));
    is_dead(pons_blocking(never, NULL, &answer));
    /* What needs no runtime works. */
    CHECK_EQ(pons_tcp_connect(&conn, "127.0.0.1", "1"), -ECONNREFUSED);
    CHECK_EQ(pons_tcp_listen(&conn, "127.0.0.1", "0", 0), 0);
    pons_stream_close(conn);
    CHECK_EQ(pons_sleep(PONS_MS), 0);
    CHECK_EQ(pons_yield(), 0);
    stream_pair(s);
    CHECK_EQ(pons_timeout(pons_after_ms(1), sleeps, NULL, NULL), -ETIME);
    CHECK_EQ(pons_send(s[0], "x", 1), 1);
    CHECK_EQ(pons_recv(s[1], &byte, 1), 1);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static int64_t
stays_at_home(void *parent)
{
    CHECK_EQ(getpid(), *(pid_t *)parent);
    return 0;
}

static int64_t
forks_inside(void *arg)
{
    struct home *h = arg;
    pid_t parent = getpid();
    struct pons_task *t;

    stream_until(h->s[0], 0, 1); // a wait drives what has no workers
    CHECK_EQ(pons_blocking(answers, NULL, NULL), 0); // a thread of the pool
    CHECK_EQ(pons_spawn(NULL, stays_at_home, &parent, &t), 0);
    in_child(child_inside, h);
    CHECK_EQ(pons_join(t, NULL), 0);
    return spawns_and_blocks(NULL);
}

static void
child_of_a_thread_inside_block_on(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct home h;
        int64_t answer;

        home_open(&h, workers[i]);
        CHECK_EQ(pons_block_on(h.rt, forks_inside, &h, &answer), 0);
        CHECK_EQ(answer, 0);
        home_close(&h);
    }
}

/* --- forked while everything moves --- */

static int64_t
moves(void *arg)
{
    struct home *h = arg;

    while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
        struct pons_task *t;
        int64_t answer;

        CHECK_EQ(pons_spawn(NULL, answers, NULL, &t), 0);
        CHECK_EQ(pons_blocking(answers, NULL, &answer), 0);
        CHECK_EQ(pons_join(t, &answer), 0);
        (void)!pons_sleep(1000);
    }
    return 0;
}

static void
fork_while_workers_run(void)
{
    struct pons_task *busy[BUSY];
    struct home h;

    NEEDS_AN_ALLOCATOR_THAT_FORKS();
    home_open(&h, "3");
    for (int i = 0; i < BUSY; i++)
        CHECK_EQ(pons_spawn(h.rt, moves, &h, &busy[i]), 0);
    for (int i = 0; i < FORKS; i++)
        in_child(i % 4 || !CHILD_HAS_THREADS ? child_of_home
                                             : child_makes_its_own,
                 &h);
    __atomic_store_n(&h.stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < BUSY; i++)
        CHECK_EQ(pons_join(busy[i], NULL), 0);
    home_close(&h);
}

static int64_t
asks_for_the_default(void *arg)
{
    struct home *h = arg;

    while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
        struct pons_runtime *rt;

        CHECK_EQ(pons_runtime_default(&rt), 0);
        pons_runtime_unref(rt);
    }
    return 0;
}

static void
child_asks_for_the_default(void *arg)
{
    struct pons_runtime *rt;

    (void)arg;
    CHECK_EQ(pons_runtime_default(&rt), 0);
    CHECK_EQ(pons_block_on(rt, spawns_and_blocks, NULL, NULL), 0);
}

static void
fork_while_the_default_is_asked_for(void)
{
    struct home h = {.stop = 0};
    struct pons_runtime *rt;
    struct agent a[2];

    NEEDS_THREADS_IN_A_CHILD();
    NEEDS_AN_ALLOCATOR_THAT_FORKS();
    if (RUNNING_ON_VALGRIND)
        SKIP("what another thread makes at the fork is lost in the child, and "
             "valgrind calls it a leak");
    for (int i = 0; i < 2; i++)
        agent_start_thread(&a[i], asks_for_the_default, &h);
    for (int i = 0; i < FORKS; i++)
        in_child(child_asks_for_the_default, NULL);
    __atomic_store_n(&h.stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(agent_join(&a[i]), 0);
    CHECK_EQ(pons_runtime_default(&rt), 0);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    pons_runtime_unref(rt);
}

/* --- forked on a fiber: the child may exec or exit --- */

static int64_t
fiber_runs_a_program(void *path)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    CHECK(pid > 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void
exec_body(void *arg)
{
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    CHECK_EQ(pons_spawn(NULL, fiber_runs_a_program, (void *)"/bin/true", &t),
             0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    CHECK_EQ(pons_spawn(NULL, fiber_runs_a_program, (void *)"/nonexistent", &t),
             0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 127);
}

static void
child_of_a_fiber_may_exec_or_exit(void)
{
    everywhere_in_fibers(exec_body, NULL);
}

/* An exec'd program gets none of our descriptors. */
static void
descriptors_are_closed_by_exec(void)
{
    int before[DESCRIPTORS];
    struct home h;

    for (int fd = 0; fd < DESCRIPTORS; fd++)
        before[fd] = fcntl(fd, F_GETFD);
    home_open(&h, "2");
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (before[fd] < 0 && fcntl(fd, F_GETFD) >= 0)
            CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    home_close(&h);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(inherited_handles_answer_eownerdead),
    T(child_can_make_a_new_runtime),
    T(default_of_a_child_is_its_own),
    T(child_of_a_thread_inside_block_on),
    T(fork_while_workers_run),
    T(fork_while_the_default_is_asked_for),
    T(child_of_a_fiber_may_exec_or_exit),
    T(descriptors_are_closed_by_exec),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("fork", tests, argc, argv);
}
