/* SPDX-License-Identifier: MIT */
/*
 * tests/image_test.c - files that would crash the system's loader.
 *
 * Plugins of this build, with some bytes changed. What is refused is refused in
 * this process; what is accepted is loaded, entered, opened and ended in a
 * child, which must end by itself. Behind the check nothing may crash: not only
 * dlopen(3), but also what runs in the plugin, on what it made of the file.
 */

#include "core/catalog.h"
#include "core/fail.h"
#include "core/fiber.h"
#include "core/image.h"
#include "on_valgrind.h"
#include "scratch.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/wait.h>

#ifndef TEST_PLUGIN_DIR
#define TEST_PLUGIN_DIR "/nowhere" // a static build has no shared objects
#endif

/* A process with a sanitizer takes long to fork: there the check itself is what
 * is watched, and few of the files are used. */
#if defined(PONI_ASAN) || defined(PONI_TSAN)
#define USED_OF 64
#else
#define USED_OF 1
#endif

enum {
    SOURCES = 3,       // plugins that are garbled
    GARBLED = 3000,    // of each, by chance
    SEED = 0x506f6e73, // "Pons"; the same files each time
    SPARSE = 7,        // of so many one, where each takes 40 ms
};

static size_t
stride(void)
{
    return RUNNING_ON_VALGRIND ? SPARSE : 1;
}

/* The bytes of a plugin, and the file that they are in. */
static char *image;
static size_t image_size;
static char *path;
static int file = -1;

static ElfW(Ehdr) * header(void)
{
    return (ElfW(Ehdr) *)(void *)image;
}

static ElfW(Phdr) * segment(uint32_t type)
{
    ElfW(Phdr) *p = (ElfW(Phdr) *)(void *)(image + header()->e_phoff);

    while (p->p_type != type)
        p++;
    return p;
}

static ElfW(Shdr) * section(uint32_t type)
{
    ElfW(Shdr) *s = (ElfW(Shdr) *)(void *)(image + header()->e_shoff);

    while (s->sh_type != type)
        s++;
    return s;
}

/* The entries of .dynamic. */
static ElfW(Dyn) * entries(void)
{
    return (ElfW(Dyn) *)(void *)(image + segment(PT_DYNAMIC)->p_offset);
}

static ElfW(Dyn) * entry(ElfW(Sxword) tag)
{
    ElfW(Dyn) *d = entries();

    while (d->d_tag != tag && d->d_tag != DT_NULL)
        d++;
    CHECK_EQ(d->d_tag, tag);
    return d;
}

/* The entry that names the library `name`. */
static ElfW(Dyn) * needed(const char *name)
{
    const ElfW(Shdr) *s = section(SHT_DYNSYM), *all;
    ElfW(Dyn) *d = entries();

    all = (ElfW(Shdr) *)(void *)(image + header()->e_shoff);
    s = all + s->sh_link;
    while (d->d_tag != DT_NULL &&
           (d->d_tag != DT_NEEDED ||
            strcmp(image + s->sh_offset + d->d_un.d_val, name) != 0))
        d++;
    CHECK_EQ(d->d_tag, DT_NEEDED);
    return d;
}

/* Bytes of .dynamic with its end; behind that nobody looks. */
static size_t
entries_size(void)
{
    ElfW(Dyn) *d = entries();

    while (d->d_tag != DT_NULL)
        d++;
    return (size_t)((char *)(d + 1) - (char *)entries());
}

static void
take(int source)
{
    static const char *const names[SOURCES - 1] = {"epoll", "elastic"};
    char *from;

    if (source == 0)
        from = scratch_sample("good");
    else
        CHECK(asprintf(&from, "%s/%s.so", TEST_PLUGIN_DIR, names[source - 1]) >
              0);
    if (access(from, F_OK) != 0)
        SKIP("there is no %s", from);
    free(image);
    image = scratch_read(from, &image_size);
    free(from);
    free(path);
    path = scratch_bytes("image.so", image, image_size);
    if (file >= 0)
        close(file);
    file = open(path, O_RDWR | O_CLOEXEC);
    CHECK(file >= 0);
}

static void
leave(void)
{
    close(file);
    file = -1;
}

/* Writes what has been changed in `size` bytes at `at` of the image. */
static void
write_back(size_t at, size_t size)
{
    CHECK_EQ(pwrite(file, image + at, size, (off_t)at), size);
}

static int
check(struct pons_reason *reason)
{
    reason->text[0] = '\0';
    return poni_image_check(file, reason);
}

/* As a program does that was told to use it, to the end. */
static void
use(void)
{
    struct pons_settings given = {.size = sizeof given,
                                  .flags = PONS_NO_ENVIRONMENT};
    struct poni_settings settings;
    struct poni_catalog *catalog;
    struct poni_entry *e;
    struct pons_reason reason;

    if (poni_settings_read(&settings, &given) == 0 &&
        poni_catalog_open(&catalog, &settings) == 0) {
        if (poni_catalog_file(catalog, "test", path, &e) == 0)
            (void)poni_entry_probe(e, &reason);
        poni_catalog_close(catalog);
        poni_settings_fini(&settings);
    }
}

/* The file as it stands is refused, or can be used. 1: the latter. */
static int
survive(size_t at, const char *what)
{
    static unsigned right;
    struct pons_reason reason;
    int status;
    pid_t child;

    if (check(&reason) < 0) {
        CHECK(reason.text[0] != '\0');
        return 0;
    }
    if (right++ % USED_OF != 0)
        return 1;
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        use();
        exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fprintf(stderr, "%s at byte %zu of %s: status 0x%x\n", what, at, path,
                status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 1;
}

/* Each bit of these bytes the other way, one at a time. How many were used. */
static unsigned
flip_each(size_t from, size_t size)
{
    unsigned used = 0;

    for (size_t at = from; at < from + size; at += stride())
        for (int bit = 0; bit < 8; bit++) {
            image[at] ^= (char)(1 << bit);
            write_back(at, 1);
            used += (unsigned)survive(at, "a bit");
            image[at] ^= (char)(1 << bit);
            write_back(at, 1);
        }
    return used;
}

static void
the_plugins_of_this_build_are_whole(void)
{
    struct pons_reason reason;

    for (int i = 0; i < SOURCES; i++) {
        take(i);
        if (check(&reason) < 0)
            fprintf(stderr, "%d: %s\n", i, reason.text);
        CHECK_EQ(check(&reason), 0);
        CHECK_EQ(survive(0, "nothing"), 1);
    }
    leave();
}

static void
no_flipped_bit_of_the_dynamic_section_crashes_the_loader(void)
{
    for (int i = 0; i < SOURCES; i++) {
        size_t size;
        unsigned used;

        take(i);
        size = entries_size();
        used = flip_each(segment(PT_DYNAMIC)->p_offset, size);
        CHECK(used > 0); // the value of the end means nothing
        CHECK(used < size * 4);
    }
    leave();
}

static void
no_flipped_bit_of_the_headers_crashes_the_loader(void)
{
    take(1);
    flip_each(0, sizeof(ElfW(Ehdr)));
    flip_each(header()->e_phoff, header()->e_phnum * sizeof(ElfW(Phdr)));
    leave();
}

/* xorshift64: the same numbers everywhere. */
static uint64_t
chance(void)
{
    static uint64_t x = SEED;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* A tag or a value that is like those that there are. */
static uint64_t
likely_word(void)
{
    static const uint64_t tags[] = {
        DT_NULL,     DT_NEEDED,    DT_HASH,   DT_REL,           DT_RELSZ,
        DT_RELENT,   DT_PLTREL,    DT_JMPREL, DT_PLTRELSZ,      DT_TEXTREL,
        DT_FLAGS,    DT_FLAGS_1,   DT_INIT,   DT_PREINIT_ARRAY, DT_SYMBOLIC,
        DT_RPATH,    DT_DEBUG,     DT_VERSYM, DT_VERDEF,        DT_VERNEED,
        DT_GNU_HASH, DT_AUXILIARY, DT_FILTER, 36 /* RELR */,
    };

    switch (chance() % 4) {
    case 0:
        return tags[chance() % (sizeof tags / sizeof *tags)];
    case 1:
        return chance() % 256;
    case 2:
        return chance() % image_size & ~(uint64_t)7;
    default:
        return chance();
    }
}

/* One to four words of .dynamic become others. */
static void
no_garbled_word_of_the_dynamic_section_crashes_the_loader(void)
{
    for (int i = 0; i < SOURCES; i++) {
        size_t at, size;
        char *saved;

        take(i);
        at = segment(PT_DYNAMIC)->p_offset;
        size = entries_size();
        saved = malloc(size);
        CHECK(saved != NULL);
        memcpy(saved, image + at, size);
        for (int n = 0; n < GARBLED; n += (int)stride()) {
            for (uint64_t words = 1 + chance() % 4; words > 0; words--) {
                ElfW(Addr) word = (ElfW(Addr))likely_word();

                memcpy(image + at +
                           chance() % (size / sizeof word) * sizeof word,
                       &word, sizeof word);
            }
            write_back(at, size);
            survive((size_t)n, "a word");
            memcpy(image + at, saved, size);
        }
        free(saved);
    }
    leave();
}

/* ---- what is said ---- */

static void
check_refused(const char *part)
{
    struct pons_reason reason;
    int err;

    write_back(0, image_size);
    err = check(&reason);
    CHECK_HAS(reason.text, part);
    CHECK_EQ(err, -ENOEXEC);
    take(1);
}

static void
a_wrong_entry_is_named_with_what_was_wanted(void)
{
    take(1);
    entry(DT_STRTAB)->d_un.d_ptr += 1;
    check_refused(".dynamic: DT_STRTAB: wanted 0x");
    entry(DT_STRSZ)->d_un.d_val -= 1;
    check_refused("(.dynstr), found 0x");
    entry(DT_SYMTAB)->d_un.d_ptr = 0;
    check_refused(".dynamic: DT_SYMTAB: wanted");
    entry(DT_SYMENT)->d_un.d_val = 16;
    check_refused(".dynamic: DT_SYMENT: wanted 0x18 (of a symbol), found 0x10");
    entry(DT_GNU_HASH)->d_tag = 0x12345678;
    check_refused(".dynamic: DT_GNU_HASH: wanted");
    entry(DT_INIT)->d_un.d_ptr += 4;
    check_refused(".dynamic: DT_INIT: wanted");
    entry(DT_INIT_ARRAYSZ)->d_un.d_val += 8;
    check_refused(".dynamic: DT_INIT_ARRAYSZ: wanted 0x");
    entry(DT_FINI_ARRAY)->d_tag = DT_PREINIT_ARRAY;
    check_refused(".dynamic: DT_FINI_ARRAY: wanted");
    entry(DT_RELASZ)->d_un.d_val -= 24;
    check_refused(".dynamic: DT_RELA: ");
    entry(DT_RELACOUNT)->d_un.d_val += 1;
    check_refused(".dynamic: DT_RELACOUNT: ");
    entry(DT_RELAENT)->d_un.d_val = 16;
    check_refused(".dynamic: DT_RELAENT: wanted 0x18");
    entry(DT_PLTREL)->d_un.d_val = DT_REL;
    check_refused(".dynamic: DT_PLTREL: wanted 0x7");
    entry(DT_JMPREL)->d_tag = DT_DEBUG;
    check_refused("DT_JMPREL");
    entry(DT_PLTGOT)->d_un.d_ptr += 8;
    check_refused(".dynamic: DT_PLTGOT: wanted the start of a section");
    entry(DT_VERSYM)->d_tag = 0x12345678;
    check_refused(".dynamic: DT_VERSYM: wanted");
    entry(DT_NEEDED)->d_un.d_val = 100000;
    check_refused(".dynamic: tag 0x1: wanted a string");
    needed("libc.so.6")->d_tag = 0x12345678;
    check_refused(
        "versions of \"libc.so.6\" are wanted, which no DT_NEEDED names");
    entry(DT_NEEDED)->d_tag = DT_NULL;
    check_refused(".dynamic: ");
    entry(DT_NEEDED)->d_tag = DT_STRTAB;
    check_refused(".dynamic has tag 0x5 twice");
    for (ElfW(Dyn) *d = entries();
         (char *)d < (char *)entries() + segment(PT_DYNAMIC)->p_filesz; d++)
        if (d->d_tag == DT_NULL)
            d->d_tag = 0x10000000 + (d - entries());
    check_refused(".dynamic has no end");
    leave();
}

static void
headers_that_contradict_each_other_are_refused(void)
{
    take(1);
    header()->e_shnum = 0;
    check_refused("has no section table");
    header()->e_shoff = image_size;
    check_refused("truncated: section table");
    segment(PT_DYNAMIC)->p_vaddr += 16;
    check_refused("is damaged: ");
    segment(PT_DYNAMIC)->p_type = PT_NULL;
    check_refused("wanted one dynamic segment");
    segment(PT_LOAD)->p_memsz = 0;
    check_refused("is damaged: a segment of 0x0 bytes");
    segment(PT_LOAD)->p_align = 3;
    check_refused("is damaged: a segment of");
    segment(PT_NOTE)->p_vaddr += 1 << 24;
    check_refused("is in no segment that is loaded");
    section(SHT_DYNSYM)->sh_addr += 1 << 24;
    check_refused("section .dynsym");
    section(SHT_FINI_ARRAY)->sh_type = SHT_INIT_ARRAY;
    check_refused("has two sections of type 0xe");
    leave();
}

/* ---- sizes that would keep the check busy ---- */

/* The last bytes of the file, `size` zeros, in a segment of their own; and the
 * section `s` is there. Their place in the file. */
static uint64_t
move_to_more(ElfW(Shdr) * s, uint64_t size)
{
    enum { PAGE = 65536, FAR = 1 << 28 };
    ElfW(Phdr) *p = segment(PT_GNU_STACK);

    *p = (ElfW(Phdr)){.p_type = PT_LOAD,
                      .p_flags = PF_R,
                      .p_offset = (image_size / PAGE + 1) * PAGE,
                      .p_vaddr = FAR,
                      .p_filesz = size,
                      .p_memsz = size,
                      .p_align = PAGE};
    CHECK_EQ(ftruncate(file, (off_t)(p->p_offset + size)), 0);
    s->sh_addr = p->p_vaddr;
    s->sh_offset = p->p_offset;
    s->sh_size = size;
    return p->p_offset;
}

static void
more_relocations_than_any_plugin_has_are_not_read(void)
{
    enum { COUNT = (4 << 20) + 1 };
    ElfW(Shdr) * s;

    take(1);
    s = section(SHT_RELA);
    move_to_more(s, COUNT * sizeof(ElfW(Rela)));
    entry(DT_RELA)->d_un.d_ptr = s->sh_addr;
    entry(DT_RELASZ)->d_un.d_val = s->sh_size;
    entry(DT_RELACOUNT)->d_un.d_val = COUNT;
    check_refused(
        ".dynamic: DT_RELACOUNT: wanted at most 4194304, found 4194305");
    leave();
}

static void
a_relocation_of_another_type_is_found_wherever_it_is(void)
{
    enum { COUNT = 1000 };
    ElfW(Rela) one = {.r_info = 8};
    ElfW(Shdr) * s;
    uint64_t at;

    for (unsigned other = 1; other < COUNT; other += 111) {
        take(1);
        s = section(SHT_RELA);
        at = move_to_more(s, COUNT * sizeof one);
        for (unsigned i = 0; i < COUNT; i++) {
            one.r_info = i == other ? 7 : 8;
            CHECK_EQ(
                pwrite(file, &one, sizeof one, (off_t)(at + i * sizeof one)),
                sizeof one);
        }
        entry(DT_RELA)->d_un.d_ptr = s->sh_addr;
        entry(DT_RELASZ)->d_un.d_val = s->sh_size;
        entry(DT_RELACOUNT)->d_un.d_val = other;
        write_back(0, image_size);
        CHECK_EQ(check(&(struct pons_reason){""}), 0);
        entry(DT_RELACOUNT)->d_un.d_val = COUNT;
        check_refused("relocation");
        leave();
    }
}

static void
versions_of_very_many_files_are_not_read(void)
{
    enum { FILES = 1025 };
    ElfW(Verneed) need;
    ElfW(Shdr) * s;
    uint64_t at;

    take(1);
    s = section(SHT_GNU_verneed);
    memcpy(&need, image + s->sh_offset, sizeof need);
    need.vn_next = sizeof need;
    at = move_to_more(s, FILES * sizeof need);
    for (unsigned i = 0; i < FILES; i++)
        CHECK_EQ(
            pwrite(file, &need, sizeof need, (off_t)(at + i * sizeof need)),
            sizeof need);
    entry(DT_VERNEED)->d_un.d_ptr = s->sh_addr;
    check_refused("versions of more than 1024 files are wanted");
    leave();
}

static void
a_string_longer_than_a_path_is_refused(void)
{
    char text[IMAGE_TEXT_BYTES + 1];

    memset(text, 'a', sizeof text);
    for (unsigned size = IMAGE_TEXT_BYTES - 1; size <= IMAGE_TEXT_BYTES;
         size++) {
        const char *strings;
        ElfW(Shdr) * s;
        uint64_t at, old;

        take(1);
        s = (ElfW(Shdr) *)(void *)(image + header()->e_shoff) +
            section(SHT_DYNSYM)->sh_link;
        strings = image + s->sh_offset;
        old = s->sh_size;
        at = move_to_more(s, old + size + 1);
        CHECK_EQ(pwrite(file, strings, old, (off_t)at), old);
        CHECK_EQ(pwrite(file, text, size, (off_t)(at + old)), size);
        entry(DT_STRTAB)->d_un.d_ptr = s->sh_addr;
        entry(DT_STRSZ)->d_un.d_val = s->sh_size;
        entry(DT_RELACOUNT)->d_un.d_val = old;
        entry(DT_RELACOUNT)->d_tag = DT_SONAME;
        write_back(0, image_size);
        if (size < IMAGE_TEXT_BYTES)
            CHECK_EQ(check(&(struct pons_reason){""}), 0);
        else
            check_refused("wanted a string of fewer than 4096 bytes");
        leave();
    }
}

/* ---- what the loader declines, and what it is told ---- */

static void
what_dlopen_declines_is_refused(void)
{
    take(1);
    entry(DT_RELACOUNT)->d_un.d_val = DF_1_PIE;
    entry(DT_RELACOUNT)->d_tag = DT_FLAGS_1;
    check_refused("is a program; wanted a shared object: link with -shared");
    entry(DT_RELACOUNT)->d_un.d_val = DF_1_NOOPEN;
    entry(DT_RELACOUNT)->d_tag = DT_FLAGS_1;
    check_refused("cannot be loaded by dlopen(3); link without -z nodlopen");
    leave();
}

static void
an_image_tells_its_texts(void)
{
    struct pons_reason reason;
    struct poni_image *im;
    unsigned found = 0, n = 0;
    const char *name;

    take(1);
    entry(DT_RELACOUNT)->d_un.d_val = needed("libc.so.6")->d_un.d_val;
    entry(DT_RELACOUNT)->d_tag = DT_NEEDED;
    write_back(0, image_size);
    CHECK_EQ(poni_image_open(&im, file, &reason), 0);
    leave(); // it needs the file no more
    while ((name = poni_image_text(im, DT_NEEDED, n)) != NULL) {
        found += strcmp(name, "libc.so.6") == 0;
        n++;
    }
    CHECK_EQ(found, 2);
    CHECK(poni_image_text(im, DT_NEEDED, n + 1) == NULL);
    CHECK(poni_image_text(im, DT_AUDIT, 0) == NULL);
    poni_image_close(im);
    poni_image_close(NULL);
}

static void
a_damaged_plugin_is_an_entry_that_says_so(void)
{
    struct pons_settings given = {.size = sizeof given,
                                  .flags = PONS_NO_ENVIRONMENT};
    struct poni_settings settings;
    struct poni_catalog *catalog;
    struct poni_choice choice;
    struct poni_entry *e;

    take(1);
    entry(DT_STRTAB)->d_un.d_ptr = 8;
    write_back(0, image_size);
    leave();
    given.reactor = path;
    CHECK_EQ(poni_settings_read(&settings, &given), 0);
    CHECK_EQ(poni_catalog_open(&catalog, &settings), 0);
    CHECK_EQ(poni_choose(&choice, catalog, SETTING_REACTOR, poni_probe, NULL),
             -ENOTSUP);
    CHECK_HAS(pons_last_error(), path);
    CHECK_HAS(pons_last_error(), "is damaged: .dynamic: DT_STRTAB: wanted");
    CHECK_EQ(poni_catalog_file(catalog, "test", path, &e), 0);
    CHECK_EQ(e->status, ENTRY_BROKEN); // and takes no name away
    poni_catalog_close(catalog);
    poni_settings_fini(&settings);
}

static void
a_plugin_damaged_after_it_was_found_is_not_loaded(void)
{
    struct pons_settings given = {.size = sizeof given,
                                  .flags = PONS_NO_ENVIRONMENT};
    struct poni_settings settings;
    struct poni_catalog *catalog;
    struct poni_entry *e;

    take(1);
    CHECK_EQ(poni_settings_read(&settings, &given), 0);
    CHECK_EQ(poni_catalog_open(&catalog, &settings), 0);
    CHECK_EQ(poni_catalog_file(catalog, "test", path, &e), 0);
    CHECK_EQ(e->status, ENTRY_USABLE_MAYBE);
    entry(DT_STRTAB)->d_un.d_ptr = 8;
    write_back(0, image_size);
    leave();
    CHECK_EQ(poni_entry_load(e), -ENOEXEC);
    CHECK_HAS(pons_last_error(), "is damaged: .dynamic: DT_STRTAB: wanted");
    poni_catalog_close(catalog);
    poni_settings_fini(&settings);
}

static const struct unit_test tests[] = {
#define TEST(name)  \
    {               \
#name, name \
    }
    TEST(the_plugins_of_this_build_are_whole),
    TEST(no_flipped_bit_of_the_dynamic_section_crashes_the_loader),
    TEST(no_flipped_bit_of_the_headers_crashes_the_loader),
    TEST(no_garbled_word_of_the_dynamic_section_crashes_the_loader),
    TEST(a_wrong_entry_is_named_with_what_was_wanted),
    TEST(headers_that_contradict_each_other_are_refused),
    TEST(more_relocations_than_any_plugin_has_are_not_read),
    TEST(a_relocation_of_another_type_is_found_wherever_it_is),
    TEST(versions_of_very_many_files_are_not_read),
    TEST(a_string_longer_than_a_path_is_refused),
    TEST(what_dlopen_declines_is_refused),
    TEST(an_image_tells_its_texts),
    TEST(a_damaged_plugin_is_an_entry_that_says_so),
    TEST(a_plugin_damaged_after_it_was_found_is_not_loaded),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("image", tests, argc, argv);
}
