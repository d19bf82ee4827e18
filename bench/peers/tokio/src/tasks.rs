// SPDX-License-Identifier: MIT
//! Tasks that are spawned, joined, and yield.

use bench::{Case, Run, Workload};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::runtime;

pub static SPAWN_JOIN: Workload = Workload {
    name: "spawn_join",
    measures: "an empty task's life",
    how: "inside a task: tokio::spawn() of all that are to live at once, then \
          every JoinHandle awaited, in order",
    silent: "what a task costs that waits, or crosses to another worker",
    cases: &[
        Case {
            name: "1000 live",
            run: live_1000,
            cold: false,
        },
        Case {
            name: "1000000 live",
            run: live_1000000,
            cold: true,
        },
    ],
};

pub static SPAWN_MANY: Workload = Workload {
    name: "spawn_many",
    measures: "spawning tasks nobody joins, until all have run",
    how: "Handle::spawn() of 10,000 tasks, from a task or from the thread in \
          block_on(); the last one to run notifies. Busy: each worker has a \
          task that yields without end",
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
    how: "1000 tasks spawned from a task await yield_now() 1000 times each",
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
    how: "each task spawns the next, 1000 deep; the last one notifies the \
          task that began",
    silent: "the end of a task that is joined",
    cases: &[Case {
        name: "chain",
        run: chains,
        cold: false,
    }],
};

/// Round `first` begins the measurement.
fn spawn_join(r: &Arc<Run>, live: u64, first: u64, rounds: u64) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let mut handles = Vec::with_capacity(live as usize);
        for round in 0..first + rounds {
            if round == first {
                r.start();
            }
            for _ in 0..live {
                handles.push(tokio::spawn(async {}));
            }
            for handle in handles.drain(..) {
                handle.await.unwrap();
            }
        }
        r.stop(live * rounds);
    });
}

fn live_1000(r: &Arc<Run>) {
    spawn_join(r, 1000, 1, r.ops(300));
}

fn live_1000000(r: &Arc<Run>) {
    spawn_join(r, 1_000_000, 0, 1);
}

/// Tasks still to run, and who waits for the last of them.
struct Countdown {
    left: AtomicU64,
    done: Notify,
}

impl Countdown {
    fn new(from: u64) -> Arc<Self> {
        Arc::new(Countdown {
            left: AtomicU64::new(from),
            done: Notify::new(),
        })
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }
}

const MANY: u64 = 10_000;
const MANY_ROUNDS: u64 = 100;

/// From wherever it runs. The first round is nobody's: memory is cold.
async fn many(r: &Run, rt: &Handle) {
    let rounds = r.ops(MANY_ROUNDS);

    for round in 0..=rounds {
        let countdown = Countdown::new(MANY);
        if round == 1 {
            r.start();
        }
        for _ in 0..MANY {
            let countdown = countdown.clone();
            rt.spawn(async move { countdown.one_less() });
        }
        countdown.done.notified().await;
    }
    r.stop(rounds * MANY);
}

fn many_inside(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move { many(&r, &Handle::current()).await });
}

fn many_outside_idle(r: &Arc<Run>) {
    let rt = runtime::new();

    rt.block_on(many(r, rt.handle()));
}

fn many_outside_busy(r: &Arc<Run>) {
    let rt = runtime::new();
    let stop = Arc::new(AtomicBool::new(false));

    for _ in 0..bench::workers() {
        let stop = stop.clone();
        rt.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                yield_now().await;
            }
        });
    }
    rt.block_on(many(r, rt.handle()));
    stop.store(true, Ordering::Relaxed);
}

const YIELDING: u64 = 1000;

fn yields(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let each = r.ops(1000);
        let mut handles = Vec::with_capacity(YIELDING as usize);
        r.start();
        for _ in 0..YIELDING {
            handles.push(tokio::spawn(async move {
                for _ in 0..each {
                    yield_now().await;
                }
            }));
        }
        for handle in handles {
            handle.await.unwrap();
        }
        r.stop(YIELDING * each);
    });
}

const DEEP: u64 = 1000;

fn link(done: Arc<Notify>, left: u64) {
    if left == 0 {
        done.notify_one();
    } else {
        tokio::spawn(async move { link(done, left - 1) });
    }
}

fn chains(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let rounds = r.ops(1000);
        let done = Arc::new(Notify::new());
        r.start();
        for _ in 0..rounds {
            link(done.clone(), DEEP);
            done.notified().await;
        }
        r.stop(rounds * DEEP);
    });
}
