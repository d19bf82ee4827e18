/* SPDX-License-Identifier: MIT */
/*
 * backends/libev.c - readiness by libev, with a loop of our own inside.
 *
 * A poller (backends/loop.h): libev tells readiness and does no I/O. The bell
 * is an eventfd that it watches; ev_async would make a pipe of its own later,
 * and end the process where there is no descriptor for it.
 *
 * Which method stands below is an option, and never LIBEV_FLAGS. Two of libev's
 * methods are left out: with `linuxaio` and `iouring` what a thread has begun
 * is lost when that thread ends, and then libev ends the process.
 *
 * libev does not say that its system calls are forbidden: it takes everything
 * for ready, or for closed. So open() rings its own bell. What it does say
 * ends the process, but for backends/libev_failure.h.
 */

#include "loop.h"

#include <ev.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "libev_failure.h"

#define SECOND_NS 1e9 // libev counts in seconds

struct libev_watch {
    struct loop_watch base;
    ev_io io;
};

struct libev {
    struct loop base;
    struct ev_loop *loop;
    ev_timer deadline; // active in a turn only
    ev_io bell;
    struct ev_loop *outer; // never runs; see libev_forget()
    ev_embed embed;
    struct libev_failure failure;
};

static struct libev *
self(struct loop *l)
{
    return pons_container_of(l, struct libev, base);
}

/* --- callbacks --- */

/* Of a descriptor that libev gives up it says both directions, too. */
static void
libev_heard(struct ev_loop *loop, ev_io *io, int events)
{
    struct libev_watch *w = pons_container_of(io, struct libev_watch, io);

    loop_report(ev_userdata(loop), &w->base,
                (events & EV_READ ? PONS_READABLE : 0u) |
                    (events & EV_WRITE ? PONS_WRITABLE : 0u));
}

static void
libev_bell_heard(struct ev_loop *loop, ev_io *bell, int events)
{
    (void)bell, (void)events;
    loop_rung(ev_userdata(loop));
}

/* That it came is all. */
static void
libev_deadline_heard(struct ev_loop *loop, ev_timer *deadline, int events)
{
    (void)loop, (void)deadline, (void)events;
}

/* --- control and turns --- */

/* libev takes what epoll declines for always ready, and would spin on it. */
static int
libev_check(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode)
               ? -EPERM
               : 0;
}

/*
 * libev leaves a descriptor in epoll's set until that reports it, which may be
 * when it is somebody else's. So we take it out. Which set that is libev tells
 * to a loop that embeds this one; it may make another at any time.
 */
static void
libev_forget(struct libev *e, int fd)
{
    if (!(ev_backend(e->loop) & EVBACKEND_EPOLL & ev_embeddable_backends()))
        return;
    ev_embed_start(e->outer, &e->embed);
    (void)epoll_ctl(e->embed.io.fd, EPOLL_CTL_DEL, fd, NULL);
    ev_embed_stop(e->outer, &e->embed);
}

static int
libev_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
              unsigned want)
{
    struct libev *e = self(loop_of(p));
    int err = had == 0 ? libev_check(fd) : 0;
    struct libev_watch *w;

    if (err < 0)
        return err;
    w = loop_make(&e->base, fd);
    if (w == NULL)
        return -ENOMEM;
    loop_want(&e->base, &w->base, cookie, want);
    ev_io_stop(e->loop, &w->io);
    ev_io_init(&w->io, libev_heard, fd,
               (want & PONS_READABLE ? EV_READ : 0) |
                   (want & PONS_WRITABLE ? EV_WRITE : 0));
    if (want != 0)
        ev_io_start(e->loop, &w->io);
    else
        libev_forget(e, fd);
    return 0;
}

static void
libev_drop(struct loop *l, struct loop_watch *w)
{
    ev_io_stop(self(l)->loop, &((struct libev_watch *)w)->io);
}

static int
libev_turn(struct loop *l, uint64_t left_ns)
{
    struct libev *e = self(l);
    int err;

    if (left_ns == 0)
        return libev_failure_run(&e->failure, e->loop, EVRUN_NOWAIT);
    if (left_ns != PONS_NEVER) {
        ev_now_update(e->loop); // the timer counts from there
        ev_timer_set(&e->deadline, (double)left_ns / SECOND_NS, 0.);
        ev_timer_start(e->loop, &e->deadline);
    }
    err = libev_failure_run(&e->failure, e->loop, EVRUN_ONCE);
    ev_timer_stop(e->loop, &e->deadline);
    return err;
}

/* --- open and close --- */

/* Also in a forked child: what the loop has is closed, and nothing is taken out
 * of what may be the parent's, too. A loop may be missing. */
static void
libev_close(struct pons_poller *p)
{
    struct libev *e = self(loop_of(p));

    ev_loop_destroy(e->outer);
    ev_loop_destroy(e->loop);
    loop_close(&e->base, sizeof *e);
}

/* By the numbers of `choices` below. */
static const struct libev_method {
    unsigned flags;
    const char *name;
} methods[] = {
    {EVBACKEND_EPOLL | EVBACKEND_POLL | EVBACKEND_SELECT, "auto"},
    {EVBACKEND_EPOLL, "epoll"},
    {EVBACKEND_POLL, "poll"},
    {EVBACKEND_SELECT, "select"},
};

/* Of a loop, whatever was asked for. */
static const char *
libev_method(struct ev_loop *loop)
{
    const struct libev_method *m = methods;

    while (m->flags != ev_backend(loop))
        m++;
    return m->name;
}

static int
libev_open_loop(struct libev *e, const struct libev_method *method,
                struct pons_reason *reason)
{
    e->outer = ev_loop_new(EVBACKEND_SELECT | EVFLAG_NOENV);
    errno = ENOTSUP; // what it says of a method that it does not have
    e->loop = ev_loop_new(method->flags | EVFLAG_NOENV);
    if (e->outer == NULL || e->loop == NULL)
        return e->base.host->refuse(reason, -errno, "libev's method %s: %s",
                                    method->name, strerror(errno));
    ev_embed_init(&e->embed, NULL, e->loop);
    ev_set_userdata(e->loop, &e->base);
    ev_init(&e->deadline, libev_deadline_heard);
    ev_io_init(&e->bell, libev_bell_heard, e->base.bell, EV_READ);
    ev_io_start(e->loop, &e->bell);
    return 0;
}

/* Rung once, the bell is to be heard once, and still to be watched then. */
static int
libev_try_loop(struct libev *e, struct pons_reason *reason)
{
    int err;

    (void)loop_wake(&e->base.base);
    (void)libev_failure_run(&e->failure, e->loop, EVRUN_NOWAIT);
    err = libev_failure_run(&e->failure, e->loop, EVRUN_NOWAIT);
    if (err == 0 && e->base.rung == 1 && ev_is_active(&e->bell))
        return 0;
    return e->base.host->refuse(reason, err < 0 ? err : -ENOTSUP,
                                "libev's method %s does not work here, as if "
                                "system calls were forbidden; try method=poll",
                                libev_method(e->loop));
}

static const struct pons_poller_ops libev_ops; // below; it names open()

static int
libev_open(struct pons_poller **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = 0;
    struct libev *e =
        loop_open(host, sizeof *e, sizeof(struct libev_watch), reason, &err);

    if (e == NULL)
        return err;
    libev_failure_init(&e->failure, host);
    e->base.base.ops = &libev_ops;
    e->base.turn = libev_turn;
    e->base.drop = libev_drop;
    err = libev_open_loop(e, &methods[host->config_uint(config, "method")],
                          reason);
    if (err == 0)
        err = libev_try_loop(e, reason);
    if (err < 0) {
        libev_close(&e->base.base);
        return err;
    }
    host->log(host, PONS_LOG_INFO, "libev", "libev %d.%d by %s",
              ev_version_major(), ev_version_minor(), libev_method(e->loop));
    *out = &e->base.base;
    return 0;
}

static const struct pons_poller_ops libev_ops = {
    .abi = PONS_ABI,
    .size = sizeof libev_ops,
    .name = "libev",
    .open = libev_open,
    .close = libev_close,
    .control = libev_control,
    .wait = loop_wait,
    .wake = loop_wake,
};

static const struct pons_option libev_options[] = {
    {.name = "method",
     .type = PONS_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|epoll|poll|select",
     .help = "how libev asks the kernel; auto: the first that it has"},
    {0},
};

static const struct pons_engine libev_engines[] = {
    {.kind = PONS_KIND_POLLER,
     .rank = 0,
     .name = "libev",
     .summary = "readiness by a loop of libev's",
     .options = libev_options,
     .table = &libev_ops},
    {0},
};

static const struct pons_plugin libev_plugin = {
    .abi = PONS_ABI,
    .size = sizeof libev_plugin,
    .name = "libev",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = libev_engines,
};

PONS_PLUGIN(libev_plugin, "libev", PONS_VERSION, "MIT", "poller:libev")
