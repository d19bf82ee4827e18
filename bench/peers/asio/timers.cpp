/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/timers.cpp - timers, and what an idle one occupies.
 *
 * A cancelled wait completes through the context's queue: running those
 * handlers is part of the price.
 */

#include "asio.hpp"

using std::chrono::milliseconds;

static void
timer_cancelled(const boost::system::error_code &e)
{
    bench_must(e == asio::error::operation_aborted, "a timer far away");
}

static void
create_and_cancel(struct bench_run *r)
{
    uint64_t rounds = bench_ops(r, TIMERS / TASKS);
    asio::io_context context(1);
    Earlier earlier(context);
    asio::steady_timer t(context);
    auto began = asio::steady_timer::clock_type::now();

    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++) {
        for (int n = 0; n < TASKS; n++) {
            t.expires_at(began + milliseconds(timer_far_ms(i * TASKS + n)));
            t.async_wait(timer_cancelled);
            t.cancel();
        }
        context.poll();
    }
    bench_stop(r, rounds * TASKS);
}

static void
million_live(struct bench_run *r)
{
    asio::io_context context(1);
    Earlier earlier(context);
    std::vector<asio::steady_timer> all;
    auto began = asio::steady_timer::clock_type::now();

    all.reserve(MILLION);
    for (uint64_t i = 0; i < MILLION; i++)
        all.emplace_back(context); // resident: not what is measured
    bench_start(r);
    for (uint64_t i = 0; i < MILLION; i++) {
        all[i].expires_at(began + milliseconds(timer_far_ms(i)));
        all[i].async_wait(timer_cancelled);
    }
    for (auto &t : all)
        t.cancel();
    context.poll();
    bench_stop(r, MILLION);
}

/* --- naps --- */

static asio::awaitable<void>
napper(struct naps *naps, unsigned id, unsigned left)
{
    asio::steady_timer t(co_await asio::this_coro::executor);

    for (; left > 0; left--) {
        unsigned ms = nap_ms(id, left);
        uint64_t deadline = bench_now() + ms * UINT64_C(1000000);

        t.expires_after(milliseconds(ms));
        co_await t.async_wait(asio::use_awaitable);
        if (nap_ended(naps, deadline, bench_now()))
            nap_stall();
    }
}

static void
naps_run(struct bench_run *r, int stalls)
{
    asio::io_context context(1);
    struct naps naps;

    naps_begin(&naps, stalls);
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++)
        asio::co_spawn(context, napper(&naps, i, naps_each(r)), asio::detached);
    context.run();
    naps_finish(&naps, r);
}

PEER_TIMERS(asio,
            "steady_timer: async_wait() and cancel(), one at a time or a "
            "million live; 100 coroutines sleep for 1 to 10 ms",
            "memory of the timers, which is the user's");
PEER_STALLS(asio, "100 coroutines of one thread sleep for 1 to 10 ms",
            "a block that is longer than a nap");

/* --- sleepers --- */

static asio::awaitable<void>
sleeper()
{
    asio::steady_timer t(co_await asio::this_coro::executor,
                         milliseconds(FAR_MS));

    co_await t.async_wait(asio::use_awaitable);
}

static void
sleepers_start()
{
    auto *context = new asio::io_context(1); // ends with the process

    for (unsigned i = 0; i < SLEEPERS; i++)
        asio::co_spawn(*context, sleeper(), asio::detached);
    context->poll();
}

PEER_SLEEPERS(asio, "stackless", SLEEPERS,
              "100000 coroutines, each in a steady_timer's async_wait()",
              "what the user keeps beside it");
