// SPDX-License-Identifier: MIT
//! Tasks that wake each other, and threads that wake a task.

use atomic_waker::AtomicWaker;
use bench::{about, counts, Case, Crossing, Run, Workload};
use futures_lite::future;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::Poll;

use crate::runtime::{measure, Runtime};

pub static PING_PONG: Workload = Workload {
    how:
        "two tasks, each with a flag and an AtomicWaker: raise and wake() the \
          other's, await one's own",
    cases: &[Case::new("tasks", ping_pong)],
    ..about::PING_PONG
};

pub static WAKE_CROSS: Workload = Workload {
    how: "threads raise a flag and call an AtomicWaker's wake(), one task \
          awaits it: one thread that waits until its wake has arrived, or \
          four that do not",
    cases: &[
        Case::new("1 to 1", |r| wake_cross(r, 1)),
        Case::new("4 to 1", |r| wake_cross(r, counts::SENDERS)),
    ],
    ..about::WAKE_CROSS
};

#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    waker: AtomicWaker,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.waker.wake();
    }

    fn heard(&self) -> Poll<()> {
        if self.rung.swap(false, Ordering::AcqRel) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn wait(&self) -> impl Future<Output = ()> + '_ {
        future::poll_fn(move |cx| {
            if self.heard().is_ready() {
                return Poll::Ready(());
            }
            self.waker.register(cx.waker());
            self.heard() // it may have rung in between
        })
    }
}

fn ping_pong(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let rounds = r.ops(counts::TURNS);
        let bells: Arc<[Bell; 2]> = Arc::default();
        let far_bells = bells.clone();
        let far = executor.spawn(async move {
            for _ in 0..rounds {
                far_bells[0].wait().await;
                far_bells[1].ring();
            }
        });
        r.start();
        for _ in 0..rounds {
            bells[0].ring();
            bells[1].wait().await;
        }
        r.stop(rounds);
        far.await;
    });
}

fn wake_cross(r: &Arc<Run>, senders: u64) {
    let rt = Runtime::new();
    let bell = Arc::new(Bell::default());
    let crossing = Crossing::new(r, senders);
    let (c, b) = (crossing.clone(), bell.clone());
    let receiver = rt.executor.spawn(async move {
        while !c.arrived() {
            b.wait().await;
        }
    });

    crossing.measure(move || bell.ring(), || future::block_on(receiver));
}
