// SPDX-License-Identifier: MIT
//! Many descriptors, few of them active.

use bench::{about, Case, Ring, Run, Workload};
use std::fs::File;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::runtime;

pub static FANIN: Workload = Workload {
    how: "500 tasks await readable() of an AsyncFd over a pipe each; 5 bytes \
          go round, each task writes what it read into the next pipe",
    cases: &[Case::new("500 pipes, 5 active", five_active)],
    ..about::FANIN
};

struct Round {
    ring: Ring,
    last: Notify,
}

async fn pass(from: File, mut next: File, round: Arc<Round>) {
    let from = AsyncFd::with_interest(from, Interest::READABLE).unwrap();
    let mut byte = [0];

    round.ring.waiting.fetch_add(1, Ordering::Relaxed);
    loop {
        let mut ready = from.readable().await.unwrap();
        match ready.try_io(|fd| fd.get_ref().read(&mut byte)) {
            Ok(n) => assert_eq!(n.unwrap(), 1),
            Err(_not_yet) => continue,
        }
        if round.ring.pass(&mut next) {
            round.last.notify_one();
        }
    }
}

fn five_active(r: &Arc<Run>) {
    runtime::measure(r, |r| async move {
        let (pipes, starts) = bench::pipes();
        let count = pipes.len() as u64;
        let round = Arc::new(Round {
            ring: Ring::new(&r),
            last: Notify::new(),
        });
        for (from, next) in pipes {
            tokio::spawn(pass(from, next, round.clone()));
        }
        bench::until(&round.ring.waiting, count, yield_now).await;
        round.ring.start(&r, starts);
        round.last.notified().await;
        round.ring.stop(&r);
    });
}
