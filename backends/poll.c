/* SPDX-License-Identifier: MIT */
/*
 * backends/poll.c - the reference poller, by poll(2). Written to be copied.
 *
 * Not fast: the kernel looks at every descriptor for every wait. It is here
 * because it is the plainest thing that keeps the rules of pons/poller.h: level
 * reports, milliseconds, no capability at all. What it watches stands in one
 * array as poll(2) wants it; entry 0 is the bell of wake(). The trap is
 * fairness: a report that did not fit must come first the next time.
 */

#include "pons/poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BELL = 0,      // the entry of the bell
    FIRST = 1,     // of the descriptors that are watched
    SIZE_MIN = 64, // of the arrays; they double
    MS = 1000000,
    ENTRY = sizeof(uint64_t) + sizeof(struct pollfd), // in both arrays
};

struct poll_poller {
    struct pons_poller base;
    const struct pons_host *host;
    int bell;           // the eventfd behind wake()
    struct pollfd *fds; // [0 .. count-1] are in use
    uint64_t *cookies;  // of the same entries
    unsigned count, size;
    unsigned start; // the entry whose report comes first
};

static struct poll_poller *
self(struct pons_poller *p)
{
    return pons_container_of(p, struct poll_poller, base);
}

static void
poll_free_arrays(struct poll_poller *p)
{
    if (p->size != 0)
        p->host->free(p->host, p->cookies, p->size * ENTRY);
}

/* Both arrays are one piece of memory. */
static int
poll_grow(struct poll_poller *p)
{
    unsigned size = p->size != 0 ? p->size * 2 : SIZE_MIN;
    uint64_t *cookies = p->host->alloc(p->host, size * ENTRY);
    struct pollfd *fds;

    if (cookies == NULL)
        return -ENOMEM;
    fds = (void *)(cookies + size);
    if (p->size != 0) {
        memcpy(cookies, p->cookies, p->count * sizeof *cookies);
        memcpy(fds, p->fds, p->count * sizeof *fds);
    }
    poll_free_arrays(p);
    p->cookies = cookies;
    p->fds = fds;
    p->size = size;
    return 0;
}

/* The entry of a descriptor that is watched. */
static unsigned
poll_find(const struct poll_poller *p, int fd)
{
    unsigned entry = FIRST;

    while (p->fds[entry].fd != fd)
        entry++;
    return entry;
}

/* poll(2) says of files that they are ready, always: the core waits for the
 * disk elsewhere. */
static int
poll_add(struct poll_poller *p, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return -EPERM;
    if (p->count == p->size && poll_grow(p) < 0)
        return -ENOMEM;
    p->fds[p->count++] = (struct pollfd){.fd = fd};
    return 0;
}

static int
poll_poller_control(struct pons_poller *base, int fd, uint64_t cookie,
                    unsigned had, unsigned want)
{
    struct poll_poller *p = self(base);
    int err = had == 0 ? poll_add(p, fd) : 0;
    unsigned entry;

    if (err < 0)
        return err;
    entry = poll_find(p, fd);
    if (want == 0) { // the last entry takes its place
        p->fds[entry] = p->fds[--p->count];
        p->cookies[entry] = p->cookies[p->count];
        return 0;
    }
    p->cookies[entry] = cookie;
    p->fds[entry].events = (short)((want & PONS_READABLE ? POLLIN : 0) |
                                   (want & PONS_WRITABLE ? POLLOUT : 0));
    return 0;
}

/* Rounds up: down would come back early, and spin. */
static int
poll_timeout_ms(const struct poll_poller *p, uint64_t deadline_ns)
{
    uint64_t now, ms;

    if (deadline_ns == PONS_NEVER || deadline_ns == 0)
        return deadline_ns == 0 ? 0 : -1;
    now = p->host->now(p->host);
    ms = deadline_ns > now ? (deadline_ns - now + MS - 1) / MS : 0;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* Whether the time of a wait() that has found nothing is up. */
static int
poll_is_late(const struct poll_poller *p, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && p->host->now(p->host) >= deadline_ns);
}

/* An error or hang-up is whatever is wanted. */
static uint32_t
poll_ready(const struct pollfd *f)
{
    int bad = f->revents & (POLLERR | POLLHUP | POLLNVAL);
    int ready = bad ? f->events : f->revents;

    return (ready & POLLIN ? PONS_READABLE : 0u) |
           (ready & POLLOUT ? PONS_WRITABLE : 0u);
}

static unsigned
poll_fill(struct poll_poller *p, struct pons_ready *ready, unsigned cap)
{
    unsigned filled = 0;

    for (unsigned n = FIRST; n < p->count; n++) {
        const struct pollfd *f;

        if (p->start < FIRST || p->start >= p->count)
            p->start = FIRST;
        f = &p->fds[p->start];
        if (f->revents != 0) {
            if (filled == cap)
                break;
            ready[filled++] = (struct pons_ready){
                .cookie = p->cookies[p->start], .ready = poll_ready(f)};
        }
        p->start++;
    }
    return filled;
}

static int
poll_poller_wait(struct pons_poller *base, struct pons_ready *ready,
                 unsigned cap, uint64_t deadline_ns)
{
    struct poll_poller *p = self(base);
    uint64_t rings;
    int n;

    do {
        n = poll(p->fds, p->count, poll_timeout_ms(p, deadline_ns));
        if (n < 0 && errno != EINTR)
            return -errno;
    } while (n <= 0 && !poll_is_late(p, deadline_ns));
    if (n <= 0)
        return 0;
    if (p->fds[BELL].revents != 0)
        (void)!read(p->bell, &rings, sizeof rings);
    return (int)poll_fill(p, ready, cap);
}

/* Any thread, any signal handler: write(2) is safe in both. */
static int
poll_poller_wake(struct pons_poller *p)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(self(p)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

static void
poll_poller_close(struct pons_poller *base)
{
    struct poll_poller *p = self(base);
    const struct pons_host *h = p->host;

    close(p->bell);
    poll_free_arrays(p);
    h->free(h, p, sizeof *p);
}

static const struct pons_poller_ops poll_ops; // below; it names open()

static int
poll_poller_open(struct pons_poller **out, const struct pons_config *config,
                 const struct pons_host *host, struct pons_reason *reason)
{
    struct poll_poller *p = host->alloc(host, sizeof *p);
    int err;

    (void)config; // it has no options
    if (p == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the poller");
    p->base.ops = &poll_ops;
    p->host = host;
    if (poll_grow(p) < 0) {
        err = host->refuse(reason, -ENOMEM, "no memory for the poller");
        goto free_poller;
    }
    p->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->bell < 0) {
        err = host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
        goto free_arrays;
    }
    p->fds[p->count++] = (struct pollfd){.fd = p->bell, .events = POLLIN};
    *out = &p->base;
    return 0;

free_arrays:
    poll_free_arrays(p);
free_poller:
    host->free(host, p, sizeof *p);
    return err;
}

static const struct pons_poller_ops poll_ops = {
    .abi = PONS_ABI,
    .size = sizeof poll_ops,
    .name = "poll",
    .open = poll_poller_open,
    .close = poll_poller_close,
    .control = poll_poller_control,
    .wait = poll_poller_wait,
    .wake = poll_poller_wake,
};

static const struct pons_engine poll_engines[] = {
    {.kind = PONS_KIND_POLLER,
     .rank = 10,
     .name = "poll",
     .summary =
         "readiness by poll(2); the reference, slow with many descriptors",
     .table = &poll_ops},
    {0},
};

static const struct pons_plugin poll_plugin = {
    .abi = PONS_ABI,
    .size = sizeof poll_plugin,
    .name = "poll",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = poll_engines,
};

PONS_PLUGIN(poll_plugin, "poll", PONS_VERSION, "MIT", "poller:poll")
