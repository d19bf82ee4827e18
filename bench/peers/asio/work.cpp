/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/work.cpp - calls given to an asio::thread_pool of the
 * default size; their end is posted back to the io_context.
 */

#include "asio.hpp"

/* Calls done() in the context when a thread of the pool has run the job. */
template <typename Done>
static void
job_queue(asio::thread_pool &pool, asio::io_context &context, Done done)
{
    asio::post(pool, [&context, done] {
        /* The job does nothing. */
        asio::post(context, done);
    });
}

/* --- blocking_roundtrip --- */

struct Caller {
    Caller(asio::io_context &c, uint64_t jobs)
        : context(c), work(c.get_executor()), left(jobs)
    {
    }

    void call()
    {
        job_queue(pool, context, [this] {
            if (--left > 0)
                call();
            else
                work.reset();
        });
    }

    asio::io_context &context;
    asio::thread_pool pool;
    Work work;
    uint64_t left;
};

static asio::awaitable<void>
keep_busy(const uint64_t &left)
{
    while (left > 0)
        co_await yield();
}

static void
roundtrip_run(struct bench_run *r, bool busy)
{
    uint64_t jobs = bench_ops(r, JOBS);
    asio::io_context context(1);
    Caller caller(context, jobs);

    if (busy)
        asio::co_spawn(context, keep_busy(caller.left), asio::detached);
    bench_start(r);
    caller.call();
    context.run();
    bench_stop(r, jobs);
}

PEER_BLOCKING_ROUNDTRIP(asio,
                        "asio::post() to a thread_pool and back, one at a "
                        "time; busy: a coroutine yields without end");

/* --- blocking_throughput --- */

struct Submitter {
    void round()
    {
        missing = AT_ONCE;
        for (int i = 0; i < AT_ONCE; i++)
            job_queue(*pool, *context, [this] { ended(); });
    }

    void ended()
    {
        if (--missing > 0)
            return;
        if (--rounds > 0)
            round();
        else
            work.reset();
    }

    asio::thread_pool *pool;
    asio::io_context *context;
    Work work; // the context runs until the last submitter has ended
    uint64_t rounds;
    unsigned missing = 0; // of this round
};

static void
throughput_run(struct bench_run *r, unsigned submitters)
{
    uint64_t each = bench_ops(r, AT_ONCE_ROUNDS) / submitters + 1;
    asio::io_context context(1);
    asio::thread_pool pool;
    std::vector<Submitter> all;

    for (unsigned i = 0; i < submitters; i++)
        all.push_back({&pool, &context, Work(context.get_executor()), each});
    bench_start(r);
    for (auto &s : all)
        s.round();
    context.run();
    bench_stop(r, submitters * each * AT_ONCE);
}

PEER_BLOCKING_THROUGHPUT(asio,
                         "1, 4 or 16 times 256 calls by asio::post() to a "
                         "thread_pool and back at once, and again when all of "
                         "them have ended");
