// SPDX-License-Identifier: MIT
//! Many pipes in a ring, and few bytes that go round in it. How a peer awaits
//! its pipe is its own.

use crate::{counts, pipe, Run};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub struct Ring {
    passes: u64,
    left: AtomicI64, // passes to go
    pub waiting: AtomicU64,
}

impl Ring {
    pub fn new(r: &Run) -> Self {
        let passes = r.ops(counts::PASSES);

        Ring {
            passes,
            left: AtomicI64::new(passes as i64),
            waiting: AtomicU64::new(0),
        }
    }

    /// A byte has come: on with it into the next pipe, unless it was one of the
    /// last. True for the last of all.
    pub fn pass(&self, next: &mut File) -> bool {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);

        if left > 1 {
            next.write_all(&[0]).unwrap(); // there is room for one
        }
        left == 1
    }

    /// Once all wait in their pipes.
    pub fn start(&self, r: &Run, mut starts: Vec<File>) {
        let apart = (counts::PIPES / counts::PIPES_ACTIVE) as usize;

        r.start();
        for start in starts.iter_mut().step_by(apart) {
            start.write_all(&[0]).unwrap();
        }
    }

    pub fn stop(&self, r: &Run) {
        r.stop(self.passes);
    }
}

/// Each one's pipe and the next one's, and what they are started with.
pub fn pipes() -> (Vec<(File, File)>, Vec<File>) {
    let pipes = (0..counts::PIPES).map(|_| pipe());
    let (froms, mut intos): (Vec<_>, Vec<_>) = pipes.unzip();
    let starts = intos.iter().map(|into| into.try_clone().unwrap()).collect();

    intos.rotate_left(1);
    (froms.into_iter().zip(intos).collect(), starts)
}
