// SPDX-License-Identifier: MIT
//! Tasks that are spawned, joined, and yield.

use async_channel::{Receiver, Sender};
use async_executor::Executor;
use bench::{Case, Run, Workload};
use futures_lite::future::{self, yield_now};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use crate::runtime::Runtime;

pub static SPAWN_JOIN: Workload = Workload {
    name: "spawn_join",
    measures: "an empty task's life",
    how: "inside a task: Executor::spawn() of all that are to live at once, \
          then every Task awaited, in order",
    silent: "what a task costs that waits, or crosses to another worker",
    cases: &[
        Case {
            name: "1000 live",
            run: |r| spawn_join(r, 1000, 1, r.ops(300)),
            cold: false,
        },
        Case {
            name: "1000000 live",
            run: |r| spawn_join(r, 1_000_000, 0, 1),
            cold: true,
        },
    ],
};

pub static SPAWN_MANY: Workload = Workload {
    name: "spawn_many",
    measures: "spawning tasks nobody joins, until all have run",
    how:
        "Executor::spawn() and Task::detach() of 10,000 tasks, from a task or \
          from another thread; the last one to run sends to a channel. Busy: \
          each worker has a task that yields without end",
    silent: "what a task costs that waits",
    cases: &[
        Case {
            name: "inside",
            run: many_inside,
            cold: false,
        },
        Case {
            name: "outside idle",
            run: many_outside_idle,
            cold: false,
        },
        Case {
            name: "outside busy",
            run: many_outside_busy,
            cold: false,
        },
    ],
};

pub static YIELD: Workload = Workload {
    name: "yield",
    measures: "going from one ready task to the next",
    how:
        "1000 tasks spawned from a task await futures_lite's yield_now() 1000 \
          times each",
    silent: "what a wake costs, or a second worker",
    cases: &[Case {
        name: "stackless",
        run: yields,
        cold: false,
    }],
};

pub static CHAINED_SPAWN: Workload = Workload {
    name: "chained_spawn",
    measures: "a task's way from its spawn to its first poll",
    how: "each task spawns the next, 1000 deep; the last one sends to a \
          channel that the task that began awaits",
    silent: "the end of a task that is joined",
    cases: &[Case {
        name: "chain",
        run: chains,
        cold: false,
    }],
};

/// Round `first` begins the measurement.
fn spawn_join(r: &Arc<Run>, live: u64, first: u64, rounds: u64) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let mut tasks = Vec::with_capacity(live as usize);
        for round in 0..first + rounds {
            if round == first {
                r.start();
            }
            for _ in 0..live {
                tasks.push(executor.spawn(async {}));
            }
            for task in tasks.drain(..) {
                task.await;
            }
        }
        r.stop(live * rounds);
    });
}

/// Tasks still to run, and who waits for the last of them.
struct Countdown {
    left: AtomicU64,
    last: Sender<()>,
}

impl Countdown {
    fn new(from: u64) -> (Arc<Self>, Receiver<()>) {
        let (last, done) = async_channel::bounded(1);
        let left = AtomicU64::new(from);
        (Arc::new(Countdown { left, last }), done)
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.last.try_send(()).unwrap();
        }
    }
}

const MANY: u64 = 10_000;
const MANY_ROUNDS: u64 = 100;

/// From wherever it runs. The first round is nobody's: memory is cold.
async fn many(r: &Run, executor: &Executor<'static>) {
    let rounds = r.ops(MANY_ROUNDS);

    for round in 0..=rounds {
        let (countdown, done) = Countdown::new(MANY);
        if round == 1 {
            r.start();
        }
        for _ in 0..MANY {
            let countdown = countdown.clone();
            executor.spawn(async move { countdown.one_less() }).detach();
        }
        done.recv().await.unwrap();
    }
    r.stop(rounds * MANY);
}

fn many_inside(r: &Arc<Run>) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move { many(&r, &executor).await });
}

fn many_outside_idle(r: &Arc<Run>) {
    let rt = Runtime::new();

    future::block_on(many(r, &rt.executor));
}

fn many_outside_busy(r: &Arc<Run>) {
    let rt = Runtime::new();
    let stop = Arc::new(AtomicBool::new(false));

    for _ in 0..bench::workers() {
        let stop = stop.clone();
        let yielder = async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        };
        rt.executor.spawn(yielder).detach();
    }
    future::block_on(many(r, &rt.executor));
    stop.store(true, Ordering::Relaxed);
}

const YIELDING: u64 = 1000;

fn yields(r: &Arc<Run>) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let each = r.ops(1000);
        let mut tasks = Vec::with_capacity(YIELDING as usize);
        r.start();
        for _ in 0..YIELDING {
            tasks.push(executor.spawn(async move {
                for _ in 0..each {
                    yield_now().await;
                }
            }));
        }
        for task in tasks {
            task.await;
        }
        r.stop(YIELDING * each);
    });
}

const DEEP: u64 = 1000;

fn link(executor: Arc<Executor<'static>>, last: Sender<()>, left: u64) {
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
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let rounds = r.ops(1000);
        let (last, done) = async_channel::bounded(1);
        r.start();
        for _ in 0..rounds {
            link(executor.clone(), last.clone(), DEEP);
            done.recv().await.unwrap();
        }
        r.stop(rounds * DEEP);
    });
}
