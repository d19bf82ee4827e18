/* SPDX-License-Identifier: MIT */
/*
 * core/note.c - finds and checks the Pons note of an ELF file, which may be
 * anything.
 *
 *     header -> program headers -> each PT_NOTE -> each note in it
 */

#include "note.h"

#include "elf_file.h"
#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOTE_SEGMENT_MAX = 64 << 10, // bytes of notes; usual is some hundred
    NOTE_TEXT_SIZE = sizeof(struct pons_note) -
                     offsetof(struct pons_note, abi_min), // of ABI 0.1
};

const char *
poni_kind_name(uint32_t kind)
{
    static const char *const names[] = {NULL, "reactor", "poller", "pool"};

    return kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

/* ---- the texts of a note ---- */

/* Ends in the field, is printable, is not empty, and is followed by zeros. */
static int
text_ok(const char *text, size_t size)
{
    size_t n = strnlen(text, size);

    if (n == 0 || n == size)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return 0;
    for (size_t i = n; i < size; i++)
        if (text[i] != 0)
            return 0;
    return 1;
}

static uint32_t
kind_of(const char *word, size_t length)
{
    for (uint32_t kind = 1; poni_kind_name(kind) != NULL; kind++)
        if (strlen(poni_kind_name(kind)) == length &&
            memcmp(poni_kind_name(kind), word, length) == 0)
            return kind;
    return 0;
}

/* One "kind:name" of `length` bytes. */
static int
note_engine(struct poni_note *note, const char *word, size_t length,
            struct pons_reason *reason)
{
    struct poni_note_engine *e = &note->engines[note->engine_count];
    const char *colon = memchr(word, ':', length);
    size_t kind_length = colon != NULL ? (size_t)(colon - word) : length;

    memset(e, 0, sizeof *e);
    e->kind = kind_of(word, kind_length);
    if (colon == NULL || e->kind == 0)
        return poni_refuse(reason, -EINVAL,
                           "note: engines: \"%.*s\"; wanted reactor:NAME, "
                           "poller:NAME or pool:NAME",
                           (int)length, word);
    length -= kind_length + 1;
    if (length < sizeof e->name)
        memcpy(e->name, colon + 1, length);
    if (!poni_name_ok(e->name) || strcmp(e->name, "auto") == 0)
        return poni_refuse(reason, -EINVAL,
                           "note: engines: \"%.*s\" is no name; wanted 1 to %d "
                           "of a-z 0-9 _ - + . and not auto",
                           (int)length, colon + 1, NAME_BYTES - 1);
    for (unsigned i = 0; i < note->engine_count; i++)
        if (strcmp(note->engines[i].name, e->name) == 0)
            return poni_refuse(reason, -EINVAL,
                               "note: engines: \"%s\" stands twice", e->name);
    note->engine_count++;
    return 0;
}

static int
note_engines(struct poni_note *note, struct pons_reason *reason)
{
    const char *at = note->raw.engines;
    int err;

    note->engine_count = 0;
    for (;;) {
        size_t length = strcspn(at, ",");

        if (note->engine_count == NOTE_ENGINES_MAX)
            return poni_refuse(reason, -EINVAL, "note: engines: more than %d",
                               NOTE_ENGINES_MAX);
        err = note_engine(note, at, length, reason);
        if (err < 0 || at[length] == '\0')
            return err;
        at += length + 1;
    }
}

int
poni_note_check(struct poni_note *note, struct pons_reason *reason)
{
    const struct pons_note *raw = &note->raw;
    const char *bad = NULL;

    if (!text_ok(raw->name, sizeof raw->name))
        bad = "name";
    else if (!text_ok(raw->version, sizeof raw->version))
        bad = "version";
    else if (!text_ok(raw->licence, sizeof raw->licence))
        bad = "licence";
    else if (!text_ok(raw->engines, sizeof raw->engines))
        bad = "engines";
    if (bad != NULL)
        return poni_refuse(reason, -EINVAL,
                           "note: %s: wanted a printable text, padded with "
                           "zeros; found another",
                           bad);
    if (!poni_name_ok(raw->name))
        return poni_refuse(reason, -EINVAL,
                           "note: name: \"%s\" is no name; wanted a-z 0-9 _ - "
                           "+ . only",
                           raw->name);
    for (unsigned i = 0; i < sizeof raw->reserved / sizeof *raw->reserved; i++)
        if (raw->reserved[i] != 0)
            return poni_refuse(reason, -EINVAL,
                               "note: reserved[%u]: wanted 0, found %" PRIu32,
                               i, raw->reserved[i]);
    if (raw->abi_min > raw->abi_max)
        return poni_refuse(reason, -EINVAL,
                           "note: abi_min 0x%" PRIx32
                           " is above abi_max 0x%" PRIx32,
                           raw->abi_min, raw->abi_max);
    return note_engines(note, reason);
}

/* ---- the file ---- */

static uint64_t
align_up(uint64_t n, uint64_t alignment)
{
    return (n + alignment - 1) & ~(alignment - 1);
}

/* The note at `at`, `left` bytes before the end of its segment. 1: it is ours;
 * its text is in out->raw. */
static int
note_take(const struct poni_elf *f, const char *at, uint64_t left,
          uint64_t alignment, struct poni_note *out, uint64_t *step)
{
    ElfW(Nhdr) h;
    uint64_t text, end;

    if (left < sizeof h)
        return poni_refuse(f->reason, -ENOEXEC,
                           "truncated: a note header of %" PRIu64
                           " bytes; wanted %zu",
                           left, sizeof h);
    memcpy(&h, at, sizeof h);
    text = align_up(sizeof h + (uint64_t)h.n_namesz, alignment);
    end = text + h.n_descsz;
    if (end > left)
        return poni_refuse(f->reason, -ENOEXEC,
                           "truncated: a note of %" PRIu64
                           " bytes; its segment has %" PRIu64,
                           end, left);
    *step = align_up(end, alignment);
    if (h.n_type != PONS_NOTE_TYPE || h.n_namesz != sizeof PONS_NOTE_OWNER ||
        memcmp(at + sizeof h, PONS_NOTE_OWNER, sizeof PONS_NOTE_OWNER) != 0)
        return 0;
    if (h.n_descsz < NOTE_TEXT_SIZE)
        return poni_refuse(f->reason, -EINVAL,
                           "truncated note: wanted %d bytes, found %" PRIu32,
                           NOTE_TEXT_SIZE, (uint32_t)h.n_descsz);
    memset(&out->raw, 0, sizeof out->raw);
    memcpy(&out->raw.abi_min, at + text, NOTE_TEXT_SIZE);
    return 1;
}

/* How many notes of ours are in a segment. */
static int
segment_scan(const struct poni_elf *f, const char *notes, uint64_t size,
             uint64_t alignment, struct poni_note *out)
{
    int found = 0;

    for (uint64_t at = 0, step = 0; at < size; at += step) {
        int got = note_take(f, notes + at, size - at, alignment, out, &step);

        if (got < 0)
            return got;
        found += got;
    }
    return found;
}

static int
segment_read(const struct poni_elf *f, const ElfW(Phdr) * p,
             struct poni_note *out)
{
    char *notes;
    int found;

    if (p->p_filesz > NOTE_SEGMENT_MAX)
        return poni_refuse(f->reason, -ENOEXEC,
                           "a note segment of %" PRIu64
                           " bytes; wanted at most %d",
                           (uint64_t)p->p_filesz, NOTE_SEGMENT_MAX);
    notes = malloc(p->p_filesz + 1);
    if (notes == NULL)
        return poni_refuse(f->reason, -ENOMEM, "out of memory");
    found = poni_elf_read(f, "note segment", p->p_offset, notes, p->p_filesz);
    if (found == 0) // segments of 8 hold notes of 8, all others notes of 4
        found =
            segment_scan(f, notes, p->p_filesz, p->p_align == 8 ? 8 : 4, out);
    free(notes);
    return found;
}

static int
headers_scan(const struct poni_elf *f, struct poni_note *out)
{
    int found = 0;

    for (unsigned i = 0; i < f->header.e_phnum; i++) {
        int got;

        if (f->program[i].p_type != PT_NOTE)
            continue;
        got = segment_read(f, &f->program[i], out);
        if (got < 0)
            return got;
        found += got;
    }
    return found;
}

int
poni_note_read(int fd, struct poni_note *out, struct pons_reason *reason)
{
    struct poni_elf f;
    int err = poni_elf_open(&f, fd, reason);

    if (err < 0)
        return err;
    err = headers_scan(&f, out);
    if (err == 0)
        return poni_refuse(reason, -ENOENT,
                           "has no Pons note: it is no plugin (its source must "
                           "end with PONS_PLUGIN)");
    if (err > 1)
        return poni_refuse(reason, -EINVAL, "has %d Pons notes; wanted one",
                           err);
    return err < 0 ? err : poni_note_check(out, reason);
}
