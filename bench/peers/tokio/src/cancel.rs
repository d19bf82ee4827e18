// SPDX-License-Identifier: MIT
//! Many tasks that are aborted at once.

use bench::{about, counts, Case, Run, Workload, HOUR};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::task::{yield_now, JoinHandle};

use crate::runtime;

pub static CANCEL_STORM: Workload = Workload {
    how: "JoinHandle::abort() of all, then all joined: 10,000 that sleep(), \
          or 1000 that await readable() of a socket each",
    cases: &[
        Case::new("sleeping", sleeping),
        Case::new("receiving", receiving),
    ],
    ..about::CANCEL_STORM
};

/// Lets all of them get to where they wait, then measures.
async fn storm(r: &Run, tasks: Vec<JoinHandle<()>>, waiting: &AtomicU64) {
    let count = tasks.len() as u64;

    bench::until(waiting, count, yield_now).await;
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
    runtime::measure(r, |r| async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let spawn = |_| {
            let waiting = waiting.clone();
            tokio::spawn(async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(HOUR).await;
            })
        };
        let tasks = (0..counts::STORM_SLEEPERS).map(spawn).collect();
        storm(&r, tasks, &waiting).await;
    });
}

fn receiving(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let waiting = Arc::new(AtomicU64::new(0));
        let mut ends = Vec::new(); // that closing them is not measured
        let spawn = |_| {
            let (near, far) = UnixStream::pair().unwrap();
            let (near, waiting) = (Arc::new(near), waiting.clone());
            ends.push((near.clone(), far));
            tokio::spawn(async move {
                waiting.fetch_add(1, Ordering::Relaxed);
                near.readable().await.unwrap();
            })
        };
        let tasks = (0..counts::STORM_RECEIVERS).map(spawn).collect();
        storm(&r, tasks, &waiting).await;
    });
}
