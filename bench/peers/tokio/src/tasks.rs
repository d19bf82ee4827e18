// SPDX-License-Identifier: MIT
//! Tasks that are spawned, joined, and yield.

use bench::{about, counts, Busy, Case, Run, Workload};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::runtime;

pub static SPAWN_JOIN: Workload = Workload {
    how: "inside a task: tokio::spawn() of all that are to live at once, then \
          every JoinHandle awaited, in order",
    cases: &[
        Case::new("1000 live", |r| {
            live(r, counts::TASKS, 1, r.ops(counts::JOIN_ROUNDS))
        }),
        Case::cold("1000000 live", |r| live(r, counts::MILLION, 0, 1)),
    ],
    ..about::SPAWN_JOIN
};

pub static SPAWN_MANY: Workload = Workload {
    how: "Handle::spawn() of 10,000 tasks, from a task or from the thread in \
          block_on(); the last one to run notifies. Busy: each worker has a \
          task that yields without end",
    cases: &[
        Case::new("inside", many_inside),
        Case::new("outside idle", |r| many_outside(r, &runtime::new())),
        Case::new("outside busy", many_outside_busy),
    ],
    ..about::SPAWN_MANY
};

pub static YIELD: Workload = Workload {
    how: "1000 tasks spawned from a task await yield_now() 1000 times each",
    cases: &[Case::new("stackless", yields)],
    ..about::YIELD
};

pub static CHAINED_SPAWN: Workload = Workload {
    how: "each task spawns the next, 1000 deep; the last one notifies the \
          task that began",
    cases: &[Case::new("chain", chains)],
    ..about::CHAINED_SPAWN
};

/// Round `first` begins the measurement.
fn live(r: &Arc<Run>, live: u64, first: u64, rounds: u64) {
    runtime::measure(r, move |r| async move {
        let spawn = || tokio::spawn(async {});
        bench::spawn_join(&r, live, first, rounds, spawn).await;
    });
}

/// Tasks still to run, and who waits for the last of them.
struct Countdown {
    left: AtomicU64,
    done: Notify,
}

impl Countdown {
    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }
}

/// From wherever it runs.
async fn spawn_many(rt: &Handle, count: u64) {
    let countdown = Arc::new(Countdown {
        left: AtomicU64::new(count),
        done: Notify::new(),
    });

    for _ in 0..count {
        let countdown = countdown.clone();
        rt.spawn(async move { countdown.one_less() });
    }
    countdown.done.notified().await;
}

fn many_inside(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let rt = Handle::current();
        bench::many(&r, |count| spawn_many(&rt, count)).await;
    });
}

fn many_outside(r: &Run, rt: &Runtime) {
    rt.block_on(bench::many(r, |count| spawn_many(rt.handle(), count)));
}

fn many_outside_busy(r: &Arc<Run>) {
    let rt = runtime::new();
    let _busy = Busy::new(bench::workers(), |stop| {
        rt.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        });
    });

    many_outside(r, &rt);
}

fn yields(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let spawn = |times| {
            tokio::spawn(async move {
                for _ in 0..times {
                    yield_now().await;
                }
            })
        };
        bench::yielders(&r, spawn).await;
    });
}

fn link(done: Arc<Notify>, left: u64) {
    if left == 0 {
        done.notify_one();
    } else {
        tokio::spawn(async move { link(done, left - 1) });
    }
}

fn chains(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let done = Arc::new(Notify::new());
        let chain = |deep| {
            link(done.clone(), deep);
            done.notified()
        };
        bench::chains(&r, chain).await;
    });
}
