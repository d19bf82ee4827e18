/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/wake.cpp - tasks that wait to be woken.
 *
 * Within a thread a coroutine waits on a timer that never ends, and is woken by
 * cancelling the wait: so do Asio's own examples (chat_server). From other
 * threads a wake is asio::post(), a handler each.
 */

#include "asio.hpp"

/* --- ping_pong --- */

class Bell
{
  public:
    explicit Bell(asio::io_context &context)
        : never(context, asio::steady_timer::time_point::max())
    {
    }

    void ring()
    {
        rung = true;
        never.cancel_one();
    }

    asio::awaitable<void> wait()
    {
        boost::system::error_code cancelled;

        while (!rung)
            co_await never.async_wait(
                asio::redirect_error(asio::use_awaitable, cancelled));
        rung = false;
    }

  private:
    asio::steady_timer never;
    bool rung = false;
};

static asio::awaitable<void>
player(Bell &mine, Bell &other, uint64_t balls)
{
    while (balls-- > 0) {
        co_await mine.wait();
        other.ring();
    }
}

static void
ping_pong_run(struct bench_run *r)
{
    uint64_t balls = bench_ops(r, TURNS);
    asio::io_context context(1);
    Earlier earlier(context);
    Bell a(context), b(context);
    unsigned players = 2;
    auto ended = [&](std::exception_ptr) {
        if (--players == 0)
            context.stop(); // `earlier` is not to be awaited
    };

    bench_start(r);
    asio::co_spawn(context, player(a, b, balls), ended);
    asio::co_spawn(context, player(b, a, balls), ended);
    a.ring();
    context.run();
    bench_stop(r, balls);
}

PEER_PING_PONG(asio,
               "two coroutines of one thread cancel each other's wait in turn",
               "two threads");

/* --- wake_cross --- */

struct Receiver {
    explicit Receiver(asio::io_context &c) : context(c), work(c.get_executor())
    {
    }

    asio::io_context &context;
    Work work;
    struct crossing crossing;
};

static void
cross_wake(void *arg)
{
    auto *receiver = static_cast<Receiver *>(arg);

    asio::post(receiver->context, [receiver] {
        if (crossing_arrived(&receiver->crossing))
            receiver->work.reset();
    });
}

static void
cross_run(struct bench_run *r, unsigned senders, uint64_t each)
{
    asio::io_context context(1);
    Receiver receiver(context);

    bench_start(r);
    crossing_start(&receiver.crossing, senders, each, cross_wake, &receiver);
    context.run();
    crossing_finish(&receiver.crossing, r);
}

constexpr uint64_t FEWER = 8; // what is not yet run is in memory

PEER_WAKE_CROSS(asio, WAKES_FLOOD / FEWER, "asio::post()",
                "wakes that become one: each of these is a handler");
