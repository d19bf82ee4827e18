/* SPDX-License-Identifier: MIT */
#ifndef BACKENDS_LIBUV_SHY_H
#define BACKENDS_LIBUV_SHY_H

/*
 * backends/libuv_shy.h - descriptors in blocking mode, in a loop of libuv's.
 *
 * uv_poll_init() makes a descriptor non-blocking, for all who share it, which
 * Pons never does. So these stand in an epoll set of their own, and the loop
 * watches the set.
 */

#include "loop.h"

#include <sys/epoll.h>
#include <uv.h>

enum { SHY_EVENTS = 64 }; // taken from the set at once; it repeats the rest

struct libuv_shy {
    struct loop *base;
    int set;
    uv_poll_t handle;
};

static inline uint32_t
libuv_shy_ready(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return PONS_READABLE | PONS_WRITABLE;
    return (events & EPOLLIN ? PONS_READABLE : 0u) |
           (events & EPOLLOUT ? PONS_WRITABLE : 0u);
}

static inline void
libuv_shy_heard(uv_poll_t *handle, int status, int events)
{
    struct libuv_shy *s = pons_container_of(handle, struct libuv_shy, handle);
    struct epoll_event got[SHY_EVENTS];
    int n = epoll_wait(s->set, got, SHY_EVENTS, 0);

    (void)status;
    (void)events;
    for (int i = 0; i < n; i++)
        loop_report(s->base, loop_find(s->base, got[i].data.fd),
                    libuv_shy_ready(got[i].events));
}

static inline int
libuv_shy_open(struct libuv_shy *s, struct loop *base, uv_loop_t *loop)
{
    int err;

    s->base = base;
    s->set = epoll_create1(EPOLL_CLOEXEC);
    if (s->set < 0)
        return -errno;
    err = uv_poll_init(loop, &s->handle, s->set);
    if (err == 0)
        return uv_poll_start(&s->handle, UV_READABLE, libuv_shy_heard);
    close(s->set);
    return err;
}

static inline int
libuv_shy_control(struct libuv_shy *s, int fd, unsigned had, unsigned want)
{
    struct epoll_event ev = {
        .events = (want & PONS_READABLE ? (uint32_t)EPOLLIN : 0u) |
                  (want & PONS_WRITABLE ? (uint32_t)EPOLLOUT : 0u),
        .data.fd = fd};
    int how = had != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (want == 0)
        how = EPOLL_CTL_DEL;
    return epoll_ctl(s->set, how, fd, &ev) < 0 ? -errno : 0;
}

#endif /* BACKENDS_LIBUV_SHY_H */
