/* SPDX-License-Identifier: MIT */
/*
 * kit/need.c - see kit/need.h.
 *
 * What an engine declares is an instance's (pons_reactor.caps), so one is
 * opened to look; only for tests that depend on it, since an engine may be
 * unable to do even that.
 */

#include "need.h"

#include <string.h>

#include "core/opcode.h"
#include "pons/poller.h"

enum {
    CAPABILITIES = KIT_MOVES | KIT_COMPLETION | KIT_VIRTUAL | KIT_ACCEPT_MULTI |
                   KIT_RECV_MULTI | KIT_POLL_MULTI | KIT_SEND_ZC | KIT_POLLABLE,
};

/* As in cli/chosen.c: the one engine that is allowed to pretend. */
static int
need_pretends(const struct kit *k)
{
    return strcmp(k->engine->name, "null") == 0;
}

static int
need_is_poller(const struct kit *k)
{
    return k->engine->kind == PONS_KIND_POLLER;
}

static int
need_has_forked(const struct kit *k)
{
    const struct pons_reactor_ops *ops = k->engine->table;

    return need_is_poller(k) || ops->forked != NULL;
}

static int
need_has_options(const struct kit *k)
{
    return k->engine->options != NULL && k->engine->options->name != NULL;
}

/* Of a poller's table. */
static int
need_declares(const struct kit *k, uint32_t cap)
{
    const struct pons_poller_ops *ops = k->engine->table;

    return need_is_poller(k) && (ops->caps & cap) != 0;
}

/* The one policy that may run jobs on their submitters. */
static int
need_has_threads(const struct kit *k)
{
    return strcmp(k->engine->name, "inline") != 0;
}

/* Of the opcodes that are capabilities. */
static const char *
need_opcode(const struct pons_reactor *r, unsigned needs)
{
    if (needs & KIT_ACCEPT_MULTI && !poni_reactor_has(r, PONS_OP_ACCEPT_MULTI))
        return "it does not declare ACCEPT_MULTI";
    if (needs & KIT_RECV_MULTI && !poni_reactor_has(r, PONS_OP_RECV_MULTI))
        return "it does not declare RECV_MULTI";
    if (needs & KIT_POLL_MULTI && !poni_reactor_has(r, PONS_OP_POLL_MULTI))
        return "it does not declare POLL_MULTI";
    if (needs & KIT_SEND_ZC && !poni_reactor_has(r, PONS_OP_SEND_ZC))
        return "it does not declare SEND_ZC";
    return NULL;
}

static int
need_is_pollable(struct pons_reactor *r)
{
    int fd;

    return r->ops->control != NULL &&
           r->ops->control(r, PONS_CONTROL_POLLABLE_FD, &fd) == 0;
}

static const char *
need_capability(struct kit *k, unsigned needs)
{
    struct pons_reactor *r = kit_open(k);
    const char *opcode = need_opcode(r, needs);
    uint64_t caps = r->caps;
    int pollable = needs & KIT_POLLABLE && need_is_pollable(r);

    kit_close(r);
    if (opcode != NULL)
        return opcode;
    if (needs & KIT_MOVES && caps & PONS_REACTOR_PINNED)
        return "it declares PONS_REACTOR_PINNED";
    if (needs & KIT_COMPLETION && !(caps & PONS_REACTOR_COMPLETION))
        return "it does not declare PONS_REACTOR_COMPLETION";
    if (needs & KIT_VIRTUAL && !(caps & PONS_REACTOR_VIRTUAL_TIME))
        return "it does not declare PONS_REACTOR_VIRTUAL_TIME";
    if (needs & KIT_POLLABLE && !pollable)
        return "it has no pollable descriptor";
    return NULL;
}

const char *
kit_need_unmet(struct kit *k, unsigned needs)
{
    if (needs & KIT_IO && need_pretends(k))
        return "it does no I/O";
    if (needs & KIT_FORKED && !need_has_forked(k))
        return "optional: it has no forked()";
    if (needs & KIT_OPTIONS && !need_has_options(k))
        return "it has no options";
    if (needs & KIT_LEVEL && need_declares(k, PONS_POLLER_EDGE))
        return "it declares PONS_POLLER_EDGE";
    if (needs & KIT_ENDINGS && !need_declares(k, PONS_POLLER_ENDINGS))
        return "it does not declare PONS_POLLER_ENDINGS";
    if (needs & KIT_OWN_CALLS && need_declares(k, PONS_POLLER_WRAPS))
        return "it declares PONS_POLLER_WRAPS";
    if (needs & KIT_THREADS && !need_has_threads(k))
        return "it runs jobs on their submitters";
    return needs & CAPABILITIES ? need_capability(k, needs) : NULL;
}
