// SPDX-License-Identifier: MIT
//! spawn_blocking().

use bench::{Case, Run, Workload};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::{spawn_blocking, yield_now};

use crate::runtime;

pub static ROUNDTRIP: Workload = Workload {
    name: "blocking_roundtrip",
    measures: "a task's blocking call: to a thread of the pool and back",
    how: "a task awaits spawn_blocking() of an empty closure, over and over; \
          busy: while another task yields all the time",
    silent: "many at once",
    cases: &[
        Case {
            name: "idle",
            run: idle,
            cold: false,
        },
        Case {
            name: "busy",
            run: busy,
            cold: false,
        },
    ],
};

pub static THROUGHPUT: Workload = Workload {
    name: "blocking_throughput",
    measures: "a blocking call where many are on their way",
    how: "1, 4 or 16 tasks call spawn_blocking() for 256 empty closures each, then \
          await all of them, over and over",
    silent: "what a single one takes; calls that do block",
    cases: &[
        Case {
            name: "1 submitter",
            run: |r| throughput(r, 1),
            cold: false,
        },
        Case {
            name: "4 submitters",
            run: |r| throughput(r, 4),
            cold: false,
        },
        Case {
            name: "16 submitters",
            run: |r| throughput(r, 16),
            cold: false,
        },
    ],
};

fn roundtrip(rt: &Runtime, r: &Arc<Run>) {
    let r = r.clone();

    runtime::inside(rt, async move {
        let ops = r.ops(10_000);
        r.start();
        for _ in 0..ops {
            spawn_blocking(|| ()).await.unwrap();
        }
        r.stop(ops);
    });
}

fn idle(r: &Arc<Run>) {
    roundtrip(&runtime::new(), r);
}

fn busy(r: &Arc<Run>) {
    let rt = runtime::new();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();

    rt.spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            yield_now().await;
        }
    });
    roundtrip(&rt, r);
    stop.store(true, Ordering::Relaxed);
}

const AT_ONCE: u64 = 256;

async fn submit(rounds: u64) {
    let mut calls = Vec::with_capacity(AT_ONCE as usize);

    for _ in 0..rounds {
        for _ in 0..AT_ONCE {
            calls.push(spawn_blocking(|| ()));
        }
        for call in calls.drain(..) {
            call.await.unwrap();
        }
    }
}

fn throughput(r: &Arc<Run>, submitters: u64) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let rounds = r.ops(100) / submitters + 1;
        r.start();
        let tasks: Vec<_> = (0..submitters)
            .map(|_| tokio::spawn(submit(rounds)))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        r.stop(submitters * rounds * AT_ONCE);
    });
}
