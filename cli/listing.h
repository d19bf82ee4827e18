/* SPDX-License-Identifier: MIT */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

/*
 * cli/listing.h - a page that shows what is in a directory.
 *
 * Threads     Any that may block.
 */

#include <stddef.h>
#include <stdio.h>

/*
 * Makes the page of the directory `fd` (consumed), whose path below the root is
 * `path`. The caller frees `*text`. 0 or -errno.
 */
int listing_make(int fd, const char *path, char **text, size_t *size);

/* Writes `path` as it stands in a URL: %xx for all that is not plain. */
void listing_encode(FILE *out, const char *path);

#endif /* CLI_LISTING_H */
