// SPDX-License-Identifier: MIT
//! Many descriptors, few of them active.

use async_channel::Sender;
use async_io::Async;
use bench::{Case, Run, Workload};
use futures_lite::future::yield_now;
use futures_lite::AsyncReadExt;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;

use crate::runtime::Runtime;

pub static FANIN: Workload = Workload {
    name: "fanin",
    measures: "one event among many descriptors that are waited on",
    how: "500 tasks read() from an Async<File> over a pipe each; 5 bytes go \
          round, each task writes what it read into the next pipe",
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
    last: Sender<()>,
}

async fn pass(mut from: Async<File>, mut next: File, round: Arc<Round>) {
    let mut byte = [0];

    while from.read(&mut byte).await.unwrap() == 1 {
        let left = round.left.fetch_sub(1, Ordering::Relaxed);
        if left == 1 {
            round.last.try_send(()).unwrap();
        }
        if left > 1 {
            next.write_all(&byte).unwrap(); // there is room for one
        }
    }
}

fn five_active(r: &Arc<Run>) {
    let rt = Runtime::new();
    let (r, executor) = (r.clone(), rt.executor.clone());

    rt.inside(async move {
        let passes = r.ops(100_000);
        let (last, done) = async_channel::bounded(1);
        let round = Arc::new(Round {
            left: AtomicI64::new(passes as i64),
            last,
        });
        let (froms, mut intos): (Vec<_>, Vec<_>) =
            (0..PIPES).map(|_| bench::pipe()).unzip();
        let mut starts: Vec<File> =
            intos.iter().map(|into| into.try_clone().unwrap()).collect();
        intos.rotate_left(1);
        for (from, next) in froms.into_iter().zip(intos) {
            let from = Async::new(from).unwrap();
            executor.spawn(pass(from, next, round.clone())).detach();
        }
        yield_now().await; // all wait in their pipes
        r.start();
        for start in starts.iter_mut().step_by(PIPES / ACTIVE) {
            start.write_all(&[0]).unwrap();
        }
        done.recv().await.unwrap();
        r.stop(passes);
    });
}
