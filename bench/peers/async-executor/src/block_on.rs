// SPDX-License-Identifier: MIT
//! Crossing from synchronous code.

use bench::{about, counts, Case, Run, Workload};
use std::sync::Arc;

use crate::runtime::Runtime;

pub static READY: Workload = Workload {
    how: "async_io::block_on() of a block that returns at once",
    cases: &[Case::new("call", call)],
    ..about::BLOCK_ON_READY
};

pub static SPAWN: Workload = Workload {
    how:
        "async_io::block_on() of an Executor::spawn() of a block that returns \
          at once; back to back, or each after a pause of the thread",
    cases: &[
        Case::new("back to back", back_to_back),
        Case::new("after 1 ms", after_1_ms),
    ],
    ..about::BLOCK_ON_SPAWN
};

fn call(r: &Arc<Run>) {
    bench::back_to_back(r, counts::CALLS_READY, || {
        assert_eq!(async_io::block_on(async { 1 }), 1);
    });
}

fn spawn_and_join(rt: &Runtime) {
    async_io::block_on(rt.executor.spawn(async {}));
}

fn back_to_back(r: &Arc<Run>) {
    let rt = Runtime::new();

    bench::back_to_back(r, counts::CALLS_SPAWN, || spawn_and_join(&rt));
}

fn after_1_ms(r: &Arc<Run>) {
    let rt = Runtime::new();

    bench::paused(r, || spawn_and_join(&rt));
}
