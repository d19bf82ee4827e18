/* SPDX-License-Identifier: MIT */
/*
 * tests/thrift_test.c - P4: once warm, nothing is allocated per op, per wake,
 * per poll; nor for a task or a job.
 *
 * The program is linked with --wrap for malloc, calloc and realloc, which
 * count.
 */

#include <sys/socket.h>

#include "everywhere.h"
#include "pons/pons.h"

enum { ROUNDS = 300 }; // of each: to get warm, and to be counted

static uint64_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

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

static const struct unit_test tests[] = {
    {"p4_what_is_warm_allocates_nothing", p4_what_is_warm_allocates_nothing},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("thrift", tests, argc, argv);
}
