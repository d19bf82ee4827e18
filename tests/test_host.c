/* SPDX-License-Identifier: MIT */
/*
 * tests/test_host.c - see tests/test_host.h.
 */

#include "test_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/adapter.h"

struct pons_config {
    const struct pons_option *options;
    const char *name; // of the one that is set
    uint64_t value;
};

long test_pieces, test_allocs, test_allocs_left = -1;

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
    void *memory;

    (void)h;
    if (test_allocs_left == 0)
        return NULL;
    if (test_allocs_left > 0)
        test_allocs_left--;
    memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (memory == NULL)
        return NULL;
    test_pieces++;
    test_allocs++;
    return memset(memory, 0, size);
}

static void
host_free(const struct pons_host *h, void *memory, size_t size)
{
    (void)h;
    memset(memory, 0xdd, size); // who uses it now shall notice
    free(memory);
    test_pieces--;
}

static uint64_t
host_random(const struct pons_host *h)
{
    (void)h;
    return 4;
}

PONS_PRINTF(4, 5)
static void
host_log(const struct pons_host *h, enum pons_log_level level, const char *part,
         const char *format, ...)
{
    va_list args;

    (void)h;
    fprintf(stderr, "[%d] %s: ", (int)level, part);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

PONS_PRINTF(3, 4)
static int
host_refuse(struct pons_reason *reason, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason->text, sizeof reason->text, format, args);
    va_end(args);
    return err;
}

static const struct pons_option *
host_option(const struct pons_config *c, const char *name)
{
    const struct pons_option *o = c->options;

    while (o != NULL && o->name != NULL && strcmp(o->name, name) != 0)
        o++;
    if (o == NULL || o->name == NULL) {
        fprintf(stderr, "no option %s in the engine's table\n", name);
        exit(1);
    }
    return o;
}

static uint64_t
host_number(const char *text)
{
    char *unit;
    uint64_t n = strtoull(text, &unit, 10);

    return *unit == 'k' ? n << 10 : n;
}

static uint64_t
host_config_uint(const struct pons_config *c, const char *name)
{
    const struct pons_option *o = host_option(c, name);

    if (c->name != NULL && strcmp(c->name, name) == 0)
        return c->value;
    if (o->type == PONS_OPTION_BOOL)
        return strcmp(o->fallback, "yes") == 0;
    return host_number(o->fallback);
}

static const char *
host_config_text(const struct pons_config *c, const char *name)
{
    return host_option(c, name)->fallback;
}

static const struct pons_host host = {
    .abi = PONS_ABI,
    .size = sizeof host,
    .now = host_now,
    .alloc = host_alloc,
    .free = host_free,
    .random = host_random,
    .log = host_log,
    .refuse = host_refuse,
    .config_uint = host_config_uint,
    .config_text = host_config_text,
};

const struct pons_host *
test_host(void)
{
    return &host;
}

/* Borrowed by an engine until it is closed, so they are never used again. */
static const struct pons_config *
config_make(const struct pons_engine *e, const char *option, uint64_t value)
{
    enum { CONFIGS = 4096 };
    static struct pons_config configs[CONFIGS];
    static unsigned used;

    if (used == CONFIGS)
        exit(1);
    configs[used] = (struct pons_config){e->options, option, value};
    return &configs[used++];
}

int
test_open_with(struct pons_reactor **out, const struct pons_engine *e,
               const char *option, uint64_t value, struct pons_reason *reason)
{
    const struct pons_config *c = config_make(e, option, value);
    const struct pons_reactor_ops *ops = e->table;

    if (e->kind == PONS_KIND_POLLER)
        return poni_adapter_open(out, e->table, c, &host, reason);
    return ops->open(out, c, &host, reason);
}

int
test_open(struct pons_reactor **out, const struct pons_engine *e,
          struct pons_reason *reason)
{
    return test_open_with(out, e, NULL, 0, reason);
}
