/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONTENT_H
#define CLI_CONTENT_H

/*
 * cli/content.h - what a path is answered with: a file, a listing, another
 * place, or an error.
 *
 * Threads     Any that may block, one at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "files.h"

struct content {
    int status;       // of HTTP: 200, 301, 400, 403, 404, 414, 500, 503
    const char *type; // static
    uint64_t size;    // of the body
    time_t modified;  // -1: not known
    char *text;       // owned: a listing, or the place of 301; or NULL
    int fd;           // owned: a file that has not been read to its end; or -1
};

/* Finds what `target` (a URL's path, `size` bytes) names below `root`. */
void content_open(struct content *c, int root, const char *target, size_t size);
void content_close(struct content *c);

/* The next bytes of the file; 0 at its end, -errno. */
int64_t content_read(struct content *c, char *buffer, size_t size);

#endif /* CLI_CONTENT_H */
