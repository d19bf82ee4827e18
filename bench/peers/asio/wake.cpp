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
    Bell a(context), b(context);

    bench_start(r);
    asio::co_spawn(context, player(a, b, balls), asio::detached);
    asio::co_spawn(context, player(b, a, balls), asio::detached);
    a.ring();
    context.run();
    bench_stop(r, balls);
}

static const struct bench_case ping_pong_cases[] = {
    {.name = "tasks", .run = ping_pong_run},
    {},
};

const struct bench_workload asio_ping_pong = {
    .name = "ping_pong",
    .subject = "asio",
    .measures = "waking one that waits and being woken by it: there and back",
    .how = "two coroutines of one thread cancel each other's wait in turn",
    .silent = "two threads",
    .cases = ping_pong_cases,
};

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

static void
one_to_one(struct bench_run *r)
{
    cross_run(r, 1, bench_ops(r, WAKES));
}

static void
four_to_one(struct bench_run *r)
{
    cross_run(r, 4, bench_ops(r, WAKES_FLOOD / 8) / 4);
}

static const struct bench_case wake_cross_cases[] = {
    {.name = "1 to 1", .run = one_to_one},
    {.name = "4 to 1", .run = four_to_one},
    {},
};

const struct bench_workload asio_wake_cross = {
    .name = "wake_cross",
    .subject = "asio",
    .measures = "waking a sleeping loop from other threads",
    .how = "asio::post(); one thread awaits each arrival, four just send",
    .silent = "wakes that become one: each of these is a handler",
    .cases = wake_cross_cases,
};
