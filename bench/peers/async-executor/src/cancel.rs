// SPDX-License-Identifier: MIT
//! Many tasks that are cancelled at once.

use async_executor::Task;
use async_io::{Async, Timer};
use bench::{Case, Run, Workload};
use futures_lite::future::{poll_once, yield_now};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::runtime::Runtime;

pub static CANCEL_STORM: Workload = Workload {
    name: "cancel_storm",
    measures: "the cancel of a task that waits, to its end",
    how: "Task::cancel() of all is begun, then all are awaited: 10,000 that \
          await a Timer, or 1000 that await readable() of a socket each",
    silent: "a task that runs when it is cancelled",
    cases: &[
        Case {
            name: "sleeping",
            run: sleeping,
            cold: false,
        },
        Case {
            name: "receiving",
            run: receiving,
            cold: false,
        },
    ],
};

/// Lets all of them get to where they wait, then measures.
async fn storm(r: &Run, tasks: Vec<Task<()>>, waiting: &AtomicU64) {
    let count = tasks.len() as u64;

    while waiting.load(Ordering::Relaxed) < count {
        yield_now().await;
    }
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
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let tasks = (0..10_000)
            .map(|_| {
                let waiting = waiting.clone();
                executor.spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    Timer::after(Duration::from_secs(3600)).await;
                })
            })
            .collect();
        storm(&r, tasks, &waiting).await;
    });
}

fn receiving(r: &Arc<Run>) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let mut ends = Vec::new(); // that closing them is not measured
        let tasks = (0..1000)
            .map(|_| {
                let (near, far) = Async::<UnixStream>::pair().unwrap();
                let (near, waiting) = (Arc::new(near), waiting.clone());
                ends.push((near.clone(), far));
                executor.spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    near.readable().await.unwrap();
                })
            })
            .collect();
        storm(&r, tasks, &waiting).await;
    });
}
