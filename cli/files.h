/* SPDX-License-Identifier: MIT */
#ifndef CLI_FILES_H
#define CLI_FILES_H

/*
 * cli/files.h - opens what a URL's path names, below a directory and nowhere
 * else.
 *
 * Threads     Any that may block.
 */

#include <stddef.h>

enum { FILES_PATH = 4096 }; // bytes of a path, with its end; PATH_MAX

/* A path that was looked at: relative, no empty part, no "." and no "..". */
struct files_path {
    char text[FILES_PATH]; // "." for the directory itself
    int slash;             // it was written with a slash at its end
};

/*
 * Decodes the path of a URL (`size` bytes, from its first slash; what follows a
 * `?` is not part of it). -EINVAL: no slash, bad %, a 0 byte, or a "..";
 * -ENAMETOOLONG.
 */
int files_path(struct files_path *out, const char *url, size_t size);

/*
 * Opens `path` below `root` for reading; whatever it is, this does not wait for
 * it. A descriptor; -errno, with -EXDEV or -ELOOP for a way that leads out.
 */
int files_open(int root, const char *path);

#endif /* CLI_FILES_H */
