// SPDX-License-Identifier: MIT
//! Timers, and what sleeps.

use bench::{about, counts, far, Case, Run, Workload, HOUR};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::{unconstrained, yield_now};
use tokio::time::{sleep, sleep_until, Instant, Sleep};

use crate::runtime;

pub static TIMERS: Workload = Workload {
    how: "sleep_until() an hour or more ahead is polled once, so that it is \
          registered, and dropped; 1M live: all are registered, then all \
          dropped, in memory that was there. Both while another timer is due \
          earlier, and under unconstrained(), as a task's budget ends after \
          128. Lateness: 100 tasks sleep() 1 to 10 ms",
    cases: &[
        Case::new("create and cancel", create_and_cancel),
        Case::cold("1M live", live_1m),
        Case::new("lateness", |r| naps(r, false)),
    ],
    ..about::TIMERS
};

pub static SLEEPERS: Workload = Workload {
    how: "resident bytes before and after 100,000 tasks were spawned that \
          sleep() for an hour, all of a task's memory among them",
    cases: &[Case::cold("stackless", sleepers)],
    ..about::SLEEPERS
};

pub static STALLS: Workload = Workload {
    how:
        "100 tasks sleep() 1 to 10 ms; one in 100 of those sleeps is followed \
          by 1 ms of std::thread::sleep()",
    cases: &[Case::new("1% block", |r| naps(r, true))],
    ..about::STALLS
};

/// Registers it with the driver: without a poll it is only a struct.
struct Register<'a>(Pin<&'a mut Sleep>);

impl Future for Register<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        assert!(self.0.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    }
}

/// Lets the driver know of a timer that is due before all that come: as long
/// as it knows of none, every new one wakes it.
async fn another_timer() {
    tokio::spawn(sleep(HOUR / 2));
    sleep(Duration::from_millis(1)).await;
}

fn create_and_cancel(r: &Arc<Run>) {
    runtime::measure(r, |r| {
        unconstrained(async move {
            let ops = r.ops(counts::TIMERS);
            another_timer().await;
            let began = Instant::now();
            r.start();
            for i in 0..ops {
                let timer = sleep_until(began + far(i));
                tokio::pin!(timer);
                Register(timer).await;
            }
            r.stop(ops);
        })
    });
}

fn live_1m(r: &Arc<Run>) {
    runtime::measure(r, |r| {
        unconstrained(async move {
            let mut timers: Vec<Pin<Box<Option<Sleep>>>> = Vec::new();
            timers.resize_with(counts::MILLION as usize, || Box::pin(None));
            another_timer().await;
            let began = Instant::now();
            r.start();
            for (i, slot) in timers.iter_mut().enumerate() {
                slot.set(Some(sleep_until(began + far(i as u64))));
                Register(slot.as_mut().as_pin_mut().unwrap()).await;
            }
            for slot in &mut timers {
                slot.set(None);
            }
            r.stop(counts::MILLION);
        })
    });
}

fn naps(r: &Arc<Run>, stalls: bool) {
    runtime::measure(r, move |r| async move {
        bench::naps(&r, stalls, |n| tokio::spawn(n.nap(sleep))).await;
    });
}

fn sleepers(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let spawn = |asleep: Arc<AtomicU64>| {
            tokio::spawn(async move {
                asleep.fetch_add(1, Ordering::Relaxed);
                sleep(HOUR).await;
            });
        };
        bench::sleepers(&r, spawn, yield_now).await;
    });
}
