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

PEER_SPAWN_JOIN(asio,
                "co_spawn() by the thread that runs the context; joining is "
                "the completion handler");

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

PEER_SPAWN_MANY(asio, BENCH_WORKERS,
                "co_spawn() 10,000 times: by the thread that runs the context; "
                "by another while the workers have nothing else to do, or a "
                "coroutine each that yields without end");

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

PEER_CHAINED_SPAWN(asio, "1000 coroutines, each spawned by the one before");

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
    Workers workers(peer_workers());
    struct gate g;

    gate_init(&g);
    gate_shut(&g, TASKS);
    bench_start(r);
    for (int i = 0; i < TASKS; i++)
        asio::co_spawn(workers.context, yielder(YIELDS),
                       [&g](std::exception_ptr) { gate_arrive(&g); });
    gate_wait(&g);
    bench_stop(r, (uint64_t)TASKS * YIELDS);
}

PEER_YIELD(asio, "stackless", BENCH_WORKERS,
           "1000 coroutines co_await asio::post() 1000 times each",
           "what a wake costs");
