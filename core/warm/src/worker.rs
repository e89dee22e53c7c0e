//! A thread that runs jobs in the order in which they came, from a bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle, ThreadId};

use crossbeam_channel::{Sender, TrySendError, bounded};

type Job = Box<dyn FnOnce() + Send>;

/// The queue was full or the worker has ended: the job was not taken and never runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected;

/// Runs jobs one after the other on a thread of its own; a panicking job is reported and the next one runs.
pub struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
    process: u32,
}

impl Worker {
    /// Starts a thread named `name` with room for `capacity` waiting jobs.
    ///
    /// # Errors
    /// The system's error when it has no more threads.
    pub fn spawn(name: &str, capacity: usize) -> std::io::Result<Worker> {
        let (jobs, queue) = bounded::<Job>(capacity);
        let thread = Builder::new().name(name.into()).spawn(move || {
            for job in queue {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!(name: "knhk.warm.job_panicked", "a callback panicked; the next one runs");
                }
            }
        })?;
        let id = thread.thread().id();
        Ok(Worker { jobs: Some(jobs), thread: Some(thread), id, process: std::process::id() })
    }

    /// Queues a job without waiting.
    ///
    /// # Errors
    /// [`Rejected`] when the queue is full.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Rejected> {
        match &self.jobs {
            Some(jobs) => jobs.try_send(Box::new(job)).map_err(|e| match e {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => Rejected,
            }),
            None => Err(Rejected),
        }
    }

    /// Whether the caller is running on this worker's thread, where waiting for a job would wait for itself.
    pub fn is_current(&self) -> bool {
        std::thread::current().id() == self.id
    }
}

impl Drop for Worker {
    /// Runs the jobs that were accepted, then ends the thread.
    fn drop(&mut self) {
        let jobs = self.jobs.take();
        if std::process::id() == self.process {
            drop(jobs);
        } else {
            // The queue's lock may have been held by a thread that fork did not copy.
            std::mem::forget(jobs);
        }
        if let Some(thread) = self.thread.take() {
            crate::join(thread, self.process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn keeps_order_survives_a_panic_and_finishes_on_drop() {
        let worker = Worker::spawn("test", 16).unwrap();
        let (said, heard) = mpsc::channel();
        for n in 0..5 {
            let said = said.clone();
            worker.submit(move || if n == 2 { panic!("planted") } else { said.send(n).unwrap() }).unwrap();
        }
        drop(worker);
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0, 1, 3, 4]);
    }

    #[test]
    fn refuses_beyond_its_capacity() {
        let worker = Worker::spawn("test", 1).unwrap();
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        worker
            .submit(move || {
                started.send(()).unwrap();
                let _ = released.recv();
            })
            .unwrap();
        has_started.recv().unwrap();
        worker.submit(|| {}).unwrap();
        assert_eq!(worker.submit(|| {}), Err(Rejected));
        drop(release);
    }
}
