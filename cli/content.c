/* SPDX-License-Identifier: MIT */
/*
 * cli/content.c - what a path is answered with.
 *
 * A way that leads out of the directory and one that leads nowhere get the same
 * answer: who asks learns nothing of what lies outside.
 */

#include "content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listing.h"
#include "mime.h"

static void
content_fail(struct content *c, int err)
{
    switch (-err) {
    case EINVAL:
        c->status = 400;
        break;
    case EACCES:
    case EPERM:
        c->status = 403;
        break;
    case ENOENT:
    case ENOTDIR:
    case EXDEV:
    case ELOOP:
    case ENXIO: // a socket, or a pipe that nobody writes
        c->status = 404;
        break;
    case ENAMETOOLONG:
        c->status = 414;
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        c->status = 503;
        break;
    default:
        c->status = 500;
    }
}

/* Consumes `fd`. */
static void
content_be_file(struct content *c, int fd, const struct stat *st,
                const char *name)
{
    c->status = 200;
    c->type = mime_type(name);
    c->size = (uint64_t)st->st_size;
    c->modified = st->st_mtime;
    c->fd = fd;
}

/* 1: there is one, and it is a regular file. */
static int
content_be_index(struct content *c, int dir)
{
    struct stat st;
    int fd = files_open(dir, "index.html");

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        content_be_file(c, fd, &st, "index.html");
        return 1;
    }
    close(fd);
    return 0;
}

/* Relative links in it count from the slash, so there must be one. */
static int
content_be_moved(struct content *c, const char *path)
{
    size_t size;
    FILE *out = open_memstream(&c->text, &size);

    if (!out)
        return -ENOMEM;
    fputc('/', out);
    listing_encode(out, path);
    fputc('/', out);
    if (fclose(out) != 0)
        return -ENOMEM;
    c->status = 301;
    return 0;
}

/* Consumes `fd`. */
static int
content_be_directory(struct content *c, int fd, const struct files_path *path)
{
    size_t size = 0;
    int err;

    if (!path->slash || content_be_index(c, fd)) {
        close(fd);
        return path->slash ? 0 : content_be_moved(c, path->text);
    }
    err = listing_make(fd, path->text, &c->text, &size);
    if (err < 0)
        return err;
    c->status = 200;
    c->type = "text/html; charset=utf-8";
    c->size = size;
    return 0;
}

static int
content_find(struct content *c, int root, const struct files_path *path)
{
    struct stat st;
    int fd = files_open(root, path->text);
    int err;

    if (fd < 0)
        return fd == -ENAMETOOLONG ? -ENOENT : fd;
    err = fstat(fd, &st) < 0 ? -errno : 0;
    if (err == 0 && S_ISDIR(st.st_mode))
        return content_be_directory(c, fd, path);
    if (err == 0 && (!S_ISREG(st.st_mode) || path->slash))
        err = -ENOENT;
    if (err == 0)
        content_be_file(c, fd, &st, path->text);
    else
        close(fd);
    return err;
}

void
content_open(struct content *c, int root, const char *target, size_t size)
{
    struct files_path path;
    int err;

    *c = (struct content){.modified = -1, .fd = -1};
    err = files_path(&path, target, size);
    if (err == 0)
        err = content_find(c, root, &path);
    if (err < 0)
        content_fail(c, err);
}

void
content_close(struct content *c)
{
    free(c->text);
    c->text = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

int64_t
content_read(struct content *c, char *buffer, size_t size)
{
    ssize_t n;

    do {
        n = read(c->fd, buffer, size);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
