/* SPDX-License-Identifier: MIT */
/*
 * kit/engine.c - the engine under test: opened and closed as the core does it,
 * with the kit's host.
 */

#include "kit.h"

#include <errno.h>
#include <string.h>

#include "core/adapter.h"
#include "core/catalog.h"
#include "core/settings.h"

enum { PAIRS_MAX = 64 }; // of an engine's options

/* The options that are given, `pair` (NULL: none) in the place of its own. */
static int
engine_configure(struct kit *k, const struct poni_pair *pair)
{
    struct poni_pair all[PAIRS_MAX];
    unsigned n = 0;

    for (unsigned i = 0; k->given != NULL && i < k->given->pair_count; i++)
        if (n < PAIRS_MAX - 1 &&
            (pair == NULL || strcmp(k->given->pairs[i].key, pair->key) != 0))
            all[n++] = k->given->pairs[i];
    if (pair != NULL)
        all[n++] = *pair;
    poni_config_free(k->config);
    k->config = NULL;
    return poni_config_new(&k->config, "conform", k->engine->name,
                           k->engine->options, all, n);
}

const struct pons_config *
kit_config(struct kit *k)
{
    if (k->config == NULL && engine_configure(k, NULL) < 0)
        kit_fail("its table of options: %s", pons_last_error());
    return k->config;
}

int
kit_is_given(const struct kit *k)
{
    return k->given != NULL && k->given->pair_count > 0;
}

int
kit_takes_given(struct kit *k)
{
    return engine_configure(k, NULL) == 0;
}

int
kit_has_option(const struct kit *k, const char *name)
{
    const struct pons_option *o = k->engine->options;

    while (o != NULL && o->name != NULL && strcmp(o->name, name) != 0)
        o++;
    return o != NULL && o->name != NULL;
}

int
kit_configure(struct kit *k, const char *option, const char *value)
{
    struct poni_pair pair = {.key = (char *)option, .value = (char *)value};

    return engine_configure(k, &pair);
}

int
kit_try_open(struct kit *k, struct pons_reactor **out,
             struct pons_reason *reason)
{
    const struct pons_config *config = kit_config(k);
    const struct pons_reactor_ops *ops = k->engine->table;

    memset(reason, 0, sizeof *reason);
    *out = NULL;
    if (k->engine->kind == PONS_KIND_POLLER)
        return poni_adapter_open(out, k->engine->table, config, kit_host(),
                                 reason);
    return ops->open(out, config, kit_host(), reason);
}

void
kit_check_reason(const struct pons_reason *reason, int err)
{
    KIT_WANT(reason->text[0] != '\0',
             "open refused with %s: wanted a reason in words, found none",
             strerror(-err));
    KIT_WANT(memchr(reason->text, '\0', sizeof reason->text) != NULL,
             "open refused with %s: wanted a reason in words, found %zu bytes "
             "without an end",
             strerror(-err), sizeof reason->text);
}

/* Nobody's yet. */
static struct pons_reactor *
engine_open(struct kit *k)
{
    struct pons_reason reason;
    struct pons_reactor *r;
    int err = kit_try_open(k, &r, &reason);

    if (err < 0)
        kit_fail("open: %s: %s", strerror(-err), reason.text);
    KIT_WANT(r->ops != NULL, "open left the reactor without its table");
    return r;
}

struct pons_reactor *
kit_open(struct kit *k)
{
    struct pons_reactor *r = engine_open(k);

    kit_check_result(r->ops->bind(r), 0, "bind");
    return r;
}

struct pons_reactor *
kit_open_pollable(struct kit *k, int *fd)
{
    struct pons_reactor *r = engine_open(k);

    kit_check_result(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, fd), 0,
                     "control(POLLABLE_FD)");
    kit_check_result(r->ops->bind(r), 0, "bind");
    return r;
}

void
kit_close(struct pons_reactor *r)
{
    r->ops->close(r);
}

int
kit_try_open_poller(struct kit *k, struct pons_poller **out,
                    struct pons_reason *reason)
{
    const struct pons_poller_ops *ops = k->engine->table;

    return ops->open(out, kit_config(k), kit_host(), reason);
}
