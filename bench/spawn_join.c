/* SPDX-License-Identifier: MIT */
/*
 * bench/spawn_join.c - an empty stackless task, spawned and joined inside one
 * worker: what a task costs that does nothing.
 *
 *   1000 live, warm   spawned, then joined, over and over
 *   1,000,000 live    the same with all of them alive at once, from cold memory
 *
 * It does not tell what a task costs that waits, or crosses to another worker.
 */

#include <pons/pons.h>

#include "series.h"

enum { WARM = 1000, ROUNDS = 300, MANY = 1000000 };

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
    int live, rounds, i;
};

/* Stackless itself: a fiber's switches would be measured, too. */
static enum pons_poll
spawner_poll(struct pons_future *f, struct pons_waker *w)
{
    struct spawner *s = pons_container_of(f, struct spawner, base);

    PONS_BEGIN(f);
    for (; s->rounds > 0; s->rounds--) {
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
    PONS_END(f);
}

static const struct pons_future_ops spawner_ops = {
    .size = sizeof spawner_ops, .name = "spawner", .poll = spawner_poll};

static void
measure(struct pons_runtime *rt, struct bench_series *series, int live,
        int rounds)
{
    struct spawner s = {.live = live, .rounds = rounds};
    struct pons_task *task;
    double began;

    s.children = calloc((size_t)live, sizeof *s.children);
    s.tasks = calloc((size_t)live, sizeof *s.tasks);
    bench_must(s.children != NULL && s.tasks != NULL, "calloc");
    if (rounds == 1) // the user's own structs are not what is measured
        memset(s.children, 1, (size_t)live * sizeof *s.children);
    pons_future_init(&s.base, &spawner_ops);
    began = bench_now_ns();
    bench_must(pons_spawn_future(rt, &s.base, &task) == 0 &&
                   pons_join(task, NULL) == 0,
               "spawner");
    bench_add(series, (bench_now_ns() - began) / ((double)live * rounds));
    free(s.children);
    free(s.tasks);
}

int
main(int argc, char **argv)
{
    static struct bench_series warm = {"spawn_join", "1000 live", "wall",
                                       "ns",         {0},         0};
    static struct bench_series many = {
        "spawn_join", "1000000 live", "wall", "ns", {0}, 0};
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "1"};
    unsigned repeat = bench_repeat(argc, argv);

    for (unsigned r = 0; r < repeat; r++) {
        struct pons_runtime *rt;

        bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
        measure(rt, &warm, WARM, ROUNDS);
        pons_runtime_unref(rt);
        bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
        measure(rt, &many, MANY, 1); // a new runtime: its memory is cold
        pons_runtime_unref(rt);
    }
    bench_print(&warm);
    bench_print(&many);
    return 0;
}
