/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_plan.c - see cli/bench_plan.h.
 *
 * Workload by workload, case by case: whoever offers that case gets its rows
 * there. So floors and peers stand beside what they are compared with.
 */

#include "bench_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

/* Of a brief case. More narrows the figures of a machine that does other things
 * hardly further, and takes longer. */
enum { IN_A_ROW = 5 };

static const char *const bench_no_axis[AXES] = {"", "", ""};

static int
plan_no_memory(void)
{
    say_error("bench: %s", strerror(ENOMEM));
    return -ENOMEM;
}

/* --- the axes --- */

static int
plan_row(struct bench_result *r, const struct bench_key *key,
         const struct bench_value *values[AXES], const struct bench_trial *t)
{
    struct bench_row *row = bench_row_add(r, key);

    if (!row)
        return plan_no_memory();
    row->trial = *t;
    for (int axis = 0; axis < AXES; axis++)
        if (values[axis] && values[axis]->reason && row->state == ROW_WAITING)
            bench_row_end(row, ROW_SKIPPED, "%s", values[axis]->reason);
    return 0;
}

/* Whether every number of workers that is asked for is 0 or 1. */
static int
few_workers(const struct bench_choice *c, const char *workers)
{
    if (*workers)
        return strcmp(workers, "0") == 0 || strcmp(workers, "1") == 0;
    for (size_t i = 0; i < c->count[AXIS_WORKERS]; i++)
        if (!few_workers(c, c->values[AXIS_WORKERS][i].text))
            return 0;
    return 1;
}

/* The rows for each value of `axis` and those after it. */
static int
vary_from(struct bench_result *r, struct bench_key *key, unsigned axes,
          const struct bench_choice *c, const struct bench_trial *t,
          enum bench_axis axis, const struct bench_value *values[AXES])
{
    int err = 0;

    if (axis == AXES) {
        struct bench_trial own = *t;

        if (!few_workers(c, key->axis[AXIS_WORKERS]))
            own.cpu = -1;
        return plan_row(r, key, values, &own);
    }
    values[axis] = NULL;
    key->axis[axis] = (char *)bench_no_axis[axis];
    if (!(axes & 1u << axis))
        return vary_from(r, key, axes, c, t, axis + 1, values);
    for (size_t i = 0; err == 0 && i < c->count[axis]; i++) {
        values[axis] = &c->values[axis][i];
        key->axis[axis] = c->values[axis][i].text;
        err = vary_from(r, key, axes, c, t, axis + 1, values);
    }
    return err;
}

int
bench_plan_vary(struct bench_result *r, const struct bench_key *key,
                unsigned axes, const struct bench_choice *c,
                const struct bench_trial *t)
{
    const struct bench_value *values[AXES];
    struct bench_key own = *key;

    return vary_from(r, &own, axes, c, t, 0, values);
}

/* --- what was asked for --- */

/* Whether `name` is one of `words`, separated by commas. */
static int
is_listed(const char *words, const char *name)
{
    size_t length = strlen(name);

    for (;;) {
        size_t n = strcspn(words, ",");

        if (n == length && memcmp(words, name, n) == 0)
            return 1;
        if (!words[n])
            return 0;
        words += n + 1;
    }
}

static int
peer_wanted(const struct bench_plan *p, const char *peer)
{
    return p->peers &&
           (is_listed(p->peers, "all") || is_listed(p->peers, peer));
}

static int
offer_wanted(const struct bench_plan *p, const struct bench_offer *o)
{
    switch (o->kind) {
    case KIND_FLOOR:
        return p->limits;
    case KIND_PEER:
        return peer_wanted(p, o->name);
    default:
        return 1;
    }
}

static int
workload_wanted(const struct bench_plan *p, const char *workload)
{
    char *const *w = p->workloads;

    while (*w && strcmp(*w, workload) != 0)
        w++;
    return !*p->workloads || *w;
}

/* By anybody who is wanted. */
static int
is_offered(const struct bench_plan *p, const char *workload)
{
    for (size_t i = 0; i < p->catalog->count; i++)
        if (offer_wanted(p, &p->catalog->offers[i]) &&
            strcmp(p->catalog->offers[i].workload, workload) == 0)
            return 1;
    return 0;
}

static int
is_built(const struct bench_catalog *c, const char *peer)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->offers[i].kind == KIND_PEER &&
            strcmp(c->offers[i].name, peer) == 0)
            return 1;
    return 0;
}

/* --- the rows --- */

static int
has_text(char *const *texts, const char *text)
{
    while (*texts && strcmp(*texts, text) != 0)
        texts++;
    return *texts != NULL;
}

static int
has_case(const struct bench_offer *o, const char *case_name)
{
    return has_text(o->cases, case_name);
}

/* Both by our own program's words: floors and peers are to be placed as it is,
 * and stand beside it. */
static int
workload_spreads(const struct bench_catalog *c, const char *workload)
{
    int spread = 0;

    for (size_t i = 0; i < c->count; i++)
        spread |= c->offers[i].kind == KIND_OURS && c->offers[i].spread &&
                  strcmp(c->offers[i].workload, workload) == 0;
    return spread;
}

static int
case_is_heavy(const struct bench_catalog *c, const char *workload,
              const char *case_name)
{
    int heavy = 0;

    for (size_t i = 0; i < c->count; i++)
        heavy |= c->offers[i].kind == KIND_OURS &&
                 strcmp(c->offers[i].workload, workload) == 0 &&
                 has_text(c->offers[i].heavy, case_name);
    return heavy;
}

static int
case_is_brief(const struct bench_catalog *c, const char *workload,
              const char *case_name)
{
    int brief = 0;

    for (size_t i = 0; i < c->count; i++)
        brief |= c->offers[i].kind == KIND_OURS &&
                 strcmp(c->offers[i].workload, workload) == 0 &&
                 has_text(c->offers[i].brief, case_name);
    return brief;
}

/* What our own program says that the case is about; NULL: nothing. */
static const char *
case_main(const struct bench_catalog *c, const char *workload,
          const char *case_name)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct bench_offer *o = &c->offers[i];

        if (o->kind != KIND_OURS || strcmp(o->workload, workload) != 0)
            continue;
        for (size_t k = 0; o->cases[k]; k++)
            if (strcmp(o->cases[k], case_name) == 0 && *o->mains[k])
                return o->mains[k];
    }
    return NULL;
}

/* The program that measures servers of that workload. */
static const struct bench_offer *
find_driver(const struct bench_catalog *c, const char *workload)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->offers[i].kind == KIND_OURS && !c->offers[i].serves &&
            strcmp(c->offers[i].workload, workload) == 0)
            return &c->offers[i];
    return NULL;
}

/* Whether its program has that workload for another subject, too. */
static int
has_others(const struct bench_catalog *c, const struct bench_offer *o)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->offers[i].program, o->program) == 0 &&
            strcmp(c->offers[i].workload, o->workload) == 0 &&
            strcmp(c->offers[i].subject, o->subject) != 0)
            return 1;
    return 0;
}

static int
plan_offer(const struct bench_plan *p, const struct bench_offer *o,
           const char *case_name, struct bench_result *r)
{
    const struct bench_offer *driver =
        o->serves ? find_driver(p->catalog, o->workload) : o;
    const struct bench_key key = {.workload = o->workload,
                                  .case_name = (char *)case_name,
                                  .subject = o->subject};
    struct bench_trial t = p->trial;

    if (!driver || !has_case(driver, case_name))
        return 0;
    t.run = bench_trial_run;
    t.program = driver->program;
    t.server = o->serves ? o->program : NULL;
    t.subject = has_others(p->catalog, o);
    t.in_a_row =
        case_is_brief(p->catalog, o->workload, case_name) ? IN_A_ROW : 1;
    if (workload_spreads(p->catalog, o->workload))
        t.cpu = -1;
    return bench_plan_vary(r, &key, o->axes, p->choice, &t);
}

/* What is heavy has no place in a minute for all, unless it was named. */
static void
skip_if_heavy(const struct bench_plan *p, struct bench_result *r, size_t first)
{
    const struct bench_key *key;

    if (!p->trial.quick || *p->workloads || first == r->row_count)
        return;
    key = &r->rows[first].key;
    if (!case_is_heavy(p->catalog, key->workload, key->case_name))
        return;
    for (size_t i = first; i < r->row_count; i++)
        if (r->rows[i].state == ROW_WAITING)
            bench_row_end(&r->rows[i], ROW_SKIPPED,
                          "too long for --quick; name the workload");
}

/* The rows of all that are wanted and offer that case. */
static int
plan_case(const struct bench_plan *p, const char *workload,
          const char *case_name, struct bench_result *r)
{
    size_t first = r->row_count;
    int err = 0;

    for (size_t i = 0; err == 0 && i < p->catalog->count; i++) {
        const struct bench_offer *o = &p->catalog->offers[i];

        if (offer_wanted(p, o) && strcmp(o->workload, workload) == 0)
            err = plan_offer(p, o, case_name, r);
    }
    for (size_t i = first; i < r->row_count; i++)
        r->rows[i].main = case_main(p->catalog, workload, case_name);
    skip_if_heavy(p, r, first);
    return err;
}

/* Whether an offer before the `i`th, of those that are wanted, has the case. */
static int
case_is_known(const struct bench_plan *p, size_t i, const char *case_name)
{
    const struct bench_offer *offers = p->catalog->offers;

    for (size_t k = 0; k < i; k++)
        if (offer_wanted(p, &offers[k]) &&
            strcmp(offers[k].workload, offers[i].workload) == 0 &&
            has_case(&offers[k], case_name))
            return 1;
    return 0;
}

static int
plan_workload(const struct bench_plan *p, const char *workload,
              struct bench_result *r)
{
    struct bench_about about;
    int err = 0;

    for (size_t i = 0; err == 0 && i < p->catalog->count; i++) {
        const struct bench_offer *o = &p->catalog->offers[i];

        if (!offer_wanted(p, o) || strcmp(o->workload, workload) != 0)
            continue;
        about = bench_about_of(o);
        if (bench_about_add(r, &about) < 0)
            return plan_no_memory();
        for (char **c = o->cases; err == 0 && *c; c++)
            if (!case_is_known(p, i, *c))
                err = plan_case(p, workload, *c, r);
    }
    return err;
}

/* A peer that is not built has one row, with neither workload nor case. */
static int
plan_missing_peers(const struct bench_plan *p, struct bench_result *r)
{
    for (unsigned i = 0; bench_peers[i]; i++) {
        struct bench_key key = {.workload = "",
                                .case_name = "",
                                .subject = (char *)bench_peers[i],
                                .axis = {"", "", ""}};
        struct bench_row *row;

        if (!peer_wanted(p, bench_peers[i]) ||
            is_built(p->catalog, bench_peers[i]))
            continue;
        row = bench_row_add(r, &key);
        if (!row)
            return plan_no_memory();
        bench_row_end(row, ROW_SKIPPED,
                      "not built here; in the source tree bench/peers/setup "
                      "builds it");
    }
    return 0;
}

/* --- wrong names --- */

static int
check_name(const char *what, const char *word, const char *const *names)
{
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], word) == 0)
            return 0;
    say_unknown("bench", what, word, "", names);
    return -ENOENT;
}

/* Those of the table, and others that are built. NULL without memory. */
static const char **
peer_names(const struct bench_catalog *c)
{
    const char **names;
    size_t known = 0, count = 0;

    while (bench_peers[known])
        known++;
    names = calloc(1 + known + c->count + 1, sizeof *names);
    if (!names)
        return NULL;
    names[count++] = "all";
    memcpy(names + count, bench_peers, known * sizeof *names);
    count += known;
    for (size_t i = 0; i < c->count; i++) {
        size_t k = 0;

        while (k < count && strcmp(names[k], c->offers[i].name) != 0)
            k++;
        if (c->offers[i].kind == KIND_PEER && k == count)
            names[count++] = c->offers[i].name;
    }
    return names;
}

static int
check_peers(const struct bench_plan *p)
{
    const char **names = p->peers ? peer_names(p->catalog) : NULL;
    const char *words = p->peers;
    int err = 0;

    if (!words)
        return 0;
    if (!names)
        return plan_no_memory();
    for (;;) {
        size_t n = strcspn(words, ",");
        char *word = strndup(words, n);

        err = word ? check_name("peer", word, names) : plan_no_memory();
        free(word);
        if (err < 0 || !words[n])
            break;
        words += n + 1;
    }
    free(names);
    return err;
}

/* Of those that there are, one may have nothing to run; but what is said to be
 * there can be run as things were chosen. */
static int
check_workload(const struct bench_plan *p, const char *word,
               const char *const *names)
{
    const char **offered;
    size_t count = 0, all = 0;

    while (names[all] && strcmp(names[all], word) != 0)
        all++;
    if (names[all])
        return 0;
    offered = calloc(all + 1, sizeof *offered);
    if (!offered)
        return plan_no_memory();
    for (size_t i = 0; i < all; i++)
        if (is_offered(p, names[i]))
            offered[count++] = names[i];
    say_unknown("bench", "workload", word, "", offered);
    free(offered);
    return -ENOENT;
}

int
bench_plan_rows(const struct bench_plan *p, struct bench_result *r)
{
    const char **names = bench_catalog_workloads(p->catalog);
    int err = names ? check_peers(p) : plan_no_memory();

    for (char *const *w = p->workloads; err == 0 && *w; w++)
        err = check_workload(p, *w, names);
    for (unsigned i = 0; err == 0 && names[i]; i++)
        if (workload_wanted(p, names[i]))
            err = plan_workload(p, names[i], r);
    if (err == 0)
        err = plan_missing_peers(p, r);
    if (err == 0 && r->row_count == 0) {
        say_error("bench: nothing to run: those workloads are of floors and "
                  "peers alone; see --limits and --peers");
        err = -ENOENT;
    }
    free(names);
    return err;
}
