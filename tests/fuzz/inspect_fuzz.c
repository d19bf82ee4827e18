/* SPDX-License-Identifier: MIT */
/*
 * tests/fuzz/inspect_fuzz.c - `pons inspect`, of whatever libFuzzer makes of
 * the plugins of this build. .ci/fuzz runs it.
 *
 * A plugin is mostly padding and code, which nobody reads here. So half of the
 * time what is changed are the places where all the claims stand: the headers,
 * the tables that they name, and the dynamic section.
 */

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* ---- one file ---- */

/* A file that takes each input in turn, and has a path. */
static int
input_file(void)
{
    static int fd = -1;

    if (fd >= 0)
        return fd;
    fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) < 0 || !freopen("/dev/null", "w", stdout))
        abort();
    return fd;
}

static void
inspect(char *path, char *option)
{
    char name[] = "inspect";
    char *words[] = {name, path, option, NULL};
    void *values = calloc(1, inspect_command.values_size);
    int count = 0;

    if (options_read(inspect_command.options, name, values,
                     option != NULL ? 3 : 2, words, &count) != OPTIONS_READ ||
        count != 1 || inspect_command.run(values, count, words) > 1)
        abort();
    free(values);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = input_file();
    char path[32], json[] = "--json";

    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    inspect(path, NULL);
    inspect(path, json);
    return 0;
}

/* ---- where to change it ---- */

struct part {
    uint64_t at, size;
};

static struct part
part_of(const ElfW(Ehdr) * h, const ElfW(Phdr) * program, unsigned n)
{
    switch (n) {
    case 0:
        return (struct part){0, sizeof *h};
    case 1:
        return (struct part){h->e_phoff,
                             (uint64_t)h->e_phnum * sizeof *program};
    case 2:
        return (struct part){h->e_shoff,
                             (uint64_t)h->e_shnum * sizeof(ElfW(Shdr))};
    default:
        return (struct part){program->p_offset, program->p_filesz};
    }
}

/* One of the headers, of the tables, or of what a segment has that is not
 * loaded for its own sake: .dynamic, notes. */
static struct part
part_choose(const uint8_t *data, size_t size, unsigned seed)
{
    enum { PARTS = 8 };
    ElfW(Ehdr) h;
    ElfW(Phdr) p = {0};

    memcpy(&h, data, sizeof h);
    if (h.e_phnum > 0 && h.e_phoff < size &&
        (uint64_t)h.e_phnum * sizeof p <= size - h.e_phoff)
        memcpy(&p, data + h.e_phoff + seed / PARTS % h.e_phnum * sizeof p,
               sizeof p);
    return part_of(&h, &p, seed % PARTS);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                        unsigned seed)
{
    struct part part = {0, 0};

    if (size >= sizeof(ElfW(Ehdr)) && seed % 2 == 0)
        part = part_choose(data, size, seed / 2);
    if (part.size == 0 || part.at >= size || part.size > size - part.at)
        return LLVMFuzzerMutate(data, size, size_max);
    LLVMFuzzerMutate(data + part.at, part.size, part.size);
    return size;
}
