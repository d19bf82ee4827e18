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
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 2048 }; // bytes; a longer one ends in "..."

enum { WHAT_MAX = 48 }; // a future's name, cut

struct fail_record {
    unsigned turn; // counts sentences
    int err;       // of the last
    int plain;     // its sentence is still to be made, of `err` and `what`
    char what[WHAT_MAX];
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
    r->plain = 0;
    return r;
}

/* This thread's; NULL while there is no memory for one. */
static struct fail_record *
fail_record_own(void)
{
    if (fail_record == NULL || fail_record == &fail_stand_in)
        fail_record = fail_record_new();
    return fail_record == &fail_stand_in ? NULL : fail_record;
}

static char *
fail_text(struct fail_record *r)
{
    return r->text[r->turn % 2];
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
    struct fail_record *r;
    int saved = errno;
    va_list args;

    r = fail_record_own();
    if (r != NULL) {
        r->turn++;
        r->err = err;
        r->plain = 0;
        va_start(args, format);
        fail_format(fail_text(r), SENTENCE_MAX, format, args);
        va_end(args);
    }
    errno = saved;
    return err;
}

struct poni_fail_mark
poni_fail_mark(void)
{
    return (struct poni_fail_mark){fail_record,
                                   fail_record != NULL ? fail_record->turn : 0};
}

/* A fiber may go on elsewhere: there, a sentence of the same error is taken for
 * its own. */
static int
fail_has_said(struct poni_fail_mark before, int64_t err)
{
    const struct fail_record *r = fail_record;

    if (r == NULL || r == &fail_stand_in || r->turn == 0)
        return 0;
    return r == before.record ? r->turn != before.turn : r->err == err;
}

void
poni_fail_plain(struct poni_fail_mark before, int64_t err, const char *what)
{
    struct fail_record *r;
    int saved = errno;

    if (fail_has_said(before, err))
        return;
    r = fail_record_own();
    if (r != NULL) {
        r->turn++;
        r->err = err < INT_MIN ? INT_MIN : (int)err;
        r->plain = 1;
        snprintf(r->what, sizeof r->what, "%s", what != NULL ? what : "wait");
    }
    errno = saved;
}

/* What strerror() does not say well. */
static const char *
fail_meaning(int err)
{
    switch (-(int64_t)err) {
    case ECANCELED:
        return "cancelled: its task, its scope or its runtime ends";
    case ETIME:
        return "the deadline passed first";
    case ENODATA:
        return "the other side ended before that was complete";
    case EPIPE:
        return "the other side has closed";
    default:
        return err > INT_MIN ? strerrordesc_np(-err) : NULL;
    }
}

static void
fail_make_plain(struct fail_record *r)
{
    const char *name = r->err > INT_MIN ? strerrorname_np(-r->err) : NULL;
    const char *meaning = fail_meaning(r->err);

    if (name != NULL && meaning != NULL)
        snprintf(fail_text(r), SENTENCE_MAX, "%s: %s (%s)", r->what, meaning,
                 name);
    else
        snprintf(fail_text(r), SENTENCE_MAX, "%s: its answer was %d", r->what,
                 r->err);
    r->plain = 0;
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
    if (fail_record->turn == 0)
        return fail_nothing;
    if (fail_record->plain)
        fail_make_plain(fail_record);
    return fail_text(fail_record);
}
