/* SPDX-License-Identifier: MIT */
#ifndef KIT_VERDICT_H
#define KIT_VERDICT_H

/*
 * kit/verdict.h - what a test's process leaves behind, in a page that it shares
 * with the kit: between kit/check.c and kit/run.c.
 */

#include <stdint.h>
#include <sys/types.h>

/*
 *   RUNNING --> PASSED    it returned
 *           --> FAILED    a check, or the kit about a process that ended in any
 *                         other way
 *           --> SKIPPED   the engine or the system does not have what it needs
 *           --> UNUSABLE  open refused, in words
 *
 * The kit alone makes NOT_RUN of a test that it has not begun.
 */
enum kit_outcome {
    KIT_NOT_RUN,
    KIT_RUNNING,
    KIT_PASSED,
    KIT_FAILED,
    KIT_SKIPPED,
    KIT_UNUSABLE,
};

enum {
    KIT_SENTENCE = 512,   // of a verdict; longer ones are cut
    KIT_STATUS_TOLD = 90, // the process ended because the verdict is there
};

struct kit_verdict {
    uint32_t outcome;   // enum kit_outcome
    int32_t child;      // of the test, that it waits for; 0: none
    uint64_t queued_ns; // of such, and threads, that have ended: kit/queued.h
    char sentence[KIT_SENTENCE];
};

/* Where the checks of this process write. */
void kit_verdict_use(struct kit_verdict *v);

/* The test has returned. */
void kit_verdict_pass(void);

/* The test waits for this child, which has begun; which has ended. */
void kit_verdict_child(pid_t child);
void kit_verdict_child_ended(pid_t child);

/* A thread of the test has ended, which was queued for so long. Any thread. */
void kit_verdict_queued(uint64_t ns);

#endif /* KIT_VERDICT_H */
