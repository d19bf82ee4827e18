/* SPDX-License-Identifier: MIT */
#ifndef PONI_NOTE_H
#define PONI_NOTE_H

/*
 * core/note.h - what a plugin file says about itself, without running its code.
 */

#include "pons/plugin.h"
#include "settings.h"

enum {
    NOTE_ENGINES_MAX = 16, // in one plugin; their names must fit the note
};

/* One "kind:name" of the note's engines. */
struct poni_note_engine {
    uint32_t kind; // enum pons_kind
    char name[NAME_BYTES];
};

struct poni_note {
    struct pons_note raw; // all texts have their end, all fields are checked
    struct poni_note_engine engines[NOTE_ENGINES_MAX];
    unsigned engine_count;
};

/*
 * Reads the note of an open file, which may contain anything. 0, or the reason:
 * -ENOEXEC (not an object for this process), -ENOENT (no note), -EINVAL (a note
 * that is wrong), -EIO. Whether its ABI suits us is not asked here.
 */
int poni_note_read(int fd, struct poni_note *out, struct pons_reason *reason);

/* Checks and takes apart what stands in out->raw. */
int poni_note_check(struct poni_note *note, struct pons_reason *reason);

/* "reactor", "poller", "pool"; NULL for others. */
const char *poni_kind_name(uint32_t kind);

#endif /* PONI_NOTE_H */
