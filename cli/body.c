/* SPDX-License-Identifier: MIT */
/*
 * cli/body.c - where the bytes of one transfer go: a digest and a file.
 *
 * The file is made when the first bytes come. Close is where a file system on
 * the network says that it is full, so its answer counts.
 */

#include "body.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Names never begin with a dot (cli/filename.c): this one is nobody else's. */
static void
body_part_name(const struct body *b, char part[NAME_MAX + 1])
{
    snprintf(part, NAME_MAX + 1, ".%s.part", b->name);
}

static int
body_make_file(struct body *b)
{
    char part[NAME_MAX + 1];

    if (b->dir < 0 || b->fd >= 0)
        return 0;
    body_part_name(b, part);
    b->fd = openat(b->dir, part,
                   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    return b->fd < 0 ? -errno : 0;
}

static int
body_write(const struct body *b, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(b->fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int
body_keep_file(struct body *b)
{
    char part[NAME_MAX + 1];
    int fd = b->fd;

    body_part_name(b, part);
    b->fd = -1;
    if (close(fd) < 0 || renameat(b->dir, part, b->dir, b->name) < 0) {
        int err = -errno;

        (void)unlinkat(b->dir, part, 0);
        return err;
    }
    return 0;
}

int
body_open(struct body *b)
{
    *b = (struct body){.dir = -1, .fd = -1};
    return digest_open(&b->digest);
}

void
body_close(struct body *b)
{
    digest_close(&b->digest);
}

int
body_start(struct body *b, int dir, const char *name)
{
    b->dir = dir;
    b->name = name;
    return digest_start(&b->digest);
}

int
body_add(struct body *b, const void *bytes, size_t size)
{
    int err = digest_add(&b->digest, bytes, size);

    if (err == 0)
        err = body_make_file(b);
    if (err == 0 && b->fd >= 0)
        err = body_write(b, bytes, size);
    return err;
}

int
body_end(struct body *b, char digest[DIGEST_TEXT])
{
    int err = digest_end(&b->digest, digest);

    if (err == 0)
        err = body_make_file(b); // an empty body is a file too
    if (err == 0 && b->fd >= 0)
        err = body_keep_file(b);
    return err;
}

void
body_discard(struct body *b)
{
    char part[NAME_MAX + 1];

    if (b->fd < 0)
        return;
    body_part_name(b, part);
    close(b->fd);
    b->fd = -1;
    (void)unlinkat(b->dir, part, 0); // best effort: the row has its reason
}
