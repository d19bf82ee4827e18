/* SPDX-License-Identifier: MIT */
/*
 * tests/queued_test.c - kit/queued.c: how long a test could run and was not
 * let, also of its threads that have ended.
 */

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "kit/queued.h"
#include "kit/verdict.h"
#include "unit.h"

static uint64_t kept; // in the verdict

void
kit_verdict_queued(uint64_t ns)
{
    __atomic_fetch_add(&kept, ns, __ATOMIC_RELAXED);
}

static uint64_t
own_queue(void)
{
    uint64_t ns;
    FILE *f = fopen("/proc/thread-self/schedstat", "re");

    if (f == NULL)
        SKIP("the kernel does not count that (CONFIG_SCHEDSTATS, /proc)");
    CHECK_EQ(fscanf(f, "%*u %" SCNu64, &ns), 1);
    fclose(f);
    return ns;
}

struct rival {
    pthread_t thread;
    int keeps;
    uint64_t queued;
};

/* Runs until it has had to wait for its turn. */
static void *
compete(void *arg)
{
    struct rival *r = arg;

    if (r->keeps)
        kit_queued_keep();
    do
        r->queued = own_queue();
    while (r->queued == 0);
    return NULL;
}

static uint64_t
compete_both(int keep)
{
    struct rival r[2] = {{.keeps = keep}, {.keeps = keep}};
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&r[i].thread, NULL, compete, &r[i]), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(r[i].thread, NULL), 0);
    return r[0].queued + r[1].queued;
}

static void
threads_that_end_are_counted(void)
{
    uint64_t queued = compete_both(1);

    CHECK(queued > 0);
    CHECK(__atomic_load_n(&kept, __ATOMIC_RELAXED) >= queued);
}

static void
what_is_not_asked_for_is_not_kept(void)
{
    (void)compete_both(0);
    CHECK_EQ(__atomic_load_n(&kept, __ATOMIC_RELAXED), 0);
}

static void
threads_that_are_there_are_counted(void)
{
    (void)compete_both(0); // this thread has waited for its turn, too
    CHECK(own_queue() > 0);
    CHECK(kit_queued_ns(getpid()) > 0);
}

static const struct unit_test tests[] = {
    {"threads_that_end_are_counted", threads_that_end_are_counted},
    {"what_is_not_asked_for_is_not_kept", what_is_not_asked_for_is_not_kept},
    {"threads_that_are_there_are_counted", threads_that_are_there_are_counted},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("queued", tests, argc, argv);
}
