/* SPDX-License-Identifier: MIT */
#ifndef CLI_SITE_H
#define CLI_SITE_H

/*
 * cli/site.h - a temporary directory of files whose content is known: what
 * `demo` serves.
 *
 * Threads     Any that may block.
 */

#include <stddef.h>
#include <stdint.h>

#include "digest.h"

enum { SITE_NAME = 16 }; // bytes of a file's name, with its end

struct site_file {
    char name[SITE_NAME];
    char digest[DIGEST_TEXT];
};

struct site {
    char *path;              // owned; of the directory
    int dir;                 // owned
    struct site_file *files; // owned
    unsigned count;
    uint64_t bytes; // of all of them
};

/* Makes it, with `count` files of 1 to 17 KiB. 0 or -errno, and then nothing is
 * left behind. */
int site_make(struct site *s, unsigned count);

/* Removes it all. */
void site_remove(struct site *s);

#endif /* CLI_SITE_H */
