/* SPDX-License-Identifier: MIT */
/*
 * bench/spawn_join.c - an empty stackless task, spawned and joined inside one
 * worker: what a task costs that does nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "counts.h"
#include "runtime.h"

static enum pons_poll
empty_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 0;
    return PONS_READY;
}

static const struct pons_future_ops empty_ops = {
    .size = sizeof empty_ops, .name = "empty", .poll = empty_poll};

struct spawner {
    struct pons_future base;
    struct pons_join join;
    struct pons_future *children;
    struct pons_task **tasks;
    struct bench_run *run;
    uint64_t live, rounds, round, i;
    uint64_t warm_up; // rounds that are not measured
};

static void
spawner_allocate(struct spawner *s)
{
    s->children = calloc((size_t)s->live, sizeof *s->children);
    s->tasks = calloc((size_t)s->live, sizeof *s->tasks);
    bench_must(s->children != NULL && s->tasks != NULL, "memory");
}

/* Stackless itself: a fiber's switches would be measured, too. */
static enum pons_poll
spawner_poll(struct pons_future *f, struct pons_waker *w)
{
    struct spawner *s = pons_container_of(f, struct spawner, base);

    PONS_BEGIN(f);
    if (s->warm_up == 0)
        bench_start(s->run);
    if (s->children == NULL)
        spawner_allocate(s);
    for (s->round = 0; s->round < s->warm_up + s->rounds; s->round++) {
        if (s->round > 0 && s->round == s->warm_up)
            bench_start(s->run);
        for (s->i = 0; s->i < s->live; s->i++) {
            pons_future_init(&s->children[s->i], &empty_ops);
            bench_must(pons_spawn_future(NULL, &s->children[s->i],
                                         &s->tasks[s->i]) == 0,
                       "spawn");
        }
        for (s->i = 0; s->i < s->live; s->i++) {
            pons_join_init(&s->join, s->tasks[s->i]);
            PONS_AWAIT(f, w, &s->join);
        }
    }
    bench_stop(s->run, s->live * s->rounds);
    PONS_END(f);
}

static const struct pons_future_ops spawner_ops = {
    .size = sizeof spawner_ops, .name = "spawner", .poll = spawner_poll};

static void
measure(struct spawner *s)
{
    struct pons_runtime *rt = bench_runtime();
    struct pons_task *task;

    pons_future_init(&s->base, &spawner_ops);
    bench_must(pons_spawn_future(rt, &s->base, &task) == 0 &&
                   pons_join(task, NULL) == 0,
               "spawner");
    free(s->children);
    free(s->tasks);
    pons_runtime_unref(rt);
}

static void
thousand(struct bench_run *r)
{
    struct spawner s = {.run = r,
                        .live = TASKS,
                        .rounds = bench_ops(r, JOIN_ROUNDS),
                        .warm_up = 1};

    measure(&s);
}

/* A new runtime: its memory is cold; and its user's, which is part of the price
 * here. */
static void
million(struct bench_run *r)
{
    struct spawner s = {.run = r, .live = MILLION, .rounds = 1};

    measure(&s);
}

/* What the runtime's part of it is. */
static void
million_beside_their_structs(struct bench_run *r)
{
    struct spawner s = {.run = r, .live = MILLION, .rounds = 1};

    spawner_allocate(&s);
    memset(s.children, 1, MILLION * sizeof *s.children);
    memset(s.tasks, 1, MILLION * sizeof(struct pons_task *));
    measure(&s);
}

static const struct bench_case cases[] = {
    {.name = "1000 live", .run = thousand, .brief = 1},
    {.name = "1000000 live", .run = million, .cold = 1, .heavy = 1},
    {.name = "1000000 live, beside their structs",
     .run = million_beside_their_structs,
     .cold = 1,
     .heavy = 1},
    {0},
};

static const struct bench_workload spawn_join_workload = {
    .name = "spawn_join",
    .subject = "pons",
    .measures = "a task that does nothing, from spawn to join",
    .how = "empty stackless tasks are spawned by a task, then joined: 1000 at "
           "a time, over and over, or a million at once from cold memory, "
           "with or without their user's structs",
    .silent = "what a task costs that waits",
    .axes = BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&spawn_join_workload, NULL},
        argc, argv);
}
