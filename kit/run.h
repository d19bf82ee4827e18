/* SPDX-License-Identifier: MIT */
#ifndef KIT_RUN_H
#define KIT_RUN_H

/*
 * kit/run.h - one test of one engine, in a process of its own.
 *
 * A crash, a hang, an exit and a failed check are all a failed rule: whatever
 * the engine does, the kit goes on. No code of the engine's runs outside of
 * that process; it is loaded there anew for every test.
 *
 * Threads     One, and no other in the process: it forks.
 */

#include "core/catalog.h"
#include "kit.h"
#include "verdict.h"

enum { KIT_HEARD = 8192 }; // bytes that are kept of what a test says on stderr

struct kit_result {
    const struct kit_test *test;
    enum kit_outcome outcome;
    char sentence[KIT_SENTENCE]; // of all but PASSED and NOT_RUN
    int hangs;                   // it FAILED, by the time limit
    char *heard;                 // owned: its stdout and stderr; NULL: nothing
    uint64_t took_ns;
};

struct kit_limits {
    uint64_t test_ns; // a test that takes longer hangs; not counted is how long
                      // it could run and was not let
    int interrupt;    // a descriptor; readable: stop. -1: none
};

/* 0 with the outcome in `result`; -EINTR: interrupted, and NOT_RUN; -errno: no
 * process could be made. */
int kit_run_test(struct kit_result *result, struct poni_entry *entry,
                 const struct poni_item *given,
                 const struct kit_limits *limits);

#endif /* KIT_RUN_H */
