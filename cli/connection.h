/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

/*
 * cli/connection.h - one client of `pons serve`, from its first request to its
 * last.
 */

#include <stdint.h>

#include "pons/stream.h"

/* Consumes `stream`, also when it fails. `root` is borrowed. */
struct connection *connection_new(struct pons_stream *stream, int root,
                                  uint64_t delay_ns);

/* Answers its requests, and frees it: a fiber's function. Always 0. */
int64_t connection_serve(void *connection);

/* For one that will not be served. */
void connection_free(struct connection *c);

#endif /* CLI_CONNECTION_H */
