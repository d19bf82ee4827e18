/* SPDX-License-Identifier: MIT */
#ifndef CLI_DIGEST_H
#define CLI_DIGEST_H

/*
 * cli/digest.h - SHA-256 of bytes that come in pieces.
 *
 * Threads     One at a time; which one may change between calls.
 */

#include <stddef.h>

enum { DIGEST_TEXT = 65 }; // 64 hexadecimal digits and the 0

struct digest {
    void *context; // owned
};

/* 0 or -ENOMEM. */
int digest_open(struct digest *d);
void digest_close(struct digest *d);

/* Begins anew. 0 or -EIO, as the next two. */
int digest_start(struct digest *d);
int digest_add(struct digest *d, const void *bytes, size_t size);
int digest_end(struct digest *d, char text[DIGEST_TEXT]);

/* All of it at once. */
int digest_of(const void *bytes, size_t size, char text[DIGEST_TEXT]);

#endif /* CLI_DIGEST_H */
