/* SPDX-License-Identifier: MIT */
/*
 * tests/files_test.c - PONS_FILES: an engine for files beside each reactor.
 *
 * tests/file_test.c has what the operations say there. What waits for as long
 * as a test likes is a splice from an empty pipe.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fiber.h"
#include "core/opcode.h"
#include "core/runtime.h"
#include "core/self.h"
#include "everywhere.h"
#include "forbid.h"
#include "pons/file.h"
#include "pons/op.h"
#include "scratch.h"
#include "told.h"

enum {
    READS = 1000,
    TURNS = 50,
    TASKS = 20,
    BATCH = 64,
    YIELDS = 5000,
};

#define NEEDS_URING(files)                     \
    do {                                       \
        if (!everywhere_beside(files))         \
            SKIP("no uring beside a reactor"); \
    } while (0)

static uint64_t
jobs(struct pons_runtime *rt)
{
    struct pons_stats s = {.size = sizeof s};

    CHECK_EQ(pons_runtime_stats(rt, &s), 0);
    return s.jobs;
}

/* A file of numbers. */
static int
numbers(void)
{
    static uint32_t all[READS];
    char *path;
    int fd;

    for (uint32_t i = 0; i < READS; i++)
        all[i] = i;
    path = scratch_bytes("numbers", all, sizeof all);
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    free(path);
    return fd;
}

static int64_t
number(int fd, uint32_t i)
{
    uint32_t n = ~0u;

    CHECK_EQ(pons_pread(fd, &n, sizeof n, i * sizeof n), sizeof n);
    return n;
}

/* --- where operations go --- */

/* Who does the operation of that name. */
static const char *
who_does(const struct pons_runtime *rt, const char *name)
{
    static char who[96];
    const char *found;

    for (unsigned i = 0;
         (found = poni_operation_explain(rt, i, who, sizeof who)); i++)
        if (strcmp(found, name) == 0)
            return who;
    return "nobody";
}

static void
engine_body(void *arg)
{
    int fd = *(int *)arg;
    struct pons_runtime *rt = pons_runtime_current();
    uint64_t before = jobs(rt);

    CHECK_EQ(number(fd, 7), 7);
    CHECK_EQ(pons_fsync(fd), 0);
    CHECK_EQ(pons_pwrite(fd, "", 0, 0), 0);
    CHECK_EQ(jobs(rt), before);
    for (unsigned i = 0; i < rt->seat_count; i++)
        CHECK(rt->seats[i].files.reactor != NULL);
    CHECK_HAS(who_does(rt, "pread"), "uring, beside ");
    CHECK(strstr(who_does(rt, "recv"), "uring") == NULL);
}

static void
the_engine_does_operations_on_files(void)
{
    int fd = numbers();

    NEEDS_URING("uring");
    everywhere_in_fibers(engine_body, &fd);
    close(fd);
}

static struct pons_settings
settings_with(const char *reactor, const char *files)
{
    struct pons_settings s = PONS_SETTINGS_INIT;

    s.flags = PONS_NO_ENVIRONMENT | PONS_NO_EXTERNAL_PLUGINS;
    s.workers = "1";
    s.reactor = reactor;
    s.files = files;
    return s;
}

static struct pons_runtime *
runtime_beside(const char *reactor, const char *files)
{
    struct pons_settings s = settings_with(reactor, files);
    struct pons_runtime *rt;

    if (pons_runtime_new(&rt, &s) < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    CHECK(rt != NULL);
    return rt;
}

static int64_t
reads_seven(void *fd)
{
    return number(*(int *)fd, 7);
}

static int64_t
answer_in(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(rt, fn, arg, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static void
the_reactor_itself_is_not_opened_twice(void)
{
    int fd = numbers();
    struct pons_runtime *rt;

    NEEDS_URING("uring");
    rt = runtime_beside("uring:entries=8", "uring:entries=8");
    CHECK(rt->seats[0].files.reactor == NULL);
    CHECK_EQ(answer_in(rt, reads_seven, &fd), 7);
    CHECK_EQ(jobs(rt), 0);
    pons_runtime_unref(rt);
    rt = runtime_beside("uring:entries=8", "uring:entries=2");
    CHECK(rt->seats[0].files.reactor != NULL);
    CHECK_EQ(answer_in(rt, reads_seven, &fd), 7);
    CHECK_EQ(jobs(rt), 0);
    pons_runtime_unref(rt);
    close(fd);
}

/* --- many --- */

struct one {
    int fd;
    uint32_t i;
    struct pons_task *task;
};

static int64_t
reads_one(void *arg)
{
    struct one *o = arg;

    return number(o->fd, o->i);
}

static void
many_body(void *arg)
{
    static struct one all[READS];
    struct pons_runtime *rt = pons_runtime_current();
    uint64_t before = jobs(rt);

    for (uint32_t i = 0; i < READS; i++) {
        all[i] = (struct one){*(int *)arg, i, NULL};
        CHECK_EQ(pons_spawn(NULL, reads_one, &all[i], &all[i].task), 0);
    }
    for (uint32_t i = 0; i < READS; i++) {
        int64_t n;

        CHECK_EQ(pons_join(all[i].task, &n), 0);
        CHECK_EQ(n, i);
    }
    CHECK_EQ(jobs(rt), before);
}

static void
a_thousand_go_through_two_entries(void)
{
    int fd = numbers();

    NEEDS_URING("uring:entries=2");
    everywhere_in_fibers(many_body, &fd);
    close(fd);
}

static void
a_thousand_go_through_a_strict_owner(void)
{
    int fd = numbers();

    NEEDS_URING("uring:owner=strict");
    everywhere_in_fibers(many_body, &fd);
    close(fd);
}

/* --- what it costs --- */

/* System calls of the ring of this seat. */
static uint64_t
ring_calls(void)
{
    struct pons_reactor *r = poni_self.seat->files.reactor;
    char *text = NULL;
    uint64_t n = 0;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    CHECK(f != NULL);
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_STATS, f), 0);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(sscanf(text, "uring: %llu", (unsigned long long *)&n), 1);
    free(text);
    return n;
}

static int64_t
reads_and_rests(void *fd)
{
    struct one all[BATCH];
    uint64_t before;
    int64_t n;

    CHECK_EQ(number(*(int *)fd, 7), 7);
    before = ring_calls();
    for (int i = 0; i < YIELDS; i++)
        (void)!pons_yield();
    CHECK_EQ(ring_calls(), before);
    for (uint32_t i = 0; i < BATCH; i++) {
        all[i] = (struct one){*(int *)fd, i, NULL};
        CHECK_EQ(pons_spawn(NULL, reads_one, &all[i], &all[i].task), 0);
    }
    for (uint32_t i = 0; i < BATCH; i++) {
        CHECK_EQ(pons_join(all[i].task, &n), 0);
        CHECK_EQ(n, i);
    }
    CHECK(ring_calls() - before < BATCH / 4);
    return 0;
}

static void
turns_without_files_cost_no_call_and_many_files_one(void)
{
    int fd = numbers();
    struct pons_runtime *rt;

    NEEDS_URING("uring");
    rt = runtime_of("epoll", "1");
    CHECK_EQ(answer_in(rt, reads_and_rests, &fd), 0);
    pons_runtime_unref(rt);
    close(fd);
}

/* --- sleep --- */

/* A splice that waits for the first byte of a pipe. */
struct pipes {
    int from[2], to[2];
    struct pons_runtime *rt;
    struct pons_task *task;
    int begun; // atomic
};

static void
pipes_open(struct pipes *p)
{
    *p = (struct pipes){.rt = pons_runtime_current()};
    CHECK_EQ(pipe2(p->from, O_CLOEXEC), 0);
    CHECK_EQ(pipe2(p->to, O_CLOEXEC), 0);
}

static void
pipes_close(struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close(p->from[i]);
        close(p->to[i]);
    }
}

static int64_t
splices(void *arg)
{
    struct pipes *p = arg;

    /* A flag, and nothing that goes with it: no partner. */
    poni_store_relaxed(&p->begun, 1);
    return pons_splice(p->from[0], -1, p->to[1], -1, 1, 0);
}

static void
until_all_sleep(struct pons_runtime *rt)
{
    uint64_t all = ((uint64_t)1 << rt->seat_count) - 1;

    while (poni_load_seq(&rt->sleepers) != all)
        (void)sched_yield();
}

static int64_t
says_when_all_sleep(void *arg)
{
    struct pipes *p = arg;

    until_all_sleep(p->rt);
    return write(p->from[1], "x", 1);
}

static void
sleep_body(void *arg)
{
    struct agent writer;
    struct pipes p;

    (void)arg;
    pipes_open(&p);
    for (int i = 0; i < TURNS; i++) {
        char byte = 0;

        agent_start_thread(&writer, says_when_all_sleep, &p);
        CHECK_EQ(splices(&p), 1);
        CHECK_EQ(agent_join(&writer), 1);
        CHECK_EQ(read(p.to[0], &byte, 1), 1);
        CHECK_EQ(byte, 'x');
    }
    pipes_close(&p);
}

static void
a_worker_asleep_hears_of_an_end(void)
{
    NEEDS_URING("uring");
    everywhere_in_fibers(sleep_body, NULL);
}

static void
so_it_does_of_a_strict_owner(void)
{
    NEEDS_URING("uring:owner=strict");
    everywhere_in_fibers(sleep_body, NULL);
}

static int64_t
reads_and_says(void *arg)
{
    struct pipes *p = arg; // `from` has a file

    CHECK_EQ(number(p->from[0], 7), 7);
    poni_store_relaxed(&p->begun, 1);
    return 0;
}

static int64_t
yields_until_read(void *arg)
{
    struct pipes p = {.from = {*(int *)arg, -1}};

    CHECK_EQ(pons_spawn(NULL, reads_and_says, &p, &p.task), 0);
    while (!poni_load_relaxed(&p.begun))
        (void)!pons_yield();
    return pons_join(p.task, NULL);
}

static void
a_worker_that_is_never_idle_hears_of_it_too(void)
{
    int fd = numbers();
    struct pons_runtime *rt;

    NEEDS_URING("uring");
    rt = runtime_of("epoll", "1");
    CHECK_EQ(answer_in(rt, yields_until_read, &fd), 0);
    pons_runtime_unref(rt);
    close(fd);
}

/* --- cancel --- */

/* Nothing was consumed. */
static void
check_untouched(struct pipes *p)
{
    char byte = 0;

    CHECK_EQ(write(p->from[1], "y", 1), 1);
    CHECK_EQ(read(p->from[0], &byte, 1), 1);
    CHECK_EQ(byte, 'y');
}

static void
pipes_spawn(struct pipes *p)
{
    pipes_open(p);
    CHECK_EQ(pons_spawn(NULL, splices, p, &p->task), 0);
    while (!poni_load_relaxed(&p->begun))
        let_others_run();
}

static void
cancel_body(void *arg)
{
    struct pipes p;
    int64_t result;

    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        pipes_spawn(&p);
        pons_cancel(p.task);
        CHECK_EQ(pons_join(p.task, &result), 0);
        CHECK_EQ(result, -ECANCELED);
        check_untouched(&p);
        pipes_close(&p);
    }
}

static void
a_cancel_in_flight_consumes_nothing(void)
{
    NEEDS_URING("uring");
    everywhere_in_fibers(cancel_body, NULL);
}

static int64_t
cancels_when_all_sleep(void *arg)
{
    struct pipes *p = arg;

    until_all_sleep(p->rt);
    pons_cancel(p->task);
    return 0;
}

static void
foreign_cancel_body(void *arg)
{
    struct agent canceller;
    struct pipes p;
    int64_t result;

    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        pipes_spawn(&p);
        agent_start_thread(&canceller, cancels_when_all_sleep, &p);
        CHECK_EQ(agent_join(&canceller), 0);
        CHECK_EQ(pons_join(p.task, &result), 0);
        CHECK_EQ(result, -ECANCELED);
        check_untouched(&p);
        pipes_close(&p);
    }
}

static void
so_does_one_by_another_thread(void)
{
    NEEDS_URING("uring");
    everywhere_in_fibers(foreign_cancel_body, NULL);
}

static int64_t
cancels_at_once(void *arg)
{
    struct pipes *p = arg;

    pons_cancel(p->task);
    poni_store_release(&p->begun, 2); // pairs with the acquire in early_body()
    return 0;
}

/* The cancel is in the seat's inbox before the seat has ever slept. */
static void
early_body(void *arg)
{
    struct agent canceller;
    struct pipes p;
    int64_t result;

    (void)arg;
    pipes_spawn(&p);
    agent_start_thread(&canceller, cancels_at_once, &p);
    while (poni_load_acquire(&p.begun) != 2)
        (void)sched_yield();
    CHECK_EQ(pons_join(p.task, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    CHECK_EQ(agent_join(&canceller), 0);
    check_untouched(&p);
    pipes_close(&p);
}

static void
so_does_one_before_the_first_sleep(void)
{
    NEEDS_URING("uring");
    everywhere_in_fibers(early_body, NULL);
}

/* --- the end --- */

static int64_t
begins_all(void *arg)
{
    struct pipes *all = arg;

    for (int i = 0; i < TASKS; i++)
        pipes_spawn(&all[i]);
    return 0;
}

static void
shutdown_with(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pipes all[TASKS];
    int64_t result;

    CHECK_EQ(pons_block_on(rt, begins_all, all, &result), 0);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    for (int i = 0; i < TASKS; i++) {
        CHECK_EQ(pons_join(all[i].task, &result), 0);
        CHECK_EQ(result, -ECANCELED);
        check_untouched(&all[i]);
        pipes_close(&all[i]);
    }
    for (unsigned i = 0; i < rt->seat_count; i++) {
        CHECK(rt->seats[i].files.reactor == NULL);
        CHECK_EQ(rt->seats[i].files.watched, 0);
    }
    pons_runtime_unref(rt);
}

static void
a_shutdown_drains_the_engine(void)
{
    static const char *const workers[] = {"0", "1", "2", "4"};

    NEEDS_URING("uring");
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        for (int w = 0; w < 4 && strcmp(*r, "uring") != 0; w++)
            shutdown_with(*r, workers[w]);
}

/* --- fork --- */

static void
child_of(struct pons_runtime *rt, int fd)
{
    struct pons_settings s = settings_with("epoll", "uring");
    struct pons_runtime *own;
    struct pons_task *t;
    int64_t answer;

    alarm(20); // a child that hangs ends by SIGALRM
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), -EOWNERDEAD);
    CHECK_EQ(pons_spawn(rt, reads_seven, &fd, &t), -EOWNERDEAD);
    s.workers = "0";
    CHECK_EQ(pons_runtime_new(&own, &s), 0);
    CHECK_EQ(pons_block_on(own, reads_seven, &fd, &answer), 0);
    CHECK_EQ(answer, 7);
    pons_runtime_unref(own);
    pons_runtime_unref(rt);
    _exit(0);
}

static void
a_forked_child_has_its_own_and_the_parent_does_not_notice(void)
{
    int fd = numbers(), status;
    struct pons_runtime *rt;
    struct pipes p;
    int64_t result;
    pid_t pid;

    NEEDS_URING("uring");
    rt = runtime_of("epoll", "1");
    pipes_open(&p);
    CHECK_EQ(pons_spawn(rt, splices, &p, &p.task), 0);
    while (!poni_load_relaxed(&p.begun))
        (void)sched_yield();
    until_all_sleep(rt);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child_of(rt, fd);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(write(p.from[1], "x", 1), 1);
    CHECK_EQ(pons_join(p.task, &result), 0);
    CHECK_EQ(result, 1);
    CHECK_EQ(answer_in(rt, reads_seven, &fd), 7);
    pons_runtime_unref(rt);
    pipes_close(&p);
    close(fd);
}

/* --- refused --- */

static void
check_explained(struct pons_runtime *rt, const char *part, const char *more)
{
    char *text = explained(rt);

    CHECK_HAS(text, part);
    CHECK_HAS(text, more);
    free(text);
}

/* --- while running --- */

static void
check_dumped(struct pons_runtime *rt, const char *part)
{
    char *text = dumped(rt);

    CHECK_HAS(text, part);
    free(text);
}

struct refused {
    struct pipes begun;
    int fd;
    char said[256];
};

static void
hear(void *arg, enum pons_log_level level, const char *part, const char *text)
{
    struct refused *r = arg;

    (void)level;
    (void)part;
    if (strstr(text, "operations on files") != NULL)
        snprintf(r->said, sizeof r->said, "%s", text);
}

/* On the thread that drives the seat, the only one that the filter is for. */
static int64_t
refused_while_running(void *arg)
{
    struct refused *r = arg;
    struct pons_runtime *rt = pons_runtime_current();
    uint64_t before;
    int64_t n;

    pipes_spawn(&r->begun);
    CHECK_EQ(number(r->fd, 3), 3); // the kernel has both
    check_dumped(rt, "splice, by uring");
    before = jobs(rt);
    forbid(SYS_io_uring_enter, EPERM);
    CHECK_EQ(number(r->fd, 7), 7);
    CHECK_EQ(jobs(rt), before + 1);
    CHECK_EQ(write(r->begun.from[1], "x", 1), 1);
    CHECK_EQ(pons_join(r->begun.task, &n), 0);
    CHECK_EQ(n, 1);
    CHECK_EQ(number(r->fd, 9), 9);
    CHECK_HAS(r->said, "uring of seat 0 failed for good");
    check_dumped(rt, "reported by reactor: uring of seat 0 failed for good");
    check_dumped(rt, "reported by uring: io_uring_enter: ");
    check_explained(rt, "reported by reactor: uring", "not permitted");
    return 0;
}

static void
an_engine_that_fails_is_given_up_loudly_and_nothing_is_lost(void)
{
    struct refused r = {.fd = numbers()};
    struct pons_runtime *rt;
    int64_t answer;

    NEEDS_URING("uring");
    pons_log_hook(hear, &r, PONS_LOG_WARN);
    rt = runtime_of("epoll", "0");
    CHECK_EQ(pons_block_on(rt, refused_while_running, &r, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_runtime_unref(rt);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
    pipes_close(&r.begun);
    close(r.fd);
}

/* --- lists --- */

static void
where_io_uring_is_refused_the_next_of_a_list_is_taken(void)
{
    struct pons_settings s = settings_with("epoll", "uring");
    int fd = numbers();
    struct pons_runtime *rt;

    NEEDS_URING("uring");
    forbid(SYS_io_uring_setup, EPERM);
    CHECK_EQ(pons_runtime_new(&rt, &s), -ENOTSUP);
    CHECK_HAS(pons_last_error(), "the program's files: uring: not usable");
    rt = runtime_beside("epoll", "uring,pool");
    check_explained(rt, "files pool", "uring (built in): not usable: ");
    CHECK_EQ(answer_in(rt, reads_seven, &fd), 7);
    CHECK_EQ(jobs(rt), 1);
    pons_runtime_unref(rt);
    rt = runtime_beside("uring,epoll", NULL);
    check_explained(rt, "reactor epoll", "uring (built in): not usable: ");
    pons_runtime_unref(rt);
    close(fd);
}

static void
what_is_not_installed_is_passed_over(void)
{
    int fd = numbers();
    struct pons_runtime *rt;

    NEEDS_URING("uring");
    rt = runtime_beside("libuv,epoll", "libev,uring:entries=4,pool");
    check_explained(rt, "reactor epoll", "libuv: ");
    check_explained(rt, "files uring", "libev: ");
    CHECK_EQ(answer_in(rt, reads_seven, &fd), 7);
    CHECK_EQ(jobs(rt), 0);
    pons_runtime_unref(rt);
    close(fd);
}

static void
an_engine_that_cannot_says_what_is_missing(void)
{
    static const struct {
        const char *files;
        int err;
        const char *part;
    } rows[] = {
        {"poll", -ENOTSUP, "when a descriptor is ready"},
        {"epoll", -ENOTSUP, "PONS_REACTOR_FILES"},
        {"null", -ENOTSUP, "PONS_CONTROL_POLLABLE_FD"},
        {"poll,null", -ENOTSUP, "no engine for files is usable here"},
        {"xyzzy,pool", -ENOENT, "no engine for files \"xyzzy\""},
        {"pool:a=b", -EINVAL, "pool takes no options"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pons_settings s = settings_with("epoll", rows[i].files);
        struct pons_runtime *rt;

        CHECK_EQ(pons_runtime_new(&rt, &s), rows[i].err);
        CHECK_HAS(pons_last_error(), rows[i].part);
    }
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(the_engine_does_operations_on_files),
    TEST(the_reactor_itself_is_not_opened_twice),
    TEST(a_thousand_go_through_two_entries),
    TEST(a_thousand_go_through_a_strict_owner),
    TEST(turns_without_files_cost_no_call_and_many_files_one),
    TEST(a_worker_asleep_hears_of_an_end),
    TEST(so_it_does_of_a_strict_owner),
    TEST(a_worker_that_is_never_idle_hears_of_it_too),
    TEST(a_cancel_in_flight_consumes_nothing),
    TEST(so_does_one_by_another_thread),
    TEST(so_does_one_before_the_first_sleep),
    TEST(a_shutdown_drains_the_engine),
    TEST(a_forked_child_has_its_own_and_the_parent_does_not_notice),
    TEST(an_engine_that_fails_is_given_up_loudly_and_nothing_is_lost),
    TEST(where_io_uring_is_refused_the_next_of_a_list_is_taken),
    TEST(what_is_not_installed_is_passed_over),
    TEST(an_engine_that_cannot_says_what_is_missing),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("files", tests, argc, argv);
}
