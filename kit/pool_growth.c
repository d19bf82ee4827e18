/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_growth.c - B4: a job does not wait behind one that blocks while the
 * pool may have another thread.
 */

#include "kit.h"

#include <errno.h>

#include "work.h"

enum { THREADS = 4, FEW = 2 }; // with an option for it, and without

static unsigned
growth_bound(struct kit *k)
{
    return kit_pool_bound(k, THREADS) ? THREADS : FEW;
}

/* Jobs that only end when all of them run; nobody else submits any. */
static void
growth_of(struct poni_pool *p, unsigned n)
{
    struct kit_work w[THREADS];

    for (unsigned i = 0; i < n; i++) {
        kit_work_init(&w[i], 1);
        kit_work_submit(p, &w[i]);
        kit_wait(&w[i].begun);
    }
    for (unsigned i = 0; i < n; i++)
        kit_work_finish(&w[i]);
}

static void
growth_up_to_the_limit(struct kit *k)
{
    unsigned n = growth_bound(k);
    struct poni_pool *p = kit_pool_open(k);

    growth_of(p, n);
    growth_of(p, n);
    kit_pool_close(p);
}

/* All are submitted before the first has begun. */
static void
growth_of_a_burst(struct kit *k)
{
    unsigned n = growth_bound(k);
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work w[THREADS];

    for (unsigned i = 0; i < n; i++) {
        kit_work_init(&w[i], 1);
        kit_work_submit(p, &w[i]);
    }
    for (unsigned i = 0; i < n; i++)
        kit_wait(&w[i].begun);
    for (unsigned i = 0; i < n; i++)
        kit_work_finish(&w[i]);
    kit_pool_close(p);
}

/* The system has none for a while; then it has. The policy may ask for them
 * when it has something else to answer, too. */
static void
growth_after_a_refusal(struct kit *k)
{
    unsigned n = growth_bound(k);
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work first, w, many[THREADS];

    kit_work_occupy(p, &first);
    kit_work_init(&w, 0);
    if (kit_work_submit_refused(p, &w) < 0)
        kit_skip("it refuses a job while no other waits");
    kit_work_finish(&first);
    kit_work_await(&w);
    for (unsigned i = 0; i < n; i++)
        kit_work_occupy(p, &many[i]);
    for (unsigned i = 0; i < n; i++)
        kit_work_finish(&many[i]);
    kit_pool_close(p);
}

const struct kit_test kit_pool_growth_tests[] = {
    {"B4", "no job waits behind one that blocks", KIT_THREADS, NULL,
     growth_up_to_the_limit},
    {"B4", "a burst of jobs that block gets its threads", KIT_THREADS, "B4",
     growth_of_a_burst},
    {"B4", "a refused thread is asked for again", KIT_THREADS, "B4",
     growth_after_a_refusal},
    {0},
};
