// SPDX-License-Identifier: MIT
//! What the workloads are, whoever runs them. How they are run, and in which
//! cases, each peer says.

use crate::Workload;

const fn about(
    name: &'static str,
    measures: &'static str,
    silent: &'static str,
) -> Workload {
    Workload {
        name,
        measures,
        silent,
        how: "",
        cases: &[],
    }
}

pub const SPAWN_JOIN: Workload = about(
    "spawn_join",
    "an empty task's life",
    "what a task costs that waits, or crosses to another worker",
);
pub const SPAWN_MANY: Workload = about(
    "spawn_many",
    "spawning tasks nobody joins, until all have run",
    "what a task costs that waits",
);
pub const YIELD: Workload = about(
    "yield",
    "going from one ready task to the next",
    "what a wake costs, or a second worker",
);
pub const CHAINED_SPAWN: Workload = about(
    "chained_spawn",
    "a task's way from its spawn to its first poll",
    "the end of a task that is joined",
);
pub const PING_PONG: Workload = about(
    "ping_pong",
    "a task's wake of another and its own, there and back",
    "a channel's values; a wake from another worker",
);
pub const WAKE_CROSS: Workload = about(
    "wake_cross",
    "a thread's wake of a task that sleeps",
    "a wake from within the runtime",
);
pub const BLOCK_ON_READY: Workload = about(
    "block_on_ready",
    "a synchronous caller's way in and out of the runtime",
    "many threads at once; a future that waits",
);
pub const BLOCK_ON_SPAWN: Workload = about(
    "block_on_spawn",
    "a synchronous caller's task on the runtime, awaited",
    "many threads at once",
);
pub const BLOCKING_ROUNDTRIP: Workload = about(
    "blocking_roundtrip",
    "a task's blocking call: to a thread of the pool and back",
    "many at once",
);
pub const BLOCKING_THROUGHPUT: Workload = about(
    "blocking_throughput",
    "a blocking call where many are on their way",
    "what a single one takes; calls that do block",
);
pub const TIMERS: Workload = about(
    "timers",
    "a timer that is set and dropped; how late one is",
    "memory of the timers",
);
pub const SLEEPERS: Workload = about(
    "sleepers",
    "memory of an idle task",
    "what a task holds besides",
);
pub const STALLS: Workload = about(
    "stalls",
    "how late others are where tasks block their thread",
    "a block that is longer than a nap",
);
pub const CANCEL_STORM: Workload = about(
    "cancel_storm",
    "the cancel of a task that waits, to its end",
    "a task that runs when it is cancelled",
);
pub const FANIN: Workload = about(
    "fanin",
    "one event among many descriptors that are waited on",
    "many active at once; sockets",
);
