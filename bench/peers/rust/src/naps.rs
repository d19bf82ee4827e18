// SPDX-License-Identifier: MIT
//! Sleeps of 1 to 10 ms, of timers and of stalls: bench/naps.h's.

use crate::tasks::{join, Joined};
use crate::{counts, now, Histogram, Run};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Ended {
    late: Histogram, // those that end too early count as not late
    early: u64,
    count: u64,
}

/// The naps of all tasks.
struct Naps {
    each: u64,
    stalls: bool,
    ended: Mutex<Ended>,
}

impl Naps {
    /// One that began then has ended.
    fn ended(&self, began: u64, length: Duration) {
        let (deadline, now) = (began + length.as_nanos() as u64, now());
        let mut ended = self.ended.lock().unwrap();

        ended.early += u64::from(now < deadline);
        ended.late.record(now.saturating_sub(deadline));
        ended.count += 1;
        let blocks = self.stalls && ended.count % counts::NAP_STALL_EVERY == 0;
        drop(ended);
        if blocks {
            std::thread::sleep(Duration::from_nanos(counts::NAP_STALL_NS));
        }
    }

    fn finish(&self, r: &Run) {
        let ended = self.ended.lock().unwrap();

        assert_eq!(ended.count, counts::NAPPERS * self.each);
        r.stop(ended.count);
        r.latencies(&ended.late);
        r.value("early", "1", ended.early as f64 / ended.count as f64);
    }
}

/// What one task does.
pub struct Napper {
    id: u64,
    naps: Arc<Naps>,
}

impl Napper {
    pub async fn nap<S: Future>(self, sleep: impl Fn(Duration) -> S) {
        for nap in 0..self.naps.each {
            let length = Duration::from_millis(1 + (self.id + nap) % 10);
            let began = now();
            sleep(length).await;
            self.naps.ended(began, length);
        }
    }
}

/// Tasks that nap, spawned and awaited by another.
pub async fn naps<H>(r: &Run, stalls: bool, spawn: impl Fn(Napper) -> H)
where
    H: Future,
    H::Output: Joined,
{
    let naps = Arc::new(Naps {
        each: if r.quick() {
            counts::NAPS_QUICK
        } else {
            counts::NAPS
        },
        stalls,
        ended: Mutex::new(Ended::default()),
    });
    let napper = |id| Napper {
        id,
        naps: naps.clone(),
    };

    r.start();
    let mut tasks: Vec<_> =
        (0..counts::NAPPERS).map(|id| spawn(napper(id))).collect();
    join(&mut tasks).await;
    naps.finish(r);
}
