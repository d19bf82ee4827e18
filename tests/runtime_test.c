/* SPDX-License-Identifier: MIT */
/*
 * tests/runtime_test.c - pons/runtime.h: made, shared, found, measured,
 * explained, and not made.
 *
 * The linker puts __wrap_pthread_create() in front of pthread_create(), so that
 * the system can refuse any thread.
 */

#include "pons/runtime.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/self.h"
#include "everywhere.h"
#include "pons/error.h"
#include "pons/time.h"
#include "scratch.h"
#include "told.h"

enum {
    TASKS = 30,
    CYCLES = 60, // runtimes made and ended
    STEPS = 200, // at most, until a runtime can be made
};

/* --- a system that refuses threads --- */

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);

static int threads_allowed = -1; // negative: all

int
__wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                      void *(*fn)(void *), void *arg)
{
    if (threads_allowed == 0)
        return EAGAIN;
    if (threads_allowed > 0)
        threads_allowed--;
    return __real_pthread_create(t, a, fn, arg);
}

/* --- */

static int64_t
answers(void *arg)
{
    return (intptr_t)arg;
}

static int64_t
block(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    int64_t answer = -1;

    CHECK_EQ(pons_block_on(rt, fn, arg, &answer), 0);
    return answer;
}

static struct pons_stats
stats_of(struct pons_runtime *rt)
{
    struct pons_stats s = {.size = sizeof s};

    CHECK_EQ(pons_runtime_stats(rt, &s), 0);
    CHECK_EQ(s.size, sizeof s);
    return s;
}

/* --- settings --- */

static void
settings_of_the_program_count(void)
{
    struct pons_runtime *rt = runtime_of("poll", "3");
    char *text = explained(rt);

    CHECK_EQ(stats_of(rt).workers, 3);
    CHECK_HAS(text, "poll");
    CHECK_HAS(text, "workers 3");
    free(text);
    pons_runtime_unref(rt);
}

static void
environment_counts_and_the_program_more(void)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;
    char *text;

    CHECK_EQ(setenv("PONS_WORKERS", "2", 1), 0);
    CHECK_EQ(setenv("PONS_REACTOR", "poll", 1), 0);
    CHECK_EQ(pons_runtime_new(&rt, NULL), 0);
    CHECK_EQ(stats_of(rt).workers, 2);
    text = explained(rt);
    CHECK_HAS(text, "PONS_WORKERS");
    CHECK_HAS(text, "PONS_REACTOR");
    free(text);
    pons_runtime_unref(rt);
    s.workers = "1";
    CHECK_EQ(pons_runtime_new(&rt, &s), 0);
    CHECK_EQ(stats_of(rt).workers, 1);
    pons_runtime_unref(rt);
    CHECK_EQ(setenv("PONS_WORKERS", "many", 1), 0);
    CHECK_EQ(pons_runtime_new(&rt, NULL), -EINVAL);
    CHECK(rt == NULL);
    CHECK_HAS(pons_last_error(), "PONS_WORKERS");
    CHECK_HAS(pons_last_error(), "many");
    s.flags = PONS_NO_ENVIRONMENT;
    CHECK_EQ(pons_runtime_new(&rt, &s), 0);
    CHECK_EQ(stats_of(rt).workers, 1);
    pons_runtime_unref(rt);
}

static void
wrong_settings_are_errors_with_a_sentence(void)
{
    static const struct {
        const char *reactor, *pool, *workers;
        int err;
        const char *part;
    } wrong[] = {
        {"epol", NULL, NULL, -ENOENT, "epoll"},
        {"epoll", "elastic:mux=1", NULL, -EINVAL, "mux"},
        {"epoll", NULL, "100000", -EINVAL, "100000"},
        {"epoll", NULL, "-1", -EINVAL, "-1"},
    };

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct pons_settings s = PONS_SETTINGS_INIT;
        struct pons_runtime *rt = (void *)&s;

        s.flags = PONS_NO_ENVIRONMENT;
        s.reactor = wrong[i].reactor;
        s.pool = wrong[i].pool;
        s.workers = wrong[i].workers;
        CHECK_EQ(pons_runtime_new(&rt, &s), wrong[i].err);
        CHECK(rt == NULL);
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
}

/* --- handles --- */

static void
last_handle_ends_it(void)
{
    int threads = threads_now(), descriptors = descriptors_now();
    struct pons_runtime *rt = runtime_of("epoll", "2");

    CHECK_EQ(threads_now(), threads + 2);
    CHECK(pons_runtime_ref(rt) == rt);
    pons_runtime_unref(rt);
    CHECK_EQ(threads_now(), threads + 2);
    CHECK_EQ(block(rt, answers, (void *)5), 5);
    pons_runtime_unref(rt);
    threads_until(threads);
    CHECK_EQ(descriptors_now(), descriptors);
    pons_runtime_unref(NULL);
}

static void
nothing_is_left_of_many(void)
{
    static const char *const workers[] = {"0", "1", "3"};
    int threads = threads_now(), descriptors = descriptors_now();

    for (int i = 0; i < CYCLES; i++) {
        struct pons_runtime *rt =
            runtime_of(i % 2 ? "epoll" : "poll", workers[i % 3]);

        if (i % 5)
            CHECK_EQ(block(rt, answers, (void *)5), 5);
        pons_runtime_unref(rt);
    }
    threads_until(threads);
    CHECK_EQ(descriptors_now(), descriptors);
}

static int64_t
gives_up(void *rt)
{
    pons_runtime_unref(rt);
    return 0;
}

/* Some threads that shut the old one down have not begun by then. */
static void
next_one_without_workers_is_driven_while_the_last_ends_elsewhere(void)
{
    int threads = threads_now();

    for (int i = 0; i < CYCLES; i++) {
        struct pons_runtime *rt = runtime_of("poll", "0");
        struct pons_task *t;
        int64_t answer;

        CHECK_EQ(pons_spawn(rt, gives_up, rt, &t), 0);
        CHECK_EQ(pons_join(t, NULL), 0);
        rt = runtime_of("poll", "0");
        CHECK_EQ(pons_spawn(rt, answers, (void *)7, &t), 0);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK_EQ(answer, 7);
        pons_runtime_unref(rt);
    }
    threads_until(threads);
}

static void
default_is_one(void)
{
    struct pons_runtime *a, *b;

    CHECK_EQ(setenv("PONS_WORKERS", "1", 1), 0);
    CHECK_EQ(pons_runtime_default(&a), 0);
    CHECK_EQ(pons_runtime_default(&b), 0);
    CHECK(a == b);
    CHECK(pons_runtime_current() == NULL); // it is not current by itself
    pons_runtime_unref(a);
    pons_runtime_unref(b);
    CHECK_EQ(pons_runtime_default(&a), 0); // the process keeps it
    CHECK(a == b);
    CHECK_EQ(block(a, answers, (void *)6), 6);
    CHECK_EQ(pons_runtime_shutdown(a, PONS_NEVER), 0);
    pons_runtime_unref(a);
}

static void
default_that_cannot_be_made_is_an_error_and_may_be_asked_again(void)
{
    struct pons_runtime *rt;

    CHECK_EQ(setenv("PONS_WORKERS", "none", 1), 0);
    CHECK_EQ(pons_runtime_default(&rt), -EINVAL);
    CHECK(rt == NULL);
    CHECK_EQ(setenv("PONS_WORKERS", "1", 1), 0);
    CHECK_EQ(pons_runtime_default(&rt), 0);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    pons_runtime_unref(rt);
}

static int64_t
current_is(void *rt)
{
    return pons_runtime_current() == rt;
}

static enum pons_poll
current_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = (intptr_t)pons_runtime_current();
    return PONS_READY;
}

static const struct pons_future_ops current_ops = {
    .size = sizeof current_ops, .name = "current", .poll = current_poll};

static int64_t
current_everywhere(void *rt)
{
    struct pons_future f;
    struct pons_task *t;
    int64_t answer;

    CHECK(pons_runtime_current() == rt);
    CHECK_EQ(pons_spawn(NULL, current_is, rt, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 1);
    CHECK_EQ(pons_blocking(current_is, rt, &answer), 0);
    CHECK_EQ(answer, 1);
    pons_future_init(&f, &current_ops);
    CHECK_EQ(pons_spawn_future(NULL, &f, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK(answer == (intptr_t)rt);
    return 0;
}

static void
current_is_the_tasks_the_jobs_or_the_waits(void)
{
    static const char *const workers[] = {"0", "2"};

    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);

        CHECK(pons_runtime_current() == NULL);
        CHECK_EQ(block(rt, current_everywhere, rt), 0);
        CHECK(pons_runtime_current() == NULL);
        pons_runtime_unref(rt);
    }
}

/* --- two at once --- */

static int64_t
echoes(void *stream)
{
    char byte;

    while (pons_recv(stream, &byte, 1) == 1)
        CHECK_EQ(pons_send(stream, &byte, 1), 1);
    return 0;
}

static int64_t
asks(void *stream)
{
    char byte = 0;

    for (int i = 0; i < TASKS; i++) {
        CHECK_EQ(pons_send(stream, &(char){(char)i}, 1), 1);
        CHECK_EQ(pons_recv(stream, &byte, 1), 1);
        CHECK_EQ(byte, i);
    }
    return 1;
}

static void
runtimes_with_different_reactors_work_side_by_side(void)
{
    struct pons_runtime *a = runtime_of("epoll", "2");
    struct pons_runtime *b = runtime_of("poll", "1");
    struct pons_runtime *c = runtime_of("epoll", "0");
    struct pons_stream *ab[2], *bc[2];
    struct pons_task *t[2];

    stream_pair(ab);
    stream_pair(bc);
    CHECK_EQ(pons_spawn(a, echoes, ab[0], &t[0]), 0);
    CHECK_EQ(pons_spawn(b, echoes, bc[0], &t[1]), 0);
    CHECK_EQ(block(b, asks, ab[1]), 1);
    CHECK_EQ(block(c, asks, bc[1]), 1);
    CHECK(stats_of(a).spawned == 1 && stats_of(c).spawned == 0);
    pons_stream_close(ab[1]);
    pons_stream_close(bc[1]);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pons_join(t[i], NULL), 0);
    pons_stream_close(ab[0]);
    pons_stream_close(bc[0]);
    pons_runtime_unref(a);
    pons_runtime_unref(b);
    pons_runtime_unref(c);
}

/* --- figures --- */

static int64_t
sleeps(void *arg)
{
    (void)arg;
    return pons_sleep(PONS_MS);
}

static int64_t
does_all(void *arg)
{
    struct pons_stream *s[2];
    struct pons_task *t[TASKS], *reader;
    int64_t answer;

    for (int i = 0; i < TASKS; i++)
        CHECK_EQ(pons_spawn(NULL, sleeps, NULL, &t[i]), 0);
    for (int i = 0; i < TASKS; i++)
        CHECK_EQ(pons_join(t[i], NULL), 0);
    CHECK_EQ(pons_blocking(answers, arg, &answer), 0);
    stream_pair(s);
    CHECK_EQ(pons_spawn(NULL, echoes, s[0], &reader), 0);
    CHECK_EQ(asks(s[1]), 1);
    pons_stream_close(s[1]);
    CHECK_EQ(pons_join(reader, NULL), 0);
    pons_stream_close(s[0]);
    return 0;
}

static void
figures_count_what_was_done(void)
{
    static const char *const workers[] = {"0", "1", "3"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);
        struct pons_stats before = stats_of(rt), s;

        CHECK_EQ(before.spawned + before.tasks_now + before.jobs, 0);
        CHECK_EQ(block(rt, does_all, NULL), 0);
        s = stats_of(rt);
        CHECK_EQ(s.workers, i == 2 ? 3 : i);
        CHECK_EQ(s.spawned, TASKS + 1);
        CHECK_EQ(s.jobs, 1);
        CHECK_EQ(s.jobs_refused, 0);
        CHECK(s.timers_fired > 0 && s.timers_fired <= TASKS);
        CHECK(s.polls >= 2 * TASKS);
        CHECK(s.ops >= 2 * TASKS); // the echo's
        CHECK(s.ops_inline <= s.ops);
        CHECK(only_completes() || s.ops_inline >= TASKS);
        CHECK(s.pool_threads_now <= 1);
        while (stats_of(rt).tasks_now != 0) // those that are just ending
            let_others_run();
        pons_runtime_unref(rt);
    }
}

static void
p7_programs_of_another_version_get_their_part_of_the_figures(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct {
        struct pons_stats s;
        uint64_t more;
    } newer = {.s.size = sizeof newer, .more = 77};
    struct pons_stats older = {.size = offsetof(struct pons_stats, tasks_now),
                               .tasks_now = 77};

    CHECK_EQ(block(rt, answers, NULL), 0);
    CHECK_EQ(pons_runtime_stats(rt, &newer.s), 0);
    CHECK_EQ(newer.s.workers, 1);
    CHECK_EQ(newer.s.size, sizeof newer);
    CHECK_EQ(newer.more, 0);
    CHECK_EQ(pons_runtime_stats(rt, &older), 0);
    CHECK_EQ(older.workers, 1);
    CHECK_EQ(older.tasks_now, 77); // it has not heard of that
    older.size = 0;
    CHECK_EQ(pons_runtime_stats(rt, &older), -EINVAL);
    CHECK_HAS(pons_last_error(), "size");
    pons_runtime_unref(rt);
}

/* --- PONS_STATS --- */

/* {"word":number,...}: how many members; checks each. */
static int
json_members(const char *line)
{
    int n = 0;

    CHECK_EQ(*line++, '{');
    do {
        CHECK_EQ(*line++, '"');
        while (islower((unsigned char)*line) || *line == '_')
            line++;
        CHECK_EQ(*line++, '"');
        CHECK_EQ(*line++, ':');
        CHECK(isdigit((unsigned char)*line));
        while (isdigit((unsigned char)*line))
            line++;
        n++;
    } while (*line++ == ',');
    CHECK_EQ(line[-1], '}');
    CHECK_EQ(*line, '\0');
    return n;
}

static unsigned long
json_value(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    CHECK(at != NULL);
    return strtoul(at + strlen(key), NULL, 10);
}

static void
stats_file_has_a_line_of_json_each_time(void)
{
    char *path = scratch_path("stats"), line[1024];
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;
    unsigned lines = 0;
    unsigned long jobs = 0;
    FILE *f;

    s.stats = path;
    s.workers = "1";
    for (int i = 0; i < 2; i++) { // appended to
        CHECK_EQ(pons_runtime_new(&rt, &s), 0);
        CHECK_EQ(block(rt, does_all, NULL), 0);
        pons_runtime_unref(rt);
    }
    f = fopen(path, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        CHECK_EQ(json_members(line), 14);
        CHECK_EQ(json_value(line, "\"workers\":"), 1);
        jobs += json_value(line, "\"jobs\":");
        lines++;
    }
    CHECK(lines >= 4); // at the start, at the end
    CHECK(jobs >= 2);
    fclose(f);
    free(path);
}

static void
stats_file_that_cannot_be_written_is_an_error(void)
{
    struct pons_runtime *rt;
    int threads = threads_now();

    CHECK_EQ(setenv("PONS_STATS", "/nonexistent/stats", 1), 0);
    CHECK_EQ(pons_runtime_new(&rt, NULL), -ENOENT);
    CHECK_HAS(pons_last_error(), "PONS_STATS");
    CHECK_HAS(pons_last_error(), "/nonexistent/stats");
    threads_until(threads);
}

/* --- PONS_MAIN --- */

static int
program(int argc, char **argv)
{
    CHECK_EQ(argc, 2);
    CHECK(poni_self.task != NULL); // a fiber
    CHECK_EQ(getpid(), gettid());  // on the main thread
    CHECK_EQ(pons_sleep(1), 0);
    CHECK_EQ(does_all(NULL), 0);
    CHECK_EQ(getpid(), gettid());
    return atoi(argv[1]);
}

int program_main(int argc, char **argv);

#define main program_main
PONS_MAIN(program)
#undef main

static void
main_runs_as_a_fiber_of_worker_0(void)
{
    static const char *const workers[] = {"0", "1", "3"};
    char name[] = "program", status[] = "7";
    char *argv[] = {name, status, NULL};
    int descriptors = descriptors_now(), threads = threads_now();

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(setenv("PONS_WORKERS", workers[i], 1), 0);
        CHECK_EQ(program_main(2, argv), 7);
        threads_until(threads);
        CHECK_EQ(descriptors_now(), descriptors);
    }
}

static void
main_without_a_runtime_says_so_and_is_2(void)
{
    char *path = scratch_path("stderr"), *text;
    int saved = dup(2), out = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    size_t size;

    CHECK_EQ(setenv("PONS_REACTOR", "nosuch", 1), 0);
    CHECK(dup2(out, 2) == 2);
    CHECK_EQ(program_main(0, NULL), 2);
    CHECK(dup2(saved, 2) == 2);
    close(saved);
    close(out);
    text = scratch_read(path, &size);
    text[size] = '\0';
    CHECK_HAS(text, "pons: ");
    CHECK_HAS(text, "nosuch");
    free(text);
    free(path);
}

/* --- what cannot be made leaves nothing --- */

/* Tries with one more each time; `allow` says with how much. How many times it
 * was refused. */
static int
until_it_can_be_made(const char *reactor, const char *workers,
                     void (*allow)(int))
{
    int threads = threads_now(), descriptors = descriptors_now();

    for (int i = 0; i < STEPS; i++) {
        struct pons_settings s = PONS_SETTINGS_INIT;
        struct pons_runtime *rt = (void *)&s;
        int err;

        s.flags = PONS_NO_ENVIRONMENT;
        s.reactor = reactor;
        s.workers = workers;
        allow(i);
        err = pons_runtime_new(&rt, &s);
        allow(-1);
        if (err == 0) {
            CHECK_EQ(block(rt, answers, (void *)4), 4);
            pons_runtime_unref(rt);
            threads_until(threads);
            CHECK_EQ(descriptors_now(), descriptors);
            return i;
        }
        CHECK(rt == NULL);
        CHECK(strlen(pons_last_error()) > 10);
        threads_until(threads);
        CHECK_EQ(descriptors_now(), descriptors);
    }
    CHECK(!"it could not be made at all");
    return -1;
}

static void
allow_descriptors(int n)
{
    static struct rlimit all;
    struct rlimit some;

    if (all.rlim_max == 0)
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &all), 0);
    some = all;
    if (n >= 0)
        some.rlim_cur = (rlim_t)(3 + n);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &some), 0);
}

static void
without_descriptors_nothing_is_left(void)
{
    CHECK(until_it_can_be_made("epoll", "0", allow_descriptors) > 0);
    CHECK(until_it_can_be_made("epoll", "3", allow_descriptors) > 3);
    CHECK_HAS(pons_last_error(), "fewer PONS_WORKERS");
    CHECK(until_it_can_be_made("poll", "0", allow_descriptors) > 0);
    CHECK(until_it_can_be_made("poll", "3", allow_descriptors) > 3);
}

static void
allow_threads(int n)
{
    threads_allowed = n;
}

static void
without_threads_nothing_is_left(void)
{
    CHECK_EQ(until_it_can_be_made("epoll", "0", allow_threads), 0);
    CHECK_EQ(until_it_can_be_made("epoll", "1", allow_threads), 1);
    CHECK_EQ(until_it_can_be_made("poll", "4", allow_threads), 4);
    CHECK_HAS(pons_last_error(), "PONS_WORKERS");
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(settings_of_the_program_count),
    T(environment_counts_and_the_program_more),
    T(wrong_settings_are_errors_with_a_sentence),
    T(last_handle_ends_it),
    T(nothing_is_left_of_many),
    T(next_one_without_workers_is_driven_while_the_last_ends_elsewhere),
    T(default_is_one),
    T(default_that_cannot_be_made_is_an_error_and_may_be_asked_again),
    T(current_is_the_tasks_the_jobs_or_the_waits),
    T(runtimes_with_different_reactors_work_side_by_side),
    T(figures_count_what_was_done),
    T(p7_programs_of_another_version_get_their_part_of_the_figures),
    T(stats_file_has_a_line_of_json_each_time),
    T(stats_file_that_cannot_be_written_is_an_error),
    T(main_runs_as_a_fiber_of_worker_0),
    T(main_without_a_runtime_says_so_and_is_2),
    T(without_descriptors_nothing_is_left),
    T(without_threads_nothing_is_left),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("runtime", tests, argc, argv);
}
