/* SPDX-License-Identifier: MIT */
/*
 * tests/call_test.c - core/call.c: who makes a call, and how it ends when
 * somebody wants it to: once, and with nothing lost.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/pool.h"
#include "core/runtime.h"
#include "everywhere.h"
#include "pons/file.h"
#include "pons/socket.h"
#include "pons/time.h"
#include "scratch.h"
#include "told.h"

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

static uint64_t
jobs(struct pons_runtime *rt)
{
    struct pons_stats s = {.size = sizeof s};

    CHECK_EQ(pons_runtime_stats(rt, &s), 0);
    return s.jobs;
}

/* --- who makes it --- */

struct made {
    uint64_t before, after; // jobs of the runtime
};

static int64_t
makes_a_call(void *arg)
{
    struct pons_runtime *rt = pons_runtime_current();
    struct made *m = arg;

    m->before = jobs(rt);
    CHECK_EQ(pons_fsync(-1), -EBADF);
    m->after = jobs(rt);
    return 0;
}

static void
a_task_asks_the_pool_and_a_thread_does_not(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_task *t;
    struct made m;

    NEEDS_READINESS();
    CHECK_EQ(pons_spawn(rt, makes_a_call, &m, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    CHECK_EQ(m.after, m.before + 1);
    CHECK_EQ(pons_block_on(rt, makes_a_call, &m, NULL), 0);
    CHECK_EQ(m.after, m.before);
    pons_runtime_unref(rt);
}

static int64_t
makes_it_under_a_deadline(void *arg)
{
    return pons_timeout(pons_after_ms(60000), makes_a_call, arg, NULL);
}

static void
under_a_deadline_a_thread_asks_it_too(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct made m;
    int64_t answer;

    CHECK_EQ(pons_block_on(rt, makes_it_under_a_deadline, &m, &answer), 0);
    CHECK_EQ(answer, 0);
    CHECK_EQ(m.after, m.before + 1);
    pons_runtime_unref(rt);
}

struct reads {
    int fd;
    uint64_t jobs;
};

static int64_t
reads_cached(void *arg)
{
    struct reads *r = arg;
    uint64_t before = jobs(pons_runtime_current());
    char text[4] = "";

    CHECK_EQ(pons_pread(r->fd, text, 4, 1), 4);
    CHECK_EQ(memcmp(text, "bcde", 4), 0);
    r->jobs = jobs(pons_runtime_current()) - before;
    CHECK_EQ(pons_pread(r->fd, text, 4, 4), 2);
    CHECK_EQ(jobs(pons_runtime_current()), before + r->jobs + 1);
    return 0;
}

/* What is in memory is read by the task itself, unless PONS_FILES forbids it.
 */
static void
a_read_of_what_is_cached_needs_no_thread(void)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    char *path = scratch_text("cached", "abcdef"), c;
    struct reads r = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct iovec part = {&c, 1};

    if (preadv2(r.fd, &part, 1, 0, RWF_NOWAIT) < 0)
        SKIP("RWF_NOWAIT on %s: %s", path, strerror(errno));
    s.flags = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;
    s.reactor = "epoll";
    s.workers = "1";
    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt;
        struct pons_task *t;

        CHECK_EQ(pons_runtime_new(&rt, &s), 0);
        CHECK_EQ(pons_spawn(rt, reads_cached, &r, &t), 0);
        CHECK_EQ(pons_join(t, NULL), 0);
        CHECK_EQ(r.jobs, i);
        pons_runtime_unref(rt);
        s.files = "pool";
    }
    close(r.fd);
    free(path);
}

/* An engine that says it does files is asked, unless PONS_FILES forbids it. */
static int64_t
syncs_nothing(void *arg)
{
    (void)arg;
    return pons_fsync(-1);
}

static int64_t
with_null(const char *reactor, const char *files)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;
    struct pons_task *t;
    int64_t answer;

    s.flags = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;
    s.reactor = reactor;
    s.workers = "1";
    s.files = files;
    CHECK_EQ(pons_runtime_new(&rt, &s), 0);
    CHECK_EQ(pons_spawn(rt, syncs_nothing, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    pons_runtime_unref(rt);
    return answer;
}

static void
an_engine_that_does_files_is_asked(void)
{
    CHECK_EQ(with_null("null", NULL), 0); // which does nothing, successfully
    CHECK_EQ(with_null("null:inline=yes", NULL), 0);
    CHECK_EQ(with_null("null", "pool"), -EBADF);
}

/* --- a pool with one thread, which is taken --- */

struct stuck {
    struct pons_runtime *rt;
    int running, go;
};

static int64_t
stuck_job(void *arg)
{
    struct stuck *s = arg;

    set(&s->running);
    while (!is(&s->go))
        (void)sched_yield();
    return 0;
}

static void
stick(struct stuck *s, const char *workers)
{
    *s = (struct stuck){.rt = runtime_with_pool(workers, "elastic:max=1")};
    CHECK_EQ(pons_blocking_detached(s->rt, stuck_job, s, NULL), 0);
    while (!is(&s->running))
        let_others_run();
}

static void
until_queued(struct pons_runtime *rt, unsigned n)
{
    struct poni_pool_figures f;

    do {
        let_others_run();
        poni_pool_figures(rt->pool, &f);
    } while (f.queued != n);
}

static int64_t
creates(void *path)
{
    return pons_openat(AT_FDCWD, path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

static void
a_call_that_has_not_begun_is_not_made(void)
{
    char *path = scratch_path("created");
    struct pons_task *t;
    struct stuck s;
    int64_t answer;

    NEEDS_READINESS();
    stick(&s, "1");
    CHECK_EQ(pons_spawn(s.rt, creates, path, &t), 0);
    until_queued(s.rt, 1);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    set(&s.go);
    pons_runtime_unref(s.rt);
    CHECK(access(path, F_OK) < 0);
    free(path);
}

static int64_t
creates_in_time(void *path)
{
    return pons_timeout(pons_after_ms(1), creates, path, NULL);
}

static void
nor_is_one_whose_deadline_came_first(void)
{
    char *path = scratch_path("created");
    struct stuck s;
    int64_t answer;

    stick(&s, "1");
    CHECK_EQ(pons_block_on(s.rt, creates_in_time, path, &answer), 0);
    CHECK_EQ(answer, -ETIME);
    set(&s.go);
    pons_runtime_unref(s.rt);
    CHECK(access(path, F_OK) < 0);
    free(path);
}

/* Also not one that would end at once. */
static int64_t
creates_cancelled(void *path)
{
    struct pons_stream *s;

    while (!pons_cancelled())
        let_others_run();
    CHECK_EQ(pons_socket(&s, AF_INET, SOCK_STREAM, 0), -ECANCELED);
    CHECK(s == NULL);
    return creates(path);
}

static void
a_cancelled_task_begins_no_call(void)
{
    char *path = scratch_path("created");
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(rt, creates_cancelled, path, &t), 0);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    CHECK(access(path, F_OK) < 0);
    pons_runtime_unref(rt);
    free(path);
}

/* --- one that runs --- */

/* The linker puts __wrap_openat() in front of openat(): one that takes its
 * time. */
static int in_openat, let_go;

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);

int
__wrap_openat(int folder, const char *path, int flags, ...)
{
    if (strstr(path, "slow") != NULL) {
        set(&in_openat);
        while (!is(&let_go))
            (void)sched_yield();
    }
    return __real_openat(folder, path, flags, 0600);
}

static void
a_call_that_runs_is_waited_for_and_its_result_counts(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    char *path = scratch_path("slow");
    struct pons_task *t;
    int64_t answer;

    NEEDS_READINESS();
    CHECK_EQ(pons_spawn(rt, creates, path, &t), 0);
    while (!is(&in_openat))
        let_others_run();
    pons_cancel(t);
    CHECK_EQ(pons_block_on(rt, syncs_nothing, NULL, &answer), 0);
    CHECK(!pons_task_ended(t));
    set(&let_go);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK(answer >= 0); // there it is, to be closed
    CHECK_EQ(close((int)answer), 0);
    pons_runtime_unref(rt);
    free(path);
}

struct late {
    uint64_t deadline_ns;
    char *path;
    int64_t result;
};

static int64_t
lets_go_late(void *arg)
{
    const struct late *l = arg;

    while (!is(&in_openat) || pons_now() <= l->deadline_ns)
        (void)sched_yield();
    set(&let_go);
    return 0;
}

static int64_t
creates_late(void *arg)
{
    struct late *l = arg;

    return pons_timeout(l->deadline_ns, creates, l->path, &l->result);
}

/* 0: its deadline passed before it had begun. */
static int
is_late(struct pons_runtime *rt, struct late *l)
{
    struct agent a;
    int64_t answer;

    in_openat = let_go = 0;
    agent_start_thread(&a, lets_go_late, l);
    CHECK_EQ(pons_block_on(rt, creates_late, l, &answer), 0);
    set(&in_openat);
    CHECK_EQ(agent_join(&a), 0);
    if (answer == -ETIME)
        return 0;
    CHECK_EQ(answer, 0);
    CHECK(l->result >= 0);
    CHECK_EQ(close((int)l->result), 0);
    return 1;
}

static void
so_is_one_whose_deadline_passes(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct late l = {.path = scratch_path("slow")};
    uint64_t ms = 10;

    do {
        l.deadline_ns = pons_after_ms(ms);
        ms *= 2;
    } while (!is_late(rt, &l));
    pons_runtime_unref(rt);
    free(l.path);
}

static void
a_dump_says_which_call_and_where(void)
{
    struct pons_task *t;
    char *text = NULL;
    struct stuck s;
    int64_t answer;

    NEEDS_READINESS();
    stick(&s, "1");
    CHECK_EQ(pons_spawn(s.rt, creates, (void *)(uintptr_t) "/", &t), 0);
    until_queued(s.rt, 1);
    do {
        free(text);
        text = dumped(s.rt);
    } while (strstr(text, "waits") == NULL);
    CHECK_HAS(text, "waits in openat, on the pool");
    free(text);
    set(&s.go);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -EISDIR);
    pons_runtime_unref(s.rt);
}

/* --- closing is masked --- */

static int64_t
closes(void *fd)
{
    return pons_close(*(int *)fd);
}

static int64_t
closes_cancelled(void *fd)
{
    while (!pons_cancelled())
        let_others_run();
    return closes(fd);
}

static void
is_closed(struct pons_task *t, int fd)
{
    int64_t answer;

    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
}

static void
a_cancelled_task_can_close(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, closes_cancelled, &fd, &t), 0);
    pons_cancel(t);
    is_closed(t, fd);
    pons_runtime_unref(rt);
}

static void
a_cancel_does_not_take_back_a_close(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct pons_task *t;
    struct stuck s;

    NEEDS_READINESS();
    stick(&s, "1");
    CHECK_EQ(pons_spawn(s.rt, closes, &fd, &t), 0);
    until_queued(s.rt, 1);
    pons_cancel(t);
    let_others_run();
    CHECK(fcntl(fd, F_GETFD) >= 0);
    set(&s.go);
    is_closed(t, fd);
    pons_runtime_unref(s.rt);
}

/* A pool that has been shut down refuses, and has dropped what was queued. */
static void
what_the_pool_does_not_close_is_closed_all_the_same(void)
{
    int fds[2] = {open("/dev/null", O_RDONLY | O_CLOEXEC),
                  open("/dev/null", O_RDONLY | O_CLOEXEC)};
    struct pons_task *t;
    struct stuck s;
    int64_t answer;
    char names[64];

    NEEDS_READINESS();
    stick(&s, "1");
    CHECK_EQ(pons_spawn(s.rt, closes, &fds[0], &t), 0);
    until_queued(s.rt, 1);
    CHECK_EQ(poni_pool_shutdown(s.rt->pool, 0, names, sizeof names), 1);
    is_closed(t, fds[0]);
    CHECK_EQ(pons_spawn(s.rt, closes, &fds[1], &t), 0);
    is_closed(t, fds[1]);
    CHECK_EQ(pons_spawn(s.rt, syncs_nothing, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ESHUTDOWN); // what is no release is refused
    set(&s.go);
    pons_runtime_unref(s.rt);
}

/* --- a storm --- */

enum { ROUNDS = 300 };

static void
cancels_leak_no_descriptor(void)
{
    struct pons_runtime *rt = runtime_with_pool("2", "elastic:max=2");
    char *path = scratch_path("storm");
    int before = descriptors_now();
    int64_t answer;

    for (int i = 0; i < ROUNDS; i++) {
        struct pons_task *t;

        CHECK_EQ(pons_spawn(rt, creates, path, &t), 0);
        for (int j = 0; j < i % 7; j++)
            (void)sched_yield();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK(answer >= 0 || answer == -ECANCELED);
        if (answer >= 0)
            CHECK_EQ(close((int)answer), 0);
    }
    pons_runtime_unref(rt);
    CHECK(descriptors_now() <= before);
    free(path);
}

/* --- no allocation is needed, and none made: a future lives in its struct ---
 */

struct opens {
    struct pons_future base;
    struct pons_openat open;
    struct pons_close close;
    const char *path;
};

static enum pons_poll
opens_poll(struct pons_future *f, struct pons_waker *w)
{
    struct opens *o = pons_container_of(f, struct opens, base);

    PONS_BEGIN(f);
    pons_openat_init(&o->open, AT_FDCWD, o->path, O_RDONLY | O_CLOEXEC, 0);
    CHECK_EQ(o->open.base.result, -EINPROGRESS);
    PONS_AWAIT(f, w, &o->open);
    CHECK(o->open.base.result >= 0);
    pons_close_init(&o->close, (int)o->open.base.result);
    PONS_AWAIT(f, w, &o->close);
    CHECK_EQ(o->close.base.result, 0);
    PONS_END(f);
}

static const struct pons_future_ops opens_ops = {
    .size = sizeof opens_ops, .name = "opens", .poll = opens_poll};

static void
stackless_body(void *arg)
{
    struct opens o = {.path = "/"};
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    pons_future_init(&o.base, &opens_ops);
    if (pons_runtime_current() == NULL) {
        CHECK_EQ(pons_await(&o.base), 0);
        return;
    }
    CHECK_EQ(pons_spawn_future(NULL, &o.base, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
}

static void
a_stackless_task_opens_and_closes(void)
{
    everywhere(stackless_body, NULL);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(a_task_asks_the_pool_and_a_thread_does_not),
    TEST(under_a_deadline_a_thread_asks_it_too),
    TEST(a_read_of_what_is_cached_needs_no_thread),
    TEST(an_engine_that_does_files_is_asked),
    TEST(a_call_that_has_not_begun_is_not_made),
    TEST(nor_is_one_whose_deadline_came_first),
    TEST(a_cancelled_task_begins_no_call),
    TEST(a_call_that_runs_is_waited_for_and_its_result_counts),
    TEST(so_is_one_whose_deadline_passes),
    TEST(a_dump_says_which_call_and_where),
    TEST(a_cancelled_task_can_close),
    TEST(a_cancel_does_not_take_back_a_close),
    TEST(what_the_pool_does_not_close_is_closed_all_the_same),
    TEST(cancels_leak_no_descriptor),
    TEST(a_stackless_task_opens_and_closes),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("call", tests, argc, argv);
}
