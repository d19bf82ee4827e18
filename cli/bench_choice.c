/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_choice.c - see cli/bench_choice.h.
 *
 * An engine is tried here as `pons list` does, with its options; so one that
 * refuses is known before anything runs, with the reason that it gave.
 */

#include "bench_choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalog.h"
#include "pons/error.h"
#include "say.h"

/* How an axis is called in words on the command line, and what chooses it. */
static const struct {
    const char *option, *fallback;
    enum poni_setting setting;
} choice_axes[AXES] = {
    [AXIS_REACTOR] = {"--reactor", "all", SETTING_REACTOR},
    [AXIS_POOL] = {"--pool", "elastic", SETTING_POOL},
    [AXIS_WORKERS] = {"--workers", "1", SETTING_WORKERS},
};

const char *
bench_axis_variable(enum bench_axis axis)
{
    return poni_setting_variable(choice_axes[axis].setting);
}

void
bench_choice_fini(struct bench_choice *c)
{
    for (int axis = 0; axis < AXES; axis++) {
        for (size_t i = 0; i < c->count[axis]; i++) {
            free(c->values[axis][i].text);
            free(c->values[axis][i].reason);
        }
        free(c->values[axis]);
    }
    *c = (struct bench_choice){0};
}

static int
choice_no_memory(void)
{
    say_error("bench: %s", strerror(ENOMEM));
    return -ENOMEM;
}

/* `reason` "": usable. A value that is there already is not added again. */
static int
choice_add(struct bench_choice *c, enum bench_axis axis, const char *text,
           size_t length, const char *reason)
{
    size_t n = c->count[axis];
    struct bench_value *grown;

    for (size_t i = 0; i < n; i++)
        if (strlen(c->values[axis][i].text) == length &&
            memcmp(c->values[axis][i].text, text, length) == 0)
            return 0;
    grown = realloc(c->values[axis], (n + 1) * sizeof *grown);
    if (!grown)
        return choice_no_memory();
    c->values[axis] = grown;
    grown[n].text = strndup(text, length);
    grown[n].reason = *reason ? strdup(reason) : NULL;
    c->count[axis]++;
    return grown[n].text ? 0 : choice_no_memory();
}

/* --- engines --- */

/* The length of the item that `text` begins with, up to a comma that does not
 * stand in brackets. */
static size_t
item_length(const char *text)
{
    size_t i = 0;

    for (int depth = 0; text[i] && (text[i] != ',' || depth > 0); i++)
        depth += (text[i] == '[') - (text[i] == ']');
    return i;
}

static int
add_engine(struct bench_choice *c, enum bench_axis axis, struct poni_entry *e,
           const struct poni_item *item, const char *text, size_t length)
{
    struct pons_reason reason = {0};
    struct pons_config *config;
    int err = poni_entry_load(e);

    if (err < 0)
        return choice_add(c, axis, text, length, pons_last_error());
    err = poni_config_new(&config, choice_axes[axis].option, e->name,
                          e->engine->options, item ? item->pairs : NULL,
                          item ? item->pair_count : 0);
    if (err < 0) {
        say_pons_error(err);
        return err;
    }
    err = poni_probe(NULL, e->engine, config, &reason);
    poni_config_free(config);
    if (err < 0 && !*reason.text)
        snprintf(reason.text, sizeof reason.text, "%s", strerror(-err));
    return choice_add(c, axis, text, length, err < 0 ? reason.text : "");
}

static int
add_engines(struct bench_choice *c, enum bench_axis axis,
            struct poni_catalog *catalog, const char *text)
{
    const char *option = choice_axes[axis].option;
    struct poni_list list;
    int err = poni_list_parse(&list, option, text);

    if (err < 0) {
        say_pons_error(err);
        return err;
    }
    for (unsigned i = 0; err == 0 && i < list.count; i++) {
        size_t length = item_length(text);
        struct poni_entry *e;

        err = poni_catalog_find(catalog, option, list.items[i].name,
                                choice_axes[axis].setting, &e);
        if (err < 0)
            say_pons_error(err);
        else
            err = add_engine(c, axis, e, &list.items[i], text, length);
        text += length + 1;
    }
    poni_list_fini(&list);
    return err;
}

/* `null` does nothing: as a reactor for a workload it has no meaning. */
static int
add_all_there_are(struct bench_choice *c, enum bench_axis axis,
                  struct poni_catalog *catalog)
{
    int err = 0;

    for (struct poni_entry *e = catalog->entries; err == 0 && e; e = e->next)
        if ((axis == AXIS_POOL) == (e->kind == PONS_KIND_POOL) &&
            e->status == ENTRY_USABLE_MAYBE && strcmp(e->name, "null") != 0)
            err = add_engine(c, axis, e, NULL, e->name, strlen(e->name));
    return err;
}

static int
add_all_engines(struct bench_choice *c, struct poni_catalog *catalog,
                const char *const words[AXES])
{
    int err = 0;

    for (enum bench_axis axis = 0; err == 0 && axis < AXIS_WORKERS; axis++) {
        const char *text =
            words[axis] ? words[axis] : choice_axes[axis].fallback;

        if (strcmp(text, "all") == 0)
            err = add_all_there_are(c, axis, catalog);
        else
            err = add_engines(c, axis, catalog, text);
    }
    return err;
}

/* --- counts --- */

/* -EINVAL: `text` does not begin with a number that is possible. */
static int
read_workers(const char *text, size_t length, uint64_t *n)
{
    char word[32];

    if (length >= sizeof word)
        return -EINVAL;
    memcpy(word, text, length);
    word[length] = '\0';
    return poni_number_parse(word, n) < 0 || *n > WORKERS_MAX ? -EINVAL : 0;
}

static int
add_workers(struct bench_choice *c, const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        char number[32]; // 01 is 1 once more
        uint64_t n = 0;
        int err = read_workers(text, length, &n);

        snprintf(number, sizeof number, "%llu", (unsigned long long)n);
        if (err < 0)
            say_error("bench: --workers wants numbers from 0 to %d, separated "
                      "by commas, not \"%.*s\"",
                      WORKERS_MAX, (int)length, text);
        else
            err = choice_add(c, AXIS_WORKERS, number, strlen(number), "");
        if (err < 0 || !text[length])
            return err;
        text += length + 1;
    }
}

int
bench_choice_read(struct bench_choice *out, const char *const words[AXES])
{
    const char *workers = words[AXIS_WORKERS];
    struct poni_settings settings;
    struct poni_catalog *catalog;
    int err = poni_settings_read(&settings, NULL);

    *out = (struct bench_choice){0};
    if (err < 0) {
        say_pons_error(err);
        return err;
    }
    err = poni_catalog_open(&catalog, &settings);
    if (err < 0) {
        say_pons_error(err);
        goto fini_settings;
    }
    err = add_all_engines(out, catalog, words);
    if (err == 0)
        err = add_workers(out, workers ? workers
                                       : choice_axes[AXIS_WORKERS].fallback);
    if (err < 0)
        bench_choice_fini(out);
    poni_catalog_close(catalog);
fini_settings:
    poni_settings_fini(&settings);
    return err;
}
