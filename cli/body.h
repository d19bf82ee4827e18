/* SPDX-License-Identifier: MIT */
#ifndef CLI_BODY_H
#define CLI_BODY_H

/*
 * cli/body.h - where the bytes of one transfer go: a digest and, with -o, a
 * file.
 *
 * A file is written under a name of its own and renamed at the end, so that a
 * name that is there is a whole body.
 *
 * Threads     One at a time, and a thread that may block.
 * Failure     0 or -errno; after a failure only body_discard().
 */

#include "digest.h"

struct body {
    struct digest digest; // owned
    int dir;              // borrowed; -1: no file is wanted
    int fd;               // owned; -1: not open
    const char *name;     // of the file in `dir`; borrowed
};

int body_open(struct body *b);
void body_close(struct body *b);

/* Begins a body. `dir` -1: its bytes are not kept. */
int body_start(struct body *b, int dir, const char *name);
int body_add(struct body *b, const void *bytes, size_t size);
int body_end(struct body *b, char digest[DIGEST_TEXT]);

/* Gives up what was kept. Any time; nothing to give up is allowed. */
void body_discard(struct body *b);

#endif /* CLI_BODY_H */
