/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_units.c - see cli/bench_units.h.
 */

#include "bench_units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below 1000 with three digits, so that columns of them can be compared. */
static void
three_digits(char *text, size_t size, double value)
{
    double of = fabs(value);
    int after = of < 9.995 ? 2 : of < 99.95 ? 1 : 0;

    snprintf(text, size, "%.*f", after, value);
}

/* In the largest of `names` (NULL-terminated), each `step` of the one before,
 * of which there is at least one. */
static void
scaled(char *text, size_t size, double value, double step,
       const char *const *names)
{
    char number[32];

    while (fabs(value) >= step * 0.9995 && names[1]) {
        value /= step;
        names++;
    }
    three_digits(number, sizeof number, value);
    snprintf(text, size, "%s %s", number, *names);
}

void
bench_units_write(char *text, size_t size, double value, const char *unit)
{
    static const char *const times[] = {"ns", "us", "ms", "s", NULL};
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", NULL};

    if (strcmp(unit, "ns") == 0)
        scaled(text, size, value, 1000, times);
    else if (strcmp(unit, "B") == 0)
        scaled(text, size, value, 1024, sizes);
    else if (strcmp(unit, "1") == 0)
        three_digits(text, size, value);
    else
        snprintf(text, size, "%.4g %s", value, unit);
}
