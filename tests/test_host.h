/* SPDX-License-Identifier: MIT */
#ifndef TEST_HOST_H
#define TEST_HOST_H

/*
 * tests/test_host.h - a pons_host that counts memory.
 */

#include "pons/plugin.h"
#include "pons/poller.h"
#include "pons/reactor.h"

/* A reactor of engine `e`, with its defaults: itself, or the adapter over it.
 */
int test_open(struct pons_reactor **out, const struct pons_engine *e,
              struct pons_reason *reason);

/* The same with one option set; NULL: none. */
int test_open_with(struct pons_reactor **out, const struct pons_engine *e,
                   const char *option, uint64_t value,
                   struct pons_reason *reason);

const struct pons_host *test_host(void);

/* Pieces of memory that the host has given and not got back; how many it has
 * given in all; how many more it will give (-1: any number). */
extern long test_pieces, test_allocs, test_allocs_left;

#endif /* TEST_HOST_H */
