/* SPDX-License-Identifier: MIT */
/*
 * core/trust.c - see core/trust.h.
 *
 * The owner is not asked for: whoever names a file or a directory has chosen
 * its owner. What he may not have noticed is that others can write there too.
 */

#include "trust.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
poni_trust_check(const struct stat *st, struct pons_reason *reason)
{
    unsigned mode = (unsigned)st->st_mode & 07777;

    if ((mode & (S_IWGRP | S_IWOTH)) == 0)
        return 0;
    return poni_refuse(reason, -EPERM,
                       "%s may write to it (mode %04o), wanted only its owner; "
                       "chmod go-w",
                       mode & S_IWOTH ? "everybody" : "its group", mode);
}

static const char *
trust_kind(const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a fifo";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static int
trust_regular(const struct stat *st, struct pons_reason *reason)
{
    if (S_ISREG(st->st_mode))
        return 0;
    return poni_refuse(reason, S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL,
                       "is %s; wanted a regular file", trust_kind(st));
}

int
poni_trust_open(const char *path, struct stat *st, struct pons_reason *reason)
{
    int fd, err;

    /* Looked at before it is opened, since opening a device may do something;
     * and again after, since it may be another file by then. */
    if (stat(path, st) < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    err = trust_regular(st, reason);
    if (err < 0)
        return err;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return poni_refuse(reason, -errno, "%s", strerror(errno));
    if (fstat(fd, st) < 0) {
        err = poni_refuse(reason, -errno, "%s", strerror(errno));
        goto close_fd;
    }
    err = trust_regular(st, reason);
    if (err < 0)
        goto close_fd;
    return fd;

close_fd:
    close(fd);
    return err;
}
