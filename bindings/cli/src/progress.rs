//! A line on the terminal while something takes long.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);

/// Shows what is being done and for how long, on standard error, until it is dropped. Nothing where that is no terminal.
pub struct Progress {
    working: Option<(Sender<()>, JoinHandle<()>)>,
    /// How far it is.
    at: Arc<Mutex<String>>,
}

impl Progress {
    /// Begins, with what is being done: `promoting limits.json`.
    pub fn begin(what: String) -> Progress {
        let at = Arc::<Mutex<String>>::default();
        if !io::stderr().is_terminal() {
            return Progress { working: None, at };
        }
        let (sender, ended) = channel::<()>();
        let shown_at = at.clone();
        let thread = std::thread::spawn(move || {
            let begun = Instant::now();
            let mut shown = false;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) {
                shown = true;
                let at = shown_at.lock().unwrap_or_else(PoisonError::into_inner).clone();
                _ = write!(io::stderr(), "\r\x1b[K{what} … {at} {} s", begun.elapsed().as_secs());
            }
            if shown {
                _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        Progress { working: Some((sender, thread)), at }
    }

    /// Says how far it is: `120 of 1204 receipts`.
    pub fn at(&mut self, at: String) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.working.take() {
            drop(sender);
            _ = thread.join();
        }
    }
}
