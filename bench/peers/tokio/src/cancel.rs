// SPDX-License-Identifier: MIT
//! Many tasks that are aborted at once.

use bench::{Case, Run, Workload};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::task::{yield_now, JoinHandle};

use crate::runtime;

pub static CANCEL_STORM: Workload = Workload {
    name: "cancel_storm",
    measures: "the cancel of a task that waits, to its end",
    how: "JoinHandle::abort() of all, then all joined: 10,000 that sleep(), \
          or 1000 that await readable() of a socket each",
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
async fn storm(r: &Run, tasks: Vec<JoinHandle<()>>, waiting: &AtomicU64) {
    let count = tasks.len() as u64;

    while waiting.load(Ordering::Relaxed) < count {
        yield_now().await;
    }
    r.start();
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    r.stop(count);
}

fn sleeping(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let tasks = (0..10_000)
            .map(|_| {
                let waiting = waiting.clone();
                tokio::spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(86400)).await;
                })
            })
            .collect();
        storm(&r, tasks, &waiting).await;
    });
}

fn receiving(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let mut ends = Vec::new(); // that closing them is not measured
        let tasks = (0..1000)
            .map(|_| {
                let (near, far) = UnixStream::pair().unwrap();
                let (near, waiting) = (Arc::new(near), waiting.clone());
                ends.push((near.clone(), far));
                tokio::spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    near.readable().await.unwrap();
                })
            })
            .collect();
        storm(&r, tasks, &waiting).await;
    });
}
