// SPDX-License-Identifier: MIT
//! Tasks that are spawned, joined, and yield.

use async_channel::Sender;
use async_executor::Executor;
use bench::{about, counts, Busy, Case, Run, Workload};
use futures_lite::future::{self, yield_now};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::runtime::{measure, Runtime, Spawner};

pub static SPAWN_JOIN: Workload = Workload {
    how: "inside a task: Executor::spawn() of all that are to live at once, \
          then every Task awaited, in order",
    cases: &[
        Case::new("1000 live", |r| {
            live(r, counts::TASKS, 1, r.ops(counts::JOIN_ROUNDS))
        }),
        Case::cold("1000000 live", |r| live(r, counts::MILLION, 0, 1)),
    ],
    ..about::SPAWN_JOIN
};

pub static SPAWN_MANY: Workload = Workload {
    how:
        "Executor::spawn() and Task::detach() of 10,000 tasks, from a task or \
          from another thread; the last one to run sends to a channel. Busy: \
          each worker has a task that yields without end",
    cases: &[
        Case::new("inside", many_inside),
        Case::new("outside idle", |r| many_outside(r, &Runtime::new())),
        Case::new("outside busy", many_outside_busy),
    ],
    ..about::SPAWN_MANY
};

pub static YIELD: Workload = Workload {
    how:
        "1000 tasks spawned from a task await futures_lite's yield_now() 1000 \
          times each",
    cases: &[Case::new("stackless", yields)],
    ..about::YIELD
};

pub static CHAINED_SPAWN: Workload = Workload {
    how: "each task spawns the next, 1000 deep; the last one sends to a \
          channel that the task that began awaits",
    cases: &[Case::new("chain", chains)],
    ..about::CHAINED_SPAWN
};

/// Round `first` begins the measurement.
fn live(r: &Arc<Run>, live: u64, first: u64, rounds: u64) {
    measure(r, move |r, executor| async move {
        let spawn = || executor.spawn(async {});
        bench::spawn_join(&r, live, first, rounds, spawn).await;
    });
}

/// Tasks still to run, and who waits for the last of them.
struct Countdown {
    left: AtomicU64,
    last: Sender<()>,
}

impl Countdown {
    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.last.try_send(()).unwrap();
        }
    }
}

/// From wherever it runs.
async fn spawn_many(executor: &Executor<'static>, count: u64) {
    let (last, done) = async_channel::bounded(1);
    let left = AtomicU64::new(count);
    let countdown = Arc::new(Countdown { left, last });

    for _ in 0..count {
        let countdown = countdown.clone();
        executor.spawn(async move { countdown.one_less() }).detach();
    }
    done.recv().await.unwrap();
}

fn many_inside(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        bench::many(&r, |count| spawn_many(&executor, count)).await;
    });
}

fn many_outside(r: &Run, rt: &Runtime) {
    let spawn = |count| spawn_many(&rt.executor, count);

    future::block_on(bench::many(r, spawn));
}

fn many_outside_busy(r: &Arc<Run>) {
    let rt = Runtime::new();
    let _busy = Busy::new(bench::workers(), |stop| {
        let yielder = async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        };
        rt.executor.spawn(yielder).detach();
    });

    many_outside(r, &rt);
}

fn yields(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let spawn = |times| {
            executor.spawn(async move {
                for _ in 0..times {
                    yield_now().await;
                }
            })
        };
        bench::yielders(&r, spawn).await;
    });
}

fn link(executor: Spawner, last: Sender<()>, left: u64) {
    if left == 0 {
        last.try_send(()).unwrap();
        return;
    }
    let next = executor.clone();
    executor
        .spawn(async move { link(next, last, left - 1) })
        .detach();
}

fn chains(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let (last, done) = async_channel::bounded(1);
        let (executor, last, done) = (&executor, &last, &done);
        let chain = |deep| async move {
            link(executor.clone(), last.clone(), deep);
            done.recv().await.unwrap();
        };
        bench::chains(&r, chain).await;
    });
}
