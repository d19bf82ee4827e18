/* SPDX-License-Identifier: MIT */
/*
 * core/host.c - the services that plugins get, so that they link nothing of
 * ours.
 *
 * The clock, memory and randomness of the system. A test or a simulator hands
 * its engines another table with its own (R13).
 */

#include "catalog.h"
#include "fail.h"
#include "reports.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { CACHE_LINE = 64 };

static uint64_t
host_now(const struct pons_host *h)
{
    struct timespec t;

    (void)h;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *
host_alloc(const struct pons_host *h, size_t size)
{
    size_t rounded = (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    void *memory;

    (void)h;
    if (size < CACHE_LINE)
        return calloc(1, size > 0 ? size : 1);
    if (rounded < size)
        return NULL;
    memory = aligned_alloc(CACHE_LINE, rounded);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

static void
host_free(const struct pons_host *h, void *memory, size_t size)
{
    (void)h;
    (void)size;
    free(memory);
}

static uint64_t
host_random(const struct pons_host *h)
{
    uint64_t n;

    /* A sandbox may forbid getrandom(2); engines want spread, not secrets. */
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) != (ssize_t)sizeof n)
        n = host_now(h) * UINT64_C(0x9e3779b97f4a7c15);
    return n;
}

/* What an engine warns of is that it does with less than it was to have. */
static void
host_keep(const char *part, const char *format, va_list args)
{
    char text[REPORT_BYTES];

    (void)vsnprintf(text, sizeof text, format, args);
    poni_reports_add(part, text);
}

PONS_PRINTF(4, 5)
static void
host_log(const struct pons_host *h, enum pons_log_level level, const char *part,
         const char *format, ...)
{
    va_list args;

    (void)h;
    va_start(args, format);
    poni_logv(level, part, format, args);
    va_end(args);
    if (level > PONS_LOG_WARN)
        return;
    va_start(args, format);
    host_keep(part, format, args);
    va_end(args);
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
poni_host(void)
{
    return &host;
}
