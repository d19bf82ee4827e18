// SPDX-License-Identifier: MIT
//! async-io's timers, and what sleeps.

use async_io::Timer;
use bench::{about, counts, far, Case, Run, Workload, HOUR};
use futures_lite::future::{poll_once, yield_now};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Instant;

use crate::runtime::measure;

pub static TIMERS: Workload = Workload {
    how: "Timer::at() an hour or more ahead is polled once, so that it is \
          registered, and dropped; 1M live: all are registered, then all \
          dropped, in memory that was there. Lateness: 100 tasks await 1 to \
          10 ms",
    cases: &[
        Case::new("create and cancel", create_and_cancel),
        Case::cold("1M live", live_1m),
        Case::new("lateness", |r| naps(r, false)),
    ],
    ..about::TIMERS
};

pub static SLEEPERS: Workload = Workload {
    how: "resident bytes before and after 100,000 tasks were spawned that \
          await Timer::after() an hour, all of a task's memory among them",
    cases: &[Case::cold("stackless", sleepers)],
    ..about::SLEEPERS
};

pub static STALLS: Workload = Workload {
    how: "100 tasks await 1 to 10 ms; one in 100 of those sleeps is followed \
          by 1 ms of std::thread::sleep()",
    cases: &[Case::new("1% block", |r| naps(r, true))],
    ..about::STALLS
};

fn create_and_cancel(r: &Arc<Run>) {
    measure(r, |r, _| async move {
        let ops = r.ops(counts::TIMERS);
        let began = Instant::now();
        r.start();
        for i in 0..ops {
            assert!(poll_once(Timer::at(began + far(i))).await.is_none());
        }
        r.stop(ops);
    });
}

fn live_1m(r: &Arc<Run>) {
    measure(r, |r, _| async move {
        let mut timers: Vec<Option<Timer>> = Vec::new();
        timers.resize_with(counts::MILLION as usize, || None);
        let began = Instant::now();
        r.start();
        for (i, slot) in timers.iter_mut().enumerate() {
            let mut timer = Timer::at(began + far(i as u64));
            assert!(poll_once(&mut timer).await.is_none());
            *slot = Some(timer);
        }
        for slot in &mut timers {
            *slot = None;
        }
        r.stop(counts::MILLION);
    });
}

fn naps(r: &Arc<Run>, stalls: bool) {
    measure(r, move |r, executor| async move {
        let spawn = |n: bench::Napper| executor.spawn(n.nap(Timer::after));
        bench::naps(&r, stalls, spawn).await;
    });
}

fn sleepers(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let spawn = |asleep: Arc<AtomicU64>| {
            let sleeper = async move {
                asleep.fetch_add(1, Ordering::Relaxed);
                Timer::after(HOUR).await;
            };
            executor.spawn(sleeper).detach();
        };
        bench::sleepers(&r, spawn, yield_now).await;
    });
}
