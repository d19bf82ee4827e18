/* SPDX-License-Identifier: MIT */
#ifndef SCRATCH_H
#define SCRATCH_H

/*
 * tests/scratch.h - a directory for one test, gone when its process exits.
 */

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char scratch_root[PATH_MAX];
static pid_t scratch_owner;

static inline int
scratch_remove_one(const char *path, const struct stat *st, int type,
                   struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void
scratch_remove(void)
{
    if (getpid() == scratch_owner)
        nftw(scratch_root, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` in the scratch directory, in a buffer of its own. */
static inline char *
scratch_path(const char *name)
{
    char *path;

    if (scratch_root[0] == '\0') {
        const char *tmp = getenv("TMPDIR");

        snprintf(scratch_root, sizeof scratch_root, "%s/pons-test-XXXXXX",
                 tmp != NULL ? tmp : "/tmp");
        CHECK(mkdtemp(scratch_root) != NULL);
        CHECK(chmod(scratch_root, 0755) == 0);
        scratch_owner = getpid();
        atexit(scratch_remove);
    }
    CHECK(asprintf(&path, "%s/%s", scratch_root, name) > 0);
    return path;
}

static inline char *
scratch_directory(const char *name)
{
    char *path = scratch_path(name);

    CHECK(mkdir(path, 0755) == 0);
    CHECK(chmod(path, 0755) == 0);
    return path;
}

static inline char *
scratch_bytes(const char *name, const void *bytes, size_t size)
{
    char *path = scratch_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    CHECK(fd >= 0);
    CHECK(write(fd, bytes, size) == (ssize_t)size);
    CHECK(fchmod(fd, 0644) == 0);
    close(fd);
    return path;
}

static inline char *
scratch_text(const char *name, const char *text)
{
    return scratch_bytes(name, text, strlen(text));
}

/* All bytes of a file. */
static inline char *
scratch_read(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *bytes;

    if (fd < 0)
        fprintf(stderr, "%s is not there\n", path);
    CHECK(fd >= 0);
    CHECK(fstat(fd, &st) == 0);
    bytes = malloc((size_t)st.st_size + 1);
    CHECK(bytes != NULL);
    CHECK(read(fd, bytes, (size_t)st.st_size) == st.st_size);
    close(fd);
    *size = (size_t)st.st_size;
    return bytes;
}

static inline char *
scratch_copy(const char *name, const char *from)
{
    size_t size;
    char *bytes = scratch_read(from, &size);
    char *path = scratch_bytes(name, bytes, size);

    free(bytes);
    return path;
}

/* tests/plugins/sample.c as it was built in the variant `name`: beside this
 * program, in plugins/. */
static inline char *
scratch_sample(const char *name)
{
    char self[PATH_MAX] = "", *path;

#ifndef TEST_PLUGIN_DIR
    SKIP("a static build has no shared objects");
#endif
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    CHECK(asprintf(&path, "%s/plugins/%s.so", dirname(self), name) > 0);
    return path;
}

#endif /* SCRATCH_H */
