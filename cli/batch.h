/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

/*
 * cli/batch.h - many URLs fetched, so many at once: what `fetch` and `demo`
 * call.
 *
 *     struct batch b = {.rows = rows, .count = n, .jobs = 64, .dir = -1,
 *                       .stop = -1};
 *     err = batch_run(rt, &b);
 *
 * Ownership   All that the struct points to is borrowed during batch_run().
 */

#include <stdint.h>

#include "transfer.h"

struct pons_runtime;

enum {
    BATCH_JOBS_MAX = 1000, // each is a socket and two chunks of memory
    BATCH_JOBS = 64,       // a guess at what servers and routers bear
};

struct batch {
    struct row *rows; // ROW_WAITING; all are decided at the end
    unsigned count;
    unsigned jobs;       // at once; 1 to BATCH_JOBS_MAX
    uint64_t timeout_ns; // of each; 0: as long as something comes
    const char *cacert;  // file of certificates; NULL: the system's
    int dir;             // where the bodies go; -1: nowhere
    int direct;          // no proxy, whatever the environment says
    int stop;            // readable when it is to end early; -1: never
    int quiet;           // no progress, not even on a terminal

    int interrupted; // out: it was ended early by `stop`
};

/*
 * Fetches them all, on tasks of `rt`, while this thread waits. What
 * fails is in the rows. 0; or -errno when nothing could be started.
 */
int batch_run(struct pons_runtime *rt, struct batch *b);

#endif /* CLI_BATCH_H */
