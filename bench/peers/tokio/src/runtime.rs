// SPDX-License-Identifier: MIT
//! The runtime of this program.

use bench::Run;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

static CURRENT_THREAD: AtomicBool = AtomicBool::new(false);

pub fn use_current_thread() {
    CURRENT_THREAD.store(true, Ordering::Relaxed);
}

pub fn new() -> Runtime {
    let mut builder = if CURRENT_THREAD.load(Ordering::Relaxed) {
        Builder::new_current_thread()
    } else {
        let mut many = Builder::new_multi_thread();
        many.worker_threads(bench::workers());
        many
    };
    builder.enable_all().build().expect("a runtime")
}

/// Runs it as a task, on a worker where there are any, to its end.
pub fn inside<F>(rt: &Runtime, task: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    rt.block_on(rt.spawn(task)).expect("a task")
}

/// The same of what is measured, in a runtime of its own.
pub fn measure<F>(r: &Arc<Run>, task: impl FnOnce(Arc<Run>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    inside(&new(), task(r.clone()));
}
