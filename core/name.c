/* SPDX-License-Identifier: MIT */
/*
 * core/name.c - which words may name an engine, a plugin or an option.
 *
 * A name is never a path: it has no '/' and no "..". Nor does it have a letter
 * that means something in a list, a glob or a log line.
 */

#include "settings.h"

#include <string.h>

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-+.";

int
poni_name_ok(const char *name)
{
    size_t n;

    if (name == NULL)
        return 0;
    n = strspn(name, name_letters);
    return n > 0 && n < NAME_BYTES && name[n] == '\0' &&
           strstr(name, "..") == NULL;
}
