/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/handoff.c - the least that handing over to a thread and back can
 * cost: the floor of block_on, of the blocking pool, of a wake from outside.
 *
 * Two threads, each on a core of its own if there are two, pass a word back and
 * forth:
 *
 *   spin     who is not on turn looks
 *   futex    who is not on turn sleeps in the futex
 *   eventfd  who is not on turn sleeps in a read of its eventfd
 *
 * After pauses of 1 ms partner and core have gone to sleep: then wall is the
 * median, for a pause lets other things happen.
 */

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "core/atomic.h"
#include "core/futex.h"
#include "counts.h"

/* In place of the calls, jobs and wakes of bench/counts.h: one that spins takes
 * a hundredth of one that sleeps. */
enum { SPINS = 1000000, SLEEPS = 5000 };

static int cores[2]; // ours, the partner's

enum how { HOW_SPIN, HOW_FUTEX, HOW_EVENTFD };

struct handoff {
    __attribute__((aligned(64))) uint32_t turn; // even: ours, odd: partner's
    __attribute__((aligned(64))) enum how how;
    uint32_t rounds;
    int bells[2]; // eventfds: ours, the partner's
};

static cpu_set_t
only_core(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return set;
}

/* The first two that we may use; the same twice where there is only one. Before
 * anything is pinned. */
static void
cores_find(void)
{
    cpu_set_t all;
    int found = 0;

    bench_must(sched_getaffinity(0, sizeof all, &all) == 0, "the processors");
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET((size_t)i, &all))
            cores[found++] = i;
    if (found == 1)
        cores[1] = cores[0];
}

static void
turn_wait(struct handoff *h, uint32_t turn)
{
    eventfd_t n;

    while (poni_load_acquire(&h->turn) != turn) {
        if (h->how == HOW_FUTEX)
            poni_futex_wait(&h->turn, turn - 1, UINT64_MAX);
        else if (h->how == HOW_EVENTFD)
            bench_must(eventfd_read(h->bells[turn % 2], &n) == 0, "read");
        else
            poni_pause();
    }
}

static void
turn_give(struct handoff *h, uint32_t turn)
{
    poni_store_release(&h->turn, turn);
    if (h->how == HOW_FUTEX)
        poni_futex_wake(&h->turn, 1);
    else if (h->how == HOW_EVENTFD)
        bench_must(eventfd_write(h->bells[turn % 2], 1) == 0, "write");
}

static void *
partner(void *arg)
{
    struct handoff *h = arg;

    for (uint32_t i = 0; i < h->rounds; i++) {
        turn_wait(h, 2 * i + 1);
        turn_give(h, 2 * i + 2);
    }
    return NULL;
}

/* There and back. */
static void
round_go(struct handoff *h, uint32_t round)
{
    turn_give(h, 2 * round + 1);
    turn_wait(h, 2 * round + 2);
}

/* On its core, and round 0 is over: it is there. */
static pthread_t
partner_start(struct handoff *h, enum how how, uint64_t rounds)
{
    cpu_set_t core = only_core(cores[1]);
    pthread_attr_t attr;
    pthread_t thread;

    *h = (struct handoff){.how = how, .rounds = (uint32_t)rounds + 1};
    for (int i = 0; i < 2; i++)
        bench_must((h->bells[i] = eventfd(0, EFD_CLOEXEC)) >= 0, "eventfd");
    pthread_attr_init(&attr);
    pthread_attr_setaffinity_np(&attr, sizeof core, &core);
    bench_must(pthread_create(&thread, &attr, partner, h) == 0, "thread");
    pthread_attr_destroy(&attr);
    round_go(h, 0);
    return thread;
}

static void
partner_end(struct handoff *h, pthread_t thread)
{
    pthread_join(thread, NULL);
    close(h->bells[0]);
    close(h->bells[1]);
}

/* Spinning on one core, each would wait for the other's time to be over. */
static int
can_run(struct bench_run *r, enum how how)
{
    cpu_set_t core = only_core(cores[0]);

    if (how == HOW_SPIN && cores[0] == cores[1]) {
        bench_skip(r, "two that spin want two processors, and one is allowed");
        return 0;
    }
    bench_must(sched_setaffinity(0, sizeof core, &core) == 0, "pinning");
    return 1;
}

static void
back_to_back(struct bench_run *r, enum how how)
{
    static struct handoff h;
    uint64_t rounds = bench_ops(r, how == HOW_SPIN ? SPINS : SLEEPS);
    pthread_t thread;

    if (!can_run(r, how))
        return;
    thread = partner_start(&h, how, rounds);
    bench_start(r);
    for (uint32_t i = 1; i <= rounds; i++)
        round_go(&h, i);
    bench_stop(r, rounds);
    partner_end(&h, thread);
}

static void
after_pauses(struct bench_run *r, enum how how)
{
    static struct handoff h;
    uint32_t rounds = bench_is_quick(r) ? CALLS_PAUSED_QUICK : CALLS_PAUSED;
    struct histogram *each;
    pthread_t thread;

    if (!can_run(r, how))
        return;
    each = histogram_new();
    bench_must(each != NULL, "memory");
    thread = partner_start(&h, how, rounds);
    for (uint32_t i = 1; i <= rounds; i++) {
        struct timespec pause = {0, PAUSE_NS};
        uint64_t began;

        nanosleep(&pause, NULL);
        began = bench_now();
        round_go(&h, i);
        histogram_record(each, bench_now() - began);
    }
    bench_value(r, "wall", "ns", (double)histogram_quantile(each, 0.5));
    bench_latencies(r, each);
    histogram_free(each);
    partner_end(&h, thread);
}

static void
spin(struct bench_run *r)
{
    back_to_back(r, HOW_SPIN);
}

static void
futex(struct bench_run *r)
{
    back_to_back(r, HOW_FUTEX);
}

static void
eventfds(struct bench_run *r)
{
    back_to_back(r, HOW_EVENTFD);
}

static void
futex_paused(struct bench_run *r)
{
    after_pauses(r, HOW_FUTEX);
}

static void
eventfds_paused(struct bench_run *r)
{
    after_pauses(r, HOW_EVENTFD);
}

/* --- the program --- */

static const struct bench_case spin_spawn[] = {
    {.name = "back to back", .run = spin},
    {0},
};
static const struct bench_case futex_spawn[] = {
    {.name = "back to back", .run = futex},
    {.name = "after 1 ms", .run = futex_paused},
    {0},
};
static const struct bench_case eventfd_spawn[] = {
    {.name = "back to back", .run = eventfds},
    {.name = "after 1 ms", .run = eventfds_paused},
    {0},
};
static const struct bench_case spin_job[] = {
    {.name = "idle", .run = spin},
    {0},
};
static const struct bench_case futex_job[] = {
    {.name = "idle", .run = futex},
    {0},
};
static const struct bench_case eventfd_job[] = {
    {.name = "idle", .run = eventfds},
    {0},
};
static const struct bench_case spin_wake[] = {
    {.name = "1 to 1", .run = spin},
    {0},
};
static const struct bench_case futex_wake[] = {
    {.name = "1 to 1", .run = futex},
    {0},
};

#define MEASURES "handing over to another thread, and back"
#define HOW      "two threads, on a core each, pass a word back and forth; "
#define SILENT   "queues, allocation, whose turn it is"

static const struct bench_workload workloads[] = {
    {"block_on_spawn", "spin", MEASURES, HOW "both spin", SILENT, 0, spin_spawn,
     1},
    {"block_on_spawn", "futex", MEASURES, HOW "both sleep in a futex", SILENT,
     0, futex_spawn, 1},
    {"block_on_spawn", "eventfd", MEASURES, HOW "both sleep in an eventfd",
     SILENT, 0, eventfd_spawn, 1},
    {"blocking_roundtrip", "spin", MEASURES, HOW "both spin", SILENT, 0,
     spin_job, 1},
    {"blocking_roundtrip", "futex", MEASURES, HOW "both sleep in a futex",
     SILENT, 0, futex_job, 1},
    {"blocking_roundtrip", "eventfd", MEASURES, HOW "both sleep in an eventfd",
     SILENT, 0, eventfd_job, 1},
    {"wake_cross", "spin", MEASURES, HOW "both spin", SILENT, 0, spin_wake, 1},
    {"wake_cross", "futex", MEASURES, HOW "both sleep in a futex", SILENT, 0,
     futex_wake, 1},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof workloads / sizeof workloads[0] };
    const struct bench_workload *list[COUNT + 1] = {NULL};

    cores_find();
    for (int i = 0; i < COUNT; i++)
        list[i] = &workloads[i];
    return bench_main(list, argc, argv);
}
