/* SPDX-License-Identifier: MIT */
/*
 * tests/needed_test.c - libraries that only ldconfig's cache knows, and caches
 * that are damaged. Where else the loader looks: tests/inspect_test.py.
 *
 * Built with a cache in the current directory, which is the test's own.
 */

#include "cli/needed.h"
#include "core/elf_file.h"
#include "scratch.h"

#include <elf.h>
#include <errno.h>

#ifndef TEST_PLUGIN_DIR
#define TEST_PLUGIN_DIR "/nowhere" // a static build has no shared objects
#endif

/* An image that needs libq.so.6, which is nowhere. */
static char *
image_path(void)
{
    size_t size, length = strlen("libc.so.6") + 1;
    char *from, *bytes, *at, *path;

    CHECK(asprintf(&from, "%s/epoll.so", TEST_PLUGIN_DIR) > 0);
    if (access(from, F_OK) != 0)
        SKIP("there is no %s", from);
    bytes = scratch_read(from, &size);
    at = memmem(bytes, size, "libc.so.6", length);
    CHECK(at != NULL);
    memcpy(at, "libq.so.6", length);
    path = scratch_bytes("image.so", bytes, size);
    free(bytes);
    free(from);
    return path;
}

/* Where libq.so.6 is; empty: nowhere. */
static void
look(char *found)
{
    struct pons_reason reason;
    struct poni_image *im;
    struct needed needed;
    char *path = image_path();
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    CHECK_EQ(poni_image_open(&im, fd, &reason), 0);
    close(fd);
    CHECK_EQ(needed_find(&needed, im, path), 0);
    *found = '\0';
    for (unsigned i = 0; i < needed.count; i++)
        if (strcmp(needed.libraries[i].name, "libq.so.6") == 0 &&
            needed.libraries[i].path != NULL)
            strcpy(found, needed.libraries[i].path);
    needed_fini(&needed);
    poni_image_close(im);
    free(path);
}

/* A directory that has the library, which is in the cache. The cache's path. */
static char *
cache_make(void)
{
    char *directory = scratch_directory("libraries");
    char *configuration = scratch_text("ld.so.conf", directory);
    char *cache = scratch_path("cache"), *from = scratch_sample("good");
    char *library = scratch_copy("libraries/libq.so.6", from), *line;

    CHECK(asprintf(&line, "PATH=$PATH:/sbin:/usr/sbin; ldconfig -X -f %s -C %s",
                   configuration, cache) > 0);
    if (system(line) != 0)
        SKIP("ldconfig makes no cache here");
    CHECK_EQ(chdir(scratch_root), 0);
    free(line);
    free(library);
    free(from);
    free(configuration);
    free(directory);
    return cache;
}

static void
what_is_in_the_cache_is_found(void)
{
    char found[PATH_MAX], *cache = cache_make(), *place;

    place = scratch_path("libraries/libq.so.6");
    look(found);
    CHECK_EQ(strcmp(found, place), 0);
    CHECK_EQ(unlink(cache), 0);
    look(found);
    CHECK_EQ(strcmp(found, ""), 0);
    free(place);
    free(cache);
}

static void
what_the_cache_names_and_is_not_there_is_not_found(void)
{
    char found[PATH_MAX], *cache = cache_make(), *place;

    place = scratch_path("libraries/libq.so.6");
    CHECK_EQ(unlink(place), 0);
    look(found);
    CHECK_EQ(strcmp(found, ""), 0);
    free(place);
    free(cache);
}

/* An old version's cache, which others still want, comes first in the file. */
static void
a_cache_may_stand_behind_an_older_one(void)
{
    char found[PATH_MAX], *cache = cache_make(), *bytes, *both;
    size_t size;

    bytes = scratch_read(cache, &size);
    both = calloc(1, size + 64);
    CHECK(both != NULL);
    strcpy(both, "ld.so-1.7.0");
    memcpy(both + 64, bytes, size);
    free(scratch_bytes("cache", both, size + 64));
    look(found);
    CHECK_HAS(found, "/libraries/libq.so.6");
    free(both);
    free(bytes);
    free(cache);
}

/* Of its head each byte, of the system's libraries behind it some. What is
 * looked for is not there, so all of it is read. */
static void
no_damage_of_the_cache_does_harm(void)
{
    char found[PATH_MAX], *cache = cache_make(), *bytes, *place;
    size_t size;

    place = scratch_path("libraries/libq.so.6");
    CHECK_EQ(unlink(place), 0);
    free(place);
    bytes = scratch_read(cache, &size);
    for (size_t at = 0; at < size; at += at < 128 ? 1 : 997) {
        char was = bytes[at];

        bytes[at] = (char)0xff;
        free(scratch_bytes("cache", bytes, size));
        look(found);
        bytes[at] = was;
        free(scratch_bytes("cache", bytes, at));
        look(found);
    }
    free(bytes);
    free(cache);
}

static const struct unit_test tests[] = {
#define TEST(name)  \
    {               \
#name, name \
    }
    TEST(what_is_in_the_cache_is_found),
    TEST(what_the_cache_names_and_is_not_there_is_not_found),
    TEST(a_cache_may_stand_behind_an_older_one),
    TEST(no_damage_of_the_cache_does_harm),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("needed", tests, argc, argv);
}
