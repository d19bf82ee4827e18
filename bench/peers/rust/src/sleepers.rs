// SPDX-License-Identifier: MIT
//! Tasks that sleep for long: what one occupies.

use crate::tasks::until;
use crate::{counts, resident, Run};
use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::sync::Arc;
use std::time::Duration;

/// How long they sleep, if nothing ends it.
pub const HOUR: Duration = Duration::from_millis(counts::FAR_MS);

/// When the i-th of many timers is to end: out of order, in the next hour but
/// one.
pub fn far(i: u64) -> Duration {
    HOUR + Duration::from_millis(i * 2_654_435_761 % counts::FAR_MS)
}

/// Bytes in memory, without what was freed.
fn resident_trimmed() -> f64 {
    unsafe { libc::malloc_trim(0) };
    resident()
}

/// Each that is spawned counts itself, then sleeps.
pub async fn sleepers<Y>(
    r: &Run,
    spawn: impl Fn(Arc<AtomicU64>),
    yield_now: impl Fn() -> Y,
) where
    Y: Future<Output = ()>,
{
    let asleep = Arc::new(AtomicU64::new(0));
    let before = resident_trimmed();

    for _ in 0..counts::SLEEPERS {
        spawn(asleep.clone());
    }
    until(&asleep, counts::SLEEPERS, yield_now).await;
    let bytes = resident_trimmed() - before;
    r.value("memory", "B", bytes / counts::SLEEPERS as f64);
}
