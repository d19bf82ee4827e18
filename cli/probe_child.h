/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_CHILD_H
#define CLI_PROBE_CHILD_H

/*
 * cli/probe_child.h - opens an engine in a process of its own, with a limit:
 * one that crashes or never returns is a result like any other.
 *
 * Threads     One at a time.
 */

#include "core/catalog.h"

enum probe_verdict {
    PROBE_DIED,    // its process ended otherwise than by itself
    PROBE_LATE,    // the limit passed
    PROBE_REFUSED, // it says that it does not work here, or Pons does of it
    PROBE_MISUSED, // it was given options that it does not have
    PROBE_WORKS,
};

enum { SENTENCE_BYTES = 2048 }; // as long as pons_last_error()'s

struct probe_result {
    enum probe_verdict verdict;
    struct poni_probed probed;
    uint64_t caps;                 // that it declares: a reactor's, a poller's
    char sentence[SENTENCE_BYTES]; // why not; of MISUSED the whole error
};

/* `item` has the options. 0, or -errno: there was no process. */
int probe_child_run(struct probe_result *out, struct poni_entry *e,
                    const struct poni_item *item, uint64_t limit_ns);

#endif /* CLI_PROBE_CHILD_H */
