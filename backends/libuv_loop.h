/* SPDX-License-Identifier: MIT */
#ifndef BACKENDS_LIBUV_LOOP_H
#define BACKENDS_LIBUV_LOOP_H

/*
 * backends/libuv_loop.h - a loop of libuv's is made and closed as ours have to
 * be: refused where there is no room for it, and left alone in a forked child.
 *
 * Without a descriptor for what the first loop makes for the process libuv ends
 * the process. So room is tried for before.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

enum {
    LIBUV_DESCRIPTORS = 6, // of a loop 4; of the first in the process 2 more
};

/* Whether there are `n` descriptors. */
static inline int
libuv_loop_room(int fd, int n)
{
    int taken, err;

    if (n == 0)
        return 0;
    taken = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (taken < 0)
        return -errno;
    err = libuv_loop_room(fd, n - 1);
    close(taken);
    return err;
}

/* `fd` is any descriptor. */
static inline int
libuv_loop_open(uv_loop_t *loop, int fd)
{
    int err = libuv_loop_room(fd, LIBUV_DESCRIPTORS);

    return err < 0 ? err : uv_loop_init(loop);
}

static inline void
libuv_loop_close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    uv_close(handle, NULL);
}

/* In a child, which `forked` says, the kernel's set is the parent's until
 * uv_loop_fork(). Where there is no descriptor for that the memory is left as
 * it is, and so is the loop with requests that are the parent's. */
static inline void
libuv_loop_close(uv_loop_t *loop, int forked)
{
    if (forked && uv_loop_fork(loop) < 0)
        return;
    uv_walk(loop, libuv_loop_close_handle, NULL);
    uv_run(loop, UV_RUN_NOWAIT); // the handles go with a turn
    (void)uv_loop_close(loop);
}

#endif /* BACKENDS_LIBUV_LOOP_H */
