/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_ABOUT_H
#define CLI_BENCH_ABOUT_H

/*
 * cli/bench_about.h - what a subject says of a workload, for people: below its
 * tables, and in --list. The first of each workload speaks for it; floors and
 * peers do the same in ways of their own, which their figures are to be read
 * with.
 */

#include <stdio.h>

#include "bench_catalog.h"

struct bench_about {
    char *workload, *subject;
    enum bench_kind kind;
    char *measures, *how, *silent;
};

/* What the offer says. Its texts are the offer's. */
struct bench_about bench_about_of(const struct bench_offer *o);

/* "ours", "floor" or "peer". */
const char *bench_about_kind(const struct bench_about *about);

/* "measures: ...", "how: ...", "does not tell: ...", as far as it says. Of one
 * that is not the `first` of its workload: "peer go: ...", which is how, and
 * what it does not tell where that is something else. */
void bench_about_print(const struct bench_about *about,
                       const struct bench_about *first, FILE *out);

#endif /* CLI_BENCH_ABOUT_H */
