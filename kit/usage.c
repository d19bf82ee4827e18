/* SPDX-License-Identifier: MIT */
/*
 * kit/usage.c - what this process has at the moment: descriptors, threads,
 * memory, time.
 */

#include "kit.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>

enum { SECOND = 1000000000 };

int
kit_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    if (dir == NULL)
        kit_skip("/proc/self/fd cannot be read here");
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* The kernel's own count: a listing of /proc/self/task ends early where a
 * thread ends. */
int
kit_threads(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    int n = 0;

    if (f == NULL)
        kit_skip("/proc/self/status cannot be read here");
    while (n == 0 && fgets(line, sizeof line, f) != NULL)
        (void)!sscanf(line, "Threads: %d", &n);
    fclose(f);
    return n;
}

size_t
kit_heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

uint64_t
kit_cpu_ns(void)
{
    struct timespec t;

    KIT_SYS(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t));
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* How long it could run and was not let, since others did. */
static uint64_t
usage_queued_ns(void)
{
    FILE *f = fopen("/proc/thread-self/schedstat", "re");
    uint64_t ns = 0;
    int read = 0;

    if (f != NULL) {
        read = fscanf(f, "%*u %" SCNu64, &ns);
        fclose(f);
    }
    if (read != 1)
        kit_skip("/proc/thread-self/schedstat cannot be read here");
    return ns;
}

uint64_t
kit_busy_ns(void)
{
    return kit_cpu_ns() + usage_queued_ns();
}

long
kit_naps(void)
{
    struct rusage usage;

    KIT_SYS(getrusage(RUSAGE_THREAD, &usage));
    return usage.ru_nvcsw;
}
