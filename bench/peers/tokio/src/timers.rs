// SPDX-License-Identifier: MIT
//! Timers, and what sleeps.

use bench::{Case, Naps, Run, Workload, NAPPERS};
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
    name: "timers",
    measures: "a timer that is set and dropped; how late one is",
    how: "sleep() of an hour is polled once, so that it is registered, and \
          dropped; 1M live: all are registered, then all dropped, in memory \
          that was there. Both while another timer is due earlier, and under \
          unconstrained(), as a task's budget ends after 128. Lateness: 100 \
          tasks sleep() 1 to 10 ms",
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
          sleep() for an hour, all of a task's memory among them",
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
    how:
        "100 tasks sleep() 1 to 10 ms; one in 100 of those sleeps is followed \
          by 1 ms of std::thread::sleep()",
    silent: "a block that is longer than a nap",
    cases: &[Case {
        name: "1% block",
        run: |r| naps(r, true),
        cold: false,
    }],
};

const HOUR: Duration = Duration::from_secs(3600);

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
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(
        &rt,
        unconstrained(async move {
            let ops = r.ops(1_000_000);
            another_timer().await;
            r.start();
            for _ in 0..ops {
                let timer = sleep(HOUR);
                tokio::pin!(timer);
                Register(timer).await;
            }
            r.stop(ops);
        }),
    );
}

const LIVE: u64 = 1_000_000;

fn live_1m(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(
        &rt,
        unconstrained(async move {
            let mut timers: Vec<Pin<Box<Option<Sleep>>>> = Vec::new();
            timers.resize_with(LIVE as usize, || Box::pin(None));
            another_timer().await;
            let now = Instant::now();
            r.start();
            for (i, slot) in timers.iter_mut().enumerate() {
                slot.set(Some(sleep_until(now + bench::far(i as u64))));
                Register(slot.as_mut().as_pin_mut().unwrap()).await;
            }
            for slot in &mut timers {
                slot.set(None);
            }
            r.stop(LIVE);
        }),
    );
}

fn naps(r: &Arc<Run>, stalls: bool) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let naps = Arc::new(Naps::new(&r, stalls));
        r.start();
        let nappers: Vec<_> = (0..NAPPERS)
            .map(|napper| {
                let naps = naps.clone();
                tokio::spawn(async move {
                    for length in naps.of(napper) {
                        let began = bench::now();
                        sleep(length).await;
                        naps.ended(began, length);
                    }
                })
            })
            .collect();
        for napper in nappers {
            napper.await.unwrap();
        }
        naps.finish(&r);
    });
}

const SLEEPING: u64 = 100_000;

fn sleepers(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let asleep = Arc::new(AtomicU64::new(0));
        let before = bench::resident_trimmed();
        for _ in 0..SLEEPING {
            let asleep = asleep.clone();
            tokio::spawn(async move {
                asleep.fetch_add(1, Ordering::Relaxed);
                sleep(HOUR).await;
            });
        }
        while asleep.load(Ordering::Relaxed) < SLEEPING {
            yield_now().await;
        }
        let each = (bench::resident_trimmed() - before) / SLEEPING as f64;
        r.value("memory", "B", each);
    });
}
