/* SPDX-License-Identifier: MIT */
/*
 * kit/exam.c - see kit/exam.h.
 */

#include "exam.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests.h"

enum { RULE_BYTES = 16 }; // of a rule's number or word, with its end

/* "R5" is a rule's number, all else words of a name. */
static int
exam_is_chosen(const struct kit_test *t, const char *only)
{
    return only == NULL || strcasecmp(t->rule, only) == 0 ||
           strcasestr(t->name, only) != NULL;
}

/* The chosen tests, into `results` unless it is NULL; how many. */
static unsigned
exam_fill(uint32_t kind, const char *only, struct kit_result *results)
{
    const struct kit_test *const *table = kit_tests(kind);
    unsigned n = 0;

    for (; *table != NULL; table++)
        for (const struct kit_test *t = *table; t->name != NULL; t++) {
            if (!exam_is_chosen(t, only))
                continue;
            assert(n < KIT_TESTS_MAX);
            if (results != NULL)
                results[n].test = t;
            n++;
        }
    return n;
}

unsigned
kit_exam_size(uint32_t kind, const char *only)
{
    return exam_fill(kind, only, NULL);
}

unsigned
kit_exam_count(const struct kit_exam *e, const char *rule,
               enum kit_outcome outcome)
{
    unsigned n = 0;

    for (unsigned i = 0; i < e->count; i++)
        if (e->results[i].outcome == outcome &&
            (rule == NULL || strcmp(e->results[i].test->rule, rule) == 0))
            n++;
    return n;
}

/* The very first test is whether there is an engine at all. */
static int
exam_cannot_open(const struct kit_exam *e)
{
    return e->results[0].test == &kit_tests(e->entry->kind)[0][0] &&
           e->results[0].outcome == KIT_FAILED;
}

/* A rule whose test hangs is broken; its other tests would cost as much time to
 * say the same. */
static int
exam_hangs(const struct kit_exam *e, const char *rule)
{
    for (unsigned i = 0; i < e->count; i++)
        if (e->results[i].hangs && strcmp(e->results[i].test->rule, rule) == 0)
            return 1;
    return 0;
}

__attribute__((format(printf, 2, 3))) static int
exam_skips(struct kit_result *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->sentence, sizeof r->sentence, format, args);
    va_end(args);
    r->outcome = KIT_SKIPPED;
    return 1;
}

/* The first of `rules` (NULL: none) that has failed, into `rule`. What a whole
 * rule stands on may be tested after some of its tests. */
static int
exam_finds_broken(const struct kit_exam *e, const char *rules, int whole_rule,
                  char rule[RULE_BYTES])
{
    int length = 0;

    (void)whole_rule;
    while (rules != NULL && sscanf(rules, "%15s%n", rule, &length) == 1) {
        rules += length;
        if (kit_exam_count(e, rule, KIT_FAILED) > 0)
            return 1;
        /* Else it is named in vain: its tests all come later. */
        assert(whole_rule || e->only != NULL ||
               kit_exam_count(e, rule, KIT_NOT_RUN) == 0 ||
               kit_exam_count(e, rule, KIT_PASSED) > 0 ||
               kit_exam_count(e, rule, KIT_SKIPPED) > 0);
    }
    return 0;
}

static const char *
exam_rule_stands_on(const struct kit_exam *e, const char *number)
{
    const struct kit_rule *r = kit_rules(e->entry->kind);

    while (r->number != NULL && strcmp(r->number, number) != 0)
        r++;
    assert(r->number != NULL); // each rule of a test is in that table
    return r->stands_on;
}

/* Skips the test if one of the rules that it stands on has failed. */
static int
exam_cannot_judge(const struct kit_exam *e, struct kit_result *r)
{
    const char *of_rule = exam_rule_stands_on(e, r->test->rule);
    char rule[RULE_BYTES];

    if (exam_hangs(e, r->test->rule))
        return exam_skips(r, "another test of %s hangs", r->test->rule);
    if (exam_cannot_open(e))
        return exam_skips(r, "it stands on %s, which does not hold",
                          e->results[0].test->rule);
    if (exam_finds_broken(e, of_rule, 1, rule) ||
        exam_finds_broken(e, r->test->stands_on, 0, rule))
        return exam_skips(r, "it stands on %s, which does not hold", rule);
    return 0;
}

int
kit_exam_run(struct kit_exam *e)
{
    e->count = exam_fill(e->entry->kind, e->only, e->results);
    for (unsigned i = 0; i < e->count; i++) {
        struct kit_result *r = &e->results[i];
        int err;

        if (e->progress != NULL)
            e->progress(e->arg, e, i);
        if (exam_cannot_judge(e, r))
            continue;
        err = kit_run_test(r, e->entry, e->given, &e->limits);
        if (err == -EAGAIN &&
            exam_skips(r, "there is no process for it: %s", strerror(EAGAIN)))
            continue;
        if (err == -EINTR)
            e->interrupted = 1;
        if (err < 0)
            return err == -EINTR ? 0 : err;
        if (r->outcome == KIT_UNUSABLE) {
            e->unusable = r->sentence;
            return 0;
        }
    }
    return 0;
}

void
kit_exam_fini(struct kit_exam *e)
{
    for (unsigned i = 0; i < e->count; i++)
        free(e->results[i].heard);
}
