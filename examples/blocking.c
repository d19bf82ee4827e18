/* SPDX-License-Identifier: MIT */
/*
 * examples/blocking.c - asynchronous code calls code that blocks.
 *
 * PONS_MAIN runs main as a fiber. Eight jobs that block for 20 ms each run on
 * the pool, while a fiber goes on ticking.
 */

#include <pons/pons.h>

#include <stdio.h>
#include <time.h>

enum { JOBS = 8 };

/* Stands for SQLite, a codec, a library that knows nothing of us. */
static int64_t
blocks(void *arg)
{
    struct timespec span = {0, 20000000};

    (void)arg;
    nanosleep(&span, NULL);
    return 1;
}

static int64_t
call_it(void *arg)
{
    int64_t result;
    int err = pons_blocking(blocks, arg, &result);

    return err < 0 ? err : 0;
}

static int64_t
tick(void *count)
{
    int err;

    while ((err = pons_sleep(PONS_MS)) == 0)
        ++*(int *)count;
    return err;
}

static int
run(int argc, char **argv)
{
    struct pons_task *ticker;
    struct pons_scope jobs;
    int ticks = 0, err = pons_spawn(NULL, tick, &ticks, &ticker);

    (void)argc;
    (void)argv;
    if (err < 0)
        return 1;
    pons_scope_open(&jobs, PONS_NEVER);
    for (int i = 0; i < JOBS && err == 0; i++)
        err = pons_scope_spawn(&jobs, call_it, NULL);
    err = pons_scope_close(&jobs);
    pons_cancel(ticker);
    if (pons_join(ticker, NULL) < 0 || err < 0) {
        fprintf(stderr, "blocking: %s\n", pons_last_error());
        return 1;
    }
    printf("%d jobs blocked, and the fiber went on: %s\n", JOBS,
           ticks > 0 ? "yes" : "no");
    return ticks == 0;
}

PONS_MAIN(run)
