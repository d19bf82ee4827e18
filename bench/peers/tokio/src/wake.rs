// SPDX-License-Identifier: MIT
//! Tasks that wake each other, and threads that wake a task.

use bench::{about, counts, Case, Crossing, Run, Workload};
use std::sync::Arc;
use tokio::sync::Notify;

use crate::runtime;

pub static PING_PONG: Workload = Workload {
    how: "two tasks, each with a Notify: notify_one() the other, await one's \
          own",
    cases: &[Case::new("tasks", ping_pong)],
    ..about::PING_PONG
};

pub static WAKE_CROSS: Workload = Workload {
    how: "threads call a Notify's notify_one(), one task awaits it: one \
          thread that waits until its wake has arrived, or four that do not",
    cases: &[
        Case::new("1 to 1", |r| wake_cross(r, 1)),
        Case::new("4 to 1", |r| wake_cross(r, counts::SENDERS)),
    ],
    ..about::WAKE_CROSS
};

fn ping_pong(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let rounds = r.ops(counts::TURNS);
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

fn wake_cross(r: &Arc<Run>, senders: u64) {
    let rt = runtime::new();
    let notify = Arc::new(Notify::new());
    let crossing = Crossing::new(r, senders);
    let (c, n) = (crossing.clone(), notify.clone());
    let receiver = rt.spawn(async move {
        while !c.arrived() {
            n.notified().await;
        }
    });
    let wake = move || notify.notify_one();

    crossing.measure(wake, || rt.block_on(receiver).unwrap());
}
