/* SPDX-License-Identifier: MIT */
/*
 * backends/epoll.c - readiness on Linux, by epoll(7), edge-triggered.
 *
 * A descriptor is added once, for all that is wanted, and the kernel then tells
 * every change without being asked again: no system call per wait but the wait.
 * The bell of wake() is an eventfd in the same set. By edges it need not be
 * read: its counter would take 2^64 rings to fill.
 *
 * epoll_wait(2) counts in milliseconds, epoll_pwait2(2) in nanoseconds but
 * costs a little more: far deadlines are waited for coarsely first.
 */

#include "pons/poller.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX =
        256, // of the option: 3 KiB of stack; the kernel keeps the rest
    MS = 1000000,
    FAR_MS = 20, // one more wake-up in so long a time costs nothing
};

#define COOKIE_BELL UINT64_MAX

struct epoll_poller {
    struct pons_poller base;
    const struct pons_host *host;
    int set;
    int bell;        // the eventfd behind wake()
    unsigned events; // per system call
    int has_pwait2;  // Linux 5.11, and not forbidden
};

static struct epoll_poller *
self(struct pons_poller *p)
{
    return pons_container_of(p, struct epoll_poller, base);
}

static int
epoll_poller_control(struct pons_poller *p, int fd, uint64_t cookie,
                     unsigned had, unsigned want)
{
    struct epoll_event ev = {.events = EPOLLET, .data.u64 = cookie};
    int how = had != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (want & PONS_READABLE)
        ev.events |= EPOLLIN | EPOLLRDHUP | EPOLLPRI;
    if (want & PONS_WRITABLE)
        ev.events |= EPOLLOUT;
    if (want == 0)
        how = EPOLL_CTL_DEL;
    return epoll_ctl(self(p)->set, how, fd, &ev) < 0 ? -errno : 0;
}

static uint32_t
epoll_ready(uint32_t events)
{
    uint32_t ready = 0;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI))
        ready |= PONS_READABLE;
    if (events & EPOLLOUT)
        ready |= PONS_WRITABLE;
    if (events & (EPOLLERR | EPOLLHUP))
        ready |= PONS_READABLE | PONS_WRITABLE;
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI))
        ready |= PONS_ENDING;
    return ready;
}

static int
epoll_wait_ms(struct epoll_poller *e, struct epoll_event *got, int cap,
              uint64_t ms)
{
    return epoll_wait(e->set, got, cap, ms < INT_MAX ? (int)ms : INT_MAX);
}

/* One system call. It may come back before the deadline, never much after. */
static int
epoll_wait_once(struct epoll_poller *e, struct epoll_event *got, int cap,
                uint64_t deadline_ns)
{
    struct timespec left = {0};
    uint64_t now, ns;

    if (deadline_ns == PONS_NEVER || deadline_ns == 0)
        return epoll_wait(e->set, got, cap, deadline_ns == 0 ? 0 : -1);
    now = e->host->now(e->host);
    ns = deadline_ns > now ? deadline_ns - now : 0;
    if (ns == 0 || ns / MS >= FAR_MS)
        return epoll_wait_ms(e, got, cap, ns / MS);
    if (!e->has_pwait2)
        return epoll_wait_ms(e, got, cap, ns / MS + 1);
    left.tv_nsec = (long)ns;
    return epoll_pwait2(e->set, got, cap, &left, NULL);
}

/* Whether the time of a wait() that has found nothing is up. */
static int
epoll_is_late(const struct epoll_poller *e, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && e->host->now(e->host) >= deadline_ns);
}

static int
epoll_poller_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
                  uint64_t deadline_ns)
{
    struct epoll_event got[EVENTS_MAX];
    struct epoll_poller *e = self(p);
    int filled = 0, n;

    if (cap > e->events)
        cap = e->events;
    do {
        n = epoll_wait_once(e, got, (int)cap, deadline_ns);
        if (n < 0 && errno != EINTR)
            return -errno;
    } while (n <= 0 && !epoll_is_late(e, deadline_ns));

    for (int i = 0; i < n; i++) {
        if (got[i].data.u64 == COOKIE_BELL)
            continue; // a wake; the edge is spent
        ready[filled++] = (struct pons_ready){
            .cookie = got[i].data.u64, .ready = epoll_ready(got[i].events)};
    }
    return filled;
}

/* Any thread, any signal handler: write(2) is safe in both. */
static int
epoll_poller_wake(struct pons_poller *p)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(self(p)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

/* The descriptors go; the set itself may be a parent's, too. */
static void
epoll_poller_close(struct pons_poller *p)
{
    struct epoll_poller *e = self(p);

    close(e->bell);
    close(e->set);
    e->host->free(e->host, e, sizeof *e);
}

static void
epoll_probe(struct epoll_poller *e)
{
    const struct timespec at_once = {0};
    struct epoll_event got;

    e->has_pwait2 = epoll_pwait2(e->set, &got, 1, &at_once, NULL) >= 0;
    if (!e->has_pwait2)
        e->host->log(e->host, PONS_LOG_INFO, "epoll",
                     "epoll_pwait2: %s; deadlines are kept to a millisecond",
                     strerror(errno));
}

static int
epoll_open_set(struct epoll_poller *e, struct pons_reason *reason)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET,
                             .data.u64 = COOKIE_BELL};
    int err;

    e->set = epoll_create1(EPOLL_CLOEXEC);
    if (e->set < 0)
        return e->host->refuse(reason, -errno, "epoll_create1: %s",
                               strerror(errno));
    e->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->bell < 0) {
        err = e->host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
        goto close_set;
    }
    if (epoll_ctl(e->set, EPOLL_CTL_ADD, e->bell, &ev) < 0) {
        err = e->host->refuse(reason, -errno, "epoll_ctl: %s", strerror(errno));
        goto close_bell;
    }
    return 0;

close_bell:
    close(e->bell);
close_set:
    close(e->set);
    return err;
}

static const struct pons_poller_ops epoll_ops; // below; it names open()

static int
epoll_poller_open(struct pons_poller **out, const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    struct epoll_poller *e = host->alloc(host, sizeof *e);
    int err;

    if (e == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the poller");
    e->base.ops = &epoll_ops;
    e->host = host;
    e->events = (unsigned)host->config_uint(config, "events");
    err = epoll_open_set(e, reason);
    if (err < 0) {
        host->free(host, e, sizeof *e);
        return err;
    }
    epoll_probe(e);
    *out = &e->base;
    return 0;
}

static const struct pons_poller_ops epoll_ops = {
    .abi = PONS_ABI,
    .size = sizeof epoll_ops,
    .name = "epoll",
    .caps = PONS_POLLER_EDGE | PONS_POLLER_NANOSECONDS | PONS_POLLER_ENDINGS,
    .open = epoll_poller_open,
    .close = epoll_poller_close,
    .control = epoll_poller_control,
    .wait = epoll_poller_wait,
    .wake = epoll_poller_wake,
};

static const struct pons_option epoll_options[] = {
    {.name = "events",
     .type = PONS_OPTION_UINT,
     .fallback = "64",
     .min = 1,
     .max = EVENTS_MAX,
     .help = "events per system call"},
    {0},
};

static const struct pons_engine epoll_engines[] = {
    {.kind = PONS_KIND_POLLER,
     .rank = 50,
     .name = "epoll",
     .summary = "readiness by epoll(7), edge-triggered",
     .options = epoll_options,
     .table = &epoll_ops},
    {0},
};

static const struct pons_plugin epoll_plugin = {
    .abi = PONS_ABI,
    .size = sizeof epoll_plugin,
    .name = "epoll",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = epoll_engines,
};

PONS_PLUGIN(epoll_plugin, "epoll", PONS_VERSION, "MIT", "poller:epoll")
