// SPDX-License-Identifier: MIT
//! Sleeps of 1 to 10 ms, of timers and of stalls: bench/naps.h's.

use crate::{now, Histogram, Run};
use std::sync::Mutex;
use std::time::Duration;

pub const NAPPERS: u64 = 100;
const NAPS: u64 = 50; // of each
const STALL_EVERY: u64 = 100; // stalls: after so many, one blocks its thread
const STALL: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Ended {
    late: Histogram, // those that end too early count as not late
    early: u64,
    count: u64,
}

pub struct Naps {
    each: u64,
    stalls: bool,
    ended: Mutex<Ended>,
}

impl Naps {
    pub fn new(r: &Run, stalls: bool) -> Self {
        Naps {
            each: if r.quick() { NAPS / 5 } else { NAPS },
            stalls,
            ended: Mutex::new(Ended::default()),
        }
    }

    /// How long one of NAPPERS sleeps, nap for nap.
    pub fn of(&self, napper: u64) -> impl Iterator<Item = Duration> {
        let lengths = 0..self.each;
        lengths.map(move |nap| Duration::from_millis(1 + (napper + nap) % 10))
    }

    /// A nap that began then has ended.
    pub fn ended(&self, began: u64, length: Duration) {
        let (deadline, now) = (began + length.as_nanos() as u64, now());
        let mut ended = self.ended.lock().unwrap();

        ended.early += u64::from(now < deadline);
        ended.late.record(now.saturating_sub(deadline));
        ended.count += 1;
        let blocks = self.stalls && ended.count % STALL_EVERY == 0;
        drop(ended);
        if blocks {
            std::thread::sleep(STALL);
        }
    }

    pub fn finish(&self, r: &Run) {
        let ended = self.ended.lock().unwrap();

        assert_eq!(ended.count, NAPPERS * self.each);
        r.stop(ended.count);
        r.latencies(&ended.late);
        r.value("early", "1", ended.early as f64 / ended.count as f64);
    }
}
