// SPDX-License-Identifier: MIT
//! What is measured of calls: into a runtime, and out of it to threads that may
//! block. The call is the peer's.

use crate::tasks::{join, Joined};
use crate::{counts, now, Histogram, Run};
use std::future::Future;
use std::time::Duration;

/// A synchronous one, again and again.
pub fn back_to_back(r: &Run, full: u64, call: impl Fn()) {
    let ops = r.ops(full);

    r.start();
    for _ in 0..ops {
        call();
    }
    r.stop(ops);
}

/// A synchronous one, each after a pause. Wall is the median here: a pause lets
/// other things happen.
pub fn paused(r: &Run, call: impl Fn()) {
    let mut latencies = Histogram::default();
    let calls = if r.quick() {
        counts::CALLS_PAUSED_QUICK
    } else {
        counts::CALLS_PAUSED
    };

    for _ in 0..calls {
        std::thread::sleep(Duration::from_nanos(counts::PAUSE_NS));
        let began = now();
        call();
        latencies.record(now() - began);
    }
    r.value("wall", "ns", latencies.quantile(0.5) as f64);
    r.latencies(&latencies);
}

/// A job of a pool, awaited, again and again. The first one starts a thread,
/// which is nobody's.
pub async fn roundtrip<C>(r: &Run, call: impl Fn() -> C)
where
    C: Future,
    C::Output: Joined,
{
    let ops = r.ops(counts::JOBS);

    call().await.well();
    r.start();
    for _ in 0..ops {
        call().await.well();
    }
    r.stop(ops);
}

/// Many jobs at once, again and again.
pub async fn submit<C>(rounds: u64, call: impl Fn() -> C)
where
    C: Future,
    C::Output: Joined,
{
    let mut calls = Vec::with_capacity(counts::AT_ONCE as usize);

    for _ in 0..rounds {
        for _ in 0..counts::AT_ONCE {
            calls.push(call());
        }
        join(&mut calls).await;
    }
}

/// Tasks that submit() as many rounds as they are told.
pub async fn throughput<H>(r: &Run, submitters: u64, spawn: impl Fn(u64) -> H)
where
    H: Future,
    H::Output: Joined,
{
    let rounds = r.ops(counts::AT_ONCE_ROUNDS) / submitters + 1;

    r.start();
    let mut tasks = (0..submitters).map(|_| spawn(rounds)).collect();
    join(&mut tasks).await;
    r.stop(submitters * rounds * counts::AT_ONCE);
}
