/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_VERSIONS_H
#define CLI_BENCH_VERSIONS_H

/*
 * cli/bench_versions.h - which peers it was that ours stands beside, and which
 * wrk: figures of another version are other figures.
 */

#include "bench.h"
#include "bench_catalog.h"
#include "bench_environment.h"

/*
 * Adds "peers" to `e`, with the version of each that has rows: what its program
 * says ("version" of --describe), or else Debian's of the package it is built
 * with; and "wrk" if something is measured with it. "version unknown" where
 * nobody says.
 */
void bench_versions_add(struct bench_environment *e,
                        const struct bench_catalog *c,
                        const struct bench_result *r);

#endif /* CLI_BENCH_VERSIONS_H */
