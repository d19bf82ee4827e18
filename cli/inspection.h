/* SPDX-License-Identifier: MIT */
#ifndef CLI_INSPECTION_H
#define CLI_INSPECTION_H

/*
 * cli/inspection.h - what a file is, as far as it can be told without running
 * code of it: it may be anything, and an enemy's.
 *
 * Threads     Any.
 */

#include "core/elf_file.h"
#include "core/note.h"
#include "needed.h"

/* How far the file is what it should be; each includes those before it. */
enum inspection_depth {
    INSPECTION_NOTHING, // no regular file that can be read: `loader` says why
    INSPECTION_FILE,    // not of ELF's format: `loader` says why
    INSPECTION_ELF,     // damaged, or not for this machine: likewise
    INSPECTION_IMAGE,   // `needed` holds; all is there if `loader` is empty
};

struct inspection {
    enum inspection_depth depth;
    uint64_t size; // from FILE on

    struct poni_elf_identity elf; // from ELF on

    struct poni_image *image; // owned; at IMAGE, with the next
    struct needed needed;

    int noted; // `note` holds; else `unnoted` says why not
    struct poni_note note;
    struct pons_reason unnoted;

    /* Why not; empty: nothing is known against it. */
    struct pons_reason loader; // the system's loader cannot load it
    struct pons_reason pons;   // Pons does not take it
};

/* Fills all of `i`. 0 or -ENOMEM; it is to be closed in both cases. */
int inspection_open(struct inspection *i, const char *path);
void inspection_close(struct inspection *i);

#endif /* CLI_INSPECTION_H */
