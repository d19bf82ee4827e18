/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_CATALOG_H
#define CLI_BENCH_CATALOG_H

/*
 * cli/bench_catalog.h - the programs that measure: where they are, and what
 * each says of itself with --describe (bench/bench.h).
 *
 *     DIR/NAME          our own
 *     DIR/limits/NAME   floors
 *     DIR/peers/PEER    peers
 */

#include <stddef.h>

enum bench_kind { KIND_OURS, KIND_FLOOR, KIND_PEER, KINDS };

/* What one program offers: one workload, or its server for one. */
struct bench_offer {
    enum bench_kind kind;
    char *program; // its path
    char *name;    // the program's, without directories
    char *workload, *subject;
    char *measures, *how, *silent; // "" where it does not say
    char *version;                 // likewise; of a peer
    unsigned axes;                 // 1 << AXIS_REACTOR ...
    int serves;                    // has no cases: is measured with --server
    int spread;                    // its threads want a processor each
    char **cases;                  // NULL-terminated
    char **heavy;                  // of those: not with --quick; likewise
    char **brief;                  // of those: the fastest of some; likewise
    char **mains; // of each case: the metric that it is about, or ""
};

struct bench_catalog {
    char *dir;
    struct bench_offer *offers; // by kind, those that serve last; by program
    size_t count;
};

/*
 * Looks into `dir` (NULL: what is installed, or built beside the command). A
 * program that does not describe itself is said on stderr and left out. -errno
 * when said on stderr what is wrong.
 */
int bench_catalog_open(struct bench_catalog *out, const char *dir);
void bench_catalog_fini(struct bench_catalog *c);

/* The peers that there could be, built or not; NULL-terminated. */
extern const char *const bench_peers[];

/* The workloads, each once, in order; those of our own first. NULL-terminated,
 * the array is the caller's. NULL without memory. */
const char **bench_catalog_workloads(const struct bench_catalog *c);

#endif /* CLI_BENCH_CATALOG_H */
