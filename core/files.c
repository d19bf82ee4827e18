/* SPDX-License-Identifier: MIT */
/*
 * core/files.c - see core/files.h.
 *
 * Engines make no system call in submit and one in poll, so what tasks submit
 * between two looks is given to the kernel at once. A look that finds nothing
 * to give and nothing told costs none.
 *
 * An engine that fails for good ends with -ECANCELED what it has not begun, and
 * nobody has asked for that: those calls are made on the pool (core/call.c).
 */

#include "files.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fail.h"
#include "io.h"
#include "opcode.h"
#include "runtime.h"
#include "seat.h"

/* --- asked --- */

struct pons_reactor *
poni_files_engine(const struct poni_seat *s, const struct pons_op *op)
{
    const struct poni_files *f = &s->files;

    if (f->reactor == NULL || f->broken < 0 || poni_op_way(op) != WAY_BLOCKS ||
        !poni_reactor_does(f->reactor, op))
        return NULL;
    return f->reactor;
}

/* What it has in flight may still end, so it is not forgotten. */
static void
files_give_up(struct poni_seat *s, int err)
{
    struct poni_files *f = &s->files;

    if (f->broken < 0)
        return;
    poni_store_relaxed(&f->broken, err);
    poni_host()->log(poni_host(), PONS_LOG_ERROR, "reactor",
                     "%s of seat %u failed for good: %s; operations on files "
                     "go where they would go without it",
                     f->reactor->ops->name, s->index, strerror(-err));
}

/* Polls until there is nothing more to tell: how many have ended. */
static int
files_poll(struct poni_seat *s)
{
    struct poni_files *f = &s->files;
    struct pons_reactor *r = f->reactor;
    struct pons_event events[EVENTS];
    int n, ended = 0;

    f->due = 0;
    while ((n = r->ops->poll(r, events, EVENTS, 0)) > 0) {
        for (int i = 0; i < n; i++)
            poni_io_event(s, events[i].op, events[i].res, events[i].flags);
        ended += n;
    }
    if (n < 0)
        files_give_up(s, n);
    return ended;
}

void
poni_files_look(struct poni_seat *s)
{
    if (s->files.inflight > 0)
        (void)files_poll(s);
}

/* --- watched --- */

/* 1: it is readable already. */
static int
files_watch(struct poni_seat *s)
{
    struct poni_files *f = &s->files;
    struct pons_reactor *r = s->reactor;
    struct pons_op *op = &f->watch;

    poni_op_clear(op);
    poni_op_belongs(op, USER_FILES);
    op->opcode = poni_reactor_has(r, PONS_OP_POLL_MULTI) ? PONS_OP_POLL_MULTI
                                                         : PONS_OP_POLL;
    op->fd = f->fd;
    op->len = POLLIN;
    op->reactor = r;
    f->watched = r->ops->submit(r, op) == PONS_SUBMIT_PENDING;
    if (!f->watched)
        f->due = 1;
    return !f->watched;
}

int
poni_files_settle(struct poni_seat *s)
{
    struct poni_files *f = &s->files;

    if (f->inflight == 0)
        return 0;
    if (!f->watched && files_watch(s)) // before the looks: none comes between
        return 1;
    return f->due && files_poll(s) > 0;
}

void
poni_files_event(struct poni_seat *s, uint32_t flags)
{
    s->files.watched = (flags & PONS_EVENT_MORE) != 0;
    s->files.due = 1;
}

void
poni_files_leave(struct poni_seat *s)
{
    struct poni_files *f = &s->files;

    if (f->watched)
        s->reactor->ops->cancel(s->reactor, &f->watch);
    while (f->watched)
        poni_seat_poll(s, PONS_NEVER);
}

/* --- made --- */

static void
files_close(struct poni_files *f)
{
    if (f->reactor != NULL)
        f->reactor->ops->close(f->reactor);
    f->reactor = NULL;
}

static int
files_check_does(uint64_t caps, struct pons_reason *reason)
{
    if (caps & PONS_REACTOR_FILES)
        return 0;
    return poni_refuse(reason, -ENOTSUP,
                       "it does not read and write files by itself "
                       "(PONS_REACTOR_FILES); wanted an engine that does, such "
                       "as uring, or pool");
}

/* Opens one that can stand beside a reactor. */
static int
files_open(struct poni_files *f, const struct pons_engine *engine,
           const struct pons_config *config, struct pons_reason *reason)
{
    const struct pons_reactor_ops *ops = engine->table;
    int err;

    if (engine->kind == PONS_KIND_POLLER)
        return poni_refuse(reason, -ENOTSUP,
                           "it only says when a descriptor is ready, which a "
                           "file always is; wanted an engine that does "
                           "operations on files, such as uring, or pool");
    err = ops->open(&f->reactor, config, poni_host(), reason);
    if (err < 0) {
        f->reactor = NULL;
        return err;
    }
    err = files_check_does(f->reactor->caps, reason);
    if (err == 0 &&
        (ops->control == NULL ||
         ops->control(f->reactor, PONS_CONTROL_POLLABLE_FD, &f->fd) < 0))
        err = poni_refuse(reason, -ENOTSUP,
                          "it has no descriptor by which another reactor could "
                          "watch it (PONS_CONTROL_POLLABLE_FD); wanted one "
                          "that has, such as uring, or pool");
    if (err < 0)
        files_close(f);
    return err;
}

/* Where the reactor is the same, a second one of it would only cost. */
static int
files_is_reactor(const struct poni_choice *reactor,
                 const struct pons_engine *engine,
                 const struct pons_config *config)
{
    return reactor->entry != NULL && engine == reactor->entry->engine &&
           poni_config_same(config, reactor->config);
}

/* The first seat's; `engine` NULL is the pool. Where the reactor is the same, a
 * second one of it would only cost. */
static int
files_try(void *arg, const struct pons_engine *engine,
          const struct pons_config *config, struct pons_reason *reason)
{
    struct pons_runtime *rt = arg;

    rt->files_on_pool = engine == NULL;
    if (engine == NULL)
        return 0;
    if (files_is_reactor(&rt->reactor, engine, config))
        return files_check_does(rt->seats[0].reactor->caps, reason);
    return files_open(&rt->seats[0].files, engine, config, reason);
}

int
poni_files_probe(void *arg, const struct pons_engine *engine,
                 const struct pons_config *config, struct pons_reason *reason)
{
    const struct poni_files_beside *beside = arg;
    struct poni_files files = {.reactor = NULL};
    int err;

    if (engine == NULL)
        return 0;
    if (files_is_reactor(beside->reactor, engine, config))
        return files_check_does(beside->caps, reason);
    err = files_open(&files, engine, config, reason);
    files_close(&files);
    return err;
}

int
poni_files_is_chosen(const struct poni_settings *settings)
{
    const char *text = settings->value[SETTING_FILES].text;

    return text != NULL && strcmp(text, "auto") != 0;
}

int
poni_files_make(struct pons_runtime *rt)
{
    struct pons_reason reason = {""};
    int err;

    if (!poni_files_is_chosen(&rt->settings))
        return 0;
    err = poni_choose(&rt->files, rt->catalog, SETTING_FILES, files_try, rt);
    if (err < 0 || rt->seats[0].files.reactor == NULL)
        return err;
    for (unsigned i = 1; i < rt->seat_count; i++) {
        err = files_open(&rt->seats[i].files, rt->files.entry->engine,
                         rt->files.config, &reason);
        if (err < 0)
            return poni_fail(err, "files by %s for worker %u of %u: %s",
                             rt->files.entry->name, i + 1, rt->workers,
                             reason.text);
    }
    return 0;
}

void
poni_files_close(struct poni_seat *s)
{
    files_close(&s->files);
}
