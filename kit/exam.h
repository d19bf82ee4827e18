/* SPDX-License-Identifier: MIT */
#ifndef KIT_EXAM_H
#define KIT_EXAM_H

/*
 * kit/exam.h - all tests of one engine, one after the other.
 *
 * A test that stands on a rule which has failed is skipped: it could only fail
 * for the wrong reason. So are the other tests of a rule that hangs.
 */

#include "run.h"

enum { KIT_TESTS_MAX = 256 }; // of one kind of engine; asserted

struct kit_exam {
    struct poni_entry *entry;      // borrowed
    const char *only;              // a rule, or words of names; NULL: all
    const struct poni_item *given; // its options, borrowed; NULL: none
    struct kit_limits limits;

    /* Called before each test; may be NULL. */
    void (*progress)(void *arg, const struct kit_exam *e, unsigned done);
    void *arg;

    /* What came out. */
    struct kit_result results[KIT_TESTS_MAX];
    unsigned count;       // of tests
    int interrupted;      // the rest is NOT_RUN
    const char *unusable; // why it cannot be used here, or NULL
};

/* How many tests there are for engines of `kind`; `only` as in kit_exam. */
unsigned kit_exam_size(uint32_t kind, const char *only);

/* How many tests have the outcome; `rule` NULL: of all rules. */
unsigned kit_exam_count(const struct kit_exam *e, const char *rule,
                        enum kit_outcome outcome);

/* 0, also when rules are broken; -errno: a test could not be begun. */
int kit_exam_run(struct kit_exam *e);
void kit_exam_fini(struct kit_exam *e);

#endif /* KIT_EXAM_H */
