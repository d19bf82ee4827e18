// SPDX-License-Identifier: MIT
//! Tasks that wake each other, and threads that wake a task.

use atomic_waker::AtomicWaker;
use bench::{Case, Crossing, Run, Workload};
use futures_lite::future;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::Poll;

use crate::runtime::Runtime;

pub static PING_PONG: Workload = Workload {
    name: "ping_pong",
    measures: "a task's wake of another and its own, there and back",
    how:
        "two tasks, each with a flag and an AtomicWaker: raise and wake() the \
          other's, await one's own",
    silent: "a channel's values; a wake from another worker",
    cases: &[Case {
        name: "tasks",
        run: ping_pong,
        cold: false,
    }],
};

pub static WAKE_CROSS: Workload = Workload {
    name: "wake_cross",
    measures: "a thread's wake of a task that sleeps",
    how: "threads raise a flag and call an AtomicWaker's wake(), one task \
          awaits it: one thread that waits until its wake has arrived, or \
          four that do not",
    silent: "a wake from within the runtime",
    cases: &[
        Case {
            name: "1 to 1",
            run: |r| wake_cross(r, 1, 10_000),
            cold: false,
        },
        Case {
            name: "4 to 1",
            run: |r| wake_cross(r, 4, 250_000),
            cold: false,
        },
    ],
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
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let rounds = r.ops(1_000_000);
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

fn wake_cross(r: &Arc<Run>, senders: u64, each: u64) {
    let rt = Runtime::new();
    let run = r.clone();
    let crossing = Arc::new(Crossing::new(senders, r.ops(each)));
    let bell = Arc::new(Bell::default());
    let (c, b) = (crossing.clone(), bell.clone());
    let receiver = rt.executor.spawn(async move {
        while !c.arrived() {
            b.wait().await;
        }
        c.finish(&run);
    });

    r.start();
    let threads = crossing.start(move || bell.ring());
    future::block_on(receiver);
    for thread in threads {
        thread.join().unwrap();
    }
}
