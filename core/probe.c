/* SPDX-License-Identifier: MIT */
/*
 * core/probe.c - is an engine usable here? It is found out by trying (R15).
 */

#include "catalog.h"

#include "adapter.h"
#include "fail.h"
#include "pons/poller.h"
#include "pons/pool.h"
#include "pons/reactor.h"

#include <errno.h>
#include <string.h>

/* ---- one opening ---- */

/* open() answered `err`, and made something or not. */
static int
probe_opened(struct poni_probed *p, int err, const void *made,
             struct pons_reason *reason)
{
    p->open_ns = poni_host()->now(poni_host()) - p->open_ns;
    reason->text[sizeof reason->text - 1] = '\0'; // written to by hand, maybe
    if (err > 0)
        return poni_refuse(reason, -EINVAL,
                           "open(): wanted 0 or -errno, it returned %d", err);
    if (err == 0 && made == NULL)
        return poni_refuse(reason, -EINVAL,
                           "open(): it returned 0, and made nothing");
    return err;
}

static void
probe_begin(struct poni_probed *p)
{
    p->stage = PROBE_OPEN;
    p->open_ns = poni_host()->now(poni_host());
}

/* A poller by the adapter, as a runtime does. */
static int
probe_reactor(struct poni_probed *p, const struct pons_engine *engine,
              const struct pons_config *config, struct pons_reason *reason)
{
    const struct pons_reactor_ops *ops = engine->table;
    struct pons_reactor *r = NULL;
    int err;

    probe_begin(p);
    if (engine->kind == PONS_KIND_POLLER)
        err = poni_adapter_open(&r, engine->table, config, poni_host(), reason);
    else
        err = ops->open(&r, config, poni_host(), reason);
    err = probe_opened(p, err, r, reason);
    if (err < 0)
        return err;
    if (r->ops == NULL)
        return poni_refuse(reason, -EINVAL,
                           "open(): what it made has no ops, wanted its table");
    p->caps = r->caps;
    p->stage = PROBE_BIND;
    err = r->ops->bind(r);
    if (err < 0)
        poni_refuse(reason, err, "bind: %s", strerror(-err));
    p->stage = PROBE_CLOSE;
    r->ops->close(r);
    return err;
}

static int
probe_pool(struct poni_probed *p, const struct pons_pool_ops *ops,
           const struct pons_config *config, struct pons_reason *reason)
{
    struct pons_pool_policy *policy = NULL;
    int err;

    probe_begin(p);
    err = ops->open(&policy, config, poni_host(), reason);
    err = probe_opened(p, err, policy, reason);
    if (err < 0)
        return err;
    policy->ops = ops;
    p->stage = PROBE_CLOSE;
    ops->close(policy);
    return 0;
}

int
poni_probe(void *arg, const struct pons_engine *engine,
           const struct pons_config *config, struct pons_reason *reason)
{
    struct poni_probed unasked, *p = arg != NULL ? arg : &unasked;
    int err;

    p->caps = 0;
    err = engine->kind == PONS_KIND_POOL
              ? probe_pool(p, engine->table, config, reason)
              : probe_reactor(p, engine, config, reason);
    p->stage = PROBE_ENDED;
    return err;
}

/* ---- one entry ---- */

int
poni_entry_probe(struct poni_entry *e, struct pons_reason *reason)
{
    struct pons_config *config;
    int err = poni_entry_try(e, reason);

    if (err < 0)
        return err;
    err =
        poni_config_new(&config, e->name, e->name, e->engine->options, NULL, 0);
    if (err < 0)
        return poni_refuse(reason, err, "%s", pons_last_error());
    reason->text[0] = '\0';
    err = poni_probe(NULL, e->engine, config, reason);
    poni_config_free(config);
    if (err < 0 && reason->text[0] == '\0')
        poni_refuse(reason, err, "%s", strerror(-err));
    return err;
}
