/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_ENVIRONMENT_H
#define CLI_BENCH_ENVIRONMENT_H

/*
 * cli/bench_environment.h - what figures depend on besides the program: the
 * machine, the kernel, what it allows, the versions. Texts, for people and for
 * files that are compared later.
 */

#include <stddef.h>

struct bench_fact {
    const char *name;
    char text[1024]; // mitigations are many
};

enum { FACTS_MAX = 18 }; // more would hide the table under them

struct bench_environment {
    size_t count;
    struct bench_fact facts[FACTS_MAX];
};

/* Looks; what cannot be found out says so. NULL without memory. */
struct bench_environment *bench_environment_new(void);
__attribute__((format(printf, 3, 4))) void
bench_environment_add(struct bench_environment *e, const char *name,
                      const char *format, ...);
void bench_environment_free(struct bench_environment *e);

#endif /* CLI_BENCH_ENVIRONMENT_H */
