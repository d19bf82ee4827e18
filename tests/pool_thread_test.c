/* SPDX-License-Identifier: MIT */
/*
 * tests/pool_thread_test.c - whom a job wakes, and what a thread leaves behind.
 */

#include "pool_rig.h"

#include <dirent.h>
#include <signal.h>

enum { ROUNDS = 2000 };

static void
job_that_comes_as_a_keepalive_ends_is_run(void)
{
    for (uint64_t keepalive_ns = 1; keepalive_ns < 100000; keepalive_ns *= 10) {
        struct poni_pool *p = rig_elastic(0, 2, keepalive_ns, 0);
        struct work w;

        for (int i = 0; i < ROUNDS; i++) {
            work_init(&w, 0);
            work_submit(p, &w);
            work_await(&w);
        }
        rig_close(p);
    }
}

static void
burst_reaches_every_parked_thread(void)
{
    enum { N = 6 };
    struct poni_pool *p = rig_elastic(0, N, PONS_S, 0);
    struct work w[N];

    for (int i = 0; i < N; i++)
        work_occupy(p, &w[i]);
    for (int round = 0; round < ROUNDS / 10; round++) {
        for (int i = 0; i < N; i++)
            work_finish(&w[i]);
        for (int i = 0; i < N; i++) {
            work_init(&w[i], 1);
            work_submit(p, &w[i]);
        }
        for (int i = 0; i < N; i++)
            rig_wait(&w[i].begun); // all at once
    }
    for (int i = 0; i < N; i++)
        work_finish(&w[i]);
    CHECK_EQ(rig_figures(p).threads, N);
    rig_close(p);
}

static void
latest_idle_thread_takes_the_next_job(void)
{
    enum { N = 4 };
    struct poni_pool *p = rig_elastic(0, N, PONS_S, 0);
    struct work before[N], w[N];

    for (int i = 0; i < N; i++)
        work_occupy(p, &before[i]);
    for (int i = 0; i < N; i++)
        work_finish(&before[i]);
    for (int i = 0; i < N; i++) {
        work_occupy(p, &w[i]);
        CHECK_EQ(w[i].thread, before[N - 1 - i].thread);
    }
    for (int i = 0; i < N; i++)
        work_finish(&w[i]);
    rig_close(p);
}

/* The number behind `key` in a task's status; of letters the first. */
static long
task_status(const char *task, const char *key)
{
    char path[300], line[200];
    const char *value = NULL;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    f = fopen(path, "r");
    if (f == NULL)
        return 0; // it has ended just now
    while (value == NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = line + strlen(key) + 1;
    fclose(f);
    if (value == NULL)
        return 0;
    return *value > '9' ? *value : atol(value);
}

/* The sum of each(task) over the threads of the pool. */
static long
pool_tasks(long (*each)(const char *task))
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;
    long sum = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        char path[300], name[20] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
        f = fopen(path, "r");
        if (f != NULL && fgets(name, sizeof name, f) != NULL &&
            strcmp(name, "pons-pool\n") == 0)
            sum += each(e->d_name);
        if (f != NULL)
            fclose(f);
    }
    closedir(dir);
    return sum;
}

static long
task_one(const char *task)
{
    (void)task;
    return 1;
}

static long
task_awake(const char *task)
{
    return task_status(task, "State:") != 'S';
}

static long
task_switches(const char *task)
{
    return task_status(task, "voluntary_ctxt_switches:") +
           task_status(task, "nonvoluntary_ctxt_switches:");
}

/* Each job is run by its pool's owner. */
static int64_t
run_counted(void *runs, struct pons_job *job)
{
    __atomic_add_fetch((int *)runs, 1, __ATOMIC_SEQ_CST);
    return job->fn(job->arg);
}

static void
free_leaves_no_thread(void)
{
    enum { N = 8 };
    struct pons_config config = {{{"threads", N}, {"eager", 0}}};
    int runs = 0;
    struct poni_pool *p =
        rig_open_run(rig_policy("fixed"), &config, run_counted, &runs);
    struct work w[N];

    for (int i = 0; i < N; i++)
        work_occupy(p, &w[i]);
    CHECK_EQ(pool_tasks(task_one), N);
    CHECK_EQ(runs, N);
    for (int i = 0; i < N; i++)
        work_finish(&w[i]);
    CHECK_EQ(poni_pool_free(p), 1);  // without a shutdown before it, too
    while (pool_tasks(task_one) > 0) // joined, and then gone from /proc
        sched_yield();
}

static int64_t
thread_look_at_itself(void *arg)
{
    static const int blocked[] = {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1};
    struct work *w = arg;
    char name[16];
    sigset_t mask;

    CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    CHECK_EQ(strcmp(name, "pons-pool"), 0);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        CHECK_EQ(sigismember(&mask, blocked[i]), 1);
    w->ran = 1;
    return 42;
}

static void
p10_threads_are_named_and_block_signals(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work w;
    sigset_t mask;

    work_init(&w, 0);
    w.job.fn = thread_look_at_itself;
    work_submit(p, &w);
    work_await(&w);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK_EQ(sigismember(&mask, SIGINT), 0); // the submitter's is as it was
    rig_close(p);
}

static void
p9_idle_pool_does_nothing(void)
{
    enum { N = 4 };
    struct poni_pool *p = rig_elastic(0, N, 100 * PONS_S, 0);
    struct work w[N];
    uint64_t began;
    long before;

    for (int i = 0; i < N; i++)
        work_occupy(p, &w[i]);
    for (int i = 0; i < N; i++)
        work_finish(&w[i]);
    while (pool_tasks(task_awake) > 0)
        sched_yield();
    before = pool_tasks(task_switches);
    for (began = pons_now(); pons_now() - began < 200 * PONS_MS;)
        continue;
    CHECK_EQ(pool_tasks(task_switches), before);
    rig_close(p);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(job_that_comes_as_a_keepalive_ends_is_run),
    TEST(burst_reaches_every_parked_thread),
    TEST(latest_idle_thread_takes_the_next_job),
    TEST(free_leaves_no_thread),
    TEST(p10_threads_are_named_and_block_signals),
    TEST(p9_idle_pool_does_nothing),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("pool_thread", tests, argc, argv);
}
