/* SPDX-License-Identifier: MIT */
/*
 * core/place.c - "file:line" as a text that stays, for callers whose compiler
 * tells file and line apart: pons::scope in C++, bindings of other languages.
 *
 * A place is where somebody spawns, so there are as many as a program has such
 * lines: they are kept for ever, in a table that only grows. Readers take no
 * lock; two that make the same place at once leave it there twice.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "pons/task.h"

enum { BUCKETS = 256 }; // a long walk only with thousands of lines that spawn

struct place {
    struct place *next; // in its bucket; set before it is there
    unsigned line;
    size_t file_length;
    char text[]; // "file:line"
};

static struct place *buckets[BUCKETS];

/* By the line and the file's last letters: neither the pointer, which may be
 * another one's tomorrow, nor all of a long path. */
static struct place **
place_bucket(const char *file, size_t length, unsigned line)
{
    uint32_t hash = line;

    for (size_t i = length > 16 ? length - 16 : 0; i < length; i++)
        hash = hash * 31 + (unsigned char)file[i];
    return &buckets[(hash ^ hash >> 8) % BUCKETS];
}

static struct place *
place_new(const char *file, size_t length, unsigned line)
{
    enum { LINE_TEXT = sizeof ":4294967295" };
    struct place *p = malloc(sizeof *p + length + LINE_TEXT);

    if (p == NULL)
        return NULL;
    p->line = line;
    p->file_length = length;
    memcpy(p->text, file, length);
    (void)snprintf(p->text + length, LINE_TEXT, ":%u", line);
    return p;
}

const char *
pons_place(const char *file, unsigned line)
{
    size_t length = strlen(file);
    struct place **bucket = place_bucket(file, length, line), *p;

    /* Acquire pairs with the release below: the place is filled in. */
    for (p = poni_load_acquire(bucket); p != NULL; p = p->next)
        if (p->line == line && p->file_length == length &&
            memcmp(p->text, file, length) == 0)
            return p->text;
    p = place_new(file, length, line);
    if (p == NULL)
        return NULL; // a task without a place
    p->next = poni_load_relaxed(bucket);
    while (!poni_cas(bucket, &p->next, p)) // release
        continue;
    return p->text;
}
