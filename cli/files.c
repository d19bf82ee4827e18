/* SPDX-License-Identifier: MIT */
/*
 * cli/files.c - opens what a URL's path names, below a directory and nowhere
 * else.
 *
 * A look at the text cannot keep a path inside: a symbolic link may lead out,
 * and may be put there after the look. So the kernel does it: openat2(2) with
 * RESOLVE_BENEATH. Where there is none (before Linux 5.6, or forbidden), the
 * path is walked part by part and no link is followed at all.
 *
 * O_NONBLOCK: or a named pipe would be waited for until somebody writes.
 */

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    RACES_MAX = 8, // openat2 says EAGAIN while somebody renames around it
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Undoes %xx once, into `out`. How many bytes; -errno. */
static int
decode(char *out, size_t room, const char *url, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < size && url[i] != '?' && url[i] != '#'; i++) {
        int c = (unsigned char)url[i];

        if (c == '%') {
            int high = i + 2 < size ? hex_digit(url[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(url[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -EINVAL;
            c = high * 16 + low;
            i += 2;
        }
        if (c == '\0')
            return -EINVAL;
        if (used + 1 >= room)
            return -ENAMETOOLONG;
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return (int)used;
}

/* Takes empty parts and "." out, in place, and refuses "..". */
static int
clean(struct files_path *p)
{
    char *out = p->text, *part = p->text;

    p->slash = 1; // "/" and "/a/." mean directories
    while (*part) {
        size_t length = strcspn(part, "/");
        int slash = part[length] == '/';

        if (length == 2 && memcmp(part, "..", 2) == 0)
            return -EINVAL;
        if (length > 0 && !(length == 1 && *part == '.')) {
            if (out != p->text)
                *out++ = '/';
            memmove(out, part, length);
            out += length;
            p->slash = slash;
        }
        part += length + (size_t)slash;
    }
    if (out == p->text)
        *out++ = '.';
    *out = '\0';
    return 0;
}

int
files_path(struct files_path *out, const char *url, size_t size)
{
    int used = decode(out->text, sizeof out->text, url, size);

    if (used < 0)
        return used;
    if (out->text[0] != '/')
        return -EINVAL;
    return clean(out);
}

static int
open_part(int dir, const char *part, size_t length, int flags)
{
    char name[NAME_MAX + 1];
    int fd;

    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, part, length);
    name[length] = '\0';
    fd = openat(dir, name, OPEN_FLAGS | O_NOFOLLOW | flags);
    return fd < 0 ? -errno : fd;
}

/* `path` is clean: no part of it is "..". */
static int
open_by_walk(int root, const char *path)
{
    int dir = root;

    for (;;) {
        size_t length = strcspn(path, "/");
        int last = path[length] == '\0';
        int fd = open_part(dir, path, length, last ? 0 : O_DIRECTORY);

        if (dir != root)
            close(dir);
        if (fd < 0 || last)
            return fd;
        dir = fd;
        path += length + 1;
    }
}

int
files_open(int root, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;

    errno = EAGAIN;
    for (int i = 0; i < RACES_MAX && fd < 0 && errno == EAGAIN; i++)
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0)
        return (int)fd;
    if (errno == ENOSYS || errno == EPERM) // EPERM: by a seccomp filter
        return open_by_walk(root, path);
    return -errno;
}
