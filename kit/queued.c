/* SPDX-License-Identifier: MIT */
/*
 * kit/queued.c - see kit/queued.h. The kernel counts it: schedstat's second
 * number.
 */

#include "queued.h"

#include "pons/time.h"
#include "verdict.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* Of one thread; 0 if it has gone, or nothing is known. */
static uint64_t
queued_of(const char *schedstat)
{
    uint64_t ns = 0;
    FILE *f = fopen(schedstat, "re");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%*u %" SCNu64, &ns) != 1)
        ns = 0;
    fclose(f);
    return ns;
}

static uint64_t
queued_thread(pid_t pid, const char *thread)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task/%.16s/schedstat", pid, thread);
    return queued_of(path);
}

uint64_t
kit_queued_ns(pid_t pid)
{
    const struct dirent *thread;
    char path[32];
    uint64_t ns = 0;
    DIR *all;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    all = opendir(path);
    if (all == NULL)
        return 0;
    while ((thread = readdir(all)) != NULL)
        if (thread->d_name[0] != '.')
            ns += queued_thread(pid, thread->d_name);
    closedir(all);
    return ns;
}

uint64_t
kit_ran_ns(pid_t pid)
{
    struct timespec ran;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ran) < 0)
        return 0;
    return (uint64_t)ran.tv_sec * PONS_S + (uint64_t)ran.tv_nsec;
}

/* --- threads that end --- */

static pthread_key_t keeps;

/* The end of a thread. */
static void
queued_end(void *thread)
{
    (void)thread;
    kit_verdict_queued(queued_of("/proc/thread-self/schedstat"));
}

static void
queued_make_key(void)
{
    if (pthread_key_create(&keeps, queued_end) != 0)
        keeps = (pthread_key_t)-1; // nothing is kept
}

void
kit_queued_keep(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, queued_make_key);
    (void)pthread_setspecific(keeps, &keeps);
}
