/* SPDX-License-Identifier: MIT */
#ifndef PONI_ODDSET_H
#define PONI_ODDSET_H

/*
 * core/oddset.h - waiting with a level poller for what is not a direction.
 *
 * Urgent data, a half-close without POLLIN, or errors alone: a level poller
 * would report unread bytes for ever instead; and so it would to who wants to
 * hear of news only. These are left to a small epoll set, by edges, and the
 * poller watches the set. Most programs never make one.
 */

#include "pons/poller.h"

/* The directions in which `events` of poll(2) are reported. */
unsigned poni_poll_directions(unsigned events);

/* Whether `events` can come while their directions are not reported, or stay
 * away while they are. */
int poni_poll_is_odd(unsigned events);

/* A descriptor, readable when one that was added has odd events; -errno. */
int poni_oddset_open(void);

enum poni_odd {
    ODD_NOTHING,
    ODD_ENDS, // what is no direction
    ODD_ALL,  // every edge
};

/* 0 or -errno. Until removed, or closed; what was added may be raised. */
int poni_oddset_add(int set, int fd, enum poni_odd what);
void poni_oddset_remove(int set, int fd);

/* Which have something new, and how many. */
int poni_oddset_take(int set, int *fds, int cap);

#endif /* PONI_ODDSET_H */
