// SPDX-License-Identifier: MIT
//! async-io's timers, and what sleeps.

use async_io::Timer;
use bench::{Case, Naps, Run, Workload, NAPPERS};
use futures_lite::future::{poll_once, yield_now};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::Runtime;

pub static TIMERS: Workload = Workload {
    name: "timers",
    measures: "a timer that is set and dropped; how late one is",
    how:
        "Timer::after() an hour is polled once, so that it is registered, and \
          dropped; 1M live: all are registered, then all dropped, in memory \
          that was there. Lateness: 100 tasks await 1 to 10 ms",
    silent: "memory of the timers",
    cases: &[
        Case {
            name: "create and cancel",
            run: create_and_cancel,
            cold: false,
        },
        Case {
            name: "1M live",
            run: live_1m,
            cold: true,
        },
        Case {
            name: "lateness",
            run: |r| naps(r, false),
            cold: false,
        },
    ],
};

pub static SLEEPERS: Workload = Workload {
    name: "sleepers",
    measures: "memory of an idle task",
    how: "resident bytes before and after 100,000 tasks were spawned that \
          await Timer::after() an hour, all of a task's memory among them",
    silent: "what a task holds besides",
    cases: &[Case {
        name: "stackless",
        run: sleepers,
        cold: true,
    }],
};

pub static STALLS: Workload = Workload {
    name: "stalls",
    measures: "how late others are where tasks block their thread",
    how: "100 tasks await 1 to 10 ms; one in 100 of those sleeps is followed \
          by 1 ms of std::thread::sleep()",
    silent: "a block that is longer than a nap",
    cases: &[Case {
        name: "1% block",
        run: |r| naps(r, true),
        cold: false,
    }],
};

const HOUR: Duration = Duration::from_secs(3600);

fn create_and_cancel(r: &Arc<Run>) {
    let rt = Runtime::new();
    let r = r.clone();

    rt.inside(async move {
        let ops = r.ops(500_000);
        r.start();
        for _ in 0..ops {
            assert!(poll_once(Timer::after(HOUR)).await.is_none());
        }
        r.stop(ops);
    });
}

const LIVE: u64 = 1_000_000;

fn live_1m(r: &Arc<Run>) {
    let rt = Runtime::new();
    let r = r.clone();

    rt.inside(async move {
        let mut timers: Vec<Option<Timer>> = Vec::new();
        timers.resize_with(LIVE as usize, || None);
        let now = Instant::now();
        r.start();
        for (i, slot) in timers.iter_mut().enumerate() {
            let mut timer = Timer::at(now + bench::far(i as u64));
            assert!(poll_once(&mut timer).await.is_none());
            *slot = Some(timer);
        }
        for slot in &mut timers {
            *slot = None;
        }
        r.stop(LIVE);
    });
}

fn naps(r: &Arc<Run>, stalls: bool) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let naps = Arc::new(Naps::new(&r, stalls));
        r.start();
        let nappers: Vec<_> = (0..NAPPERS)
            .map(|napper| {
                let naps = naps.clone();
                executor.spawn(async move {
                    for length in naps.of(napper) {
                        let began = bench::now();
                        Timer::after(length).await;
                        naps.ended(began, length);
                    }
                })
            })
            .collect();
        for napper in nappers {
            napper.await;
        }
        naps.finish(&r);
    });
}

const SLEEPING: u64 = 100_000;

fn sleepers(r: &Arc<Run>) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let asleep = Arc::new(AtomicU64::new(0));
        let before = bench::resident_trimmed();
        for _ in 0..SLEEPING {
            let asleep = asleep.clone();
            let sleeper = async move {
                asleep.fetch_add(1, Ordering::Relaxed);
                Timer::after(HOUR).await;
            };
            executor.spawn(sleeper).detach();
        }
        while asleep.load(Ordering::Relaxed) < SLEEPING {
            yield_now().await;
        }
        let each = (bench::resident_trimmed() - before) / SLEEPING as f64;
        r.value("memory", "B", each);
    });
}
