//! A thread that repeats one step until it is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

/// What a step wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Run again.
    Continue,
    /// End the thread.
    Stop,
}

/// Repeats a step, which itself waits for its next occasion (an event with a short time-out), on a thread of its own.
///
/// Dropping it waits for the running step.
pub struct Ticker {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Ticker {
    /// Starts a thread named `name` that calls `step` until it answers [`Next::Stop`] or the ticker is dropped.
    ///
    /// # Errors
    /// The system's error when it has no more threads.
    pub fn spawn(name: &str, mut step: impl FnMut() -> Next + Send + 'static) -> std::io::Result<Ticker> {
        let stopping = Arc::new(AtomicBool::new(false));
        let seen = stopping.clone();
        let thread = Builder::new()
            .name(name.into())
            .spawn(move || while !seen.load(Ordering::Acquire) && step() == Next::Continue {})?;
        Ok(Ticker { stopping, thread: Some(thread), process: std::process::id() })
    }

    /// Has the thread end after the running step, without waiting for it: for a step that may never return.
    pub fn abandon(mut self) {
        self.thread = None;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
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
    fn repeats_until_dropped() {
        let (said, heard) = mpsc::sync_channel(0);
        let ticker = Ticker::spawn("test", move || if said.send(()).is_ok() { Next::Continue } else { Next::Stop });
        let ticker = ticker.unwrap();
        heard.recv().unwrap();
        heard.recv().unwrap();
        drop(heard);
        drop(ticker);
    }
}
