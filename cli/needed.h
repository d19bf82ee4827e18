/* SPDX-License-Identifier: MIT */
#ifndef CLI_NEEDED_H
#define CLI_NEEDED_H

/*
 * cli/needed.h - the libraries that a shared object needs, and where the
 * system's loader would find them: looked for, not loaded.
 *
 * The search is the loader's: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the cache
 * of ldconfig(8), the system's directories. Of $ORIGIN, $LIB and $PLATFORM only
 * $ORIGIN is followed. What the libraries themselves need is not looked for.
 *
 * Threads     Any.
 */

#include "core/image.h"

enum { NEEDED_MAX = 64 }; // that are looked for; plugins have fewer than ten

struct needed {
    struct needed_library {
        const char *name; // the image's; any bytes
        char *path;       // owned; NULL: there is none
    } libraries[NEEDED_MAX];
    unsigned count;
    unsigned left_out; // beyond NEEDED_MAX
};

/* Those of `im`, which is the file `path`. 0 or -ENOMEM, and then what has been
 * found so far. */
int needed_find(struct needed *n, const struct poni_image *im,
                const char *path);

/* The first that is nowhere; NULL: none is. */
const char *needed_missing(const struct needed *n);

void needed_fini(struct needed *n);

#endif /* CLI_NEEDED_H */
