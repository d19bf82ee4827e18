/* SPDX-License-Identifier: MIT */
/*
 * core/relocations.c - the entries of .dynamic about relocations: where they
 * are, and how many of them the loader takes without a look.
 */

#include "image_parts.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>

#if __SIZEOF_POINTER__ == 8
#define R_SYMBOL(info) ELF64_R_SYM(info)
#define R_KIND(info)   ELF64_R_TYPE(info)
#else
#define R_SYMBOL(info) ELF32_R_SYM(info)
#define R_KIND(info)   ELF32_R_TYPE(info)
#endif

enum {
    COUNT_MAX = 4 << 20, // that are looked at: a hundred MiB; usual is some
                         // hundred, and of a browser's whole library 400,000
    CHUNK = 256,         // of them read at once
};

/* Bytes of relocations that three entries tell of. */
struct relocations {
    uint32_t type; // SHT_RELA or SHT_REL
    int named;     // one of the two entries is there
    const char *name;
    uint64_t address, size;
};

/* The range begins where such a section begins, and ends where one ends. */
static int
range_check(const struct poni_image *im, const struct relocations *r)
{
    const ElfW(Shdr) *s = NULL;
    int begins = 0, ends = 0;

    while ((s = poni_section_next(im, s, r->type)) != NULL) {
        begins |= s->sh_addr == r->address;
        ends |= s->sh_addr + s->sh_size == r->address + r->size;
    }
    if (!r->named || (r->size > 0 && begins && ends))
        return 0;
    return poni_image_refuse(im,
                             ".dynamic: %s: 0x%" PRIx64 " bytes at 0x%" PRIx64
                             " are no sections with relocations",
                             r->name, r->size, r->address);
}

/* No section of relocations is left out. */
static int
relocations_cover(const struct poni_image *im, uint32_t type,
                  const struct relocations *ranges)
{
    const ElfW(Shdr) *s = NULL;

    while ((s = poni_section_next(im, s, type)) != NULL) {
        int covered = 0;

        for (unsigned i = 0; i < 2; i++)
            covered |=
                ranges[i].type == type && s->sh_addr >= ranges[i].address &&
                s->sh_addr + s->sh_size <= ranges[i].address + ranges[i].size;
        if (!covered)
            return poni_image_refuse(
                im,
                ".dynamic: section %.40s, 0x%" PRIx64 " bytes at 0x%" PRIx64
                ": no entry names these relocations",
                poni_section_name(im, s), (uint64_t)s->sh_size,
                (uint64_t)s->sh_addr);
    }
    return 0;
}

/* How many of `some`, from the start, are of the first's type and have no
 * symbol. */
static unsigned
relocations_alike(const ElfW(Rela) * first, const ElfW(Rela) * some,
                  unsigned count)
{
    unsigned i = 0;

    while (i < count && R_SYMBOL(some[i].r_info) == 0 &&
           R_KIND(some[i].r_info) == R_KIND(first->r_info))
        i++;
    return i;
}

/* `count` of them, which are at `offset` of the file. */
static int
relocations_scan(const struct poni_image *im, uint64_t offset, uint64_t count)
{
    ElfW(Rela) some[CHUNK], first = {0};

    for (uint64_t i = 0; i < count;) {
        unsigned n = count - i < CHUNK ? (unsigned)(count - i) : CHUNK;
        unsigned alike;
        int err =
            poni_elf_read(&im->elf, "relocations", offset + i * sizeof *some,
                          some, n * sizeof *some);

        if (err < 0)
            return err;
        if (i == 0)
            first = some[0];
        alike = relocations_alike(&first, some, n);
        i += alike;
        if (alike < n)
            return poni_image_refuse(im,
                                     ".dynamic: DT_RELACOUNT: found %" PRIu64
                                     ", but relocation %" PRIu64 " is another",
                                     count, i);
    }
    return 0;
}

/* The first DT_RELACOUNT relocations are taken without a look at their type:
 * all must be of one, and have no symbol. */
static int
relocations_check_count(const struct poni_image *im,
                        const struct relocations *r)
{
    uint64_t count = poni_dynamic_value(im, DT_RELACOUNT);
    const ElfW(Phdr) *p = poni_segment_of(im, r->address, r->size, 1);

    if (count == 0)
        return 0;
    if (count > r->size / sizeof(ElfW(Rela)) || p == NULL)
        return poni_image_refuse(im,
                                 ".dynamic: DT_RELACOUNT: found %" PRIu64
                                 ", more than there are relocations",
                                 count);
    if (count > COUNT_MAX)
        return poni_image_refuse(im,
                                 ".dynamic: DT_RELACOUNT: wanted at most %d, "
                                 "found %" PRIu64,
                                 COUNT_MAX, count);
    return relocations_scan(im, p->p_offset + (r->address - p->p_vaddr), count);
}

/* Addresses, sizes and sizes of entries come together or not at all. */
static int
relocations_check_entries(const struct poni_image *im, uint32_t type)
{
    int err = 0;

    if (type == SHT_RELA && (poni_dynamic_find(im, DT_RELA) != NULL ||
                             poni_dynamic_find(im, DT_RELASZ) != NULL))
        err = poni_dynamic_expect(im, DT_RELAENT, "DT_RELAENT",
                                  "of a relocation", sizeof(ElfW(Rela)));
    if (type == SHT_REL && (poni_dynamic_find(im, DT_REL) != NULL ||
                            poni_dynamic_find(im, DT_RELSZ) != NULL))
        err = poni_dynamic_expect(im, DT_RELENT, "DT_RELENT", "of a relocation",
                                  sizeof(ElfW(Rel)));
    if (err == 0 && (poni_dynamic_find(im, DT_JMPREL) != NULL ||
                     poni_dynamic_find(im, DT_PLTREL) != NULL))
        err = poni_dynamic_expect(im, DT_PLTREL, "DT_PLTREL",
                                  "kind of relocations",
                                  type == SHT_RELA ? DT_RELA : DT_REL);
    if (err == 0 && poni_section_next(im, NULL, SHT_RELR) != NULL)
        err = poni_dynamic_expect(im, DT_RELRENT, "DT_RELRENT",
                                  "of a relocation", sizeof(ElfW(Addr)));
    return err;
}

static struct relocations
relocations_of(const struct poni_image *im, uint32_t type, const char *name,
               uint64_t address, uint64_t size)
{
    return (struct relocations){
        .type = type,
        .named = poni_dynamic_find(im, address) != NULL ||
                 poni_dynamic_find(im, size) != NULL,
        .name = name,
        .address = poni_dynamic_value(im, address),
        .size = poni_dynamic_value(im, size),
    };
}

int
poni_relocations_check(const struct poni_image *im)
{
    /* A machine has relocations of one kind, in .dynamic as in sections. */
    int rela = poni_section_next(im, NULL, SHT_REL) == NULL;
    uint32_t type = rela ? SHT_RELA : SHT_REL;
    const struct relocations ranges[] = {
        rela ? relocations_of(im, type, "DT_RELA", DT_RELA, DT_RELASZ)
             : relocations_of(im, type, "DT_REL", DT_REL, DT_RELSZ),
        relocations_of(im, type, "DT_JMPREL", DT_JMPREL, DT_PLTRELSZ),
    };
    int err = rela ? poni_dynamic_forbid(im, DT_REL, "DT_REL")
                   : poni_dynamic_forbid(im, DT_RELA, "DT_RELA");

    for (unsigned i = 0; i < 2 && err == 0; i++)
        err = range_check(im, &ranges[i]);
    if (err == 0)
        err = relocations_cover(im, type, ranges);
    if (err == 0)
        err = relocations_check_entries(im, type);
    return err < 0 || !rela ? err : relocations_check_count(im, &ranges[0]);
}
