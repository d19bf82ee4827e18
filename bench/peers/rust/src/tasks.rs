// SPDX-License-Identifier: MIT
//! What is measured of tasks, whoever runs them: how a peer spawns, yields and
//! awaits is what it hands in.

use crate::{counts, Run};
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// What awaiting a task's handle gives, where all went well.
pub trait Joined {
    fn well(self);
}

impl Joined for () {
    fn well(self) {}
}

impl<E: Debug> Joined for Result<(), E> {
    fn well(self) {
        self.unwrap()
    }
}

/// Awaits all, in order. The vector keeps its memory.
pub async fn join<H>(tasks: &mut Vec<H>)
where
    H: Future,
    H::Output: Joined,
{
    for task in tasks.drain(..) {
        task.await.well();
    }
}

/// Tasks that live at once, `rounds` times; round `first` begins the
/// measurement.
pub async fn spawn_join<H>(
    r: &Run,
    live: u64,
    first: u64,
    rounds: u64,
    spawn: impl Fn() -> H,
) where
    H: Future,
    H::Output: Joined,
{
    let mut tasks = Vec::with_capacity(live as usize);

    for round in 0..first + rounds {
        if round == first {
            r.start();
        }
        for _ in 0..live {
            tasks.push(spawn());
        }
        join(&mut tasks).await;
    }
    r.stop(live * rounds);
}

/// Tasks that are told how often to yield.
pub async fn yielders<H>(r: &Run, spawn: impl Fn(u64) -> H)
where
    H: Future,
    H::Output: Joined,
{
    let mut tasks = Vec::with_capacity(counts::TASKS as usize);

    r.start();
    for _ in 0..counts::TASKS {
        tasks.push(spawn(counts::YIELDS));
    }
    join(&mut tasks).await;
    r.stop(counts::TASKS * counts::YIELDS);
}

/// counts::MANY at once, over and over. The first time is nobody's: memory is
/// cold.
pub async fn many<F>(r: &Run, spawn_and_await: impl Fn(u64) -> F)
where
    F: Future<Output = ()>,
{
    let rounds = r.ops(counts::MANY_ROUNDS);

    for round in 0..=rounds {
        if round == 1 {
            r.start();
        }
        spawn_and_await(counts::MANY).await;
    }
    r.stop(rounds * counts::MANY);
}

/// Chains of counts::TASKS, one after the other.
pub async fn chains<F>(r: &Run, spawn_and_await: impl Fn(u64) -> F)
where
    F: Future<Output = ()>,
{
    let rounds = r.ops(counts::CHAINS);

    r.start();
    for _ in 0..rounds {
        spawn_and_await(counts::TASKS).await;
    }
    r.stop(rounds * counts::TASKS);
}

/// Yields until that many have counted themselves.
pub async fn until<Y>(
    reached: &AtomicU64,
    count: u64,
    yield_now: impl Fn() -> Y,
) where
    Y: Future<Output = ()>,
{
    while reached.load(Ordering::Relaxed) < count {
        yield_now().await;
    }
}

/// Tasks that run as long as this lives: they are spawned with what tells them
/// that it is gone.
pub struct Busy(Arc<AtomicBool>);

impl Busy {
    pub fn new(tasks: usize, spawn: impl Fn(Arc<AtomicBool>)) -> Self {
        let stop = Arc::new(AtomicBool::new(false));

        for _ in 0..tasks {
            spawn(stop.clone());
        }
        Busy(stop)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
