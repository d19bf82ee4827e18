// SPDX-License-Identifier: MIT
//! Crossing from synchronous code.

use bench::{Case, Histogram, Run, Workload};
use std::sync::Arc;
use std::time::Duration;

use crate::runtime::Runtime;

pub static READY: Workload = Workload {
    name: "block_on_ready",
    measures: "a synchronous caller's way in and out",
    how: "async_io::block_on() of a block that returns at once",
    silent: "many threads at once; a future that waits",
    cases: &[Case {
        name: "call",
        run: call,
        cold: false,
    }],
};

pub static SPAWN: Workload = Workload {
    name: "block_on_spawn",
    measures: "a synchronous caller's task on the executor, awaited",
    how:
        "async_io::block_on() of an Executor::spawn() of a block that returns \
          at once; back to back, or each after a pause of the thread",
    silent: "many threads at once",
    cases: &[
        Case {
            name: "back to back",
            run: back_to_back,
            cold: false,
        },
        Case {
            name: "after 1 ms",
            run: after_1_ms,
            cold: false,
        },
    ],
};

fn call(r: &Arc<Run>) {
    let ops = r.ops(1_000_000);

    r.start();
    for _ in 0..ops {
        assert_eq!(async_io::block_on(async { 1 }), 1);
    }
    r.stop(ops);
}

fn spawn_and_join(rt: &Runtime) {
    async_io::block_on(rt.executor.spawn(async {}));
}

fn back_to_back(r: &Arc<Run>) {
    let rt = Runtime::new();
    let ops = r.ops(20_000);

    r.start();
    for _ in 0..ops {
        spawn_and_join(&rt);
    }
    r.stop(ops);
}

/// Wall is the median here: a pause lets other things happen.
fn after_1_ms(r: &Arc<Run>) {
    let rt = Runtime::new();
    let mut latencies = Histogram::default();

    for _ in 0..r.ops(400) + 100 {
        std::thread::sleep(Duration::from_millis(1));
        let began = bench::now();
        spawn_and_join(&rt);
        latencies.record(bench::now() - began);
    }
    r.value("wall", "ns", latencies.quantile(0.5) as f64);
    r.latencies(&latencies);
}
