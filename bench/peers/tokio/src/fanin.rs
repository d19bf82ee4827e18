// SPDX-License-Identifier: MIT
//! Many descriptors, few of them active.

use bench::{Case, Run, Workload};
use std::fs::File;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::runtime;

pub static FANIN: Workload = Workload {
    name: "fanin",
    measures: "one event among many descriptors that are waited on",
    how: "500 tasks await readable() of an AsyncFd over a pipe each; 5 bytes \
          go round, each task writes what it read into the next pipe",
    silent: "many active at once; sockets",
    cases: &[Case {
        name: "500 pipes, 5 active",
        run: five_active,
        cold: false,
    }],
};

const PIPES: usize = 500;
const ACTIVE: usize = 5;

struct Round {
    left: AtomicI64, // passes to go
    last: Notify,
}

async fn pass(from: File, mut next: File, round: Arc<Round>) {
    let from = AsyncFd::with_interest(from, Interest::READABLE).unwrap();
    let mut byte = [0];

    loop {
        let mut ready = from.readable().await.unwrap();
        match ready.try_io(|fd| fd.get_ref().read(&mut byte)) {
            Ok(n) => assert_eq!(n.unwrap(), 1),
            Err(_not_yet) => continue,
        }
        let left = round.left.fetch_sub(1, Ordering::Relaxed);
        if left == 1 {
            round.last.notify_one();
        }
        if left > 1 {
            next.write_all(&byte).unwrap(); // there is room for one
        }
    }
}

fn five_active(r: &Arc<Run>) {
    let rt = runtime::new();
    let r = r.clone();

    runtime::inside(&rt, async move {
        let passes = r.ops(100_000);
        let round = Arc::new(Round {
            left: AtomicI64::new(passes as i64),
            last: Notify::new(),
        });
        let (froms, mut intos): (Vec<_>, Vec<_>) =
            (0..PIPES).map(|_| bench::pipe()).unzip();
        let mut starts: Vec<File> =
            intos.iter().map(|into| into.try_clone().unwrap()).collect();
        intos.rotate_left(1);
        for (from, next) in froms.into_iter().zip(intos) {
            tokio::spawn(pass(from, next, round.clone()));
        }
        yield_now().await; // all wait in their pipes
        r.start();
        for start in starts.iter_mut().step_by(PIPES / ACTIVE) {
            start.write_all(&[0]).unwrap();
        }
        round.last.notified().await;
        r.stop(passes);
    });
}
