// SPDX-License-Identifier: MIT
//! wake_cross: threads that wake a task from outside the runtime. One sender
//! waits for each of its wakes to arrive; several just send, and the task takes
//! however many have come. How a peer wakes is its own.

use crate::{counts, now, Histogram, Run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

struct Receiver {
    arrived: u64,
    latencies: Histogram, // of one sender's wakes
    sender: Option<std::thread::Thread>,
}

pub struct Crossing {
    run: Arc<Run>,
    senders: u64,
    each: u64,                 // wakes of one sender
    sent: AtomicU64,           // and not yet taken
    sent_at: AtomicU64,        // the one sender's; read once `sent` is 1
    taken: AtomicU64,          // of a single sender's wakes
    receiver: Mutex<Receiver>, // the task's alone, once senders run
}

impl Crossing {
    /// Of one sender, or of several.
    pub fn new(r: &Arc<Run>, senders: u64) -> Arc<Self> {
        let wakes = match senders {
            1 => counts::WAKES,
            _ => counts::WAKES_FLOOD,
        };

        Arc::new(Crossing {
            run: r.clone(),
            senders,
            each: r.ops(wakes) / senders,
            sent: AtomicU64::new(0),
            sent_at: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            receiver: Mutex::new(Receiver {
                arrived: 0,
                latencies: Histogram::default(),
                sender: None,
            }),
        })
    }

    fn send(&self, wake: &dyn Fn()) {
        for i in 0..self.each {
            if self.senders == 1 {
                self.sent_at.store(now(), Ordering::Relaxed);
            }
            // Pairs with the acquire in arrived(): sent_at.
            self.sent.fetch_add(1, Ordering::Release);
            wake();
            while self.senders == 1 && self.taken.load(Ordering::Acquire) <= i {
                std::thread::park();
            }
        }
    }

    /// Starts the senders.
    fn start<W>(self: &Arc<Self>, wake: W) -> Vec<JoinHandle<()>>
    where
        W: Fn() + Clone + Send + 'static,
    {
        let mut receiver = self.receiver.lock().unwrap();
        (0..self.senders)
            .map(|_| {
                let (crossing, wake) = (self.clone(), wake.clone());
                let thread = std::thread::spawn(move || crossing.send(&wake));
                receiver.sender = Some(thread.thread().clone());
                thread
            })
            .collect()
    }

    /// The task was woken. True when that was the last: it is to end.
    pub fn arrived(&self) -> bool {
        // Pairs with the release in send().
        let n = self.sent.swap(0, Ordering::Acquire);
        let mut receiver = self.receiver.lock().unwrap();

        receiver.arrived += n;
        if n > 0 && self.senders == 1 {
            let sent_at = self.sent_at.load(Ordering::Relaxed);
            receiver.latencies.record(now() - sent_at);
            self.taken.fetch_add(1, Ordering::Release);
            receiver.sender.as_ref().unwrap().unpark();
        }
        let last = receiver.arrived == self.each * self.senders;
        if last {
            self.run.stop(receiver.arrived);
        }
        last
    }

    /// From the first wake to the last. The task is there.
    pub fn measure<W>(self: &Arc<Self>, wake: W, await_task: impl FnOnce())
    where
        W: Fn() + Clone + Send + 'static,
    {
        self.run.start();
        let threads = self.start(wake);
        await_task();
        for thread in threads {
            thread.join().unwrap();
        }
        if self.senders == 1 {
            self.run.latencies(&self.receiver.lock().unwrap().latencies);
        }
    }
}
