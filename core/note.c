/* SPDX-License-Identifier: MIT */
/*
 * core/note.c - finds and checks the Pons note of an ELF file.
 *
 * The file may be anything: every offset and size in it is a claim. Each is
 * compared with the size of the file, in 64 bits and without a sum that could
 * wrap, before it is used; and what is read is copied with pread(2), since a
 * file that is mapped and then truncated by its owner would kill the process.
 *
 *     header -> program headers -> each PT_NOTE -> each note in it
 */

#include "note.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADERS_MAX = 64,            // program headers; linkers write about ten
    NOTE_SEGMENT_MAX = 64 << 10, // bytes of notes; usual is some hundred
    NOTE_TEXT_SIZE = sizeof(struct pons_note) -
                     offsetof(struct pons_note, abi_min), // of ABI 0.1
};

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__i386__)
#define OUR_MACHINE EM_386
#elif defined(__arm__)
#define OUR_MACHINE EM_ARM
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#endif

#define OUR_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define OUR_DATA \
    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* The file as it was when the reading began. */
struct note_file {
    int fd;
    uint64_t size;
    struct pons_reason *reason;
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

static int
file_has(const struct note_file *f, uint64_t offset, uint64_t size)
{
    return size <= f->size && offset <= f->size - size;
}

/* All `size` bytes at `offset`, or the reason. */
static int
file_read(const struct note_file *f, const char *what, uint64_t offset,
          void *out, uint64_t size)
{
    char *at = out;

    if (!file_has(f, offset, size))
        return poni_refuse(f->reason, -ENOEXEC,
                           "truncated: %s: wanted bytes %" PRIu64 " to %" PRIu64
                           ", the file has %" PRIu64,
                           what, offset, offset + size, f->size);
    while (size > 0) {
        ssize_t n = pread(f->fd, at, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return poni_refuse(f->reason, -EIO, "%s: %s", what,
                               n < 0 ? strerror(errno)
                                     : "the file became shorter");
        at += n;
        offset += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return 0;
}

static int
header_check(const struct note_file *f, const ElfW(Ehdr) * h)
{
    const unsigned char *id = h->e_ident;

    if (id[EI_CLASS] != OUR_CLASS)
        return poni_refuse(f->reason, -ENOEXEC,
                           "ELF class: wanted %d (%zu-bit), found %d",
                           OUR_CLASS, sizeof(void *) * 8, id[EI_CLASS]);
    if (id[EI_DATA] != OUR_DATA)
        return poni_refuse(f->reason, -ENOEXEC,
                           "ELF byte order: wanted %d (%s endian), found %d",
                           OUR_DATA, OUR_DATA == ELFDATA2LSB ? "little" : "big",
                           id[EI_DATA]);
#ifdef OUR_MACHINE
    if (h->e_machine != OUR_MACHINE)
        return poni_refuse(f->reason, -ENOEXEC,
                           "ELF machine: wanted %d (this one), found %d; build "
                           "the plugin for this processor",
                           OUR_MACHINE, h->e_machine);
#endif
    if (h->e_type != ET_DYN)
        return poni_refuse(f->reason, -ENOEXEC,
                           "ELF type: wanted %d (a shared object), found %d; "
                           "link with -shared",
                           ET_DYN, h->e_type);
    if (h->e_phentsize != sizeof(ElfW(Phdr)) || h->e_phnum > HEADERS_MAX)
        return poni_refuse(f->reason, -ENOEXEC,
                           "program headers: wanted at most %d of %zu bytes, "
                           "found %d of %d",
                           HEADERS_MAX, sizeof(ElfW(Phdr)), h->e_phnum,
                           h->e_phentsize);
    return 0;
}

static uint64_t
align_up(uint64_t n, uint64_t alignment)
{
    return (n + alignment - 1) & ~(alignment - 1);
}

/* The note at `at`, `left` bytes before the end of its segment. 1: it is ours;
 * its text is in out->raw. */
static int
note_take(const struct note_file *f, const char *at, uint64_t left,
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
segment_scan(const struct note_file *f, const char *notes, uint64_t size,
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
segment_read(const struct note_file *f, const ElfW(Phdr) * p,
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
    found = file_read(f, "note segment", p->p_offset, notes, p->p_filesz);
    if (found == 0) // segments of 8 hold notes of 8, all others notes of 4
        found =
            segment_scan(f, notes, p->p_filesz, p->p_align == 8 ? 8 : 4, out);
    free(notes);
    return found;
}

/*
 * What the loader would map must be in the file: behind its end a mapping is
 * there and every touch of it is a SIGBUS, in the loader, before any code of
 * ours.
 */
static int
segment_is_whole(const struct note_file *f, const ElfW(Phdr) * p)
{
    if ((p->p_type != PT_LOAD && p->p_type != PT_DYNAMIC) || p->p_filesz == 0)
        return 0;
    if (p->p_offset <= f->size && p->p_filesz <= f->size - p->p_offset)
        return 0;
    return poni_refuse(f->reason, -ENOEXEC,
                       "is truncated: a segment of %" PRIu64
                       " bytes at %" PRIu64 " goes beyond its %" PRIu64
                       " bytes; build or copy it anew",
                       (uint64_t)p->p_filesz, (uint64_t)p->p_offset, f->size);
}

static int
headers_scan(const struct note_file *f, const ElfW(Ehdr) * h,
             struct poni_note *out)
{
    ElfW(Phdr) headers[HEADERS_MAX];
    int found = 0;
    int err = file_read(f, "program headers", h->e_phoff, headers,
                        h->e_phnum * sizeof *headers);

    if (err < 0)
        return err;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        int got = segment_is_whole(f, &headers[i]);

        if (got < 0)
            return got;
        if (headers[i].p_type != PT_NOTE)
            continue;
        got = segment_read(f, &headers[i], out);
        if (got < 0)
            return got;
        found += got;
    }
    return found;
}

int
poni_note_read(int fd, struct poni_note *out, struct pons_reason *reason)
{
    struct note_file f = {.fd = fd, .reason = reason};
    struct stat st;
    ElfW(Ehdr) h;
    int err;

    if (fstat(fd, &st) < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    f.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (f.size < SELFMAG)
        return poni_refuse(reason, -ENOEXEC,
                           "is no ELF file: it has %" PRIu64 " bytes", f.size);
    err = file_read(&f, "ELF header", 0, &h, SELFMAG);
    if (err == 0 && memcmp(&h, ELFMAG, SELFMAG) != 0)
        err = poni_refuse(reason, -ENOEXEC,
                          "is no ELF file; wanted a shared object");
    if (err == 0)
        err = file_read(&f, "ELF header", 0, &h, sizeof h);
    if (err == 0)
        err = header_check(&f, &h);
    if (err < 0)
        return err;
    err = headers_scan(&f, &h, out);
    if (err == 0)
        return poni_refuse(reason, -ENOENT,
                           "has no Pons note: it is no plugin (its source must "
                           "end with PONS_PLUGIN)");
    if (err > 1)
        return poni_refuse(reason, -EINVAL, "has %d Pons notes; wanted one",
                           err);
    return err < 0 ? err : poni_note_check(out, reason);
}
