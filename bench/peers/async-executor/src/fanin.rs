// SPDX-License-Identifier: MIT
//! Many descriptors, few of them active.

use async_channel::Sender;
use async_io::Async;
use bench::{about, Case, Ring, Run, Workload};
use futures_lite::future::yield_now;
use futures_lite::AsyncReadExt;
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::runtime::measure;

pub static FANIN: Workload = Workload {
    how: "500 tasks read() from an Async<File> over a pipe each; 5 bytes go \
          round, each task writes what it read into the next pipe",
    cases: &[Case::new("500 pipes, 5 active", five_active)],
    ..about::FANIN
};

struct Round {
    ring: Ring,
    last: Sender<()>,
}

async fn pass(mut from: Async<File>, mut next: File, round: Arc<Round>) {
    let mut byte = [0];

    round.ring.waiting.fetch_add(1, Ordering::Relaxed);
    while from.read(&mut byte).await.unwrap() == 1 {
        if round.ring.pass(&mut next) {
            round.last.try_send(()).unwrap();
        }
    }
}

fn five_active(r: &Arc<Run>) {
    measure(r, |r, executor| async move {
        let (pipes, starts) = bench::pipes();
        let count = pipes.len() as u64;
        let (last, done) = async_channel::bounded(1);
        let ring = Ring::new(&r);
        let round = Arc::new(Round { ring, last });
        for (from, next) in pipes {
            let from = Async::new(from).unwrap();
            executor.spawn(pass(from, next, round.clone())).detach();
        }
        bench::until(&round.ring.waiting, count, yield_now).await;
        round.ring.start(&r, starts);
        done.recv().await.unwrap();
        round.ring.stop(&r);
    });
}
