/* SPDX-License-Identifier: MIT */
/*
 * cli/probe.c - `pons probe NAME|FILE`: opens an engine as a runtime would, and
 * says that it works, or why not.
 *
 * A name may be that of an engine and of a pool, and a file may have several:
 * each is probed, in a process of its own.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_units.h"
#include "command.h"
#include "core/catalog.h"
#include "core/fail.h"
#include "core/note.h"
#include "named.h"
#include "pons/poller.h"
#include "pons/reactor.h"
#include "pons/time.h"
#include "probe_child.h"
#include "say.h"
#include "word.h"

enum { ENTRIES_MAX = NOTE_ENGINES_MAX }; // of one file; of one name, two

#define LIMIT_LEAST_NS PONS_MS            // no process has begun by then
#define LIMIT_NS       (10 * PONS_S)      // engines open in milliseconds
#define LIMIT_MOST_NS  (60 * 60 * PONS_S) // a debugger may be at work

struct probe_values {
    int json;
    uint64_t limit_ns; // 0: not given
};

static const struct option probe_options[] = {
    {0, "json", NULL, OPTION_FLAG, offsetof(struct probe_values, json), 0, 0,
     "as JSON"},
    {0, "limit", "TIME", OPTION_DURATION,
     offsetof(struct probe_values, limit_ns), LIMIT_LEAST_NS, LIMIT_MOST_NS,
     "for opening and closing it (10s)"},
    {0},
};

/* What is probed. */
struct probe {
    const struct probe_values *values;
    struct poni_catalog *catalog;
    const struct poni_item *item; // its name and options
    struct poni_entry *entries[ENTRIES_MAX];
    unsigned count;
    json_t *array; // NULL: in words
    int status;
};

/* ---- capabilities ---- */

struct cap_name {
    uint64_t bit;
    const char *name; // NULL ends the list
};

static const struct cap_name *
caps_of_kind(uint32_t kind)
{
    static const struct cap_name reactor[] = {
        {PONS_REACTOR_COMPLETION, "completion"},
        {PONS_REACTOR_PINNED, "pinned"},
        {PONS_REACTOR_VIRTUAL_TIME, "virtual_time"},
        {PONS_REACTOR_REGISTERS, "registers"},
        {PONS_REACTOR_FILES, "files"},
        {0, NULL},
    };
    static const struct cap_name poller[] = {
        {PONS_POLLER_EDGE, "edge"},
        {PONS_POLLER_NANOSECONDS, "nanoseconds"},
        {PONS_POLLER_PINNED, "pinned"},
        {PONS_POLLER_ENDINGS, "endings"},
        {PONS_POLLER_WRAPS, "wraps"},
        {0, NULL},
    };
    static const struct cap_name none[] = {{0, NULL}};

    switch (kind) {
    case PONS_KIND_REACTOR:
        return reactor;
    case PONS_KIND_POLLER:
        return poller;
    default:
        return none; // a policy has none
    }
}

/* ---- the way out ---- */

/* What is not in the plugin directories cannot be disabled, and need not be. */
static void
way_out(const struct probe *p, const struct poni_entry *e,
        enum probe_verdict verdict, char *text, size_t size)
{
    int by_path = strchr(p->item->name, '/') != NULL;

    text[0] = '\0'; // the sentence has it
    if (verdict == PROBE_DIED || verdict == PROBE_LATE) {
        snprintf(text, size, "%s%s%s%s",
                 verdict == PROBE_LATE ? "--limit gives it longer"
                                       : "tell its author",
                 by_path ? "" : "; PONS_PLUGINS_DISABLE=",
                 by_path ? "" : e->name, by_path ? "" : " keeps it out");
    } else if (e->status == ENTRY_BROKEN) {
        snprintf(text, size, "`pons inspect' says more of the file");
    } else if (e->status == ENTRY_DISABLED) {
        snprintf(text, size, "take it out of PONS_PLUGINS_DISABLE");
    } else if (e->status != ENTRY_ABSENT) {
        snprintf(text, size, "`pons list' says which ones work here");
    }
}

/* ---- what is said ---- */

static const char *
kind_words(const struct poni_entry *e)
{
    return e->kind == PONS_KIND_POLLER ? "poller, under the readiness adapter"
                                       : poni_kind_name(e->kind);
}

static void
print_caps(const struct poni_entry *e, uint64_t caps)
{
    const char *between = "";

    fputs("  capabilities  ", stdout);
    for (const struct cap_name *c = caps_of_kind(e->kind); c->name; c++)
        if (caps & c->bit) {
            printf("%s%s", between, c->name);
            between = ", ";
        }
    puts(*between ? "" : "none");
}

/* "epoll (built in)", "uring", "mine (/opt/x/mine.so)" */
static void
print_entry(const struct poni_entry *e)
{
    say_plain(stdout, e->name);
    if (e->status == ENTRY_ABSENT)
        return;
    fputs(" (", stdout);
    say_plain(stdout, e->path ? e->path : "built in");
    putchar(')');
}

static void
print_result(const struct probe *p, const struct poni_entry *e,
             const struct probe_result *r)
{
    char out[256];

    print_entry(e);
    if (r->verdict == PROBE_WORKS) {
        puts(": works");
        printf("  kind          %s\n", kind_words(e));
        print_caps(e, r->caps);
        bench_units_write(out, sizeof out, (double)r->probed.open_ns, "ns");
        printf("  opening took  %s\n", out);
        return;
    }
    printf(": does not work here: %s\n", word_plain(r->sentence).text);
    way_out(p, e, r->verdict, out, sizeof out);
    if (*out)
        printf("  way out: %s\n", out);
}

static const char *
verdict_words(enum probe_verdict verdict)
{
    switch (verdict) {
    case PROBE_DIED:
        return "died";
    case PROBE_LATE:
        return "late";
    case PROBE_REFUSED:
        return "refused";
    case PROBE_MISUSED:
        return "misused";
    case PROBE_WORKS:
        break;
    }
    return "works";
}

static json_t *
caps_json(const struct poni_entry *e, uint64_t caps)
{
    json_t *array = json_array();

    for (const struct cap_name *c = caps_of_kind(e->kind); c->name; c++)
        if (caps & c->bit)
            json_array_append_new(array, json_string(c->name));
    return array;
}

static json_t *
result_json(const struct probe *p, const struct poni_entry *e,
            const struct probe_result *r)
{
    int works = r->verdict == PROBE_WORKS;
    char out[256] = "";
    json_t *path = e->path ? json_string(e->path) : json_null();

    if (!works)
        way_out(p, e, r->verdict, out, sizeof out);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o}", "name",
        word_json(e->name), "kind", word_json(poni_kind_name(e->kind)), "path",
        path ? path : word_json(e->path), "plugin", word_json(e->plugin),
        "works", works, "verdict", verdict_words(r->verdict), "capabilities",
        works ? caps_json(e, r->caps) : json_null(), "opening_ns",
        works ? json_integer((json_int_t)r->probed.open_ns) : json_null(),
        "reason", word_json(r->sentence), "way_out", word_json(out));
}

/* ---- one engine ---- */

static int
probe_entry(struct probe *p, struct poni_entry *e)
{
    uint64_t limit_ns =
        p->values->limit_ns > 0 ? p->values->limit_ns : LIMIT_NS;
    struct probe_result r;
    int err = probe_child_run(&r, e, p->item, limit_ns);

    if (err < 0)
        return poni_fail(err, "probe: %s: no process to open it in: %s",
                         e->name, strerror(-err));
    if (r.verdict == PROBE_MISUSED)
        return poni_fail(-EINVAL, "%s", r.sentence);
    if (r.verdict != PROBE_WORKS)
        p->status = STATUS_FAILED;
    if (p->array)
        json_array_append_new(p->array, result_json(p, e, &r));
    else
        print_result(p, e, &r);
    return 0;
}

static int
probe_entries(struct probe *p)
{
    int err = 0;

    if (p->count > 1 && p->item->pair_count > 0)
        return poni_fail(-EINVAL,
                         "probe: \"%s\" is several engines, %s and %s among "
                         "them; options are for one",
                         p->item->name, p->entries[0]->name,
                         p->entries[1]->name);
    p->array = p->values->json ? json_array() : NULL;
    for (unsigned i = 0; i < p->count && err == 0; i++)
        err = probe_entry(p, p->entries[i]);
    if (p->array && err == 0) {
        json_dumpf(p->array, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(p->array);
    return err;
}

/* ---- what a word means ---- */

static int
find_file(struct probe *p, const char *name)
{
    struct named named;
    int err = named_read(&named, p->catalog, "probe", name);

    if (err < 0)
        return err;
    for (struct poni_entry *e = p->catalog->entries; e; e = e->next)
        if (named_has(&named, e) && p->count < ENTRIES_MAX)
            p->entries[p->count++] = e;
    return 0;
}

/* What a program would get by this name: as reactor, and as pool. */
static int
find_name(struct probe *p, const char *name)
{
    const enum poni_setting settings[] = {SETTING_REACTOR, SETTING_POOL};

    if (strcmp(name, "auto") == 0)
        return poni_fail(-EINVAL, "probe: auto is a choice and no engine; "
                                  "`pons explain' says what it chooses");
    for (unsigned i = 0; i < 2; i++) {
        struct poni_entry *e;

        if (poni_catalog_find(p->catalog, "probe", name, settings[i], &e) < 0)
            continue;
        if (p->count == 0 || p->entries[0] != e)
            p->entries[p->count++] = e;
    }
    return p->count > 0 ? 0 : named_unknown(p->catalog, "probe", name);
}

static int
probe_item(struct probe *p)
{
    int err = strchr(p->item->name, '/') ? find_file(p, p->item->name)
                                         : find_name(p, p->item->name);

    return err < 0 ? err : probe_entries(p);
}

static int
probe_word(struct probe *p, const char *word)
{
    struct poni_list list;
    int err = named_parse(&list, "probe", word);

    if (err < 0)
        return err;
    p->item = &list.items[0];
    err = probe_item(p);
    poni_list_fini(&list);
    return err;
}

static int
probe_settings(struct probe *p, const char *word,
               const struct poni_settings *settings)
{
    int err = poni_catalog_open(&p->catalog, settings);

    if (err < 0)
        return err;
    err = probe_word(p, word);
    poni_catalog_close(p->catalog);
    return err;
}

static int
probe_run(void *values, int count, char **operands)
{
    struct probe p = {.values = values, .status = STATUS_OK};
    struct poni_settings settings;
    int err = poni_settings_read(&settings, NULL);

    (void)count;
    if (err == 0) {
        err = probe_settings(&p, operands[0], &settings);
        poni_settings_fini(&settings);
    }
    if (err == 0)
        return p.status;
    say_pons_error(err);
    return STATUS_USAGE;
}

const struct command probe_command = {
    .name = "probe",
    .operands = "NAME|FILE[:KEY=VALUE]...",
    .summary = "opens an engine, and says that it works or why not",
    .text =
        "As a runtime opens it, in a process of its own: a crash or a hang is "
        "an answer\nlike any other. NAME is one of `pons list', FILE a plugin "
        "(all its engines);\noptions are written as in PONS_REACTOR. The exit "
        "status is 1 if one does not.\n",
    .options = probe_options,
    .values_size = sizeof(struct probe_values),
    .least = 1,
    .most = 1,
    .run = probe_run,
};
