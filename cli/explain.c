/* SPDX-License-Identifier: MIT */
/*
 * cli/explain.c - `pons explain`: what this environment chooses, and why.
 *
 * It makes a runtime as any program would, and says what that was made of.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "chosen.h"
#include "command.h"
#include "core/reports.h"
#include "pons/pons.h"
#include "say.h"

struct explain_values {
    int json;
    int verbose;
};

enum { WHO = 96 }; // bytes of who does an operation

static const struct option explain_options[] = {
    {0, "json", NULL, OPTION_FLAG, offsetof(struct explain_values, json), 0, 0,
     "as JSON"},
    {'v', "verbose", NULL, OPTION_FLAG,
     offsetof(struct explain_values, verbose), 0, 0,
     "and who does each operation"},
    {0},
};

/* The value that counts, also where nobody set one. */
static const char *
setting_text(const struct poni_settings *s, enum poni_setting which,
             char *buffer, size_t size)
{
    if (which == SETTING_WORKERS) {
        snprintf(buffer, size, "%u", (unsigned)s->workers);
        return buffer;
    }
    if (s->value[which].text)
        return s->value[which].text;
    switch (which) {
    case SETTING_REACTOR:
    case SETTING_FILES:
    case SETTING_POOL:
        return "auto";
    case SETTING_STALL:
        if (s->stall_ns == UINT64_MAX)
            return "off";
        poni_duration_write(buffer, size, s->stall_ns);
        return buffer;
    default:
        return "";
    }
}

static void
print_settings(const struct poni_settings *s)
{
    puts("settings");
    for (enum poni_setting i = 0; i < SETTINGS; i++) {
        char buffer[32];
        const char *text = setting_text(s, i, buffer, sizeof buffer);

        printf("  %-22s  ", poni_setting_variable(i));
        say_plain(stdout, *text ? text : "-");
        fputs("  (", stdout);
        say_plain(stdout, s->value[i].origin);
        fputs(")\n", stdout);
    }
}

static void
print_operations(const struct pons_runtime *rt)
{
    char who[WHO];
    const char *name;

    puts("operations");
    for (unsigned i = 0;
         (name = chosen_operation(rt, i, who, sizeof who)) != NULL; i++)
        printf("  %-22s  %s\n", name, who);
}

static const char *
verdict_words(enum poni_verdict verdict)
{
    switch (verdict) {
    case VERDICT_CHOSEN:
        return "chosen";
    case VERDICT_REFUSED:
        return "not usable";
    case VERDICT_NOT_TRIED:
        break;
    }
    return "not tried";
}

/* NULL, and anything that is not UTF-8, as null. */
static json_t *
text_json(const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    return value ? value : json_null();
}

static json_t *
choice_json(const struct poni_choice *choice)
{
    json_t *candidates;

    if (choice == NULL)
        return json_null();
    candidates = json_array();
    for (unsigned i = 0; i < choice->candidate_count; i++) {
        const struct poni_candidate *k = &choice->candidates[i];

        json_array_append_new(
            candidates,
            json_pack("{s:o, s:o, s:s, s:o}", "name", text_json(k->entry->name),
                      "path", text_json(k->entry->path), "verdict",
                      verdict_words(k->verdict), "why", text_json(k->why)));
    }
    return json_pack("{s:o, s:o, s:o}", "name", text_json(choice->entry->name),
                     "path", text_json(choice->entry->path), "candidates",
                     candidates);
}

static json_t *
settings_json(const struct poni_settings *s)
{
    json_t *object = json_object();

    for (enum poni_setting i = 0; i < SETTINGS; i++) {
        char buffer[32];
        const char *text = setting_text(s, i, buffer, sizeof buffer);

        json_object_set_new(object, poni_setting_variable(i),
                            json_pack("{s:o, s:o}", "value",
                                      text_json(*text ? text : NULL), "origin",
                                      text_json(s->value[i].origin)));
    }
    return object;
}

static json_t *
operations_json(const struct pons_runtime *rt)
{
    json_t *object = json_object();
    char who[WHO];
    const char *name;

    for (unsigned i = 0;
         (name = chosen_operation(rt, i, who, sizeof who)) != NULL; i++)
        json_object_set_new(object, name, text_json(who));
    return object;
}

static json_t *
reports_json(void)
{
    struct poni_report all[REPORTS_MAX];
    unsigned n = poni_reports_take(all);
    json_t *array = json_array();

    for (unsigned i = 0; i < n; i++)
        json_array_append_new(array, json_pack("{s:o, s:o, s:i}", "part",
                                               text_json(all[i].part), "text",
                                               text_json(all[i].text), "times",
                                               (int)all[i].times));
    return array;
}

static void
print_json(const struct pons_runtime *rt)
{
    json_t *all = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "version", PONS_VERSION,
        "reactor", choice_json(chosen_reactor(rt)), "files",
        choice_json(chosen_files(rt)), "pool", choice_json(chosen_pool(rt)),
        "settings", settings_json(chosen_settings(rt)), "operations",
        operations_json(rt), "reports", reports_json());

    json_dumpf(all, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(all);
}

static int
explain_run(void *values, int count, char **operands)
{
    const struct explain_values *v = values;
    struct pons_runtime *rt;
    int err = pons_runtime_new(&rt, NULL);

    (void)count;
    (void)operands;
    if (err < 0) {
        say_pons_error(err);
        return STATUS_USAGE;
    }
    if (v->json) {
        print_json(rt);
    } else {
        printf("%s\n", chosen_reactor(rt)->story);
        if (chosen_files(rt) != NULL)
            printf("%s\n", chosen_files(rt)->story);
        printf("%s\n", chosen_pool(rt)->story);
        print_settings(chosen_settings(rt));
        if (v->verbose)
            print_operations(rt);
        poni_reports_print(stdout);
    }
    pons_runtime_unref(rt);
    return STATUS_OK;
}

const struct command explain_command = {
    .name = "explain",
    .operands = "",
    .summary = "what this environment chooses, and why",
    .text = "The engine and the pool that a program would get now, those that "
            "were rejected\nand why, and every setting with its origin. With "
            "-v, also who does each\noperation: the engine, the core or the "
            "pool.\n",
    .options = explain_options,
    .values_size = sizeof(struct explain_values),
    .least = 0,
    .most = 0,
    .run = explain_run,
};
