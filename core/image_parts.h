/* SPDX-License-Identifier: MIT */
#ifndef PONI_IMAGE_PARTS_H
#define PONI_IMAGE_PARTS_H

/*
 * core/image_parts.h - a file that is being checked: for core/image.c (sections
 * and segments), core/dynamic.c and core/relocations.c. All fail with the
 * reason.
 */

#include <elf.h>

#include "elf_file.h"
#include "image.h"

#ifndef SHT_RELR
#define SHT_RELR   19
#define DT_RELRSZ  35
#define DT_RELR    36
#define DT_RELRENT 37
#endif

struct poni_image {
    struct poni_elf elf;
    ElfW(Shdr) * sections; // owned; elf.header.e_shnum of them
    ElfW(Dyn) * entries;   // owned; of .dynamic, up to DT_NULL
    unsigned entry_count;
    char *names;   // owned; of the sections; the last byte is 0
    char *strings; // owned; of .dynamic; the last byte is 0
    uint64_t names_size, strings_size;
};

#define poni_image_refuse(im, ...) \
    poni_refuse((im)->elf.reason, -ENOEXEC, "is damaged: " __VA_ARGS__)

/* The loaded section after `last` (NULL: the first) of this type, or NULL. */
const ElfW(Shdr) * poni_section_next(const struct poni_image *im,
                                     const ElfW(Shdr) * last, uint32_t type);
const char *poni_section_name(const struct poni_image *im,
                              const ElfW(Shdr) * s);

/* The bytes of a section, which the caller frees. */
int poni_section_read(const struct poni_image *im, const ElfW(Shdr) * s,
                      const char *what, char **out);

/* The same of one with strings: its last byte ends the last of them. */
int poni_section_strings(const struct poni_image *im, const ElfW(Shdr) * s,
                         const char *what, char **out, uint64_t *size);

/* The PT_LOAD that has `size` bytes at `address`, in memory or (`in_file`) in
 * its part that the file has; or NULL. */
const ElfW(Phdr) * poni_segment_of(const struct poni_image *im,
                                   uint64_t address, uint64_t size,
                                   int in_file);

/* Reads the entries; compares them with the sections. */
int poni_dynamic_read(struct poni_image *im);
int poni_dynamic_check(struct poni_image *im);
int poni_relocations_check(const struct poni_image *im);

/* The entry with this tag, or NULL; and its value, or 0. */
const ElfW(Dyn) * poni_dynamic_find(const struct poni_image *im, uint64_t tag);
uint64_t poni_dynamic_value(const struct poni_image *im, uint64_t tag);

/* The entry is `wanted`, which is that of `wanted_of`; or it is not there. */
int poni_dynamic_expect(const struct poni_image *im, uint64_t tag,
                        const char *name, const char *wanted_of,
                        uint64_t wanted);
int poni_dynamic_forbid(const struct poni_image *im, uint64_t tag,
                        const char *name);

#endif /* PONI_IMAGE_PARTS_H */
