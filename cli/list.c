/* SPDX-License-Identifier: MIT */
/*
 * cli/list.c - `pons list [NAME]`: the engines that there are, where they are
 * from, whether they can be used here, and their options.
 *
 * Whether one can be used is found out by opening it, as a program would (R15).
 * So is what the settings choose: who lists engines because a program did not
 * start sees the list, and behind it what that program was told.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/catalog.h"
#include "core/fail.h"
#include "core/files.h"
#include "named.h"
#include "pons/error.h"
#include "say.h"

struct list_values {
    int json;
};

static const struct option list_options[] = {
    {0, "json", NULL, OPTION_FLAG, offsetof(struct list_values, json), 0, 0,
     "as JSON"},
    {0},
};

/* What is said about one entry. */
struct listed {
    struct poni_entry *entry;
    int usable;
    struct pons_reason reason; // why not
};

static const char *
kind_words(uint32_t kind)
{
    switch (kind) {
    case PONS_KIND_REACTOR:
        return "reactor";
    case PONS_KIND_POLLER:
        return "poller";
    case PONS_KIND_POOL:
        return "pool";
    default:
        return "-";
    }
}

static const char *
status_words(enum poni_entry_status status)
{
    switch (status) {
    case ENTRY_SHADOWED:
        return "shadowed";
    case ENTRY_DISABLED:
        return "disabled";
    case ENTRY_BROKEN:
        return "broken";
    case ENTRY_ABSENT:
        return "not installed";
    case ENTRY_USABLE_MAYBE:
        break;
    }
    return "not usable";
}

static const char *
type_words(uint32_t type)
{
    switch (type) {
    case PONS_OPTION_UINT:
        return "number";
    case PONS_OPTION_BOOL:
        return "bool";
    case PONS_OPTION_DURATION:
        return "duration";
    case PONS_OPTION_BYTES:
        return "bytes";
    case PONS_OPTION_CHOICE:
        return "choice";
    default:
        return "text";
    }
}

static struct listed
list_look(struct poni_entry *e)
{
    struct listed l = {.entry = e};

    if (e->status == ENTRY_USABLE_MAYBE) {
        l.usable = poni_entry_probe(e, &l.reason) == 0;
        return l;
    }
    snprintf(l.reason.text, sizeof l.reason.text, "%s", e->why ? e->why : "");
    return l;
}

/* "disabled: by whom"; what the reason says already is not said twice. */
static void
print_refusal(const struct listed *l)
{
    const char *words = status_words(l->entry->status);

    if (strncmp(l->reason.text, words, strlen(words)) != 0)
        printf("%s: ", words);
    say_plain(stdout, l->reason.text);
}

static void
print_place(const struct poni_entry *e)
{
    if (e->path)
        say_plain(stdout, e->path);
    else
        fputs(e->status == ENTRY_ABSENT ? "-" : "built in", stdout);
}

static void
print_line(const struct listed *l)
{
    const struct poni_entry *e = l->entry;
    char rank[16] = "-";

    if (e->engine && e->engine->rank > 0)
        snprintf(rank, sizeof rank, "%u", (unsigned)e->engine->rank);
    printf("%-12s  %-7s  %4s  ", e->name, kind_words(e->kind), rank);
    print_place(e);
    fputs("  ", stdout);
    if (l->usable)
        fputs("usable", stdout);
    else
        print_refusal(l);
    fputc('\n', stdout);
}

static void
print_options(const struct pons_option *table)
{
    if (!table || !table->name)
        puts("  no options");
    for (const struct pons_option *o = table; o && o->name; o++) {
        char range[128];

        poni_option_range(o, range, sizeof range);
        printf("  %s=%s\n      %s, %s: %s\n", o->name,
               o->fallback ? o->fallback : "", type_words(o->type), range,
               o->help ? o->help : "");
    }
}

static void
print_details(const struct listed *l)
{
    const struct poni_entry *e = l->entry;

    print_line(l);
    if (e->plugin)
        printf("  plugin %s %s, licence %s, ABI %u.%u to %u.%u\n", e->plugin,
               e->version, e->licence, e->abi_min >> 16, e->abi_min & 0xffff,
               e->abi_max >> 16, e->abi_max & 0xffff);
    if (!e->engine)
        return;
    if (e->engine->summary)
        printf("  %s\n", e->engine->summary);
    print_options(e->engine->options);
}

static json_t *
options_json(const struct pons_option *table)
{
    json_t *array = json_array();

    for (const struct pons_option *o = table; o && o->name; o++) {
        char range[128];

        poni_option_range(o, range, sizeof range);
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", o->name,
                             "type", type_words(o->type), "default",
                             o->fallback ? o->fallback : "", "allowed", range,
                             "help", o->help ? o->help : ""));
    }
    return array;
}

static void
set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = text ? json_string(text) : json_null();

    /* NULL: not UTF-8, as only the path of a file can be. */
    json_object_set_new(object, key, value ? value : json_null());
}

static json_t *
listed_json(const struct listed *l)
{
    const struct poni_entry *e = l->entry;
    json_t *o = json_object();

    set_text(o, "name", e->name);
    set_text(o, "kind", e->kind ? kind_words(e->kind) : NULL);
    set_text(o, "path", e->path); // null: built in
    set_text(o, "plugin", e->plugin);
    set_text(o, "version", e->version);
    set_text(o, "licence", e->licence);
    json_object_set_new(o, "usable", json_boolean(l->usable));
    if (!l->usable) {
        set_text(o, "status", status_words(e->status));
        set_text(o, "reason", l->reason.text);
    }
    if (!e->engine)
        return o;
    json_object_set_new(o, "rank", json_integer(e->engine->rank));
    set_text(o, "summary", e->engine->summary);
    json_object_set_new(o, "options", options_json(e->engine->options));
    return o;
}

static unsigned
list_print(struct poni_catalog *c, const struct named *wanted,
           const struct list_values *v)
{
    json_t *array = v->json ? json_array() : NULL;
    unsigned count = 0;

    if (!v->json && !wanted->name)
        puts("NAME          KIND     RANK  FROM");
    for (struct poni_entry *e = c->entries; e; e = e->next) {
        struct listed l;

        if (!named_has(wanted, e))
            continue;
        l = list_look(e);
        count++;
        if (array)
            json_array_append_new(array, listed_json(&l));
        else if (wanted->name)
            print_details(&l);
        else
            print_line(&l);
    }
    if (array && count > 0) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    }
    json_decref(array);
    return count;
}

static int
list_check_setting(struct poni_choice *choice, struct poni_catalog *c,
                   enum poni_setting which, poni_try_open_f *try_open,
                   void *arg)
{
    int err = poni_choose(choice, c, which, try_open, arg);

    if (err < 0)
        say_pons_error(err);
    return err;
}

/* Whether a program that is started with these settings would start. */
static int
list_check(struct poni_catalog *c)
{
    struct poni_choice reactor, files = {.entry = NULL}, pool;
    struct poni_probed probed = {.caps = 0};
    struct poni_files_beside beside = {.reactor = &reactor};
    int err =
        list_check_setting(&reactor, c, SETTING_REACTOR, poni_probe, &probed);

    beside.caps = probed.caps;
    if (poni_files_is_chosen(c->settings) &&
        list_check_setting(&files, c, SETTING_FILES, poni_files_probe,
                           &beside) < 0)
        err = -1;
    if (list_check_setting(&pool, c, SETTING_POOL, poni_probe, NULL) < 0)
        err = -1;
    poni_choice_fini(&reactor);
    poni_choice_fini(&files);
    poni_choice_fini(&pool);
    return err < 0 ? STATUS_USAGE : STATUS_OK;
}

static int
list_catalog(struct poni_catalog *c, const char *name,
             const struct list_values *v)
{
    struct named wanted;
    int err = named_read(&wanted, c, "list", name);

    if (err == 0 && list_print(c, &wanted, v) == 0)
        err = named_unknown(c, "list", name);
    if (err < 0) {
        say_pons_error(err);
        return STATUS_USAGE;
    }
    fflush(stdout); // before what is wrong, also where both are one file
    return list_check(c);
}

static int
list_run(void *values, int count, char **operands)
{
    struct poni_settings settings;
    struct poni_catalog *catalog;
    int status = STATUS_USAGE;
    int err = poni_settings_read(&settings, NULL);

    if (err < 0) {
        say_pons_error(err);
        return STATUS_USAGE;
    }
    err = poni_catalog_open(&catalog, &settings);
    if (err < 0) {
        say_pons_error(err);
    } else {
        status = list_catalog(catalog, count > 0 ? operands[0] : NULL, values);
        poni_catalog_close(catalog);
    }
    poni_settings_fini(&settings);
    return status;
}

const struct command list_command = {
    .name = "list",
    .operands = "[NAME]",
    .summary = "the engines that there are, and whether they work here",
    .text =
        "Name, kind, rank, where from, and whether it can be used here. "
        "With NAME (an\nengine, a plugin, or the path of a file) also its "
        "options: type, what is\nallowed, default. The exit status is 2 if the "
        "settings are such that no program\nwould start.\n",
    .options = list_options,
    .values_size = sizeof(struct list_values),
    .least = 0,
    .most = 1,
    .run = list_run,
};
