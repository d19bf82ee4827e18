/* SPDX-License-Identifier: MIT */
/*
 * cli/site.c - a temporary directory of files whose content is known.
 */

#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAST_BYTES = 1024,
    MORE_BYTES = 16 * 1024, // at most, beside the least
};

/* Each file other bytes, each time the same: xorshift64 (Marsaglia, 2003). */
static size_t
content_make(char *bytes, unsigned number)
{
    size_t size = LEAST_BYTES + number * 337u % MORE_BYTES;
    uint64_t x = number + 1;

    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (char)x;
    }
    return size;
}

static int
file_write(int dir, const char *name, const char *bytes, size_t size)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n;
    int err = 0;

    if (fd < 0)
        return -errno;
    n = write(fd, bytes, size);
    if (n < 0)
        err = -errno;
    else if ((size_t)n < size)
        err = -ENOSPC;
    if (close(fd) < 0 && err == 0)
        err = -errno;
    return err;
}

static int
file_make(struct site *s)
{
    struct site_file *f = &s->files[s->count];
    char bytes[LEAST_BYTES + MORE_BYTES];
    size_t size = content_make(bytes, s->count);
    int err;

    snprintf(f->name, sizeof f->name, "%03u.bin", s->count);
    err = digest_of(bytes, size, f->digest);
    if (err == 0)
        err = file_write(s->dir, f->name, bytes, size);
    s->count++; // written in part is to be removed too
    s->bytes += size;
    return err;
}

static int
site_make_directory(struct site *s)
{
    const char *under = secure_getenv("TMPDIR");

    if (!under || *under != '/')
        under = "/tmp";
    if (asprintf(&s->path, "%s/pons-demo-XXXXXX", under) < 0) {
        s->path = NULL;
        return -ENOMEM;
    }
    if (!mkdtemp(s->path))
        return -errno;
    s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->dir < 0 ? -errno : 0;
}

int
site_make(struct site *s, unsigned count)
{
    int err;

    *s = (struct site){.dir = -1};
    s->files = calloc(count, sizeof *s->files);
    err = s->files ? site_make_directory(s) : -ENOMEM;
    while (err == 0 && s->count < count)
        err = file_make(s);
    if (err < 0)
        site_remove(s);
    return err;
}

void
site_remove(struct site *s)
{
    for (unsigned i = 0; i < s->count; i++)
        (void)unlinkat(s->dir, s->files[i].name, 0);
    if (s->dir >= 0) {
        close(s->dir);
        (void)rmdir(s->path); // somebody else's file in it keeps it
    }
    free(s->files);
    free(s->path);
    *s = (struct site){.dir = -1};
}
