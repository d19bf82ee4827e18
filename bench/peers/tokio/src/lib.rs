// SPDX-License-Identifier: MIT
//! The workloads in tokio, for two programs: `tokio` on its multi_thread
//! runtime, and `tokio-current-thread` on the one whose caller of block_on() is
//! the only thread. The code is the same; what needs a second thread to be
//! worth measuring is left out of the latter.

mod block_on;
mod blocking;
mod cancel;
mod echo;
mod fanin;
mod runtime;
mod tasks;
mod timers;
mod wake;

pub use runtime::use_current_thread;

pub static MULTI_THREAD: bench::Peer = bench::Peer {
    subject: "tokio",
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
        &blocking::ROUNDTRIP,
        &blocking::THROUGHPUT,
        &timers::TIMERS,
        &timers::SLEEPERS,
        &cancel::CANCEL_STORM,
        &fanin::FANIN,
        &timers::STALLS,
    ],
    server: Some(&echo::SERVER),
};

pub static CURRENT_THREAD: bench::Peer = bench::Peer {
    subject: "tokio current_thread",
    has_workers: false,
    workloads: &[
        &tasks::SPAWN_JOIN,
        &tasks::YIELD,
        &tasks::CHAINED_SPAWN,
        &wake::PING_PONG,
        &wake::WAKE_CROSS,
        &block_on::READY,
        &block_on::SPAWN,
        &timers::TIMERS,
        &timers::SLEEPERS,
        &cancel::CANCEL_STORM,
        &fanin::FANIN,
    ],
    server: Some(&echo::SERVER),
};
