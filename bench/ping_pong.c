/* SPDX-License-Identifier: MIT */
/*
 * bench/ping_pong.c - two tasks wake each other in turn.
 */

#include "bench.h"
#include "cell.h"
#include "counts.h"
#include "runtime.h"

struct player {
    struct pons_future base;
    struct cell *mine, *other;
    uint64_t left;
};

static enum pons_poll
player_poll(struct pons_future *f, struct pons_waker *w)
{
    struct player *p = pons_container_of(f, struct player, base);

    PONS_BEGIN(f);
    while (p->left-- > 0) {
        cell_wait_init(p->mine);
        PONS_AWAIT(f, w, p->mine);
        cell_ring(p->other);
    }
    PONS_END(f);
}

static const struct pons_future_ops player_ops = {
    .size = sizeof player_ops, .name = "player", .poll = player_poll};

static int64_t
play(void *arg)
{
    struct cell cells[2] = {{.state = CELL_EMPTY}, {.state = CELL_EMPTY}};
    struct player players[2];
    struct pons_task *tasks[2];
    struct bench_run *r = arg;
    uint64_t rounds = bench_ops(r, TURNS);

    bench_start(r);
    for (int i = 0; i < 2; i++) {
        players[i].mine = &cells[i];
        players[i].other = &cells[1 - i];
        players[i].left = rounds;
        pons_future_init(&players[i].base, &player_ops);
        bench_must(pons_spawn_future(NULL, &players[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    cell_ring(&cells[0]); // the service
    for (int i = 0; i < 2; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, rounds);
    return 0;
}

static void
two_tasks(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, play, r);
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "tasks", .run = two_tasks, .brief = 1},
    {0},
};

static const struct bench_workload ping_pong_workload = {
    .name = "ping_pong",
    .subject = "pons",
    .measures = "waking a task that sleeps, from a task, there and back",
    .how = "two stackless tasks wait in turn, each in a cell of one word and a "
           "waker, and ring the other's; a round is two wakes",
    .silent = "what a channel adds that carries a value",
    .axes = BENCH_WORKERS,
    .cases = cases,
    .spread = 1, // for peers whose two are threads
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&ping_pong_workload, NULL}, argc,
        argv);
}
