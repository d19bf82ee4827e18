/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/spawn.cpp - tasks that are ready at once: coroutines.
 */

#include <atomic>

#include "asio.hpp"

static asio::awaitable<void>
nothing()
{
    co_return;
}

/* --- spawn_join --- */

/* The thread that runs the context spawns; joining is each one's completion. */
static void
spawn_and_join(asio::io_context &context, uint64_t live)
{
    uint64_t left = live;

    for (uint64_t i = 0; i < live; i++)
        asio::co_spawn(context, nothing(),
                       [&left](std::exception_ptr) { left--; });
    context.restart();
    context.run();
    bench_must(left == 0, "every task");
}

static void
spawn_join_run(struct bench_run *r, uint64_t live, uint64_t rounds)
{
    asio::io_context context(1);

    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        spawn_and_join(context, live);
    bench_stop(r, live * rounds);
}

static void
thousand_live(struct bench_run *r)
{
    spawn_join_run(r, TASKS, bench_ops(r, SPAWN_ROUNDS));
}

static void
million_live(struct bench_run *r)
{
    spawn_join_run(r, MILLION, 1);
}

static const struct bench_case spawn_join_cases[] = {
    {.name = "1000 live", .run = thousand_live},
    {.name = "1000000 live", .run = million_live, .cold = 1},
    {},
};

const struct bench_workload asio_spawn_join = {
    .name = "spawn_join",
    .subject = "asio",
    .measures = "a task that does nothing: spawned and joined",
    .how = "co_spawn() by the thread that runs the context; joining is the "
           "completion handler",
    .silent = "tasks that wait",
    .cases = spawn_join_cases,
};

/* --- spawn_many --- */

static void
inside(struct bench_run *r)
{
    uint64_t rounds = bench_ops(r, MANY_ROUNDS);
    asio::io_context context(1);

    spawn_and_join(context, MANY); // memory is cold
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        spawn_and_join(context, MANY);
    bench_stop(r, rounds * MANY);
}

static void
outside_round(asio::io_context &context, struct gate *g)
{
    gate_shut(g, MANY);
    for (int i = 0; i < MANY; i++)
        asio::co_spawn(context, nothing(),
                       [g](std::exception_ptr) { gate_arrive(g); });
    gate_wait(g);
}

static void
outside_rounds(struct bench_run *r, asio::io_context &context)
{
    uint64_t rounds = bench_ops(r, MANY_ROUNDS);
    struct gate g;

    gate_init(&g);
    outside_round(context, &g); // memory is cold
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        outside_round(context, &g);
    bench_stop(r, rounds * MANY);
}

static void
outside_idle(struct bench_run *r)
{
    Workers workers(peer_workers());

    outside_rounds(r, workers.context);
}

static asio::awaitable<void>
keep_busy(const std::atomic<bool> &busy)
{
    while (busy.load(std::memory_order_relaxed))
        co_await yield();
}

static void
outside_busy(struct bench_run *r)
{
    std::atomic<bool> busy = true; // outlives the workers
    Workers workers(peer_workers());

    for (unsigned i = 0; i < peer_workers(); i++)
        asio::co_spawn(workers.context, keep_busy(busy), asio::detached);
    outside_rounds(r, workers.context);
    busy = false;
}

static const struct bench_case spawn_many_cases[] = {
    {.name = "inside", .run = inside},
    {.name = "outside idle", .run = outside_idle},
    {.name = "outside busy", .run = outside_busy},
    {},
};

const struct bench_workload asio_spawn_many = {
    .name = "spawn_many",
    .subject = "asio",
    .measures = "one of many tasks spawned at once, to the end of the last",
    .how = "co_spawn() 10,000 times: by the thread that runs the context; by "
           "another while the workers have nothing else to do, or a coroutine "
           "each that yields without end",
    .silent = "how soon the first of them runs",
    .axes = BENCH_WORKERS,
    .cases = spawn_many_cases,
};

/* --- chained_spawn --- */

static asio::awaitable<void>
chain_link(asio::io_context &context, unsigned *left)
{
    if (--*left > 0)
        asio::co_spawn(context, chain_link(context, left), asio::detached);
    co_return;
}

static void
chain_run(struct bench_run *r)
{
    uint64_t chains = bench_ops(r, CHAINS);
    asio::io_context context(1);

    bench_start(r);
    for (uint64_t i = 0; i < chains; i++) {
        unsigned left = TASKS;

        asio::co_spawn(context, chain_link(context, &left), asio::detached);
        context.restart();
        context.run();
        bench_must(left == 0, "the last task");
    }
    bench_stop(r, chains * TASKS);
}

static const struct bench_case chained_spawn_cases[] = {
    {.name = "chain", .run = chain_run},
    {},
};

const struct bench_workload asio_chained_spawn = {
    .name = "chained_spawn",
    .subject = "asio",
    .measures = "a task that spawns the next, per task",
    .how = "1000 coroutines, each spawned by the one before",
    .silent = "many chains at once",
    .cases = chained_spawn_cases,
};

/* --- yield --- */

static asio::awaitable<void>
yielder(uint64_t yields)
{
    while (yields-- > 0)
        co_await yield();
}

static void
yield_run(struct bench_run *r)
{
    uint64_t yields = bench_ops(r, YIELDS);
    Workers workers(peer_workers());
    struct gate g;

    gate_init(&g);
    gate_shut(&g, TASKS);
    bench_start(r);
    for (int i = 0; i < TASKS; i++)
        asio::co_spawn(workers.context, yielder(yields),
                       [&g](std::exception_ptr) { gate_arrive(&g); });
    gate_wait(&g);
    bench_stop(r, TASKS * yields);
}

static const struct bench_case yield_cases[] = {
    {.name = "stackless", .run = yield_run},
    {},
};

const struct bench_workload asio_yield = {
    .name = "yield",
    .subject = "asio",
    .measures = "going from one ready task to the next",
    .how = "1000 coroutines co_await asio::post() 1000 times each",
    .silent = "what a wake costs",
    .axes = BENCH_WORKERS,
    .cases = yield_cases,
};
