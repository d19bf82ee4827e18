/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/many.cpp - many coroutines that wait, of which few are
 * active, or all of whose waits are cancelled at once.
 */

#include "asio.hpp"
#include "pairs.h"
#include "pipes.h"

using Pipe = asio::posix::stream_descriptor;
using asio::local::stream_protocol;

/* --- fanin --- */

static asio::awaitable<void>
passer(Pipe &in, Pipe &out, uint64_t &left)
{
    for (;;) {
        char byte;

        co_await in.async_read_some(asio::buffer(&byte, 1),
                                    asio::use_awaitable);
        if (left == 0)
            continue; // a byte that stops here
        left--;
        co_await async_write(out, asio::buffer(&byte, 1), asio::use_awaitable);
    }
}

static void
fanin_run(struct bench_run *r)
{
    uint64_t passes = bench_ops(r, PASSES), left = passes;
    asio::io_context context(1);
    std::vector<Pipe> ins, outs;

    if (!pipes_open(r))
        return;
    ins.reserve(PIPES);
    outs.reserve(PIPES);
    for (auto &fds : pipes) {
        ins.emplace_back(context, fds[0]); // closes it in the end
        outs.emplace_back(context, fds[1]);
    }
    for (unsigned i = 0; i < PIPES; i++)
        asio::co_spawn(context, passer(ins[i], outs[(i + 1) % PIPES], left),
                       asio::detached);
    context.poll(); // all wait
    bench_start(r);
    pipes_serve();
    while (left > 0)
        context.run_one();
    bench_stop(r, passes);
}

PEER_FANIN(asio,
           "500 coroutines read from a pipe each; 5 bytes go round, each "
           "coroutine writes what it got into the next pipe",
           "many active at once; sockets");

/* --- cancel_storm --- */

/* All wait already; each that ends is counted. */
template <typename Waiters>
static void
storm(struct bench_run *r, asio::io_context &context, Waiters &waiters,
      const unsigned &cancelled)
{
    context.poll();
    bench_start(r);
    for (auto &w : waiters)
        w.cancel();
    context.poll();
    bench_stop(r, waiters.size());
    bench_must(cancelled == waiters.size(), "every cancel");
}

static asio::awaitable<void>
sleeper(asio::steady_timer &t, unsigned &cancelled)
{
    boost::system::error_code e;

    t.expires_after(std::chrono::milliseconds(FAR_MS));
    co_await t.async_wait(asio::redirect_error(asio::use_awaitable, e));
    cancelled += e == asio::error::operation_aborted;
}

static void
storm_sleeping(struct bench_run *r)
{
    asio::io_context context(1);
    std::vector<asio::steady_timer> timers;
    unsigned cancelled = 0;

    timers.reserve(STORM_SLEEPERS);
    for (unsigned i = 0; i < STORM_SLEEPERS; i++) {
        timers.emplace_back(context);
        asio::co_spawn(context, sleeper(timers[i], cancelled), asio::detached);
    }
    storm(r, context, timers, cancelled);
}

static asio::awaitable<void>
receiver(stream_protocol::socket &s, unsigned &cancelled)
{
    boost::system::error_code e;
    char byte;

    co_await s.async_receive(asio::buffer(&byte, 1),
                             asio::redirect_error(asio::use_awaitable, e));
    cancelled += e == asio::error::operation_aborted;
}

static void
storm_receiving(struct bench_run *r)
{
    asio::io_context context(1);
    std::vector<stream_protocol::socket> sockets;
    unsigned cancelled = 0;

    if (!pairs_open(r, 0))
        return;
    sockets.reserve(STORM_RECEIVERS);
    for (unsigned i = 0; i < STORM_RECEIVERS; i++) {
        sockets.emplace_back(context, stream_protocol(), pairs[i][0]);
        asio::co_spawn(context, receiver(sockets[i], cancelled),
                       asio::detached);
    }
    storm(r, context, sockets, cancelled);
    sockets.clear(); // closes them
    pairs_close(0);
}

PEER_CANCEL_STORM(asio,
                  "cancel() of every wait, and the context runs until no "
                  "coroutine is left: 10,000 in a steady_timer, or 1000 that "
                  "receive from a socket each",
                  "cancelling from another thread");
