/* SPDX-License-Identifier: MIT */
/*
 * core/fail.c - the sentence behind an error, one per thread.
 *
 * A thread's static storage is scarce in a library that may be loaded late, so
 * it holds one pointer; the sentence itself is allocated at the thread's first
 * failure and freed when the thread ends. Two sentences are kept in turn: the
 * previous one may be an argument of the next.
 */

#include "fail.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 2048 }; // bytes; a longer one ends in "..."

struct fail_record {
    unsigned turn;
    char text[2][SENTENCE_MAX];
};

static __thread struct fail_record *fail_record
    __attribute__((tls_model("initial-exec")));

static pthread_once_t fail_once = PTHREAD_ONCE_INIT;
static pthread_key_t fail_key;
static int fail_key_error;

static const char fail_nothing[] = "no call has failed on this thread";
static const char fail_no_memory[] =
    "there was no memory for the sentence of this error";

/* What fail_record points to while there is no memory for a real one. */
static struct fail_record fail_stand_in;

static void
fail_free(void *record)
{
    fail_record = NULL;
    free(record);
}

static void
fail_make_key(void)
{
    fail_key_error = pthread_key_create(&fail_key, fail_free);
}

static struct fail_record *
fail_record_new(void)
{
    struct fail_record *r;

    pthread_once(&fail_once, fail_make_key);
    if (fail_key_error != 0)
        return &fail_stand_in;
    r = malloc(sizeof *r);
    if (r == NULL)
        return &fail_stand_in;
    if (pthread_setspecific(fail_key, r) != 0) {
        free(r);
        return &fail_stand_in;
    }
    r->turn = 0;
    return r;
}

PONS_PRINTF(3, 0)
static void
fail_format(char *text, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(text, size, format, args);

    if (n < 0)
        snprintf(text, size, "%s", fail_no_memory);
    else if ((size_t)n >= size)
        memcpy(text + size - 4, "...", 4);
}

int
poni_fail(int err, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (fail_record == NULL || fail_record == &fail_stand_in)
        fail_record = fail_record_new();
    if (fail_record != &fail_stand_in) {
        fail_record->turn ^= 1;
        va_start(args, format);
        fail_format(fail_record->text[fail_record->turn], SENTENCE_MAX, format,
                    args);
        va_end(args);
    }
    errno = saved;
    return err;
}

int
poni_refuse(struct pons_reason *reason, int err, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (reason != NULL) {
        va_start(args, format);
        fail_format(reason->text, sizeof reason->text, format, args);
        va_end(args);
    }
    errno = saved;
    return err;
}

const char *
pons_last_error(void)
{
    if (fail_record == NULL)
        return fail_nothing;
    if (fail_record == &fail_stand_in)
        return fail_no_memory;
    return fail_record->text[fail_record->turn];
}
