// SPDX-License-Identifier: MIT
//! The threads of the crate `blocking`.

use bench::{about, Busy, Case, Run, Workload};
use blocking::unblock;
use futures_lite::future::yield_now;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::runtime::{measure, Runtime};

pub static ROUNDTRIP: Workload = Workload {
    how: "a task awaits unblock() of an empty closure, over and over; busy: \
          while another task yields all the time",
    cases: &[
        Case::new("idle", |r| roundtrip(&Runtime::new(), r)),
        Case::new("busy", busy),
    ],
    ..about::BLOCKING_ROUNDTRIP
};

pub static THROUGHPUT: Workload = Workload {
    how: "1, 4 or 16 tasks call unblock() for 256 empty closures each, then \
          await all of them, over and over",
    cases: &[
        Case::new("1 submitter", |r| throughput(r, 1)),
        Case::new("4 submitters", |r| throughput(r, 4)),
        Case::new("16 submitters", |r| throughput(r, 16)),
    ],
    ..about::BLOCKING_THROUGHPUT
};

fn roundtrip(rt: &Runtime, r: &Arc<Run>) {
    let r = r.clone();

    rt.inside(async move { bench::roundtrip(&r, || unblock(|| ())).await });
}

fn busy(r: &Arc<Run>) {
    let rt = Runtime::new();
    let _busy = Busy::new(1, |stop| {
        let yielder = async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        };
        rt.executor.spawn(yielder).detach();
    });

    roundtrip(&rt, r);
}

fn throughput(r: &Arc<Run>, submitters: u64) {
    measure(r, move |r, executor| async move {
        let spawn =
            |rounds| executor.spawn(bench::submit(rounds, || unblock(|| ())));
        bench::throughput(&r, submitters, spawn).await;
    });
}
