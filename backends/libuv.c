/* SPDX-License-Identifier: MIT */
/*
 * backends/libuv.c - readiness by libuv, with a loop of our own inside; and
 * files by libuv's threads (backends/libuv_file.h), if an option says so.
 *
 * A poller (backends/loop.h): libuv's streams allocate, and their results are
 * not those of the system calls, so they are not used. It would change the mode
 * of descriptors that block; for those there is backends/libuv_shy.h.
 *
 * What libuv does not expect ends the process. So control() sees to it that the
 * kernel will take what the loop registers later; for open() and for a forked
 * child there is backends/libuv_loop.h. What it does expect it keeps to itself:
 * where its wait is not there (ENOSYS) it takes another, and goes on.
 */

#include "loop.h"

#include <sys/epoll.h>
#include <uv.h>

#include "libuv_file.h"
#include "libuv_loop.h"
#include "libuv_shy.h"

enum {
    MS = 1000000,       // in ns
    FILES_BY_LIBUV = 1, // the number of the option's choice
};

/* libuv's directions are ours. */
PONS_STATIC_ASSERT((int)PONS_READABLE == (int)UV_READABLE, "UV_READABLE");
PONS_STATIC_ASSERT((int)PONS_WRITABLE == (int)UV_WRITABLE, "UV_WRITABLE");

struct libuv_watch {
    struct loop_watch base;
    int is_shy;       // among the shy
    uv_poll_t handle; // once made it stays: it is one of the number
};

struct libuv {
    struct loop base;
    uv_loop_t loop;
    pid_t process;       // that made the loop
    uv_timer_t deadline; // active in a turn only
    uv_poll_t bell;
    struct libuv_shy shy;
    struct libuv_files files;
};

static struct libuv *
self(struct loop *l)
{
    return pons_container_of(l, struct libuv, base);
}

/* --- callbacks --- */

/* Of an error libuv tells only that there is one, and stops: it is to tell the
 * next one, too. */
static void
libuv_heard(uv_poll_t *handle, int status, int events)
{
    struct loop_watch *w =
        &pons_container_of(handle, struct libuv_watch, handle)->base;

    if (status < 0) {
        events = w->want;
        (void)uv_poll_start(handle, w->want, libuv_heard);
        loop_want(handle->loop->data, w, w->cookie, w->want);
    }
    loop_report(handle->loop->data, w, (unsigned)events);
}

static void
libuv_bell_heard(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    loop_rung(handle->loop->data);
}

/* That it came is all there is to it: the loop has made its turn. */
static void
libuv_deadline_heard(uv_timer_t *deadline)
{
    (void)deadline;
}

/* --- control --- */

/* Whether the loop can watch `fd`: uv_poll_init() asks the kernel, but only a
 * new handle may be given to it. */
static int
libuv_check(struct libuv *u, struct libuv_watch *w, int fd)
{
    struct epoll_event ev = {.events = EPOLLIN};
    int set = uv_backend_fd(&u->loop);

    if (uv_handle_get_type((uv_handle_t *)&w->handle) != UV_POLL)
        return uv_poll_init(&u->loop, &w->handle, fd);
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) < 0 ||
        epoll_ctl(set, EPOLL_CTL_DEL, fd, &ev) < 0)
        return -errno;
    return 0;
}

static int
libuv_add(struct libuv *u, struct libuv_watch *w, int fd)
{
    int mode = fcntl(fd, F_GETFL);

    if (mode < 0)
        return -errno;
    w->is_shy = !(mode & O_NONBLOCK);
    return w->is_shy ? 0 : libuv_check(u, w, fd);
}

static int
libuv_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
              unsigned want)
{
    struct libuv *u = self(loop_of(p));
    struct libuv_watch *w;
    int err = 0;

    if (fd < 0)
        return -EBADF;
    w = loop_make(&u->base, fd);
    if (w == NULL)
        return -ENOMEM;
    if (had == 0)
        err = libuv_add(u, w, fd);
    if (err == 0 && w->is_shy)
        err = libuv_shy_control(&u->shy, fd, had, want);
    else if (err == 0)
        err = uv_poll_start(&w->handle, (int)want, libuv_heard);
    if (err == 0)
        loop_want(&u->base, &w->base, cookie, want);
    return err;
}

/* The kernel has taken it out of the shy already. */
static void
libuv_drop(struct loop *l, struct loop_watch *base)
{
    struct libuv_watch *w = (struct libuv_watch *)base;

    (void)l;
    if (!w->is_shy)
        uv_poll_stop(&w->handle);
}

/* --- turns --- */

static int
libuv_turn(struct loop *l, uint64_t left_ns)
{
    struct libuv *u = self(l);

    if (left_ns == 0) {
        uv_run(&u->loop, UV_RUN_NOWAIT);
        return 0;
    }
    if (left_ns != PONS_NEVER) {
        uv_update_time(&u->loop); // the timer counts from there
        uv_timer_start(&u->deadline, libuv_deadline_heard,
                       (left_ns - 1) / MS + 1, 0);
    }
    uv_run(&u->loop, UV_RUN_ONCE);
    uv_timer_stop(&u->deadline);
    return 0;
}

/* --- files --- */

static int
libuv_submit(struct pons_poller *p, struct pons_op *op)
{
    return libuv_file_submit(&self(loop_of(p))->files, op);
}

static void
libuv_cancel(struct pons_poller *p, struct pons_op *op)
{
    (void)p;
    libuv_file_cancel(op);
}

/* --- open and close --- */

static void
libuv_close(struct pons_poller *p)
{
    struct libuv *u = self(loop_of(p));

    libuv_loop_close(&u->loop, u->process != getpid());
    close(u->shy.set);
    libuv_file_free_all(&u->files);
    loop_close(&u->base, sizeof *u);
}

/* No handle is there before the kernel has agreed to the first: without any the
 * loop can be closed without a turn, which would end the process. */
static int
libuv_open_loop(struct libuv *u, struct pons_reason *reason)
{
    const struct pons_host *h = u->base.host;
    int err = libuv_loop_open(&u->loop, u->base.bell);

    if (err < 0)
        return loop_refuse(h, reason, err, "uv_loop_init");
    err = uv_poll_init(&u->loop, &u->bell, u->base.bell);
    if (err < 0) {
        (void)uv_loop_close(&u->loop);
        return loop_refuse(h, reason, err, "uv_poll_init");
    }
    u->loop.data = &u->base;
    uv_timer_init(&u->loop, &u->deadline);
    uv_poll_start(&u->bell, UV_READABLE, libuv_bell_heard);
    err = libuv_shy_open(&u->shy, &u->base, &u->loop);
    if (err < 0) {
        libuv_loop_close(&u->loop, 0);
        return loop_refuse(h, reason, err, "epoll_create1");
    }
    return 0;
}

static const struct pons_poller_ops libuv_ops; // below; it names open()

static int
libuv_open(struct pons_poller **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = 0;
    struct libuv *u =
        loop_open(host, sizeof *u, sizeof(struct libuv_watch), reason, &err);

    if (u == NULL)
        return err;
    u->base.base.ops = &libuv_ops;
    u->base.turn = libuv_turn;
    u->base.drop = libuv_drop;
    u->process = getpid();
    u->files.base = &u->base;
    u->files.loop = &u->loop;
    if (host->config_uint(config, "files") == FILES_BY_LIBUV)
        u->base.base.opcodes = LIBUV_FILE_OPCODES;
    err = libuv_open_loop(u, reason);
    if (err < 0) {
        loop_close(&u->base, sizeof *u);
        return err;
    }
    *out = &u->base.base;
    return 0;
}

static const struct pons_poller_ops libuv_ops = {
    .abi = PONS_ABI,
    .size = sizeof libuv_ops,
    .name = "libuv",
    .caps = PONS_POLLER_WRAPS,
    .open = libuv_open,
    .close = libuv_close,
    .control = libuv_control,
    .wait = loop_wait,
    .wake = loop_wake,
    .submit = libuv_submit,
    .cancel = libuv_cancel,
};

static const struct pons_option libuv_options[] = {
    {.name = "files",
     .type = PONS_OPTION_CHOICE,
     .fallback = "pool",
     .choices = "pool|libuv",
     .help = "who does files: the blocking pool, or libuv's own threads"},
    {0},
};

static const struct pons_engine libuv_engines[] = {
    {.kind = PONS_KIND_POLLER,
     .rank = 0,
     .name = "libuv",
     .summary = "readiness by a loop of libuv's",
     .options = libuv_options,
     .table = &libuv_ops},
    {0},
};

static const struct pons_plugin libuv_plugin = {
    .abi = PONS_ABI,
    .size = sizeof libuv_plugin,
    .name = "libuv",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = libuv_engines,
};

PONS_PLUGIN(libuv_plugin, "libuv", PONS_VERSION, "MIT", "poller:libuv")
