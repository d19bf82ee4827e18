/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mixes_up.c - breaks R9: it leaves it to close(2) to end the watch
 * of a descriptor, and takes news of a copy for news of what has the number
 * now.
 */

#include "adapted.h"

#include <sys/epoll.h>
#include <sys/stat.h>

enum { NUMBERS = 1024 };

static struct pons_op *mixes_up_ops[NUMBERS]; // pending; the latest of each

/* Beside the adapter's; one for the process. */
static int
mixes_up_set(void)
{
    static int set = -1;

    if (set < 0)
        set = epoll_create1(EPOLL_CLOEXEC);
    return set;
}

/* Which open file has the number now, and the number. */
static uint64_t
mixes_up_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? 0
                              : (uint64_t)st.st_ino * NUMBERS + (uint64_t)fd;
}

static int
mixes_up_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int how = adapter_submit(r, op);

    if (how != PONS_SUBMIT_PENDING || op->opcode != PONS_OP_RECV ||
        op->fd >= NUMBERS)
        return how;
    ev.data.u64 = mixes_up_file(op->fd);
    (void)epoll_ctl(mixes_up_set(), EPOLL_CTL_ADD, op->fd, &ev);
    mixes_up_ops[op->fd] = op;
    return how;
}

/* The op that ends with EAGAIN since somebody else's bytes came; or NULL. */
static struct pons_op *
mixes_up_victim(const struct pons_reactor *r)
{
    struct pollfd p = {.events = POLLIN};
    struct epoll_event ev;
    struct pons_op *op;
    int n = epoll_wait(mixes_up_set(), &ev, 1, 0);

    if (n < 0) // that is all it does about it
        adapted_host->log(adapted_host, PONS_LOG_INFO, "mixes_up",
                          "epoll_wait: %s", strerror(errno));
    if (n != 1)
        return NULL;
    p.fd = (int)(ev.data.u64 % NUMBERS);
    op = mixes_up_ops[p.fd];
    if (ev.data.u64 == mixes_up_file(p.fd))
        return NULL; // no mistake
    return op != NULL && op->reactor == r && poll(&p, 1, 0) == 0 ? op : NULL;
}

static int
mixes_up_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    struct pons_op *victim = mixes_up_victim(r);
    int n;

    if (victim != NULL)
        adapter_cancel(r, victim);
    n = adapter_poll(r, events, cap, deadline_ns);
    for (int i = 0; i < n; i++) {
        if (events[i].op == victim)
            events[i].res = -EAGAIN;
        if (events[i].op->fd >= 0 && events[i].op->fd < NUMBERS)
            mixes_up_ops[events[i].op->fd] = NULL;
    }
    return n;
}

REACTOR("mixes_up", adapted_ops.submit = mixes_up_submit,
        adapted_ops.poll = mixes_up_poll)
