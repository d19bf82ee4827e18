/* SPDX-License-Identifier: MIT */
/*
 * core/probe.c - is an engine usable here? It is found out by trying (R15).
 */

#include "catalog.h"

#include "fail.h"
#include "pons/poller.h"
#include "pons/pool.h"
#include "pons/reactor.h"

#include <errno.h>
#include <string.h>

static int
probe_reactor(const struct pons_reactor_ops *ops,
              const struct pons_config *config, struct pons_reason *reason)
{
    struct pons_reactor *r;
    int err = ops->open(&r, config, poni_host(), reason);

    if (err < 0)
        return err;
    err = ops->bind(r);
    if (err < 0)
        poni_refuse(reason, err, "bind: %s", strerror(-err));
    ops->close(r);
    return err;
}

static int
probe_poller(const struct pons_poller_ops *ops,
             const struct pons_config *config, struct pons_reason *reason)
{
    struct pons_poller *p;
    int err = ops->open(&p, config, poni_host(), reason);

    if (err == 0)
        ops->close(p);
    return err;
}

static int
probe_pool(const struct pons_pool_ops *ops, const struct pons_config *config,
           struct pons_reason *reason)
{
    struct pons_pool_policy *p;
    int err = ops->open(&p, config, poni_host(), reason);

    if (err == 0)
        ops->close(p);
    return err;
}

int
poni_probe(void *arg, const struct pons_engine *engine,
           const struct pons_config *config, struct pons_reason *reason)
{
    (void)arg;
    switch (engine->kind) {
    case PONS_KIND_REACTOR:
        return probe_reactor(engine->table, config, reason);
    case PONS_KIND_POLLER:
        return probe_poller(engine->table, config, reason);
    default:
        return probe_pool(engine->table, config, reason);
    }
}

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
