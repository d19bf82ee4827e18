/* SPDX-License-Identifier: MIT */
/*
 * kit/poller.c - see kit/poller.h.
 */

#include "poller.h"

#include <string.h>

enum {
    DIRECTIONS = PONS_READABLE | PONS_WRITABLE,
    LOOKS = 3, // a level poller says the same each time
};

struct pons_poller *
kit_poller_open(struct kit *k)
{
    struct pons_reason reason = {{0}};
    struct pons_poller *p;
    int err = kit_try_open_poller(k, &p, &reason);

    if (err < 0)
        kit_fail("open: %s: %s", strerror(-err), reason.text);
    KIT_WANT(p->ops != NULL, "open left the poller without its table");
    return p;
}

void
kit_poller_close(struct pons_poller *p)
{
    p->ops->close(p);
}

void
kit_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
            unsigned want)
{
    kit_check_result(p->ops->control(p, fd, cookie, had, want), 0,
                     "control of descriptor %d from %u to %u", fd, had, want);
}

struct pons_ready
kit_report(struct pons_poller *p)
{
    struct pons_ready ready = {0};
    int n;

    do
        n = p->ops->wait(p, &ready, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "wait with room for 1 report");
    KIT_WANT(ready.ready & DIRECTIONS,
             "a report: wanted one that names a direction, found %#x",
             ready.ready);
    return ready;
}

unsigned
kit_reported(struct pons_poller *p)
{
    struct pons_ready ready;
    unsigned all = 0;

    for (int i = 0; i < LOOKS; i++)
        if (p->ops->wait(p, &ready, 1, 0) == 1)
            all |= ready.ready;
    return all;
}

void
kit_no_report(struct pons_poller *p, const char *because)
{
    struct pons_ready ready;

    KIT_EQ(p->ops->wait(p, &ready, 1, 0), 0, "reports %s", because);
}
