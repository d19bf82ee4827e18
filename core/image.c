/* SPDX-License-Identifier: MIT */
/*
 * core/image.c - compares the section table with the segments. See
 * core/image.h.
 *
 *     segments  <-  sections that are loaded  <->  entries of .dynamic
 *
 * The arrow on the left is here, the other in core/dynamic.c.
 */

#include "image_parts.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECTIONS_MAX = 1024,  // linkers write about forty
    TABLE_MAX = 16 << 20, // bytes of strings, versions or entries
    ALIGN_MAX = 1 << 30,  // of a segment; usual is a page
    PAGE_MAX = 65536,     // of any machine's pages
};

/* ---- sections ---- */

static int
section_is_loaded(const ElfW(Shdr) * s)
{
    int own_per_thread = s->sh_type == SHT_NOBITS && s->sh_flags & SHF_TLS;

    return (s->sh_flags & SHF_ALLOC) && s->sh_size > 0 && !own_per_thread;
}

const char *
poni_section_name(const struct poni_image *im, const ElfW(Shdr) * s)
{
    return s->sh_name < im->names_size ? im->names + s->sh_name : "?";
}

const ElfW(Shdr) * poni_section_next(const struct poni_image *im,
                                     const ElfW(Shdr) * last, uint32_t type)
{
    const ElfW(Shdr) *s = last != NULL ? last + 1 : im->sections;
    const ElfW(Shdr) *end = im->sections + im->elf.header.e_shnum;

    while (s < end && (s->sh_type != type || !section_is_loaded(s)))
        s++;
    return s < end ? s : NULL;
}

int
poni_section_read(const struct poni_image *im, const ElfW(Shdr) * s,
                  const char *what, char **out)
{
    int err;

    if (s->sh_size == 0 || s->sh_size > TABLE_MAX)
        return poni_image_refuse(im, "%s has %" PRIu64 " bytes; wanted 1 to %d",
                                 what, (uint64_t)s->sh_size, TABLE_MAX);
    *out = malloc(s->sh_size);
    if (*out == NULL)
        return poni_refuse(im->elf.reason, -ENOMEM, "out of memory");
    err = poni_elf_read(&im->elf, what, s->sh_offset, *out, s->sh_size);
    if (err < 0) {
        free(*out);
        *out = NULL;
    }
    return err;
}

int
poni_section_strings(const struct poni_image *im, const ElfW(Shdr) * s,
                     const char *what, char **out, uint64_t *size)
{
    int err = poni_section_read(im, s, what, out);

    if (err < 0)
        return err;
    *size = s->sh_size;
    if ((*out)[*size - 1] == '\0')
        return 0;
    return poni_image_refuse(im, "the last string of %s has no end", what);
}

static int
sections_read(struct poni_image *im)
{
    const ElfW(Ehdr) *h = &im->elf.header;
    uint64_t size = (uint64_t)h->e_shnum * sizeof *im->sections;
    int err;

    if (h->e_shnum == 0 || h->e_shnum > SECTIONS_MAX ||
        h->e_shentsize != sizeof *im->sections || h->e_shstrndx >= h->e_shnum)
        return poni_refuse(im->elf.reason, -ENOEXEC,
                           "has no section table (wanted 1 to %d of %zu bytes, "
                           "found %d of %d), without which it cannot be "
                           "checked; build it anew and strip symbols only",
                           SECTIONS_MAX, sizeof *im->sections, h->e_shnum,
                           h->e_shentsize);
    im->sections = malloc(size);
    if (im->sections == NULL)
        return poni_refuse(im->elf.reason, -ENOMEM, "out of memory");
    err = poni_elf_read(&im->elf, "section table", h->e_shoff, im->sections,
                        size);
    return err < 0 ? err
                   : poni_section_strings(im, &im->sections[h->e_shstrndx],
                                          "the table of section names",
                                          &im->names, &im->names_size);
}

/* ---- segments ---- */

/* Whether `size` bytes at `address` are in `p`: in memory, or (`in_file`) in
 * its part that the file has. */
static int
segment_has(const ElfW(Phdr) * p, uint64_t address, uint64_t size, int in_file)
{
    uint64_t whole = in_file ? p->p_filesz : p->p_memsz;

    return address >= p->p_vaddr && size <= whole &&
           address - p->p_vaddr <= whole - size;
}

const ElfW(Phdr) * poni_segment_of(const struct poni_image *im,
                                   uint64_t address, uint64_t size, int in_file)
{
    for (unsigned i = 0; i < im->elf.header.e_phnum; i++) {
        const ElfW(Phdr) *p = &im->elf.program[i];

        if (p->p_type == PT_LOAD && segment_has(p, address, size, in_file))
            return p;
    }
    return NULL;
}

static int
segment_align_ok(const ElfW(Phdr) * p)
{
    return p->p_align <= ALIGN_MAX && (p->p_align & (p->p_align - 1)) == 0;
}

/* What is mapped is in order and does not overlap. */
static int
segment_check_load(const struct poni_image *im, const ElfW(Phdr) * p,
                   uint64_t *end)
{
    if (p->p_filesz > p->p_memsz || p->p_vaddr < *end ||
        p->p_memsz > (ElfW(Addr)) - 1 - p->p_vaddr || !segment_align_ok(p))
        return poni_image_refuse(
            im,
            "a segment of 0x%" PRIx64 " bytes (0x%" PRIx64
            " in the file) at 0x%" PRIx64 " aligned to 0x%" PRIx64
            "; the one before it ends at 0x%" PRIx64,
            (uint64_t)p->p_memsz, (uint64_t)p->p_filesz, (uint64_t)p->p_vaddr,
            (uint64_t)p->p_align, *end);
    *end = p->p_vaddr + p->p_memsz;
    return 0;
}

/* Whether what `p` has behind its part of the file is padding: no section that
 * is written to begins there. */
static int
segment_ends_in_padding(const struct poni_image *im, const ElfW(Phdr) * p)
{
    uint64_t size = p->p_memsz - p->p_filesz;

    for (unsigned i = 0; i < im->elf.header.e_shnum; i++) {
        const ElfW(Shdr) *s = &im->sections[i];

        if (section_is_loaded(s) && s->sh_flags & SHF_WRITE &&
            s->sh_addr - (p->p_vaddr + p->p_filesz) < size)
            return 0;
    }
    return size < PAGE_MAX;
}

/* The PT_LOAD that `p` lies in. That of thread-local data has its image in the
 * file only, and what is protected after relocation may go on to the end of a
 * page. */
static const ElfW(Phdr) *
    segment_around(const struct poni_image *im, const ElfW(Phdr) * p)
{
    if (p->p_type == PT_DYNAMIC)
        return poni_segment_of(im, p->p_vaddr, p->p_memsz, 1);
    if (p->p_type == PT_TLS ||
        (p->p_type == PT_GNU_RELRO && segment_ends_in_padding(im, p)))
        return poni_segment_of(im, p->p_vaddr, p->p_filesz, 1);
    return p->p_type != PT_GNU_RELRO
               ? poni_segment_of(im, p->p_vaddr, p->p_memsz, 0)
               : NULL;
}

/* One that lies in a PT_LOAD, and in the same place of the file. */
static int
segment_check_inner(const struct poni_image *im, const ElfW(Phdr) * p)
{
    const ElfW(Phdr) *load = segment_around(im, p);

    if (p->p_memsz == 0 && p->p_type != PT_DYNAMIC)
        return 0;
    if (load == NULL || p->p_filesz > p->p_memsz || !segment_align_ok(p) ||
        p->p_offset - load->p_offset != p->p_vaddr - load->p_vaddr ||
        (p->p_type == PT_DYNAMIC && p->p_flags & ~load->p_flags))
        return poni_image_refuse(
            im,
            "a segment of type 0x%" PRIx32 " with 0x%" PRIx64
            " bytes at 0x%" PRIx64 " is in no segment that is loaded",
            (uint32_t)p->p_type, (uint64_t)p->p_memsz, (uint64_t)p->p_vaddr);
    return 0;
}

static int
segments_check(const struct poni_image *im)
{
    uint64_t end = 0;
    int err = 0;

    for (unsigned i = 0; i < im->elf.header.e_phnum && err == 0; i++) {
        const ElfW(Phdr) *p = &im->elf.program[i];

        switch (p->p_type) {
        case PT_LOAD:
            err = segment_check_load(im, p, &end);
            break;
        case PT_DYNAMIC:
        case PT_NOTE:
        case PT_PHDR:
        case PT_TLS:
        case PT_GNU_RELRO:
#ifdef PT_GNU_PROPERTY
        case PT_GNU_PROPERTY:
#endif
            err = segment_check_inner(im, p);
            break;
        }
    }
    return err;
}

/* Each section is where its segment brings it, with the rights that it needs.
 */
static int
section_check(const struct poni_image *im, const ElfW(Shdr) * s)
{
    int in_file = s->sh_type != SHT_NOBITS;
    const ElfW(Phdr) *p = poni_segment_of(im, s->sh_addr, s->sh_size, in_file);

    if (p != NULL &&
        (!in_file || s->sh_offset - p->p_offset == s->sh_addr - p->p_vaddr) &&
        p->p_flags & PF_R &&
        (!(s->sh_flags & SHF_WRITE) || p->p_flags & PF_W) &&
        (!(s->sh_flags & SHF_EXECINSTR) || p->p_flags & PF_X))
        return 0;
    return poni_image_refuse(im,
                             "section %.40s, 0x%" PRIx64 " bytes at 0x%" PRIx64
                             ", is not where a segment is loaded",
                             poni_section_name(im, s), (uint64_t)s->sh_size,
                             (uint64_t)s->sh_addr);
}

static int
sections_check(const struct poni_image *im)
{
    int err = 0;

    for (unsigned i = 0; i < im->elf.header.e_shnum && err == 0; i++)
        if (section_is_loaded(&im->sections[i]))
            err = section_check(im, &im->sections[i]);
    return err;
}

/* ---- the whole ---- */

static int
image_check(struct poni_image *im)
{
    int err = sections_read(im);

    if (err == 0)
        err = segments_check(im);
    if (err == 0)
        err = sections_check(im);
    if (err == 0)
        err = poni_dynamic_read(im);
    return err < 0 ? err : poni_dynamic_check(im);
}

int
poni_image_open(struct poni_image **out, int fd, struct pons_reason *reason)
{
    struct poni_image *im = calloc(1, sizeof *im);
    int err;

    if (im == NULL)
        return poni_refuse(reason, -ENOMEM, "out of memory");
    err = poni_elf_open(&im->elf, fd, reason);
    if (err == 0)
        err = image_check(im);
    if (err < 0)
        poni_image_close(im);
    else
        *out = im;
    return err;
}

void
poni_image_close(struct poni_image *im)
{
    if (im == NULL)
        return;
    free(im->sections);
    free(im->entries);
    free(im->names);
    free(im->strings);
    free(im);
}

int
poni_image_check(int fd, struct pons_reason *reason)
{
    struct poni_image *im = NULL;
    int err = poni_image_open(&im, fd, reason);

    poni_image_close(im);
    return err;
}

const char *
poni_image_text(const struct poni_image *im, uint64_t tag, unsigned i)
{
    for (unsigned n = 0; n < im->entry_count; n++)
        if ((uint64_t)im->entries[n].d_tag == tag && i-- == 0)
            return im->strings + im->entries[n].d_un.d_val;
    return NULL;
}
