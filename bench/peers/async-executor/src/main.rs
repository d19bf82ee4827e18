// SPDX-License-Identifier: MIT
//! The workloads in async-executor with async-io, blocking and futures-lite:
//! what smol is made of.

mod block_on;
mod blocking_pool;
mod cancel;
mod echo;
mod fanin;
mod runtime;
mod tasks;
mod timers;
mod wake;

static PEER: bench::Peer = bench::Peer {
    subject: "async-executor",
    has_workers: true,
    workloads: &[
        &tasks::SPAWN_JOIN,
        &tasks::SPAWN_MANY,
        &tasks::YIELD,
        &tasks::CHAINED_SPAWN,
        &wake::PING_PONG,
        &wake::WAKE_CROSS,
        &block_on::READY,
        &block_on::SPAWN,
        &blocking_pool::ROUNDTRIP,
        &blocking_pool::THROUGHPUT,
        &timers::TIMERS,
        &timers::SLEEPERS,
        &timers::STALLS,
        &cancel::CANCEL_STORM,
        &fanin::FANIN,
    ],
    server: Some(&echo::SERVER),
};

fn main() {
    bench::main(&PEER)
}
