/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/handoff.c - the least that handing over to a thread and back can
 * cost: what a round trip through the blocking pool is compared with.
 *
 * Two threads, each pinned to a core, pass a word back and forth. `futex`
 * sleeps while it is not its turn, `spin` looks. With a pause between the
 * rounds the partner, and its core, have gone to sleep when the next one comes.
 *
 *     handoff [-n ROUNDS] [-p PAUSE_US] [-a CORE] [-b CORE] [futex|spin]
 *
 * One JSON object a line. Without arguments: both, without pause and with 1 ms.
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/futex.h"

enum {
    ROUNDS = 20000,
    ROUNDS_PAUSED = 1000, // of a millisecond each
    WARM_UP = 10,         // rounds in a hundred that are not counted
    PAUSE_US = 1000,
};

enum how { HOW_FUTEX, HOW_SPIN };

static const char *const how_names[] = {"futex", "spin"};

struct handoff {
    __attribute__((aligned(64)))
    uint32_t word; // even: ours, odd: the partner's
    __attribute__((aligned(64))) enum how how;
    unsigned rounds, pause_us;
    int cores[2];
};

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0) {
        fprintf(stderr, "handoff: cannot run on core %d: %s\n", core,
                strerror(errno));
        exit(1);
    }
}

static void
handoff_wait(struct handoff *h, uint32_t turn)
{
    /* Acquire pairs with the release in handoff_give(). */
    while (poni_load_acquire(&h->word) != turn)
        if (h->how == HOW_SPIN)
            poni_pause();
        else
            poni_futex_wait(&h->word, turn - 1, UINT64_MAX);
}

static void
handoff_give(struct handoff *h, uint32_t turn)
{
    poni_store_release(&h->word, turn);
    if (h->how == HOW_FUTEX)
        poni_futex_wake(&h->word, 1);
}

static void *
partner(void *arg)
{
    struct handoff *h = arg;

    pin(h->cores[1]);
    for (uint32_t i = 0; i < h->rounds; i++) {
        handoff_wait(h, 2 * i + 1);
        handoff_give(h, 2 * i + 2);
    }
    return NULL;
}

static uint64_t
round_ns(struct handoff *h, uint32_t i)
{
    uint64_t began;

    if (h->pause_us > 0)
        usleep(h->pause_us);
    began = now_ns();
    handoff_give(h, 2 * i + 1);
    handoff_wait(h, 2 * i + 2);
    return now_ns() - began;
}

static int
by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void
report(const struct handoff *h, uint64_t *ns, unsigned n)
{
    uint64_t sum = 0;

    qsort(ns, n, sizeof *ns, by_size);
    for (unsigned i = 0; i < n; i++)
        sum += ns[i];
    printf("{\"bench\":\"limits/handoff\",\"how\":\"%s\",\"cores\":[%d,%d],"
           "\"pause_us\":%u,\"rounds\":%u,\"mean_ns\":%llu,\"p50_ns\":%llu,"
           "\"p99_ns\":%llu}\n",
           how_names[h->how], h->cores[0], h->cores[1], h->pause_us, n,
           (unsigned long long)(sum / n), (unsigned long long)ns[n / 2],
           (unsigned long long)ns[n * 99ull / 100]);
    fflush(stdout);
}

static void
measure(struct handoff *h)
{
    unsigned skipped = h->rounds * WARM_UP / 100;
    uint64_t *ns = malloc(h->rounds * sizeof *ns);
    pthread_t thread;

    h->word = 0;
    pin(h->cores[0]);
    if (ns == NULL || pthread_create(&thread, NULL, partner, h) != 0) {
        fprintf(stderr, "handoff: no memory, or no thread\n");
        exit(1);
    }
    for (uint32_t i = 0; i < h->rounds; i++)
        ns[i] = round_ns(h, i);
    pthread_join(thread, NULL);
    report(h, ns + skipped, h->rounds - skipped);
    free(ns);
}

static void
measure_all(struct handoff *h)
{
    for (h->how = HOW_FUTEX; h->how <= HOW_SPIN; h->how++) {
        h->pause_us = 0;
        h->rounds = ROUNDS;
        measure(h);
        h->pause_us = PAUSE_US;
        h->rounds = ROUNDS_PAUSED;
        measure(h);
    }
}

/* The first and the last of enum how that are asked for. */
static void
choose(const char *word, enum how *first, enum how *last)
{
    *first = HOW_FUTEX;
    *last = HOW_SPIN;
    if (word == NULL)
        return;
    while (*first <= HOW_SPIN && strcmp(word, how_names[*first]) != 0)
        ++*first;
    *last = *first;
    if (*first > HOW_SPIN) {
        fprintf(stderr, "handoff: %s is neither futex nor spin\n", word);
        exit(2);
    }
}

static int
number(const char *text, long min, long max)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || n < min || n > max) {
        fprintf(stderr, "handoff: %s is not a number from %ld to %ld\n", text,
                min, max);
        exit(2);
    }
    return (int)n;
}

int
main(int argc, char **argv)
{
    struct handoff h = {.rounds = ROUNDS, .cores = {0, 1}};
    enum how first, last;
    int option;

    while ((option = getopt(argc, argv, "n:p:a:b:")) != -1)
        switch (option) {
        case 'n':
            h.rounds = (unsigned)number(optarg, 1, 100000000);
            break;
        case 'p':
            h.pause_us = (unsigned)number(optarg, 0, 999999);
            break;
        case 'a':
            h.cores[0] = number(optarg, 0, CPU_SETSIZE - 1);
            break;
        case 'b':
            h.cores[1] = number(optarg, 0, CPU_SETSIZE - 1);
            break;
        default:
            return 2;
        }
    if (argc == 1) {
        measure_all(&h);
        return 0;
    }
    choose(argv[optind], &first, &last);
    for (h.how = first; h.how <= last; h.how++)
        measure(&h);
    return 0;
}
