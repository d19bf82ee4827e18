/* SPDX-License-Identifier: MIT */
/*
 * core/elf_file.c - see core/elf_file.h.
 */

#include "elf_file.h"

#include "fail.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int
file_has(const struct poni_elf *f, uint64_t offset, uint64_t size)
{
    return size <= f->size && offset <= f->size - size;
}

int
poni_elf_read(const struct poni_elf *f, const char *what, uint64_t offset,
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
header_check(const struct poni_elf *f)
{
    const ElfW(Ehdr) *h = &f->header;
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
    if (h->e_phentsize != sizeof(ElfW(Phdr)) || h->e_phnum > ELF_HEADERS_MAX)
        return poni_refuse(f->reason, -ENOEXEC,
                           "program headers: wanted at most %d of %zu bytes, "
                           "found %d of %d",
                           ELF_HEADERS_MAX, sizeof(ElfW(Phdr)), h->e_phnum,
                           h->e_phentsize);
    return 0;
}

/*
 * What the loader would map must be in the file: behind its end a mapping is
 * there and every touch of it is a SIGBUS, in the loader, before any code of
 * ours.
 */
static int
segment_is_whole(const struct poni_elf *f, const ElfW(Phdr) * p)
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
header_read(struct poni_elf *f)
{
    int err = poni_elf_read(f, "ELF header", 0, &f->header, sizeof f->header);

    return err < 0 ? err : header_check(f);
}

static int
program_read(struct poni_elf *f)
{
    int err = poni_elf_read(f, "program headers", f->header.e_phoff, f->program,
                            (uint64_t)f->header.e_phnum * sizeof *f->program);

    for (unsigned i = 0; i < f->header.e_phnum && err == 0; i++)
        err = segment_is_whole(f, &f->program[i]);
    return err;
}

/* An open file that begins as an ELF file does. */
static int
file_begin(struct poni_elf *f, int fd, struct pons_reason *reason)
{
    char magic[SELFMAG];
    struct stat st;
    int err;

    f->fd = fd;
    f->reason = reason;
    if (fstat(fd, &st) < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    f->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (f->size < SELFMAG)
        return poni_refuse(reason, -ENOEXEC,
                           "is no ELF file: it has %" PRIu64 " bytes", f->size);
    err = poni_elf_read(f, "ELF header", 0, magic, sizeof magic);
    if (err == 0 && memcmp(magic, ELFMAG, SELFMAG) != 0)
        err = poni_refuse(reason, -ENOEXEC,
                          "is no ELF file; wanted a shared object");
    return err;
}

int
poni_elf_open(struct poni_elf *f, int fd, struct pons_reason *reason)
{
    int err = file_begin(f, fd, reason);

    if (err == 0)
        err = header_read(f);
    return err < 0 ? err : program_read(f);
}

/* ---- of any machine ---- */

static const char *
machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "arm";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_PPC:
        return "ppc";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390";
    case EM_MIPS:
        return "mips";
    case EM_SPARCV9:
        return "sparc64";
    default:
        return NULL;
    }
}

static const char *
type_name(unsigned type)
{
    static const char *const names[] = {
        [ET_REL] = "object file",
        [ET_EXEC] = "program",
        [ET_DYN] = "shared object",
        [ET_CORE] = "core dump",
    };

    return type < sizeof names / sizeof *names ? names[type] : NULL;
}

static unsigned
half_word(const unsigned char *bytes, int big_endian)
{
    return big_endian ? (unsigned)bytes[0] << 8 | bytes[1]
                      : (unsigned)bytes[1] << 8 | bytes[0];
}

int
poni_elf_identify(struct poni_elf_identity *out, int fd,
                  struct pons_reason *reason)
{
    unsigned char bytes[EI_NIDENT + 4]; // e_type and e_machine behind e_ident
    struct poni_elf f;
    int err = file_begin(&f, fd, reason);

    if (err == 0)
        err = poni_elf_read(&f, "ELF header", 0, bytes, sizeof bytes);
    if (err < 0)
        return err;
    out->bits = bytes[EI_CLASS] == ELFCLASS32   ? 32
                : bytes[EI_CLASS] == ELFCLASS64 ? 64
                                                : 0;
    out->big_endian = bytes[EI_DATA] == ELFDATA2MSB   ? 1
                      : bytes[EI_DATA] == ELFDATA2LSB ? 0
                                                      : -1;
    out->type = half_word(bytes + EI_NIDENT, out->big_endian == 1);
    out->machine = half_word(bytes + EI_NIDENT + 2, out->big_endian == 1);
    out->type_name = type_name(out->type);
    out->machine_name = machine_name(out->machine);
    return 0;
}
