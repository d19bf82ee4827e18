/* SPDX-License-Identifier: MIT */
/*
 * tests/note_test.c - reading the note of files that are no friends.
 *
 * Each hostile file is the good plugin with some bytes changed, so that it is
 * wrong in one thing only.
 */

#include "core/note.h"
#include "scratch.h"

#include <elf.h>
#include <errno.h>
#include <link.h>

/* The bytes of the good plugin, to be changed. */
static char *image;
static size_t image_size;
static size_t note_end; // where the note ends in it

static ElfW(Ehdr) * header(void)
{
    return (ElfW(Ehdr) *)(void *)image;
}

static ElfW(Phdr) * program_header(unsigned i)
{
    return (ElfW(Phdr) *)(void *)(image + header()->e_phoff) + i;
}

/* The program header of the segment that has our note. */
static ElfW(Phdr) * note_header(void)
{
    for (unsigned i = 0; i < header()->e_phnum; i++) {
        ElfW(Phdr) *p = program_header(i);

        if (p->p_type == PT_NOTE &&
            memmem(image + p->p_offset, p->p_filesz, PONS_NOTE_OWNER, 5))
            return p;
    }
    exit(1);
}

static struct pons_note *
note(void)
{
    ElfW(Phdr) *p = note_header();
    char *owner = memmem(image + p->p_offset, p->p_filesz, PONS_NOTE_OWNER, 5);

    return (struct pons_note *)(void *)(owner -
                                        offsetof(struct pons_note, owner));
}

static void
load_image(void)
{
    char *path = scratch_sample("good");

    free(image);
    image = scratch_read(path, &image_size);
    free(path);
    note_end = (size_t)((char *)(note() + 1) - image);
}

static int
read_fd(int fd, struct poni_note *out, struct pons_reason *reason)
{
    reason->text[0] = '\0';
    return poni_note_read(fd, out, reason);
}

static int
read_at(const char *path, struct poni_note *out, struct pons_reason *reason)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

    CHECK(fd >= 0);
    err = read_fd(fd, out, reason);
    close(fd);
    return err;
}

/* The first `size` bytes of the image as an open file. Behind the note there
 * are zeros: only the loader would look there. */
static int
open_image(size_t size)
{
    char *path =
        scratch_bytes("image.so", image, size < note_end ? size : note_end);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, (off_t)size), 0);
    free(path);
    return fd;
}

static int
read_image(size_t size, struct poni_note *out, struct pons_reason *reason)
{
    int fd = open_image(size);
    int err = read_fd(fd, out, reason);

    close(fd);
    return err;
}

/* The image, as it has been changed, is refused with this; and is good again.
 */
static void
check_refused(int err, const char *part)
{
    struct pons_reason reason;
    struct poni_note out;
    int got = read_image(image_size, &out, &reason);

    CHECK_HAS(reason.text, part);
    CHECK_EQ(got, err);
    load_image();
}

static void
a_good_note_is_read(void)
{
    struct pons_reason reason;
    struct poni_note out;

    load_image();
    CHECK_EQ(read_image(image_size, &out, &reason), 0);
    CHECK_EQ(strcmp(out.raw.name, "sample"), 0);
    CHECK_EQ(strcmp(out.raw.version, "1.0"), 0);
    CHECK_EQ(strcmp(out.raw.licence, "MIT"), 0);
    CHECK_EQ(out.raw.abi_max, PONS_ABI);
    CHECK_EQ(out.engine_count, 1);
    CHECK_EQ(out.engines[0].kind, PONS_KIND_POLLER);
    CHECK_EQ(strcmp(out.engines[0].name, "sample"), 0);
}

static void
a_note_names_several_engines(void)
{
    struct pons_reason reason;
    struct poni_note out;
    char *path = scratch_sample("two");

    CHECK_EQ(read_at(path, &out, &reason), 0);
    CHECK_EQ(out.engine_count, 3);
    CHECK_EQ(out.engines[1].kind, PONS_KIND_POOL);
    CHECK_EQ(strcmp(out.engines[1].name, "other"), 0);
    free(path);
}

/* Where the last byte is that the loader maps. */
static size_t
mapped_end(void)
{
    size_t end = 0;

    for (unsigned i = 0; i < header()->e_phnum; i++) {
        const ElfW(Phdr) *p = program_header(i);

        if (p->p_type == PT_LOAD && p->p_offset + p->p_filesz > end)
            end = p->p_offset + p->p_filesz;
    }
    return end;
}

/* Nor the loader, which would map what is not there: it is refused before. One
 * file, from the whole of it down to nothing. */
static void
no_prefix_of_a_plugin_crashes_the_reader(void)
{
    struct pons_reason reason;
    struct poni_note out;
    size_t end;
    int fd;

    load_image();
    end = mapped_end();
    CHECK(end > note_end);
    fd = open_image(end);
    CHECK_EQ(read_fd(fd, &out, &reason), 0);
    for (size_t size = end; size > 0; size -= size > note_end + 61 ? 61 : 1) {
        int err;

        CHECK_EQ(ftruncate(fd, (off_t)size - 1), 0);
        err = read_fd(fd, &out, &reason);
        CHECK_EQ(err, -ENOEXEC);
        CHECK_HAS(reason.text, size - 1 < 4 ? "is no ELF file" : "truncated");
    }
    close(fd);
}

/* Refused or read, but never a crash; the sanitizers watch. */
static void
check_byte(int fd, size_t at, unsigned char value)
{
    struct pons_reason reason;
    struct poni_note out;

    CHECK_EQ(pwrite(fd, &value, 1, (off_t)at), 1);
    if (read_fd(fd, &out, &reason) == 0)
        CHECK(strnlen(out.raw.engines, sizeof out.raw.engines) <
              sizeof out.raw.engines);
    else
        CHECK(reason.text[0] != '\0');
}

/* Any byte of the headers and of the note, changed to a few bad values, in one
 * file. */
static void
no_changed_byte_crashes_the_reader(void)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    int fd;

    load_image();
    fd = open_image(image_size);
    for (size_t at = 0; at < note_end; at++) {
        for (unsigned i = 0; i < sizeof values; i++)
            check_byte(fd, at, values[i]);
        check_byte(fd, at, (unsigned char)image[at]);
    }
    close(fd);
}

static void
a_file_for_another_machine_is_refused(void)
{
    load_image();
    header()->e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64;
    check_refused(-ENOEXEC, "ELF class");
    header()->e_ident[EI_DATA] ^= 3;
    check_refused(-ENOEXEC, "ELF byte order");
    header()->e_machine = EM_68K;
    check_refused(-ENOEXEC, "ELF machine");
    header()->e_type = ET_EXEC;
    check_refused(-ENOEXEC, "ELF type");
    image[0] = '#';
    check_refused(-ENOEXEC, "is no ELF file");
}

static void
offsets_and_sizes_that_lie_are_refused(void)
{
    load_image();
    header()->e_phoff = image_size - 8;
    check_refused(-ENOEXEC, "truncated: program headers");
    header()->e_phoff = (ElfW(Off)) - 64;
    check_refused(-ENOEXEC, "truncated: program headers");
    header()->e_phnum = 65535;
    check_refused(-ENOEXEC, "program headers: wanted at most 64");
    header()->e_phentsize = 8;
    check_refused(-ENOEXEC, "program headers: wanted at most 64");
    note_header()->p_offset = image_size;
    check_refused(-ENOEXEC, "truncated: note segment");
    note_header()->p_offset = (ElfW(Off)) - 1;
    check_refused(-ENOEXEC, "truncated: note segment");
    note_header()->p_filesz = (ElfW(Off)) - 1;
    check_refused(-ENOEXEC, "a note segment of");
    note_header()->p_filesz = 65536;
    check_refused(-ENOEXEC, "truncated: note segment");
    note_header()->p_filesz =
        (ElfW(Off))((char *)note() - image) + 8 - note_header()->p_offset;
    check_refused(-ENOEXEC, "truncated: a note header of 8 bytes");
    note()->owner_size = 0xfffffff0;
    check_refused(-ENOEXEC, "truncated: a note of");
    note()->text_size = 0xffffffff;
    check_refused(-ENOEXEC, "truncated: a note of");
}

/* Program headers that lie over the ELF header, and two that name one note. */
static void
headers_that_overlap_are_read_within_bounds(void)
{
    struct pons_reason reason;
    struct poni_note out;

    load_image();
    header()->e_phoff = 0;
    CHECK(read_image(image_size, &out, &reason) < 0);
    CHECK(reason.text[0] != '\0');
    load_image();
    CHECK(header()->e_phnum > 1);
    *program_header(0) = *note_header();
    check_refused(-EINVAL, "has 2 Pons notes");
}

static void
a_note_that_is_wrong_is_refused_with_its_field(void)
{
    load_image();
    note()->text_size -= 4;
    check_refused(-EINVAL, "truncated note: wanted 264 bytes, found 260");
    note()->type = 2;
    check_refused(-ENOENT, "has no Pons note");
    memcpy(note()->owner, "Pont", 5);
    check_refused(-ENOENT, "has no Pons note");
    memset(note()->name, 0, sizeof note()->name);
    check_refused(-EINVAL, "note: name");
    memset(note()->name, 'x', sizeof note()->name);
    check_refused(-EINVAL, "note: name");
    note()->name[20] = 'x';
    check_refused(-EINVAL, "note: name");
    note()->name[1] = '/';
    check_refused(-EINVAL, "is no name");
    memset(note()->version, 0, sizeof note()->version);
    check_refused(-EINVAL, "note: version");
    note()->version[1] = '\n';
    check_refused(-EINVAL, "note: version");
    note()->licence[0] = '\x1b';
    check_refused(-EINVAL, "note: licence");
    memset(note()->engines, 'x', sizeof note()->engines);
    check_refused(-EINVAL, "note: engines");
    memcpy(note()->engines, "poller:a,poller:a", 17);
    check_refused(-EINVAL, "\"a\" stands twice");
    memcpy(note()->engines, "poller:a,,pool:a", 16);
    check_refused(-EINVAL, "wanted reactor:NAME");
    memcpy(note()->engines, "poller:a:b\0\0\0\0", 14);
    check_refused(-EINVAL, "is no name");
    note()->reserved[3] = 1;
    check_refused(-EINVAL, "reserved[3]: wanted 0, found 1");
    note()->abi_min = note()->abi_max + 1;
    check_refused(-EINVAL, "is above abi_max");
}

static void
a_plugin_without_one_good_note_is_refused(void)
{
    static const struct {
        const char *sample;
        int err;
        const char *part;
    } wrong[] = {
        {"no_note", -ENOENT, "has no Pons note"},
        {"two_notes", -EINVAL, "has 2 Pons notes"},
        {"note_kind", -EINVAL, "\"engine:sample\"; wanted reactor:NAME"},
        {"note_auto", -EINVAL, "\"auto\" is no name"},
        {"note_path", -EINVAL, "\"../sample\" is no name"},
        {"note_reserved", -EINVAL, "reserved[2]: wanted 0, found 1"},
    };
    struct pons_reason reason;
    struct poni_note out;

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *path = scratch_sample(wrong[i].sample);

        CHECK_EQ(read_at(path, &out, &reason), wrong[i].err);
        CHECK_HAS(reason.text, wrong[i].part);
        free(path);
    }
}

static void
a_library_that_is_no_plugin_has_no_note(void)
{
    struct pons_reason reason;
    struct poni_note out;

    CHECK_EQ(read_at("/proc/self/exe", &out, &reason) < 0, 1);
    CHECK(reason.text[0] != '\0');
}

static const struct unit_test tests[] = {
    {"a_good_note_is_read", a_good_note_is_read},
    {"a_note_names_several_engines", a_note_names_several_engines},
    {"no_prefix_of_a_plugin_crashes_the_reader",
     no_prefix_of_a_plugin_crashes_the_reader},
    {"no_changed_byte_crashes_the_reader", no_changed_byte_crashes_the_reader},
    {"a_file_for_another_machine_is_refused",
     a_file_for_another_machine_is_refused},
    {"offsets_and_sizes_that_lie_are_refused",
     offsets_and_sizes_that_lie_are_refused},
    {"headers_that_overlap_are_read_within_bounds",
     headers_that_overlap_are_read_within_bounds},
    {"a_note_that_is_wrong_is_refused_with_its_field",
     a_note_that_is_wrong_is_refused_with_its_field},
    {"a_plugin_without_one_good_note_is_refused",
     a_plugin_without_one_good_note_is_refused},
    {"a_library_that_is_no_plugin_has_no_note",
     a_library_that_is_no_plugin_has_no_note},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("note", tests, argc, argv);
}
