// SPDX-License-Identifier: MIT
//! spawn_blocking().

use bench::{about, Busy, Case, Run, Workload};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::{spawn_blocking, yield_now};

use crate::runtime;

pub static ROUNDTRIP: Workload = Workload {
    how: "a task awaits spawn_blocking() of an empty closure, over and over; \
          busy: while another task yields all the time",
    cases: &[
        Case::new("idle", |r| roundtrip(&runtime::new(), r)),
        Case::new("busy", busy),
    ],
    ..about::BLOCKING_ROUNDTRIP
};

pub static THROUGHPUT: Workload = Workload {
    how: "1, 4 or 16 tasks call spawn_blocking() for 256 empty closures each, \
          then await all of them, over and over",
    cases: &[
        Case::new("1 submitter", |r| throughput(r, 1)),
        Case::new("4 submitters", |r| throughput(r, 4)),
        Case::new("16 submitters", |r| throughput(r, 16)),
    ],
    ..about::BLOCKING_THROUGHPUT
};

fn roundtrip(rt: &Runtime, r: &Arc<Run>) {
    let r = r.clone();

    runtime::inside(rt, async move {
        bench::roundtrip(&r, || spawn_blocking(|| ())).await;
    });
}

fn busy(r: &Arc<Run>) {
    let rt = runtime::new();
    let _busy = Busy::new(1, |stop| {
        rt.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        });
    });

    roundtrip(&rt, r);
}

fn throughput(r: &Arc<Run>, submitters: u64) {
    runtime::measure(r, move |r| async move {
        let spawn = |rounds| {
            tokio::spawn(bench::submit(rounds, || spawn_blocking(|| ())))
        };
        bench::throughput(&r, submitters, spawn).await;
    });
}
