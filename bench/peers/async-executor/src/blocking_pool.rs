// SPDX-License-Identifier: MIT
//! The threads of the crate `blocking`.

use bench::{Case, Run, Workload};
use blocking::unblock;
use futures_lite::future::yield_now;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use crate::runtime::Runtime;

pub static ROUNDTRIP: Workload = Workload {
    name: "blocking_roundtrip",
    measures: "a task's blocking call: to a thread of the pool and back",
    how: "a task awaits unblock() of an empty closure, over and over; busy: \
          while another task yields all the time",
    silent: "many at once",
    cases: &[
        Case {
            name: "idle",
            run: |r| roundtrip(&Runtime::new(), r),
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
    how: "1, 4 or 16 tasks call unblock() for 256 empty closures each, then \
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

    rt.inside(async move {
        let ops = r.ops(10_000);
        r.start();
        for _ in 0..ops {
            unblock(|| ()).await;
        }
        r.stop(ops);
    });
}

fn busy(r: &Arc<Run>) {
    let rt = Runtime::new();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let yielder = async move {
        while !stopped.load(Ordering::Relaxed) {
            yield_now().await;
        }
    };

    rt.executor.spawn(yielder).detach();
    roundtrip(&rt, r);
    stop.store(true, Ordering::Relaxed);
}

const AT_ONCE: u64 = 256;

async fn submit(rounds: u64) {
    let mut calls = Vec::with_capacity(AT_ONCE as usize);

    for _ in 0..rounds {
        for _ in 0..AT_ONCE {
            calls.push(unblock(|| ()));
        }
        for call in calls.drain(..) {
            call.await;
        }
    }
}

fn throughput(r: &Arc<Run>, submitters: u64) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let rounds = r.ops(100) / submitters + 1;
        r.start();
        let tasks: Vec<_> = (0..submitters)
            .map(|_| executor.spawn(submit(rounds)))
            .collect();
        for task in tasks {
            task.await;
        }
        r.stop(submitters * rounds * AT_ONCE);
    });
}
