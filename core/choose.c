/* SPDX-License-Identifier: MIT */
/*
 * core/choose.c - which engine a setting means, and the story of how it was
 * chosen.
 *
 *     auto         those with a rank, the highest first: the first usable
 *     one name     that or an error
 *     a list       the first usable; a name that Pons does not know is an
 *                  error all the same, and so is a wrong option of a later one
 *
 * PONS_FILES chooses among the engines of PONS_REACTOR, and pool, which stands
 * for none of them.
 *
 * In two passes: first every candidate is found, loaded and configured, so that
 * mistakes are errors wherever they stand; then they are tried in order.
 */

#include "catalog.h"

#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One engine that may be tried. */
struct choose_try {
    struct poni_entry *entry;
    struct pons_config *config; // owned; NULL: refused before it was tried
};

struct choose {
    struct poni_catalog *catalog;
    enum poni_setting which;
    enum poni_setting among; // whose engines
    const struct poni_value *value;
    struct poni_choice *out; // its candidates run along with `tries`
    struct choose_try *tries;
};

static const char *
entry_place(const struct poni_entry *e)
{
    return e->path != NULL ? e->path : "built in";
}

static int
no_memory(const struct choose *c)
{
    return poni_fail(-ENOMEM, "%s: out of memory", c->value->label);
}

/* Sets what became of candidate `i`. */
PONS_PRINTF(4, 5)
static int
candidate_set(struct choose *c, unsigned i, enum poni_verdict verdict,
              const char *format, ...)
{
    struct poni_candidate *k = &c->out->candidates[i];
    va_list args;
    int n;

    free(k->why);
    va_start(args, format);
    n = vasprintf(&k->why, format, args);
    va_end(args);
    k->verdict = verdict;
    if (n < 0) {
        k->why = NULL;
        return no_memory(c);
    }
    if (verdict == VERDICT_REFUSED)
        poni_log(PONS_LOG_INFO, "plugin", "%s: %s is passed over: %s",
                 c->value->label, k->entry->name, k->why);
    return 0;
}

/* Appends one that has not been tried. */
static int
candidate_add(struct choose *c, struct poni_entry *e,
              struct pons_config *config)
{
    unsigned n = c->out->candidate_count;
    struct poni_candidate *candidates =
        reallocarray(c->out->candidates, n + 1, sizeof *candidates);
    struct choose_try *tries;

    if (candidates == NULL)
        goto free_config;
    c->out->candidates = candidates;
    tries = reallocarray(c->tries, n + 1, sizeof *tries);
    if (tries == NULL)
        goto free_config;
    c->tries = tries;
    tries[n] = (struct choose_try){.entry = e, .config = config};
    candidates[n] = (struct poni_candidate){.entry = e};
    c->out->candidate_count = n + 1;
    return candidate_set(c, n, VERDICT_NOT_TRIED, "another comes first");

free_config:
    poni_config_free(config);
    return no_memory(c);
}

/* Appends one that cannot be tried, and why; `more` goes on with that. */
static int
candidate_add_refused(struct choose *c, struct poni_entry *e,
                      const struct pons_reason *reason, const char *more)
{
    int err = candidate_add(c, e, NULL);

    return err < 0 ? err
                   : candidate_set(c, c->out->candidate_count - 1,
                                   VERDICT_REFUSED, "%s%s", reason->text, more);
}

/* ---- finding them: by name ---- */

static char files_pool_name[] = "pool";
static struct poni_entry files_pool = {.name = files_pool_name,
                                       .kind = PONS_KIND_POOL};

/* The entry of an item. 0, or -errno with the sentence. */
static int
find_item(const struct choose *c, const char *name, struct poni_entry **found)
{
    if (c->which == SETTING_FILES && strcmp(name, files_pool_name) == 0) {
        *found = &files_pool;
        return 0;
    }
    return poni_catalog_find(c->catalog, c->value->label, name, c->which,
                             found);
}

/* An engine that cannot be loaded is a candidate that is refused; a wrong
 * option is an error. */
static int
add_item(struct choose *c, const struct poni_list *list, unsigned i)
{
    const struct poni_item *item = &list->items[i];
    struct pons_reason reason = {""};
    struct pons_config *config;
    struct poni_entry *e = NULL;
    int err = find_item(c, item->name, &e);

    if (err < 0)
        return err;
    if (e != &files_pool && poni_entry_try(e, &reason) < 0)
        return candidate_add_refused(c, e, &reason,
                                     item->pair_count > 0 && list->count > 1
                                         ? "; its options were not checked"
                                         : "");
    err = poni_config_new(&config, c->value->label, e->name,
                          e->engine != NULL ? e->engine->options : NULL,
                          item->pairs, item->pair_count);
    return err < 0 ? err : candidate_add(c, e, config);
}

static int
add_list(struct choose *c)
{
    struct poni_list list;
    int err = poni_list_parse(&list, c->value->label, c->value->text);

    if (err < 0)
        return err;
    for (unsigned i = 0; i < list.count && err == 0; i++)
        err = add_item(c, &list, i);
    poni_list_fini(&list);
    return err;
}

/* ---- finding them: auto ---- */

static uint32_t
entry_rank(const struct poni_entry *e)
{
    return e->engine != NULL ? e->engine->rank : 0;
}

/* The usable entry with the highest rank below that of `last`, or with the same
 * rank and behind it. */
static struct poni_entry *
next_in_rank(const struct choose *c, const struct poni_entry *last)
{
    struct poni_entry *best = NULL;
    int behind = last == NULL;

    for (struct poni_entry *e = c->catalog->entries; e; e = e->next) {
        uint32_t rank = entry_rank(e);
        int eligible = e->kind != 0 && e->status == ENTRY_USABLE_MAYBE &&
                       poni_kind_setting(e->kind) == c->among &&
                       e->engine != NULL;

        if (e == last)
            behind = 1;
        else if (eligible && (best == NULL || rank > entry_rank(best)) &&
                 (last == NULL || rank < entry_rank(last) ||
                  (rank == entry_rank(last) && behind)))
            best = e;
    }
    return best;
}

/* A rank stands in the table, so all must be loaded to know it; what is
 * disabled or broken is not, and is told with its reason. What is absent was
 * not asked for. */
static int
auto_load(struct choose *c)
{
    int err = 0;

    for (struct poni_entry *e = c->catalog->entries; e && err == 0;
         e = e->next) {
        struct pons_reason reason = {""};

        if (e->kind == 0 || poni_kind_setting(e->kind) != c->among ||
            e->status == ENTRY_SHADOWED || e->status == ENTRY_ABSENT)
            continue;
        if (poni_entry_try(e, &reason) < 0)
            err = candidate_add_refused(c, e, &reason, "");
    }
    return err;
}

static int
add_ranked(struct choose *c, struct poni_entry *e)
{
    struct pons_config *config;
    int err = poni_config_new(&config, c->value->label, e->name,
                              e->engine->options, NULL, 0);

    return err < 0 ? err : candidate_add(c, e, config);
}

static int
add_auto(struct choose *c)
{
    struct poni_entry *e = NULL;
    int err = auto_load(c);

    while (err == 0 && (e = next_in_rank(c, e)) != NULL)
        err = add_ranked(c, e);
    return err;
}

static int
is_auto(const struct choose *c)
{
    return c->value->text == NULL || strcmp(c->value->text, "auto") == 0;
}

/* ---- trying them ---- */

/* 0: open; positive: refused, and set down; negative: the end. */
static int
try_one(struct choose *c, unsigned i, poni_try_open_f *try_open, void *arg)
{
    const struct choose_try *t = &c->tries[i];
    struct pons_reason reason = {""};
    int err = try_open(arg, t->entry->engine, t->config, &reason);

    if (err == 0)
        return 0;
    if (reason.text[0] == '\0')
        snprintf(reason.text, sizeof reason.text, "%s",
                 strerror(err < 0 ? -err : EINVAL));
    err = candidate_set(c, i, VERDICT_REFUSED, "%s", reason.text);
    return err < 0 ? err : 1;
}

static int
chosen(struct choose *c, unsigned i)
{
    struct choose_try *t = &c->tries[i];

    c->out->entry = t->entry;
    c->out->config = t->config;
    t->config = NULL;
    if (is_auto(c))
        return candidate_set(c, i, VERDICT_CHOSEN,
                             "the highest rank that is usable (%u)",
                             entry_rank(t->entry));
    return candidate_set(c, i, VERDICT_CHOSEN, "%s",
                         c->out->candidate_count == 1
                             ? "it is the one that was asked for"
                             : "the first of the list that is usable");
}

/* Whether candidate `i` is to be left alone; if so, why is set down. */
static int
left_alone(struct choose *c, unsigned i)
{
    const struct choose_try *t = &c->tries[i];
    int err = 0;

    if (t->config == NULL)
        return 1;
    if (is_auto(c) && entry_rank(t->entry) == 0)
        err =
            candidate_set(c, i, VERDICT_NOT_TRIED, "only by its name (rank 0)");
    else if (c->out->entry == NULL)
        return 0;
    else if (is_auto(c))
        err = candidate_set(c, i, VERDICT_NOT_TRIED, "a lower rank (%u)",
                            entry_rank(t->entry));
    return err < 0 ? err : 1;
}

static int
try_all(struct choose *c, poni_try_open_f *try_open, void *arg)
{
    for (unsigned i = 0; i < c->out->candidate_count; i++) {
        int err = left_alone(c, i);

        if (err == 0) {
            err = try_one(c, i, try_open, arg);
            if (err == 0)
                err = chosen(c, i);
        }
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- the story ---- */

static const char *
verdict_words(enum poni_verdict verdict)
{
    switch (verdict) {
    case VERDICT_CHOSEN:
        return "chosen";
    case VERDICT_REFUSED:
        return "not usable";
    default:
        return "not tried";
    }
}

static void
tell_candidate(FILE *f, const struct poni_candidate *k)
{
    if (k->entry->status == ENTRY_ABSENT)
        fprintf(f, "  %s: %s\n", k->entry->name, k->why);
    else
        fprintf(f, "  %s (%s): %s: %s\n", k->entry->name, entry_place(k->entry),
                verdict_words(k->verdict), k->why);
}

static int
tell(struct choose *c)
{
    struct poni_choice *out = c->out;
    const struct poni_value *v = c->value;
    size_t size;
    FILE *f = open_memstream(&out->story, &size);

    if (f == NULL)
        return no_memory(c);
    fprintf(f, "%s %s (%s): %s is %s (%s)\n", poni_setting_key(c->which),
            out->entry->name, entry_place(out->entry),
            poni_setting_variable(c->which), v->text ? v->text : "auto",
            v->origin);
    for (unsigned i = 0; i < out->candidate_count; i++)
        tell_candidate(f, &out->candidates[i]);
    return fclose(f) == 0 ? 0 : no_memory(c);
}

/* "epoll", "mine (/opt/x/mine.so)", or the path of a file that is no plugin. */
static void
tell_name(FILE *f, const struct poni_entry *e)
{
    if (e->path == NULL)
        fputs(e->name, f);
    else if (e->kind == 0)
        fputs(e->path, f);
    else
        fprintf(f, "%s (%s)", e->name, e->path);
}

static const char *
choose_noun(const struct choose *c)
{
    return c->which == SETTING_FILES ? "engine for files"
                                     : poni_setting_key(c->which);
}

/* None of them: the reasons of all. */
static int
tell_failure(struct choose *c)
{
    const struct poni_choice *out = c->out;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    int err;

    if (f == NULL)
        return no_memory(c);
    for (unsigned i = 0; i < out->candidate_count; i++) {
        fputs(i > 0 ? "; " : "", f);
        tell_name(f, out->candidates[i].entry);
        fprintf(f, "%s%s",
                out->candidate_count == 1 &&
                        out->candidates[i].entry->status != ENTRY_ABSENT
                    ? ": not usable here: "
                    : ": ",
                out->candidates[i].why);
    }
    if (fclose(f) != 0) {
        free(text);
        return no_memory(c);
    }
    if (out->candidate_count == 1)
        err = poni_fail(-ENOTSUP, "%s: %s", c->value->label, text);
    else
        err =
            poni_fail(-ENOTSUP, "%s: no %s is usable here: %s", c->value->label,
                      choose_noun(c), *text != '\0' ? text : "there is none");
    free(text);
    return err;
}

int
poni_choose(struct poni_choice *out, struct poni_catalog *catalog,
            enum poni_setting which, poni_try_open_f *try_open, void *arg)
{
    struct choose c = {.catalog = catalog,
                       .which = which,
                       .among = poni_setting_among(which),
                       .value = &catalog->settings->value[which],
                       .out = out};
    int err;

    memset(out, 0, sizeof *out);
    err = is_auto(&c) ? add_auto(&c) : add_list(&c);
    if (err == 0)
        err = try_all(&c, try_open, arg);
    if (err == 0)
        err = out->entry != NULL ? tell(&c) : tell_failure(&c);
    for (unsigned i = 0; i < out->candidate_count; i++)
        poni_config_free(c.tries[i].config);
    free(c.tries);
    if (err < 0)
        poni_choice_fini(out);
    return err;
}

void
poni_choice_fini(struct poni_choice *choice)
{
    for (unsigned i = 0; i < choice->candidate_count; i++)
        free(choice->candidates[i].why);
    free(choice->candidates);
    poni_config_free(choice->config);
    free(choice->story);
    memset(choice, 0, sizeof *choice);
}
