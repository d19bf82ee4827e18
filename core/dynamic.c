/* SPDX-License-Identifier: MIT */
/*
 * core/dynamic.c - what .dynamic says, and what the section table says of the
 * same.
 *
 * Both ways: an entry whose tag is garbled is one that is missing.
 */

#include "image_parts.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES_MAX = 1024,  // of .dynamic; usual is thirty
    VERSIONS_MAX = 1024, // files of which versions are wanted; usual is three
};

/* ---- the dynamic section ---- */

const ElfW(Dyn) * poni_dynamic_find(const struct poni_image *im, uint64_t tag)
{
    for (unsigned i = 0; i < im->entry_count; i++)
        if ((uint64_t)im->entries[i].d_tag == tag)
            return &im->entries[i];
    return NULL;
}

uint64_t
poni_dynamic_value(const struct poni_image *im, uint64_t tag)
{
    const ElfW(Dyn) *d = poni_dynamic_find(im, tag);

    return d != NULL ? d->d_un.d_val : 0;
}

static int
entry_may_repeat(uint64_t tag)
{
    return tag == DT_NEEDED || tag == DT_AUXILIARY || tag == DT_FILTER;
}

/* The entries up to DT_NULL, each but a few at most once. */
static int
entries_count(struct poni_image *im, unsigned most)
{
    for (; im->entry_count < most; im->entry_count++) {
        uint64_t tag = (uint64_t)im->entries[im->entry_count].d_tag;

        if (tag == DT_NULL)
            return 0;
        if (!entry_may_repeat(tag) && poni_dynamic_find(im, tag) != NULL)
            return poni_image_refuse(im, ".dynamic has tag 0x%" PRIx64 " twice",
                                     tag);
    }
    return poni_image_refuse(im, ".dynamic has no end (DT_NULL)");
}

int
poni_dynamic_read(struct poni_image *im)
{
    const ElfW(Shdr) *s = poni_section_next(im, NULL, SHT_DYNAMIC);
    const ElfW(Phdr) *dynamic = NULL;
    unsigned segments = 0;
    char *bytes = NULL;
    int err;

    for (unsigned i = 0; i < im->elf.header.e_phnum; i++)
        if (im->elf.program[i].p_type == PT_DYNAMIC) {
            dynamic = &im->elf.program[i];
            segments++;
        }
    if (segments != 1 || s == NULL || s->sh_addr != dynamic->p_vaddr ||
        s->sh_size != dynamic->p_memsz ||
        s->sh_addr % sizeof(ElfW(Addr)) != 0 ||
        s->sh_size > ENTRIES_MAX * sizeof *im->entries)
        return poni_image_refuse(im,
                                 "wanted one dynamic segment, which is section "
                                 ".dynamic and has at most %d entries; found "
                                 "another",
                                 ENTRIES_MAX);
    err = poni_section_read(im, s, ".dynamic", &bytes);
    im->entries = (void *)bytes;
    return err < 0 ? err
                   : entries_count(
                         im, (unsigned)(s->sh_size / sizeof *im->entries));
}

/* ---- what entries and sections say of the same ---- */

static int
entry_refuse(const struct poni_image *im, const char *name,
             const char *wanted_of, uint64_t wanted, const ElfW(Dyn) * found)
{
    if (found == NULL)
        return poni_image_refuse(
            im, ".dynamic: %s: wanted 0x%" PRIx64 " (%.40s), found none", name,
            wanted, wanted_of);
    return poni_image_refuse(
        im, ".dynamic: %s: wanted 0x%" PRIx64 " (%.40s), found 0x%" PRIx64,
        name, wanted, wanted_of, (uint64_t)found->d_un.d_val);
}

int
poni_dynamic_expect(const struct poni_image *im, uint64_t tag, const char *name,
                    const char *wanted_of, uint64_t wanted)
{
    const ElfW(Dyn) *d = poni_dynamic_find(im, tag);

    if (d != NULL && d->d_un.d_val == wanted)
        return 0;
    return entry_refuse(im, name, wanted_of, wanted, d);
}

int
poni_dynamic_forbid(const struct poni_image *im, uint64_t tag, const char *name)
{
    const ElfW(Dyn) *d = poni_dynamic_find(im, tag);

    if (d == NULL)
        return 0;
    return poni_image_refuse(im,
                             ".dynamic: %s: wanted none, for there is no such "
                             "section; found 0x%" PRIx64,
                             name, (uint64_t)d->d_un.d_val);
}

/* A section that one entry, or two, name. */
static const struct image_rule {
    uint32_t type;          // SHT_
    uint64_t address, size; // DT_; size 0: none
    const char *address_name, *size_name;
} rules[] = {
#define RULE(type, address)              \
    {                                    \
        type, address, 0, #address, NULL \
    }
#define RULE_SIZED(type, address, size)      \
    {                                        \
        type, address, size, #address, #size \
    }
    RULE(SHT_DYNSYM, DT_SYMTAB),
    RULE(SHT_HASH, DT_HASH),
    RULE(SHT_GNU_HASH, DT_GNU_HASH),
    RULE(SHT_GNU_versym, DT_VERSYM),
    RULE(SHT_GNU_verneed, DT_VERNEED),
    RULE(SHT_GNU_verdef, DT_VERDEF),
    RULE_SIZED(SHT_RELR, DT_RELR, DT_RELRSZ),
    RULE_SIZED(SHT_INIT_ARRAY, DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
    RULE_SIZED(SHT_FINI_ARRAY, DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
    RULE_SIZED(SHT_PREINIT_ARRAY, DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ),
};

static int
rule_check(const struct poni_image *im, const struct image_rule *r)
{
    const ElfW(Shdr) *s = poni_section_next(im, NULL, r->type);
    int err;

    if (s == NULL) {
        err = poni_dynamic_forbid(im, r->address, r->address_name);
        if (err == 0 && r->size != 0)
            err = poni_dynamic_forbid(im, r->size, r->size_name);
        return err;
    }
    if (poni_section_next(im, s, r->type) != NULL)
        return poni_image_refuse(im, "has two sections of type 0x%" PRIx32,
                                 r->type);
    err = poni_dynamic_expect(im, r->address, r->address_name,
                              poni_section_name(im, s), s->sh_addr);
    if (err == 0 && r->size != 0)
        err = poni_dynamic_expect(im, r->size, r->size_name,
                                  poni_section_name(im, s), s->sh_size);
    return err;
}

static int
rules_check(const struct poni_image *im)
{
    int err = 0;

    for (unsigned i = 0; i < sizeof rules / sizeof *rules && err == 0; i++)
        err = rule_check(im, &rules[i]);
    if (err == 0 && poni_dynamic_find(im, DT_HASH) == NULL)
        err = poni_dynamic_find(im, DT_GNU_HASH) != NULL
                  ? 0
                  : poni_image_refuse(
                        im, ".dynamic: wanted DT_GNU_HASH or DT_HASH, "
                            "found neither");
    return err;
}

/* What is run at load and at exit is the start of .init and of .fini. */
static int
routine_check(const struct poni_image *im, uint64_t tag, const char *name,
              const char *section)
{
    const ElfW(Dyn) *d = poni_dynamic_find(im, tag);
    const ElfW(Shdr) *s = NULL;

    while ((s = poni_section_next(im, s, SHT_PROGBITS)) != NULL &&
           strcmp(poni_section_name(im, s), section) != 0)
        ;
    if (s != NULL)
        return poni_dynamic_expect(im, tag, name, section, s->sh_addr);
    return d == NULL ? 0 : poni_dynamic_forbid(im, tag, name);
}

/* The table that procedure linkage uses: the start of a section. */
static int
linkage_check(const struct poni_image *im)
{
    const ElfW(Dyn) *d = poni_dynamic_find(im, DT_PLTGOT);
    const ElfW(Shdr) *s = NULL;

    if (d == NULL)
        return 0;
    while ((s = poni_section_next(im, s, SHT_PROGBITS)) != NULL)
        if (s->sh_addr == d->d_un.d_ptr)
            return 0;
    return poni_image_refuse(
        im,
        ".dynamic: DT_PLTGOT: wanted the start of a section, "
        "found 0x%" PRIx64,
        (uint64_t)d->d_un.d_ptr);
}

/* ---- strings and versions ---- */

static int
strings_read(struct poni_image *im)
{
    const ElfW(Shdr) *symbols = poni_section_next(im, NULL, SHT_DYNSYM), *s;
    int err;

    if (symbols == NULL || symbols->sh_link >= im->elf.header.e_shnum)
        return poni_image_refuse(im, "wanted section .dynsym, found none");
    s = &im->sections[symbols->sh_link];
    if (s->sh_type != SHT_STRTAB || !(s->sh_flags & SHF_ALLOC))
        return poni_image_refuse(im, "wanted section .dynstr, found none");
    err = poni_dynamic_expect(im, DT_STRTAB, "DT_STRTAB",
                              poni_section_name(im, s), s->sh_addr);
    if (err == 0)
        err = poni_dynamic_expect(im, DT_STRSZ, "DT_STRSZ",
                                  poni_section_name(im, s), s->sh_size);
    if (err == 0)
        err = poni_dynamic_expect(im, DT_SYMENT, "DT_SYMENT", "of a symbol",
                                  sizeof(ElfW(Sym)));
    return err < 0 ? err
                   : poni_section_strings(im, s, ".dynstr", &im->strings,
                                          &im->strings_size);
}

static int
entry_is_string(uint64_t tag)
{
    return entry_may_repeat(tag) || tag == DT_SONAME || tag == DT_RPATH ||
           tag == DT_RUNPATH || tag == DT_CONFIG || tag == DT_DEPAUDIT ||
           tag == DT_AUDIT;
}

static int
strings_check(const struct poni_image *im)
{
    for (unsigned i = 0; i < im->entry_count; i++) {
        uint64_t tag = (uint64_t)im->entries[i].d_tag;
        uint64_t at = im->entries[i].d_un.d_val;

        if (!entry_is_string(tag))
            continue;
        if (at >= im->strings_size || im->strings[at] == '\0')
            return poni_image_refuse(im,
                                     ".dynamic: tag 0x%" PRIx64
                                     ": wanted a string in the 0x%" PRIx64
                                     " bytes of .dynstr, found 0x%" PRIx64,
                                     tag, im->strings_size, at);
        if (strnlen(im->strings + at, IMAGE_TEXT_BYTES) == IMAGE_TEXT_BYTES)
            return poni_image_refuse(im,
                                     ".dynamic: tag 0x%" PRIx64
                                     ": wanted a string of fewer than %d "
                                     "bytes, found a longer one",
                                     tag, IMAGE_TEXT_BYTES);
    }
    return 0;
}

static int
file_is_needed(const struct poni_image *im, const char *name)
{
    for (unsigned i = 0; i < im->entry_count; i++)
        if (im->entries[i].d_tag == DT_NEEDED &&
            strcmp(im->strings + im->entries[i].d_un.d_val, name) == 0)
            return 1;
    return 0;
}

/* Each file of which versions are wanted is one that is loaded first: the
 * loader aborts otherwise. */
static int
versions_walk(const struct poni_image *im, const char *bytes, uint64_t size)
{
    uint64_t at = 0;

    for (unsigned n = 0; n < VERSIONS_MAX; n++) {
        ElfW(Verneed) need;

        if (at > size || size - at < sizeof need)
            return poni_image_refuse(im,
                                     "a list of versions leaves its section");
        memcpy(&need, bytes + at, sizeof need);
        if (need.vn_file >= im->strings_size ||
            !file_is_needed(im, im->strings + need.vn_file))
            return poni_image_refuse(
                im,
                "versions of \"%.60s\" are wanted, which no DT_NEEDED names",
                need.vn_file < im->strings_size ? im->strings + need.vn_file
                                                : "?");
        if (need.vn_next == 0)
            return 0;
        at += need.vn_next;
    }
    return poni_image_refuse(im, "versions of more than %d files are wanted",
                             VERSIONS_MAX);
}

static int
versions_check(const struct poni_image *im)
{
    const ElfW(Shdr) *s = poni_section_next(im, NULL, SHT_GNU_verneed);
    char *bytes = NULL;
    int err;

    if (s == NULL)
        return 0;
    err = poni_section_read(im, s, "the table of versions", &bytes);
    if (err == 0)
        err = versions_walk(im, bytes, s->sh_size);
    free(bytes);
    return err;
}

/* ---- what the loader declines ---- */

static int
flags_check(const struct poni_image *im)
{
    uint64_t flags = poni_dynamic_value(im, DT_FLAGS_1);

    if (flags & DF_1_PIE)
        return poni_refuse(im->elf.reason, -ENOEXEC,
                           "is a program; wanted a shared object: link with "
                           "-shared");
    if (flags & DF_1_NOOPEN)
        return poni_refuse(im->elf.reason, -ENOEXEC,
                           "says that it cannot be loaded by dlopen(3); link "
                           "without -z nodlopen");
    return 0;
}

/* ---- the whole ---- */

int
poni_dynamic_check(struct poni_image *im)
{
    int err = rules_check(im);

    if (err == 0)
        err = routine_check(im, DT_INIT, "DT_INIT", ".init");
    if (err == 0)
        err = routine_check(im, DT_FINI, "DT_FINI", ".fini");
    if (err == 0)
        err = linkage_check(im);
    if (err == 0)
        err = strings_read(im);
    if (err == 0)
        err = strings_check(im);
    if (err == 0)
        err = versions_check(im);
    if (err == 0)
        err = poni_relocations_check(im);
    return err < 0 ? err : flags_check(im);
}
