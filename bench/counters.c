/* SPDX-License-Identifier: MIT */
/*
 * bench/counters.c - see bench/counters.h.
 *
 * A sample is a record that is nothing but its head, which says whether user
 * space or the kernel was interrupted. They lie in a ring of each thread's that
 * is read at the end, for one that is full drops what comes: it has room for
 * some ten seconds of one processor.
 */

#include "counters.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    THREADS_MAX = 256,
    SAMPLE_NS = 100000,
    RING_BYTES = 1 << 20, // a power of two; a record has 8
};

struct counter {
    int event;
    char *ring; // a page that describes it, then RING_BYTES; or NULL
};

struct counters {
    enum bench_count what;
    unsigned threads;
    struct counter of[THREADS_MAX];
};

/* --- what is counted --- */

static const char calls_id[] =
    "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id";

/* 0, or -1 without one. */
static int
describe_calls(struct perf_event_attr *a)
{
    unsigned long long id;
    FILE *f = fopen(calls_id, "re");
    int got = f && fscanf(f, "%llu", &id) == 1;

    if (f)
        fclose(f);
    if (!got)
        return -1;
    a->type = PERF_TYPE_TRACEPOINT;
    a->config = id;
    a->inherit = 1;
    return 0;
}

static void
describe_user(struct perf_event_attr *a)
{
    a->type = PERF_TYPE_SOFTWARE;
    a->config = PERF_COUNT_SW_CPU_CLOCK;
    a->sample_period = SAMPLE_NS;
}

/* --- threads --- */

static size_t
ring_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE) + RING_BYTES;
}

/* 0 or -errno. */
static int
counter_open(struct counter *c, struct perf_event_attr *a, pid_t thread)
{
    void *ring;

    c->ring = NULL;
    c->event = (int)syscall(SYS_perf_event_open, a, thread, -1, -1,
                            PERF_FLAG_FD_CLOEXEC);
    if (c->event < 0)
        return -errno;
    if (!a->sample_period)
        return 0;
    ring = mmap(NULL, ring_size(), PROT_READ | PROT_WRITE, MAP_SHARED, c->event,
                0);
    if (ring == MAP_FAILED) {
        int err = -errno;

        close(c->event);
        return err;
    }
    c->ring = ring;
    return 0;
}

static void
counter_close(struct counter *c)
{
    if (c->ring)
        munmap(c->ring, ring_size());
    close(c->event);
}

static void
close_all(struct counters *c)
{
    while (c->threads > 0)
        counter_close(&c->of[--c->threads]);
    free(c);
}

/* One that has ended meanwhile is none. 0 or -errno. */
static int
add_thread(struct counters *c, struct perf_event_attr *a, pid_t thread)
{
    int err;

    if (c->threads == THREADS_MAX)
        return -E2BIG;
    err = counter_open(&c->of[c->threads], a, thread);
    if (err == 0)
        c->threads++;
    return err == -ESRCH ? 0 : err;
}

static int
add_threads(struct counters *c, struct perf_event_attr *a, pid_t pid)
{
    struct dirent *e;
    char path[64];
    int err = 0;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (!dir)
        return -errno;
    while (err == 0 && (e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            err = add_thread(c, a, atoi(e->d_name));
    closedir(dir);
    return err;
}

struct counters *
counters_start(pid_t pid, enum bench_count what, char *why, size_t size)
{
    struct perf_event_attr a = {.size = sizeof a, .disabled = 1};
    struct counters *c = calloc(1, sizeof *c);
    int err;

    bench_must(c != NULL, "memory");
    c->what = what;
    if (what == BENCH_COUNT_USER) {
        describe_user(&a);
    } else if (describe_calls(&a) < 0) {
        snprintf(why, size,
                 "system calls cannot be counted: no %s (as root: mount -t "
                 "tracefs nodev /sys/kernel/tracing)",
                 calls_id);
        close_all(c);
        return NULL;
    }
    err = add_threads(c, &a, pid);
    if (err < 0) {
        snprintf(why, size,
                 "perf_event_open: %s (kernel.perf_event_paranoid allows it "
                 "to root only?)",
                 strerror(-err));
        close_all(c);
        return NULL;
    }
    for (unsigned i = 0; i < c->threads; i++)
        bench_must(ioctl(c->of[i].event, PERF_EVENT_IOC_ENABLE, 0) == 0,
                   "counting");
    return c;
}

/* --- what there was --- */

static double
counter_calls(const struct counter *c)
{
    uint64_t n;

    bench_must(read(c->event, &n, sizeof n) == sizeof n, "reading a counter");
    return (double)n;
}

struct samples {
    unsigned user, all;
};

static void
counter_samples(const struct counter *c, struct samples *s)
{
    struct perf_event_mmap_page *page = (void *)c->ring;
    const char *records = c->ring + sysconf(_SC_PAGESIZE);
    /* Pairs with the kernel's release: the records are written. */
    uint64_t end = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);

    for (uint64_t at = 0; at < end;) {
        struct perf_event_header head;

        memcpy(&head, records + at % RING_BYTES, sizeof head);
        bench_must(head.size >= sizeof head && head.type != PERF_RECORD_LOST,
                   "room for the samples of so long a load");
        if (head.type == PERF_RECORD_SAMPLE) {
            s->all++;
            s->user += (head.misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
                       PERF_RECORD_MISC_USER;
        }
        at += head.size;
    }
    bench_must(end + sizeof(struct perf_event_header) <= RING_BYTES,
               "room for the samples of so long a load");
}

double
counters_stop(struct counters *c)
{
    struct samples samples = {0, 0};
    double calls = 0;
    int user = c->what == BENCH_COUNT_USER;

    for (unsigned i = 0; i < c->threads; i++)
        (void)ioctl(c->of[i].event, PERF_EVENT_IOC_DISABLE, 0);
    for (unsigned i = 0; i < c->threads; i++)
        if (user)
            counter_samples(&c->of[i], &samples);
        else
            calls += counter_calls(&c->of[i]);
    close_all(c);
    if (!user)
        return calls;
    return samples.all ? (double)samples.user / samples.all : 0;
}
