/* SPDX-License-Identifier: MIT */
/*
 * core/oddset.c - see core/oddset.h.
 */

#include "oddset.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

enum { BATCH = 64 }; // per system call; the kernel keeps the rest

unsigned
poni_poll_directions(unsigned events)
{
    unsigned dirs = 0;

    if (events & (POLLIN | POLLRDNORM | POLLRDBAND))
        dirs |= PONS_READABLE;
    if (events & (POLLOUT | POLLWRNORM | POLLWRBAND))
        dirs |= PONS_WRITABLE;
    return dirs;
}

/* A half-close makes readable, too. */
int
poni_poll_is_odd(unsigned events)
{
    unsigned dirs = poni_poll_directions(events);

    return (events & POLLPRI) || dirs == 0 ||
           ((events & POLLRDHUP) && !(dirs & PONS_READABLE));
}

int
poni_oddset_open(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC);

    return set < 0 ? -errno : set;
}

int
poni_oddset_add(int set, int fd, enum poni_odd what)
{
    struct epoll_event ev = {.events = EPOLLET | EPOLLPRI | EPOLLRDHUP,
                             .data.fd = fd};

    if (what == ODD_ALL)
        ev.events |= EPOLLIN | EPOLLOUT;
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) == 0 ||
        (errno == EEXIST && epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev) == 0))
        return 0;
    return -errno;
}

void
poni_oddset_remove(int set, int fd)
{
    /* It fails only if `fd` was closed, and so removed. */
    (void)epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

int
poni_oddset_take(int set, int *fds, int cap)
{
    struct epoll_event got[BATCH];
    int n = epoll_wait(set, got, cap < BATCH ? cap : BATCH, 0);

    for (int i = 0; i < n; i++)
        fds[i] = got[i].data.fd;
    return n;
}
