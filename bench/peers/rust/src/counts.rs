// SPDX-License-Identifier: MIT
//! How much of each a workload does: bench/counts.h's numbers by their names,
//! so that a figure here is of as much work as it is elsewhere.

// spawn_join; yield, chained_spawn
pub const TASKS: u64 = 1000;
pub const JOIN_ROUNDS: u64 = 1000;
pub const MILLION: u64 = 1_000_000;
pub const CHAINS: u64 = 1000;
pub const YIELDS: u64 = 1000;

// spawn_many
pub const MANY: u64 = 10_000;
pub const MANY_ROUNDS: u64 = 100;

// ping_pong, wake_cross
pub const TURNS: u64 = 1_000_000;
pub const WAKES: u64 = 40_000;
pub const WAKES_FLOOD: u64 = 2_000_000;
pub const SENDERS: u64 = 4;

// block_on_ready, block_on_spawn
pub const CALLS_READY: u64 = 2_000_000;
pub const CALLS_SPAWN: u64 = 40_000;
pub const CALLS_PAUSED: u64 = 500;
pub const CALLS_PAUSED_QUICK: u64 = 40;
pub const PAUSE_NS: u64 = 1_000_000;

// blocking_roundtrip, blocking_throughput
pub const JOBS: u64 = 20_000;
pub const AT_ONCE: u64 = 256;
pub const AT_ONCE_ROUNDS: u64 = 240;

// timers, lateness and stalls among them
pub const TIMERS: u64 = 5_000_000;
pub const FAR_MS: u64 = 3_600_000;
pub const NAPPERS: u64 = 100;
pub const NAPS: u64 = 50;
pub const NAPS_QUICK: u64 = 10;
pub const NAP_STALL_EVERY: u64 = 100;
pub const NAP_STALL_NS: u64 = 1_000_000;

// sleepers
pub const SLEEPERS: u64 = 100_000;

// cancel_storm
pub const STORM_SLEEPERS: u64 = 10_000;
pub const STORM_RECEIVERS: u64 = 1000;

// fanin
pub const PIPES: u64 = 500;
pub const PIPES_ACTIVE: u64 = 5;
pub const PASSES: u64 = 100_000;
