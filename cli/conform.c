/* SPDX-License-Identifier: MIT */
/*
 * cli/conform.c - `pons conform [NAME|FILE][:OPTION=VALUE]...`: whether engines
 * keep the rules of their contracts. The tests are kit/'s; this finds the
 * engines and says what came out.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "core/fail.h"
#include "interrupt.h"
#include "kit/report.h"
#include "named.h"
#include "pons/error.h"
#include "progress.h"
#include "say.h"

struct conform_values {
    const char *only;
    uint64_t timeout_ns;
    int json;
};

#define SECOND 1000000000ULL

/* Of a test; those that pass take a second at most. */
#define TIMEOUT_NS (20 * SECOND)

#define TIMEOUT_LEAST_NS (SECOND / 1000) // no process has begun by then

// clang-format off
static const struct option conform_options[] = {
    {0, "only", "TEXT", OPTION_TEXT, offsetof(struct conform_values, only), 0,
     0, "only tests of a rule (R5), or with TEXT in the name"},
    {0, "timeout", "DURATION", OPTION_DURATION,
     offsetof(struct conform_values, timeout_ns), TIMEOUT_LEAST_NS,
     3600 * SECOND,
     "a test that takes longer hangs (default 20s)"},
    {0, "json", NULL, OPTION_FLAG, offsetof(struct conform_values, json), 0, 0,
     "as JSON"},
    {0},
};
// clang-format on

/* An operand. */
struct conform_word {
    struct poni_list list; // of one item; none: all engines
    struct named wanted;
};

/* One call of the command. */
struct conform {
    const struct conform_values *values;
    struct poni_catalog *catalog;
    struct progress progress;
    int interrupt;
    json_t *reports; // NULL: as text
    unsigned done;   // engines
    int status;
};

static void
conform_draw(void *arg, const struct kit_exam *e, unsigned done)
{
    const struct conform *c = arg;
    const struct kit_test *t = e->results[done].test;
    char words[160];

    snprintf(words, sizeof words, "%s %s %s", e->entry->name, t->rule, t->name);
    progress_draw_words(&c->progress, done, e->count, words);
}

static void
conform_report(struct conform *c, const struct kit_exam *e)
{
    progress_clear(&c->progress);
    if (c->reports) {
        json_array_append_new(c->reports, kit_report_json(e));
        return;
    }
    if (c->done > 0)
        putchar('\n');
    kit_report_print(e, stdout);
    fflush(stdout); // the next may take its time
}

/* `named`: who asks for an engine wants to know that it cannot be used. */
static int
conform_status(const struct kit_exam *e, int named)
{
    if (e->interrupted)
        return STATUS_INTERRUPTED;
    if (e->unusable)
        return named ? STATUS_USAGE : STATUS_OK;
    return kit_report_holds(e) ? STATUS_OK : STATUS_FAILED;
}

/* Of several engines the first that is not well decides, and an interruption
 * over all. */
static void
conform_examine(struct conform *c, struct poni_entry *entry,
                const struct conform_word *w)
{
    struct kit_exam *e = calloc(1, sizeof *e);
    int err = -ENOMEM, status = STATUS_FAILED;

    if (e) {
        e->entry = entry;
        e->only = c->values->only;
        e->given = w->list.items; // NULL: none
        e->limits.interrupt = c->interrupt;
        e->limits.test_ns =
            c->values->timeout_ns ? c->values->timeout_ns : TIMEOUT_NS;
        e->progress = conform_draw;
        e->arg = c;
        err = kit_exam_run(e);
    }
    if (err < 0) {
        say_error("conform: %s: %s", entry->name, strerror(-err));
    } else {
        conform_report(c, e);
        status = conform_status(e, w->wanted.name != NULL);
        kit_exam_fini(e);
    }
    free(e);
    c->done++;
    if (c->status == STATUS_OK || status == STATUS_INTERRUPTED)
        c->status = status;
}

/* Whether the operand names an engine that there are tests for. */
static int
conform_wants(const struct conform *c, const struct named *wanted,
              const struct poni_entry *e)
{
    return named_has(wanted, e) && e->status == ENTRY_USABLE_MAYBE &&
           kit_exam_size(e->kind, c->values->only) > 0;
}

static void
conform_each(struct conform *c, const struct conform_word *w)
{
    for (struct poni_entry *e = c->catalog->entries;
         e && c->status != STATUS_INTERRUPTED; e = e->next)
        if (conform_wants(c, &w->wanted, e))
            conform_examine(c, e, w);
}

/* Why there is nothing to do for an operand; without a name, for all. */
static int
conform_refuse(const struct conform *c, const struct named *wanted)
{
    const struct poni_entry *e = c->catalog->entries;

    while (e && !named_has(wanted, e))
        e = e->next;
    if (!e)
        return named_unknown(c->catalog, "conform", wanted->name);
    if (wanted->name && e->why)
        return poni_fail(-EINVAL, "conform: %s: %s", wanted->name, e->why);
    return poni_fail(
        -EINVAL,
        "conform: --only \"%s\": is neither a rule, as R5 or B2, nor "
        "in the name of a test",
        c->values->only);
}

/* How many engines an operand is. */
static unsigned
conform_count(const struct conform *c, const struct named *wanted)
{
    unsigned n = 0;

    for (const struct poni_entry *e = c->catalog->entries; e; e = e->next)
        n += (unsigned)conform_wants(c, wanted, e);
    return n;
}

/* What is wrong with the words is known before anything runs; an engine's
 * options are known to itself only. */
static int
conform_check(const struct conform *c, struct conform_word *w, const char *word)
{
    int err = word ? named_parse(&w->list, "conform", word) : 0;

    if (err == 0)
        err = named_read(&w->wanted, c->catalog, "conform",
                         word ? w->list.items[0].name : NULL);
    if (err < 0)
        return err;
    if (conform_count(c, &w->wanted) == 0)
        return conform_refuse(c, &w->wanted);
    if (word && w->list.items[0].pair_count > 0 &&
        conform_count(c, &w->wanted) > 1)
        return poni_fail(
            -EINVAL, "conform: \"%s\" is several engines; options are for one",
            w->wanted.name);
    return 0;
}

/* No operand is one that names all. */
static int
conform_all(struct conform *c, int count, char **names)
{
    int operands = count > 0 ? count : 1, err = 0;
    struct conform_word *words = calloc((size_t)operands, sizeof *words);

    if (!words)
        err = poni_fail(-ENOMEM, "conform: out of memory");
    for (int i = 0; err == 0 && i < operands; i++)
        err = conform_check(c, &words[i], count > 0 ? names[i] : NULL);
    for (int i = 0; err == 0 && i < operands; i++)
        conform_each(c, &words[i]);
    if (err < 0) {
        say_pons_error(err);
        c->status = STATUS_USAGE;
    } else if (c->reports) {
        json_dumpf(c->reports, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    for (int i = 0; words && i < operands; i++)
        poni_list_fini(&words[i].list);
    free(words);
    return c->status;
}

static int
conform_catalog(struct poni_catalog *catalog, const struct conform_values *v,
                int count, char **names)
{
    struct conform c = {.values = v, .catalog = catalog};
    int status;

    c.interrupt = interrupt_open();
    if (c.interrupt < 0) {
        say_error("conform: %s", strerror(-c.interrupt));
        return STATUS_FAILED;
    }
    c.reports = v->json ? json_array() : NULL;
    progress_open(&c.progress);
    status = conform_all(&c, count, names);
    json_decref(c.reports);
    close(c.interrupt);
    return status;
}

static int
conform_run(void *values, int count, char **operands)
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
        status = conform_catalog(catalog, values, count, operands);
        poni_catalog_close(catalog);
    }
    poni_settings_fini(&settings);
    return status;
}

const struct command conform_command = {
    .name = "conform",
    .operands = "[NAME|FILE][:OPTION=VALUE]...",
    .summary = "whether engines keep the rules of their contracts",
    // clang-format off
    .text =
        "Runs the tests of rules R1 to R15 (pons/reactor.h, pons/poller.h) "
        "against each\nreactor, and of B1 to B11 (pons/pool.h) against each "
        "pool policy: a name, a\nplugin's name, or the path of a shared "
        "object, with options if it has such;\ndefault: all that are installed.\nEach test is a process of "
        "its own: a crash, a hang or an exit is a broken rule.\nctrl-C ends "
        "it and keeps what is done.\n\n"
        "Exit status: 0 if all rules hold; 1 if one is broken; 2 for wrong "
        "words or an\nengine that cannot be used here; 130 after ctrl-C.\n",
    // clang-format on
    .options = conform_options,
    .values_size = sizeof(struct conform_values),
    .least = 0,
    .most = UINT_MAX,
    .run = conform_run,
};
