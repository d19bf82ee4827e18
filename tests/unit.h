/* SPDX-License-Identifier: MIT */
#ifndef UNIT_H
#define UNIT_H

/*
 * tests/unit.h - CUnit, with each test in a process of its own.
 *
 * A test is a function in a table and its name is a sentence about behaviour.
 * It runs in a child with an alarm, and must leave as many descriptors open as
 * it found: a crash, a hang or a leak is the fault of one test and named as
 * such.
 *
 *     static const struct unit_test tests[] = {
 *         {"wake_during_poll_polls_again", wake_during_poll_polls_again},
 *         {0},
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         return unit_main("task", tests, argc, argv);
 *     }
 *
 * `NAME [TEST]` runs one. CHECK ends the child at the first failure. SKIP says
 * aloud what was not tested and why; .ci/run counts those lines.
 */

#include <stdio.h>
#include <stdlib.h>

enum { UNIT_SKIPPED = 77 };

#define CHECK(x)                                                           \
    do {                                                                   \
        if (!(x)) {                                                        \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #x); \
            exit(1);                                                       \
        }                                                                  \
    } while (0)

#define CHECK_EQ(a, b)                                                      \
    do {                                                                    \
        long long a_ = (long long)(a), b_ = (long long)(b);                 \
        if (a_ != b_) {                                                     \
            fprintf(stderr, "%s:%d: %s is %lld, not %s = %lld\n", __FILE__, \
                    __LINE__, #a, a_, #b, b_);                              \
            exit(1);                                                        \
        }                                                                   \
    } while (0)

/* `text` contains `part`. */
#define CHECK_HAS(text, part)                                         \
    do {                                                              \
        const char *t_ = (text);                                      \
        if (!unit_has(t_, part)) {                                    \
            fprintf(stderr, "%s:%d: no \"%s\" in \"%s\"\n", __FILE__, \
                    __LINE__, part, t_ ? t_ : "(null)");              \
            exit(1);                                                  \
        }                                                             \
    } while (0)

#define SKIP(...)                               \
    do {                                        \
        fprintf(stderr, "SKIP %s: ", __func__); \
        fprintf(stderr, __VA_ARGS__);           \
        fprintf(stderr, "\n");                  \
        exit(UNIT_SKIPPED);                     \
    } while (0)

/* How many of the open descriptors are a library's, for good: a test does not
 * answer for them. */
extern int unit_for_good;

struct unit_test {
    const char *name; /* NULL ends the table */
    void (*run)(void);
};

int unit_has(const char *text, const char *part);

/* The exit status: 0 when all that ran passed. */
int unit_main(const char *suite, const struct unit_test *tests, int argc,
              char **argv);

#endif /* UNIT_H */
