/* SPDX-License-Identifier: MIT */
#ifndef PEER_ASIO_HPP
#define PEER_ASIO_HPP

/*
 * bench/peers/asio/asio.hpp - the parts of the peer, and what they run on.
 */

#include <utility> // <boost/asio.hpp> of 1.74 forgets it

#include <boost/asio.hpp>
#include <thread>
#include <vector>

#include "../peer.h"

extern const struct bench_workload asio_spawn_join, asio_spawn_many,
    asio_chained_spawn, asio_yield;                                 // spawn.cpp
extern const struct bench_workload asio_ping_pong, asio_wake_cross; // wake.cpp
extern const struct bench_workload asio_timers, asio_sleepers,
    asio_stalls; // timers.cpp
extern const struct bench_workload asio_blocking_roundtrip,
    asio_blocking_throughput;                                     // work.cpp
extern const struct bench_workload asio_cancel_storm, asio_fanin; // many.cpp

void asio_serve(); // echo.cpp

namespace asio = boost::asio;

/* Keeps io_context::run() from returning until it is reset. */
using Work = asio::executor_work_guard<asio::io_context::executor_type>;

/* An io_context and the threads that run it, until it goes out of scope. */
class Workers
{
  public:
    explicit Workers(unsigned count)
        : context(static_cast<int>(count)), work(context.get_executor())
    {
        for (unsigned i = 0; i < count; i++)
            threads.emplace_back([this] { context.run(); });
    }

    ~Workers()
    {
        work.reset();
        for (auto &t : threads)
            t.join();
    }

    Workers(const Workers &) = delete;
    Workers &operator=(const Workers &) = delete;

    asio::io_context context;

  private:
    Work work;
    std::vector<std::thread> threads;
};

/* A timer that is due before all others, as most programs have one: setting the
 * earliest timer of a context costs a system call. It keeps run() from
 * returning. */
class Earlier
{
  public:
    explicit Earlier(asio::io_context &context)
        : timer(context, std::chrono::milliseconds(FAR_MS / 2))
    {
        timer.async_wait([](const boost::system::error_code &) {});
    }

  private:
    asio::steady_timer timer;
};

/* Goes to the end of the queue. */
inline auto
yield()
{
    return asio::post(asio::use_awaitable);
}

#endif /* PEER_ASIO_HPP */
