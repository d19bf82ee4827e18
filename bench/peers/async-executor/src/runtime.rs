// SPDX-License-Identifier: MIT
//! An executor and its threads, as its documentation makes them: each runs it
//! until the channel closes, and drives async-io when it has nothing to do.

use async_channel::Sender;
use async_executor::Executor;
use bench::Run;
use futures_lite::future;
use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;

pub type Spawner = Arc<Executor<'static>>;

pub struct Runtime {
    pub executor: Spawner,
    stop: Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Runtime {
    pub fn new() -> Self {
        let executor = Arc::new(Executor::new());
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let threads = (0..bench::workers())
            .map(|_| {
                let (executor, stopped) = (executor.clone(), stopped.clone());
                std::thread::spawn(move || {
                    let _ = async_io::block_on(executor.run(stopped.recv()));
                })
            })
            .collect();

        Runtime {
            executor,
            stop,
            threads,
        }
    }

    /// Runs it as a task, on a worker, to its end. The caller only waits: it
    /// does not drive async-io.
    pub fn inside<F>(&self, task: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        future::block_on(self.executor.spawn(task))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.close();
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// The same of what is measured, in a runtime of its own.
pub fn measure<F>(r: &Arc<Run>, task: impl FnOnce(Arc<Run>, Spawner) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let rt = Runtime::new();

    rt.inside(task(r.clone(), rt.executor.clone()));
}
