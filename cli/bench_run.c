/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_run.c - see cli/bench_run.h.
 */

#include "bench_run.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench_stats.h"
#include "core/settings.h"
#include "interrupt.h"
#include "pons/time.h"
#include "progress.h"

enum { PATIENCE = 5 }; // one run may take that many rows' whole time

const double bench_run_share = 0.05;

struct run {
    struct bench_result *result;
    const struct bench_run_limits *limits;
    size_t *order; // the rows, shuffled
    uint64_t random, began_ns, deadline_ns;
    uint64_t budget_ns;   // the limits', or more: see run_stretch()
    uint64_t share_ns;    // of a row in a round
    uint64_t patience_ns; // with one run
    unsigned round;
    struct progress progress;
};

static unsigned
run_wanted(const struct run *u)
{
    return u->limits->repeat ? u->limits->repeat : u->limits->most;
}

/* How many trials gave figures. */
static size_t
row_values(const struct bench_row *row)
{
    size_t most = 0;

    for (size_t i = 0; i < row->figure_count; i++)
        if (row->figures[i].count > most)
            most = row->figures[i].count;
    return most;
}

static int
row_is_narrow(const struct bench_row *row)
{
    const struct bench_figure *f = bench_row_main(row);
    struct bench_stats s;

    return f && bench_stats_of(&s, f->values, f->count) == 0 &&
           bench_stats_within(&s, bench_run_share);
}

/* Has it said enough? */
static void
row_settle(const struct run *u, struct bench_row *row)
{
    size_t count = row_values(row);

    if (row->state != ROW_WAITING)
        return;
    if (count < (u->limits->repeat ? u->limits->repeat : u->limits->least))
        return;
    if (row_is_narrow(row))
        row->state = ROW_SETTLED;
    else if (count >= run_wanted(u))
        row->state = ROW_WIDE;
}

/* --- time --- */

/* Whether what takes `ns` would be over in time. */
static int
run_has_time(const struct run *u, uint64_t ns)
{
    uint64_t now = pons_now();

    return now < u->deadline_ns && ns < u->deadline_ns - now;
}

/* Whether its trials have taken no more than is due to it by now. */
static int
row_has_share(const struct run *u, const struct bench_row *row)
{
    return row_values(row) == 0 ||
           row->trial_ns * (row_values(row) + 1) / u->round <= u->share_ns;
}

/* --- progress --- */

/* At most, should no row settle before it has all its values. Rows that have
 * not run yet are supposed to be like the others; UINT64_MAX: nothing is known.
 */
static uint64_t
run_left_ns(const struct run *u)
{
    uint64_t now = pons_now(), known_ns = 0, trials = 0, known = 0, left_ns;

    for (size_t i = 0; i < u->result->row_count; i++) {
        const struct bench_row *row = &u->result->rows[i];

        if (row->state != ROW_WAITING)
            continue;
        trials += run_wanted(u) - row_values(row);
        known += row->trial_ns > 0;
        known_ns += row->trial_ns;
    }
    if (known == 0 && u->deadline_ns == UINT64_MAX)
        return UINT64_MAX;
    if (now >= u->deadline_ns)
        return 0;
    left_ns = known > 0 ? known_ns / known * trials : 0;
    if (known > 0 && left_ns < u->deadline_ns - now)
        return left_ns;
    return u->deadline_ns - now;
}

static void
run_draw(const struct run *u, const struct bench_row *row)
{
    uint64_t spent_ns = pons_now() - u->began_ns, left_ns = run_left_ns(u);
    unsigned seconds = (unsigned)(left_ns / 1000000000);
    char left[32] = "", words[128];

    if (!progress_wanted(&u->progress))
        return;
    if (left_ns < UINT64_MAX - spent_ns)
        snprintf(left, sizeof left, ", %u:%02u left", seconds / 60,
                 seconds % 60);
    snprintf(words, sizeof words, "round %u%s, %s", u->round, left,
             row->key.workload);
    progress_draw_words(
        &u->progress, (unsigned)(spent_ns / 1000000),
        *left ? (unsigned)((spent_ns + left_ns) / 1000000) : UINT_MAX, words);
}

/* --- deadlines --- */

enum { ROUNDS_SHARE = 80 }; // of 100; the rest of the time is for tracing

/* `share` (of 100) of the time there is. */
static void
run_set_deadline(struct run *u, unsigned share)
{
    uint64_t budget_ns = u->budget_ns;
    size_t waiting = 0;

    u->deadline_ns = UINT64_MAX;
    u->share_ns = UINT64_MAX;
    u->patience_ns = UINT64_MAX;
    if (budget_ns == UINT64_MAX)
        return;
    budget_ns = budget_ns / 100 * share;
    u->deadline_ns = u->began_ns + budget_ns;
    for (size_t i = 0; i < u->result->row_count; i++)
        waiting += u->result->rows[i].state == ROW_WAITING;
    if (waiting == 0)
        return;
    u->share_ns = budget_ns / waiting / u->limits->least;
    u->patience_ns = budget_ns / waiting * PATIENCE;
}

/* So that each row has as many values as an interval takes, and one more for
 * what else happens, going by how long its last trial took. */
static void
run_stretch(struct run *u)
{
    uint64_t wanted_ns = pons_now() - u->began_ns;

    for (size_t i = 0; i < u->result->row_count; i++)
        if (u->result->rows[i].state == ROW_WAITING)
            wanted_ns += u->result->rows[i].trial_ns * (STATS_ENOUGH + 1);
    wanted_ns = wanted_ns / ROUNDS_SHARE * 100;
    if (wanted_ns > u->budget_ns)
        u->budget_ns = wanted_ns;
    run_set_deadline(u, ROUNDS_SHARE);
}

/* --- rounds --- */

/* xorshift64*, which is random enough for an order. */
static uint64_t
run_random(struct run *u)
{
    u->random ^= u->random >> 12;
    u->random ^= u->random << 25;
    u->random ^= u->random >> 27;
    return (u->random * 0x2545f4914f6cdd1d) >> 32;
}

static void
run_shuffle(struct run *u)
{
    for (size_t i = u->result->row_count; i > 1; i--) {
        size_t k = run_random(u) % i, swapped = u->order[i - 1];

        u->order[i - 1] = u->order[k];
        u->order[k] = swapped;
    }
}

/*
 * One run that is far longer than what is due to its row would be at the cost
 * of all others: it is given up.
 */
static int
row_run(struct run *u, struct bench_row *row, enum bench_keep keep)
{
    uint64_t whole_ns = row->trial.limit_ns, most_ns = u->patience_ns;
    char text[32];
    int err;

    if (most_ns >= whole_ns)
        return row->trial.run(row, keep);
    row->trial.limit_ns = most_ns;
    err = row->trial.run(row, keep);
    row->trial.limit_ns = whole_ns;
    if (err == -ETIME) {
        poni_duration_write(text, sizeof text, most_ns / 1000000 * 1000000);
        bench_row_end(
            row, ROW_WIDE,
            "a run takes longer than %s, which the time there is does "
            "not allow",
            text);
    }
    return err;
}

/*
 * 1: a trial was made, or will be when it has the share for it; 0: there is no
 * time for it any more; -EINTR. What else goes wrong has ended the row.
 */
static int
run_row(struct run *u, struct bench_row *row, enum bench_keep keep)
{
    int err;

    if (!run_has_time(u, row->trial_ns))
        return 0;
    if (keep == KEEP_FIGURES && !row_has_share(u, row))
        return 1;
    run_draw(u, row);
    err = row_run(u, row, keep);
    if (err == -EINTR)
        return err;
    row_settle(u, row);
    return 1;
}

/* How many rows go on, or -EINTR. */
static int
run_round(struct run *u, enum bench_keep keep)
{
    int rows = 0, err = 0;

    run_shuffle(u);
    for (size_t i = 0; err >= 0 && i < u->result->row_count; i++) {
        struct bench_row *row = &u->result->rows[u->order[i]];

        if (u->limits->interrupt >= 0 && interrupt_came(u->limits->interrupt))
            return -EINTR;
        if (row->state != ROW_WAITING)
            continue;
        err = run_row(u, row, keep);
        rows += err > 0;
    }
    return err < 0 ? err : rows;
}

/* Where the time stretches it is not known yet in the first round. */
static int
run_rounds(struct run *u)
{
    uint64_t budget_ns = u->budget_ns;
    enum bench_keep keep = u->limits->discard ? KEEP_NOTHING : KEEP_FIGURES;
    int rows;

    if (u->limits->stretches)
        u->budget_ns = UINT64_MAX;
    run_set_deadline(u, ROUNDS_SHARE);
    u->round = keep == KEEP_FIGURES;
    rows = run_round(u, keep);
    u->budget_ns = budget_ns;
    if (u->limits->stretches)
        run_stretch(u);
    while (rows > 0) {
        u->round++;
        rows = run_round(u, KEEP_FIGURES);
    }
    return rows;
}

/* A traced run may be a hundred times as long as another: it is not let go on
 * for ever. */
static int
row_trace(const struct run *u, struct bench_row *row)
{
    uint64_t limit_ns = row->trial.limit_ns;
    int err = 0;

    if (row->trial.limit_ns > u->limits->trace_ns)
        row->trial.limit_ns = u->limits->trace_ns;
    if (run_has_time(u, 0))
        err = row->trial.run(row, KEEP_SYSCALLS);
    else
        row->uncounted = strdup("the time was up");
    row->trial.limit_ns = limit_ns;
    return err;
}

static int
run_traces(struct run *u)
{
    int err = 0;

    run_shuffle(u);
    for (size_t i = 0; err != -EINTR && i < u->result->row_count; i++) {
        struct bench_row *row = &u->result->rows[u->order[i]];

        if (!row->trial.tracer || row_values(row) == 0 ||
            row->state == ROW_FAILED)
            continue;
        progress_draw_words(&u->progress, (unsigned)i,
                            (unsigned)u->result->row_count,
                            "counting system calls");
        err = row_trace(u, row);
    }
    return err;
}

/* For rows that would wait for ever now. */
static void
run_end(struct run *u)
{
    for (size_t i = 0; i < u->result->row_count; i++) {
        struct bench_row *row = &u->result->rows[i];

        if (row->state == ROW_WAITING)
            row->state = row_is_narrow(row) ? ROW_SETTLED : ROW_WIDE;
    }
}

int
bench_run(struct bench_result *r, const struct bench_run_limits *limits)
{
    struct run u = {.result = r,
                    .limits = limits,
                    .began_ns = pons_now(),
                    .budget_ns = limits->budget_ns};
    int err;

    u.random = u.began_ns | 1;
    u.order = calloc(r->row_count + 1, sizeof *u.order);
    if (!u.order)
        return -ENOMEM;
    for (size_t i = 0; i < r->row_count; i++)
        u.order[i] = i;
    progress_open(&u.progress);
    err = run_rounds(&u);
    run_end(&u);
    run_set_deadline(&u, 100);
    if (err != -EINTR)
        err = run_traces(&u);
    progress_clear(&u.progress);
    r->interrupted = err == -EINTR;
    free(u.order);
    return 0;
}
