/* SPDX-License-Identifier: MIT */
#ifndef PONI_ELF_FILE_H
#define PONI_ELF_FILE_H

/*
 * core/elf_file.h - an ELF file that may be anything: its headers, and bounded
 * reads.
 *
 * Every offset and size in it is a claim. Each is compared with the size of the
 * file, in 64 bits and without a sum that could wrap, before it is used; and
 * what is read is copied with pread(2), since a file that is mapped and then
 * truncated by its owner would kill the process.
 */

#include <link.h>
#include <stdint.h>

#include "pons/plugin.h"

enum {
    ELF_HEADERS_MAX = 64, // program headers; linkers write about ten
};

/* An open file, as it was when the reading began. */
struct poni_elf {
    int fd; // borrowed
    uint64_t size;
    struct pons_reason *reason; // borrowed; gets what is wrong
    ElfW(Ehdr) header;
    ElfW(Phdr) program[ELF_HEADERS_MAX]; // header.e_phnum of them
};

/* What an ELF file says of itself in its first bytes, be it for this machine or
 * for another. */
struct poni_elf_identity {
    unsigned bits;            // 32, 64; 0: neither
    int big_endian;           // -1: neither that nor little
    unsigned machine;         // EM_
    unsigned type;            // ET_
    const char *machine_name; // static; NULL: not one that Pons has a name for
    const char *type_name;    // static; NULL: likewise
};

/* -ENOEXEC, -EIO with the reason. */
int poni_elf_identify(struct poni_elf_identity *out, int fd,
                      struct pons_reason *reason);

/*
 * Reads the headers of a shared object for this machine, all of whose segments
 * are in the file. -ENOEXEC, -EIO with the reason.
 */
int poni_elf_open(struct poni_elf *f, int fd, struct pons_reason *reason);

/* All `size` bytes at `offset`. -ENOEXEC ("truncated: `what`"), -EIO. */
int poni_elf_read(const struct poni_elf *f, const char *what, uint64_t offset,
                  void *out, uint64_t size);

#endif /* PONI_ELF_FILE_H */
