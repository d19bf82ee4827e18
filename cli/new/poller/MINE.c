/* SPDX-License-Identifier: MIT */
/*
 * MINE.c - the poller MINE, by poll(2). The contract: pons/poller.h.
 *
 * It says which descriptors are ready and nothing else; Pons makes the calls.
 * What it watches stands in one array as poll(2) wants it; entry 0 is the bell
 * of wake(). Your own system call goes where poll(2) is now.
 *
 * The traps: a report that did not fit must come first the next time, a signal
 * or a time that was rounded does not end a wait, and no wake is lost.
 */

#define _GNU_SOURCE

#include <pons/poller.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BELL = 0,      // the entry of the bell
    FIRST = 1,     // of the descriptors
    SIZE_MIN = 64, // of the arrays; they double
    MS = 1000000,  // in ns
    ENTRY = sizeof(uint64_t) + sizeof(struct pollfd), // in both arrays
};

struct MINE_poller {
    struct pons_poller base;
    const struct pons_host *host;
    int bell;           // the eventfd behind wake()
    struct pollfd *fds; // [0 .. count-1] are in use
    uint64_t *cookies;  // of the same entries
    unsigned count, size;
    unsigned start; // the entry whose report comes first
};

static struct MINE_poller *
self(struct pons_poller *p)
{
    return pons_container_of(p, struct MINE_poller, base);
}

/* --- what is watched --- */

static void
MINE_free_arrays(struct MINE_poller *m)
{
    if (m->size != 0)
        m->host->free(m->host, m->cookies, m->size * ENTRY);
}

/* Both arrays are one piece of memory. */
static int
MINE_grow(struct MINE_poller *m)
{
    unsigned size = m->size != 0 ? m->size * 2 : SIZE_MIN;
    uint64_t *cookies = m->host->alloc(m->host, size * ENTRY);
    struct pollfd *fds;

    if (cookies == NULL)
        return -ENOMEM;
    fds = (void *)(cookies + size);
    if (m->size != 0) {
        memcpy(cookies, m->cookies, m->count * sizeof *cookies);
        memcpy(fds, m->fds, m->count * sizeof *fds);
    }
    MINE_free_arrays(m);
    m->cookies = cookies;
    m->fds = fds;
    m->size = size;
    return 0;
}

/* poll(2) says of files that they are ready, always: -EPERM. */
static int
MINE_add(struct MINE_poller *m, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return -EPERM;
    if (m->count == m->size && MINE_grow(m) < 0)
        return -ENOMEM;
    m->fds[m->count++] = (struct pollfd){.fd = fd};
    return 0;
}

/* The entry of a descriptor that is watched. */
static unsigned
MINE_find(const struct MINE_poller *m, int fd)
{
    unsigned i = FIRST;

    while (m->fds[i].fd != fd)
        i++;
    return i;
}

/* The last entry takes its place. */
static void
MINE_remove(struct MINE_poller *m, unsigned i)
{
    m->fds[i] = m->fds[--m->count];
    m->cookies[i] = m->cookies[m->count];
}

static int
MINE_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
             unsigned want)
{
    struct MINE_poller *m = self(p);
    int err = had == 0 ? MINE_add(m, fd) : 0;
    unsigned i;

    if (err < 0)
        return err;
    i = MINE_find(m, fd);
    if (want == 0) {
        MINE_remove(m, i);
        return 0;
    }
    m->cookies[i] = cookie;
    m->fds[i].events = (short)((want & PONS_READABLE ? POLLIN : 0) |
                               (want & PONS_WRITABLE ? POLLOUT : 0));
    return 0;
}

/* --- wait --- */

/* Rounded up: rounded down, it would come back early, and spin. */
static int
MINE_timeout_ms(const struct MINE_poller *m, uint64_t deadline_ns)
{
    uint64_t now, ms;

    if (deadline_ns == PONS_NEVER || deadline_ns == 0)
        return deadline_ns == 0 ? 0 : -1;
    now = m->host->now(m->host);
    ms = deadline_ns > now ? (deadline_ns - now + MS - 1) / MS : 0;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static int
MINE_is_late(const struct MINE_poller *m, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && m->host->now(m->host) >= deadline_ns);
}

/* An error or hang-up is whatever is wanted: the call finds out which. */
static uint32_t
MINE_ready(const struct pollfd *f)
{
    int bad = f->revents & (POLLERR | POLLHUP | POLLNVAL);
    int ready = bad ? f->events : f->revents;

    return (ready & POLLIN ? PONS_READABLE : 0u) |
           (ready & POLLOUT ? PONS_WRITABLE : 0u);
}

static unsigned
MINE_fill(struct MINE_poller *m, struct pons_ready *ready, unsigned cap)
{
    unsigned filled = 0;

    for (unsigned n = FIRST; n < m->count && filled < cap; n++) {
        unsigned i =
            m->start >= FIRST && m->start < m->count ? m->start : FIRST;

        if (m->fds[i].revents != 0)
            ready[filled++] = (struct pons_ready){
                .cookie = m->cookies[i], .ready = MINE_ready(&m->fds[i])};
        m->start = i + 1;
    }
    return filled;
}

static int
MINE_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    struct MINE_poller *m = self(p);
    uint64_t rings;
    int n;

    do {
        n = poll(m->fds, m->count, MINE_timeout_ms(m, deadline_ns));
        if (n < 0 && errno != EINTR)
            return -errno;
    } while (n <= 0 && !MINE_is_late(m, deadline_ns));
    if (n <= 0)
        return 0;
    if (m->fds[BELL].revents != 0)
        (void)!read(m->bell, &rings, sizeof rings);
    return (int)MINE_fill(m, ready, cap);
}

/* Any thread, any signal handler: write(2) is safe in both. */
static int
MINE_wake(struct pons_poller *p)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(self(p)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

/* --- the beginning and the end --- */

/* Also in a forked child: nothing is shared but the bell. */
static void
MINE_close(struct pons_poller *p)
{
    struct MINE_poller *m = self(p);
    const struct pons_host *h = m->host;

    close(m->bell);
    MINE_free_arrays(m);
    h->free(h, m, sizeof *m);
}

static const struct pons_poller_ops MINE_ops; // below; it names open()

static int
MINE_open(struct pons_poller **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    struct MINE_poller *m = host->alloc(host, sizeof *m);
    int err;

    (void)config; // it has no options
    if (m == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the poller");
    m->base.ops = &MINE_ops;
    m->host = host;
    if (MINE_grow(m) < 0) {
        err = host->refuse(reason, -ENOMEM, "no memory for the poller");
        goto free_poller;
    }
    m->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->bell < 0) {
        err = host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
        goto free_arrays;
    }
    m->fds[BELL] = (struct pollfd){.fd = m->bell, .events = POLLIN};
    m->count = FIRST;
    *out = &m->base;
    return 0;

free_arrays:
    MINE_free_arrays(m);
free_poller:
    host->free(host, m, sizeof *m);
    return err;
}

static const struct pons_poller_ops MINE_ops = {
    .abi = PONS_ABI,
    .size = sizeof MINE_ops,
    .name = "MINE",
    .caps = 0, // enum pons_poller_caps: what it can do besides
    .open = MINE_open,
    .close = MINE_close,
    .control = MINE_control,
    .wait = MINE_wait,
    .wake = MINE_wake,
};

static const struct pons_engine MINE_engines[] = {
    {.kind = PONS_KIND_POLLER,
     .rank = 0, // `auto` never takes it by itself
     .name = "MINE",
     .summary = "readiness by poll(2)",
     .table = &MINE_ops},
    {0},
};

static const struct pons_plugin MINE_plugin = {
    .abi = PONS_ABI,
    .size = sizeof MINE_plugin,
    .name = "MINE",
    .version = "0.1.0",
    .licence = "MIT",
    .engines = MINE_engines,
};

PONS_PLUGIN(MINE_plugin, "MINE", "0.1.0", "MIT", "poller:MINE")
