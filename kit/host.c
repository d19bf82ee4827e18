/* SPDX-License-Identifier: MIT */
/*
 * kit/host.c - the pons_host of an engine under test: it counts memory, can
 * have none, and its clock can be slow, or virtual.
 *
 * What an engine frees is overwritten, so that who uses it still is noticed.
 */

#include "kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/atomic.h"
#include "core/fail.h"
#include "core/settings.h"

enum {
    LINE = 64,    // memory is aligned to it
    FREED = 0xdd, // what is freed is filled with it
    SECOND = 1000000000,
};

/* Any thread of the engine counts; the test reads when they are still. */
static long host_pieces, host_asked, host_left = -1, host_logged;

/* Set by the test, before the engine is used by another thread. */
static uint64_t slow_since_ns;
static unsigned slow_times = 1;

/* A virtual clock has one thread. */
static uint64_t virtual_ns, virtual_step_ns, virtual_random;

static uint64_t
host_monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t
host_now(const struct pons_host *h)
{
    uint64_t now = host_monotonic();

    (void)h;
    if (virtual_step_ns != 0)
        return virtual_ns += virtual_step_ns;
    if (slow_times == 1)
        return now;
    return slow_since_ns + (now - slow_since_ns) / slow_times;
}

/* Whether there is memory for one more piece. */
static int
host_gives(void)
{
    if (poni_load_relaxed(&host_left) < 0)
        return 1;
    if (poni_load_relaxed(&host_left) == 0)
        return 0;
    poni_add_relaxed(&host_left, -1);
    return 1;
}

static void *
host_alloc(const struct pons_host *h, size_t size)
{
    size_t rounded = (size + LINE - 1) / LINE * LINE;
    void *memory;

    (void)h;
    poni_add_relaxed(&host_asked, 1);
    if (!host_gives())
        return NULL;
    memory = aligned_alloc(LINE, rounded > 0 ? rounded : LINE);
    if (memory == NULL)
        return NULL;
    poni_add_relaxed(&host_pieces, 1);
    return memset(memory, 0, size);
}

static void
host_free(const struct pons_host *h, void *memory, size_t size)
{
    (void)h;
    if (memory == NULL)
        return;
    memset(memory, FREED, size);
    free(memory);
    poni_add_relaxed(&host_pieces, -1);
}

static uint64_t
host_random(const struct pons_host *h)
{
    uint64_t n = 0;

    (void)h;
    if (virtual_step_ns != 0) // Knuth's MMIX
        return virtual_random =
                   virtual_random * 6364136223846793005u + 1442695040888963407u;
    (void)!getrandom(&n, sizeof n, GRND_NONBLOCK);
    return n;
}

PONS_PRINTF(4, 5)
static void
host_log(const struct pons_host *h, enum pons_log_level level, const char *part,
         const char *format, ...)
{
    static const char *const words[] = {"off", "error", "warn", "info",
                                        "debug"};
    va_list args;

    (void)h;
    poni_add_relaxed(&host_logged, 1);
    fprintf(stderr, "%s: %s: ",
            (unsigned)level < sizeof words / sizeof *words ? words[level] : "?",
            part);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static const struct pons_host host = {
    .abi = PONS_ABI,
    .size = sizeof host,
    .now = host_now,
    .alloc = host_alloc,
    .free = host_free,
    .random = host_random,
    .log = host_log,
    .refuse = poni_refuse,
    .config_uint = poni_config_uint,
    .config_text = poni_config_text,
};

const struct pons_host *
kit_host(void)
{
    return &host;
}

uint64_t
kit_now(void)
{
    return host_now(&host);
}

void
kit_host_slow_down(unsigned times)
{
    slow_since_ns = host_monotonic();
    slow_times = times;
}

void
kit_host_virtual(uint64_t step_ns)
{
    virtual_ns = SECOND;
    virtual_step_ns = step_ns;
    virtual_random = 1;
}

long
kit_host_pieces(void)
{
    return poni_load_relaxed(&host_pieces);
}

long
kit_host_asked(void)
{
    return poni_load_relaxed(&host_asked);
}

long
kit_host_logged(void)
{
    return poni_load_relaxed(&host_logged);
}

void
kit_host_limit(long times)
{
    poni_store_relaxed(&host_left, times);
}
