/* SPDX-License-Identifier: MIT */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

/*
 * cli/serve.h - the files of a directory over HTTP/1.1: what `serve` and `demo`
 * call.
 */

#include <stdint.h>

struct pons_runtime;

typedef void serve_ready_f(void *arg, int port);

/* All is borrowed during serve_files(). */
struct serve {
    int root;             // the directory
    const char *host;     // to listen on; NULL: all addresses
    const char *port;     // "0": any free one
    uint64_t delay_ns;    // of work before each reply
    int stop;             // readable when it is to end
    serve_ready_f *ready; // called once, when clients may connect
    void *arg;
    char why[256]; // set when it could not begin; else empty
};

/*
 * Serves until `stop` is readable. Replies in course are then finished, waiting
 * connections closed. 0 or -errno.
 */
int serve_files(struct pons_runtime *rt, struct serve *s);

#endif /* CLI_SERVE_H */
