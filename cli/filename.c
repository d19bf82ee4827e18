/* SPDX-License-Identifier: MIT */
/*
 * cli/filename.c - the name under which the body of a URL is kept.
 *
 * The URL is somebody's words: a name made from it has no slash, no leading dot
 * and nothing that a shell or terminal would obey. Two URLs get two names.
 */

#include "filename.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int
harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("._-+,=@~", c));
}

/* The last part of the path; "index.html" if it is empty. */
static void
plain_name(char name[FILENAME_BYTES + 1], const char *url)
{
    const char *authority = strstr(url, "://");
    const char *begin = authority ? authority + 3 : url;
    const char *end = begin + strcspn(begin, "?#");
    const char *part = end;
    size_t length;

    while (part > begin && part[-1] != '/')
        part--;
    if (part == begin)
        part = end; // a host without a path
    length = (size_t)(end - part);
    if (length > FILENAME_BYTES)
        length = FILENAME_BYTES;
    for (size_t i = 0; i < length; i++)
        name[i] = harmless(part[i]) ? part[i] : '_';
    name[length] = '\0';
    if (name[0] == '.')
        name[0] = '_';
    if (length == 0)
        snprintf(name, FILENAME_BYTES + 1, "index.html");
}

/* 1: it was free and is taken now, 0: it was taken, -1: no memory. */
static int
take(struct filenames *f, char *name)
{
    char **found = tsearch(name, &f->taken, compare);

    if (!found)
        return -1;
    return *found == name;
}

const char *
filename_for(struct filenames *f, const char *url)
{
    char plain[FILENAME_BYTES + 1];
    char *name = malloc(FILENAME_BYTES + 32);
    int taken;

    if (!name)
        return NULL;
    plain_name(plain, url);
    snprintf(name, FILENAME_BYTES + 32, "%s", plain);
    taken = take(f, name);
    for (unsigned n = 2; taken == 0; n++) {
        snprintf(name, FILENAME_BYTES + 32, "%s.%u", plain, n);
        taken = take(f, name);
    }
    if (taken > 0)
        return name;
    free(name);
    return NULL;
}

void
filenames_free(struct filenames *f)
{
    tdestroy(f->taken, free);
    f->taken = NULL;
}
