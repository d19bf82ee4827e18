/* SPDX-License-Identifier: MIT */
/*
 * core/config.c - the options of one engine with their values: what the user
 * wrote over the defaults of the engine's table.
 *
 * Every option has a value here, so an engine asks by name and is never told
 * "not set". A table is bounded and small: a search through it is fine.
 */

#include "fail.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pons_config {
    char *engine; // owned, like the texts
    unsigned count;
    struct config_value {
        const struct pons_option *option;
        uint64_t number;
        char *text;
    } values[];
};

static unsigned
option_count(const struct pons_option *table)
{
    unsigned n = 0;

    while (table != NULL && table[n].name != NULL)
        n++;
    return n;
}

static int
config_unknown(const struct pons_config *c, const char *origin, const char *key)
{
    const char *names[OPTIONS_MAX + 1] = {NULL}, *nearest;
    char all[256] = "";

    if (c->count == 0)
        return poni_fail(-EINVAL, "%s: \"%s\": %s takes no options", origin,
                         key, c->engine);
    for (unsigned i = 0; i < c->count; i++) {
        names[i] = c->values[i].option->name;
        if (strlen(all) + strlen(names[i]) + 2 < sizeof all)
            strcat(strcat(all, " "), names[i]);
    }
    nearest = poni_nearest(key, names);
    return poni_fail(-EINVAL, "%s: %s has no option \"%s\"; it has:%s%s%s%s",
                     origin, c->engine, key, all,
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
}

static int
config_set(struct config_value *v, const char *origin, const char *engine,
           const char *text)
{
    struct pons_reason reason;
    char *copy;

    if (poni_option_parse(v->option, text, &v->number, &reason) < 0)
        return poni_fail(-EINVAL, "%s: %s: %s", origin, engine, reason.text);
    copy = strdup(text);
    if (copy == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", origin);
    free(v->text);
    v->text = copy;
    return 0;
}

static struct config_value *
config_find(const struct pons_config *c, const char *name)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->values[i].option->name, name) == 0)
            return (struct config_value *)&c->values[i];
    return NULL;
}

static int
config_fill(struct pons_config *c, const char *origin,
            const struct pons_option *table, const struct poni_pair *pairs,
            unsigned pair_count)
{
    int err = 0;

    for (unsigned i = 0; i < c->count && err == 0; i++) {
        c->values[i].option = &table[i];
        err = config_set(&c->values[i], origin, c->engine, table[i].fallback);
    }
    for (unsigned i = 0; i < pair_count && err == 0; i++) {
        struct config_value *v = config_find(c, pairs[i].key);

        err = v != NULL ? config_set(v, origin, c->engine, pairs[i].value)
                        : config_unknown(c, origin, pairs[i].key);
    }
    return err;
}

int
poni_config_new(struct pons_config **out, const char *origin,
                const char *engine, const struct pons_option *table,
                const struct poni_pair *pairs, unsigned pair_count)
{
    struct pons_reason reason;
    struct pons_config *c;
    unsigned n;
    int err;

    if (poni_options_check(table, &reason) < 0)
        return poni_fail(-EINVAL, "%s: %s: %s", origin, engine, reason.text);
    n = option_count(table);
    c = calloc(1, sizeof *c + n * sizeof *c->values);
    if (c == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", origin);
    c->count = n;
    c->engine = strdup(engine);
    err = c->engine != NULL ? config_fill(c, origin, table, pairs, pair_count)
                            : poni_fail(-ENOMEM, "%s: out of memory", origin);
    if (err < 0) {
        poni_config_free(c);
        return err;
    }
    *out = c;
    return 0;
}

void
poni_config_free(struct pons_config *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->count; i++)
        free(c->values[i].text);
    free(c->engine);
    free(c);
}

int
poni_config_same(const struct pons_config *a, const struct pons_config *b)
{
    int same = a->count == b->count;

    for (unsigned i = 0; i < a->count && same; i++)
        same = a->values[i].option == b->values[i].option &&
               strcmp(a->values[i].text, b->values[i].text) == 0;
    return same;
}

/* An engine that asks for what is not in its table is told so in the log. */
static void
config_misuse(const struct pons_config *c, const char *name, const char *what)
{
    poni_log(PONS_LOG_ERROR, "plugin", "%s: asks for option \"%s\", which %s",
             c->engine, name, what);
}

uint64_t
poni_config_uint(const struct pons_config *c, const char *name)
{
    const struct config_value *v = config_find(c, name);

    if (v != NULL && v->option->type != PONS_OPTION_TEXT)
        return v->number;
    config_misuse(c, name, v != NULL ? "is a text" : "is not in its table");
    return 0;
}

const char *
poni_config_text(const struct pons_config *c, const char *name)
{
    const struct config_value *v = config_find(c, name);

    if (v != NULL && (v->option->type == PONS_OPTION_TEXT ||
                      v->option->type == PONS_OPTION_CHOICE))
        return v->text;
    config_misuse(c, name, v != NULL ? "is no text" : "is not in its table");
    return "";
}
