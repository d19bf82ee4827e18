/* SPDX-License-Identifier: MIT */
/*
 * tests/thrift_test.c - P4: once warm, nothing is allocated per op, per wake,
 * per poll; nor for a task or a job. And a worker that sleeps asks the kernel
 * once.
 *
 * The program is linked with --wrap for malloc, calloc, realloc and epoll_wait,
 * which count.
 */

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/pons.h"

enum { ROUNDS = 300 }; // of each: to get warm, and to be counted

static uint64_t allocations, waits;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
int __real_epoll_wait(int set, struct epoll_event *events, int cap, int ms);
int __wrap_epoll_wait(int set, struct epoll_event *events, int cap, int ms);

void *
__wrap_malloc(size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __real_realloc(p, size);
}

int
__wrap_epoll_wait(int set, struct epoll_event *events, int cap, int ms)
{
    __atomic_add_fetch(&waits, 1, __ATOMIC_RELAXED);
    return __real_epoll_wait(set, events, cap, ms);
}

static struct pons_stream *near, *far;

static int64_t
echoes(void *unused)
{
    char byte;

    (void)unused;
    while (pons_recv(far, &byte, 1) == 1)
        CHECK_EQ(pons_send(far, &byte, 1), 1);
    return 0;
}

static int64_t
answers(void *unused)
{
    (void)unused;
    return 7;
}

static void
round_of_everything(void)
{
    struct pons_task *task;
    int64_t result;
    char byte = 'x';

    CHECK_EQ(pons_send(near, &byte, 1), 1);
    CHECK_EQ(pons_recv(near, &byte, 1), 1);
    CHECK_EQ(pons_sleep(1000), 0);
    CHECK_EQ(pons_yield(), 0);
    CHECK_EQ(pons_spawn(NULL, answers, NULL, &task), 0);
    CHECK_EQ(pons_join(task, &result), 0);
    CHECK_EQ(result, 7);
    CHECK_EQ(pons_blocking(answers, NULL, &result), 0);
    CHECK_EQ(result, 7);
}

static int64_t
counts(void *unused)
{
    uint64_t before;

    (void)unused;
    for (int i = 0; i < ROUNDS; i++)
        round_of_everything();
    before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
    for (int i = 0; i < ROUNDS; i++)
        round_of_everything();
    CHECK_EQ(__atomic_load_n(&allocations, __ATOMIC_RELAXED), before);
    return 0;
}

static void
thrift_on(const char *reactor, const char *workers)
{
    /* A second thread would be new, not warm. */
    struct pons_runtime *rt = runtime_with(reactor, workers, "fixed:threads=1");
    struct pons_task *echo, *count;
    int64_t result;
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(pons_stream_adopt(&near, fds[0]), 0);
    CHECK_EQ(pons_stream_adopt(&far, fds[1]), 0);
    CHECK_EQ(pons_spawn(rt, echoes, NULL, &echo), 0);
    CHECK_EQ(pons_spawn(rt, counts, NULL, &count), 0);
    CHECK_EQ(pons_join(count, &result), 0);
    CHECK_EQ(result, 0);
    pons_stream_close(near);
    CHECK_EQ(pons_join(echo, &result), 0);
    pons_stream_close(far);
    pons_runtime_unref(rt);
}

static void
p4_what_is_warm_allocates_nothing(void)
{
    static const char *const counts_of[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++)
        for (const char *const *r = reactors_here(); *r != NULL; r++)
            thrift_on(*r, counts_of[i]);
}

static int64_t
takes(void *unused)
{
    char byte;

    (void)unused;
    while (pons_recv(far, &byte, 1) == 1)
        ;
    return 0;
}

static uint64_t
parks_of(struct pons_runtime *rt)
{
    struct pons_stats stats = {.size = sizeof stats};

    CHECK_EQ(pons_runtime_stats(rt, &stats), 0);
    return stats.parks;
}

/* Each byte comes when the worker sleeps, or is about to. */
static void
have_taken(struct pons_runtime *rt, int fd)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t parks = parks_of(rt);

        CHECK_EQ(write(fd, "x", 1), 1);
        while (parks_of(rt) == parks)
            sched_yield();
    }
}

/* A pipe: a socket's event would be its room, too. The rest is for the look
 * after so many tasks. */
static void
a_worker_that_sleeps_asks_the_kernel_once(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_task *taker;
    uint64_t before, parks;
    int fds[2];

    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(pons_stream_adopt(&far, fds[0]), 0);
    CHECK_EQ(pons_spawn(rt, takes, NULL, &taker), 0);
    have_taken(rt, fds[1]);
    parks = parks_of(rt);
    before = __atomic_load_n(&waits, __ATOMIC_RELAXED);
    have_taken(rt, fds[1]);
    CHECK(__atomic_load_n(&waits, __ATOMIC_RELAXED) - before <=
          parks_of(rt) - parks + ROUNDS / 4);
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(pons_join(taker, NULL), 0);
    pons_stream_close(far);
    pons_runtime_unref(rt);
}

static const struct unit_test tests[] = {
    {"p4_what_is_warm_allocates_nothing", p4_what_is_warm_allocates_nothing},
    {"a_worker_that_sleeps_asks_the_kernel_once",
     a_worker_that_sleeps_asks_the_kernel_once},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("thrift", tests, argc, argv);
}
