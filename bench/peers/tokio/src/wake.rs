// SPDX-License-Identifier: MIT
//! Tasks that wake each other, and threads that wake a task.

use bench::{Case, Crossing, Run, Workload};
use std::sync::Arc;
use tokio::sync::Notify;

use crate::runtime;

pub static PING_PONG: Workload = Workload {
    name: "ping_pong",
    measures: "a task's wake of another and its own, there and back",
    how: "two tasks, each with a Notify: notify_one() the other, await one's \
          own",
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
    how: "threads call a Notify's notify_one(), one task awaits it: one \
          thread that waits until its wake has arrived, or four that do not",
    silent: "a wake from within the runtime",
    cases: &[
        Case {
            name: "1 to 1",
            run: one_to_one,
            cold: false,
        },
        Case {
            name: "4 to 1",
            run: four_to_one,
            cold: false,
        },
    ],
};

fn ping_pong(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let rounds = r.ops(1_000_000);
        let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (far_ping, far_pong) = (ping.clone(), pong.clone());
        let far = tokio::spawn(async move {
            for _ in 0..rounds {
                far_ping.notified().await;
                far_pong.notify_one();
            }
        });
        r.start();
        for _ in 0..rounds {
            ping.notify_one();
            pong.notified().await;
        }
        r.stop(rounds);
        far.await.unwrap();
    });
}

fn wake_cross(r: &Arc<Run>, senders: u64, each: u64) {
    let rt = runtime::new();
    let run = r.clone();
    let crossing = Arc::new(Crossing::new(senders, r.ops(each)));
    let notify = Arc::new(Notify::new());
    let (c, n) = (crossing.clone(), notify.clone());
    let receiver = rt.spawn(async move {
        while !c.arrived() {
            n.notified().await;
        }
        c.finish(&run);
    });

    r.start();
    let threads = crossing.start(move || notify.notify_one());
    rt.block_on(receiver).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn one_to_one(r: &Arc<Run>) {
    wake_cross(r, 1, 10_000);
}

fn four_to_one(r: &Arc<Run>) {
    wake_cross(r, 4, 250_000);
}
