/* SPDX-License-Identifier: MIT */
/*
 * core/option.c - one typed option of an engine: what it allows, and whether a
 * text is that.
 *
 * The same two functions check what a user wrote and what a plugin's author
 * wrote as default, so that a table that has passed can be relied upon.
 */

#include "fail.h"
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FIGURE_BYTES = 32 }; // of a number with its unit

static void
option_figure(const struct pons_option *o, uint64_t n, char *text, size_t size)
{
    switch (o->type) {
    case PONS_OPTION_DURATION:
        poni_duration_write(text, size, n);
        return;
    case PONS_OPTION_BYTES:
        poni_bytes_write(text, size, n);
        return;
    default:
        snprintf(text, size, "%" PRIu64, n);
    }
}

static const char *
option_noun(const struct pons_option *o)
{
    switch (o->type) {
    case PONS_OPTION_DURATION:
        return "a duration with its unit (ns us ms s m h), ";
    case PONS_OPTION_BYTES:
        return "a number of bytes (k M G), ";
    default:
        return "a number, ";
    }
}

void
poni_option_range(const struct pons_option *o, char *text, size_t size)
{
    char min[FIGURE_BYTES], max[FIGURE_BYTES];

    switch (o->type) {
    case PONS_OPTION_BOOL:
        snprintf(text, size, "yes or no");
        return;
    case PONS_OPTION_CHOICE:
        snprintf(text, size, "%s", o->choices);
        return;
    case PONS_OPTION_TEXT:
        snprintf(text, size, "text");
        return;
    default:
        option_figure(o, o->min, min, sizeof min);
        option_figure(o, o->max, max, sizeof max);
        if (o->max == UINT64_MAX)
            snprintf(text, size, "%s or more", min);
        else
            snprintf(text, size, "%s to %s", min, max);
    }
}

/* The place of `word` in "a|b|c"; -1: not in it. */
static int
choice_index(const char *choices, const char *word)
{
    size_t n = strlen(word);

    for (int i = 0;; i++) {
        size_t length = strcspn(choices, "|");

        if (length == n && memcmp(choices, word, n) == 0)
            return i;
        if (choices[length] == '\0')
            break;
        choices += length + 1;
    }
    return -1;
}

static int
option_number(const struct pons_option *o, const char *text, uint64_t *n)
{
    int index;

    switch (o->type) {
    case PONS_OPTION_UINT:
        return poni_number_parse(text, n);
    case PONS_OPTION_DURATION:
        return poni_duration_parse(text, n);
    case PONS_OPTION_BYTES:
        return poni_bytes_parse(text, n);
    case PONS_OPTION_BOOL:
        *n = strcmp(text, "yes") == 0;
        return *n == 1 || strcmp(text, "no") == 0 ? 0 : -EINVAL;
    case PONS_OPTION_CHOICE:
        index = choice_index(o->choices, text);
        *n = (uint64_t)index;
        return index < 0 ? -EINVAL : 0;
    default:
        *n = 0;
        return 0;
    }
}

static int
option_has_range(const struct pons_option *o)
{
    return o->type == PONS_OPTION_UINT || o->type == PONS_OPTION_DURATION ||
           o->type == PONS_OPTION_BYTES;
}

int
poni_option_parse(const struct pons_option *o, const char *text, uint64_t *n,
                  struct pons_reason *reason)
{
    int err = option_number(o, text, n);
    char range[128];

    if (err == 0 && option_has_range(o) && (*n < o->min || *n > o->max))
        err = -ERANGE;
    if (err == 0)
        return 0;
    poni_option_range(o, range, sizeof range);
    return poni_refuse(reason, -EINVAL, "%s=%s is %s; wanted %s%s", o->name,
                       text, err == -ERANGE ? "out of range" : "not valid",
                       option_has_range(o) ? option_noun(o) : "", range);
}

static int
option_check(const struct pons_option *o, const struct pons_option *table,
             struct pons_reason *reason)
{
    uint64_t n;

    if (!poni_name_ok(o->name))
        return poni_refuse(reason, -EINVAL,
                           "option %u has a name with letters other than a-z, "
                           "0-9, _ and -",
                           (unsigned)(o - table));
    if (o->type < PONS_OPTION_UINT || o->type > PONS_OPTION_TEXT)
        return poni_refuse(reason, -EINVAL,
                           "option %s: type: wanted 1 to %d, found %" PRIu32,
                           o->name, PONS_OPTION_TEXT, o->type);
    if (o->reserved != 0)
        return poni_refuse(reason, -EINVAL,
                           "option %s: reserved: wanted 0, found %" PRIu32,
                           o->name, o->reserved);
    if (o->help == NULL || o->fallback == NULL ||
        (o->type == PONS_OPTION_CHOICE && o->choices == NULL))
        return poni_refuse(reason, -EINVAL, "option %s: has no %s", o->name,
                           o->help == NULL       ? "help"
                           : o->fallback == NULL ? "fallback"
                                                 : "choices");
    for (const struct pons_option *p = table; p < o; p++)
        if (strcmp(p->name, o->name) == 0)
            return poni_refuse(reason, -EINVAL, "option %s: stands twice",
                               o->name);
    return poni_option_parse(o, o->fallback, &n, reason);
}

int
poni_options_check(const struct pons_option *table, struct pons_reason *reason)
{
    for (unsigned i = 0; table != NULL && table[i].name != NULL; i++) {
        int err = i < OPTIONS_MAX
                      ? option_check(&table[i], table, reason)
                      : poni_refuse(reason, -EINVAL,
                                    "more than %d options, or their table has "
                                    "no end",
                                    OPTIONS_MAX);

        if (err < 0)
            return err;
    }
    return 0;
}
