/* SPDX-License-Identifier: MIT */
/*
 * core/number.c - numbers, durations and sizes as people write them.
 *
 * Digits, and a unit where there is one: no sign, no space, nothing rounded.
 * What does not fit 64 bits is an error, and so is a duration without unit: 10
 * what?
 */

#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct number_unit {
    const char *name; // NULL ends a table
    uint64_t factor;
};

/* The largest first: that is how they are written back. */
static const struct number_unit durations[] = {
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},
    {"ns", 1},
    {NULL, 0},
};

static const struct number_unit sizes[] = {
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"k", UINT64_C(1) << 10},
    {"", 1},
    {NULL, 0},
};

static const struct number_unit plain[] = {{"", 1}, {NULL, 0}};

static int
number_parse(const char *text, const struct number_unit *units, uint64_t *out)
{
    uint64_t n = 0;
    const char *at;

    for (at = text; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
            __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
            return -ERANGE;
    if (at == text)
        return -EINVAL;
    while (units->name != NULL && strcmp(units->name, at) != 0)
        units++;
    if (units->name == NULL)
        return -EINVAL;
    if (__builtin_mul_overflow(n, units->factor, &n))
        return -ERANGE;
    *out = n;
    return 0;
}

static void
number_write(char *text, size_t size, uint64_t n,
             const struct number_unit *units)
{
    while (units[1].name != NULL && (n == 0 || n % units->factor != 0))
        units++;
    snprintf(text, size, "%" PRIu64 "%s", n / units->factor, units->name);
}

int
poni_number_parse(const char *text, uint64_t *n)
{
    return number_parse(text, plain, n);
}

int
poni_duration_parse(const char *text, uint64_t *ns)
{
    return number_parse(text, durations, ns);
}

int
poni_bytes_parse(const char *text, uint64_t *bytes)
{
    return number_parse(text, sizes, bytes);
}

void
poni_duration_write(char *text, size_t size, uint64_t ns)
{
    number_write(text, size, ns, durations);
}

void
poni_bytes_write(char *text, size_t size, uint64_t bytes)
{
    number_write(text, size, bytes, sizes);
}
