// SPDX-License-Identifier: MIT
//! Many tasks that are cancelled at once.

use async_executor::Task;
use async_io::{Async, Timer};
use bench::{about, counts, Case, Run, Workload, HOUR};
use futures_lite::future::{poll_once, yield_now};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::runtime::measure;

pub static CANCEL_STORM: Workload = Workload {
    how: "Task::cancel() of all is begun, then all are awaited: 10,000 that \
          await a Timer, or 1000 that await readable() of a socket each",
    cases: &[
        Case::new("sleeping", sleeping),
        Case::new("receiving", receiving),
    ],
    ..about::CANCEL_STORM
};

/// Lets all of them get to where they wait, then measures.
async fn storm(r: &Run, tasks: Vec<Task<()>>, waiting: &AtomicU64) {
    let count = tasks.len() as u64;

    bench::until(waiting, count, yield_now).await;
    let cancels = tasks.into_iter().map(|task| Box::pin(task.cancel()));
    let cancels: Vec<_> = cancels.collect();
    let mut begun = Vec::with_capacity(cancels.len());
    r.start();
    for mut cancel in cancels {
        match poll_once(&mut cancel).await {
            None => begun.push(cancel),
            Some(answer) => assert!(answer.is_none()), // another worker's
        }
    }
    for cancel in begun {
        assert!(cancel.await.is_none());
    }
    r.stop(count);
}

fn sleeping(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let spawn = |_| {
            let waiting = waiting.clone();
            executor.spawn(async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                Timer::after(HOUR).await;
            })
        };
        let tasks = (0..counts::STORM_SLEEPERS).map(spawn).collect();
        storm(&r, tasks, &waiting).await;
    });
}

fn receiving(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let mut ends = Vec::new(); // that closing them is not measured
        let spawn = |_| {
            let (near, far) = Async::<UnixStream>::pair().unwrap();
            let (near, waiting) = (Arc::new(near), waiting.clone());
            ends.push((near.clone(), far));
            executor.spawn(async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                near.readable().await.unwrap();
            })
        };
        let tasks = (0..counts::STORM_RECEIVERS).map(spawn).collect();
        storm(&r, tasks, &waiting).await;
    });
}
