//! A descriptor that is readable while there may be something to receive, made when it is first asked for.
//!
//! It is the channel that writes and reads it, so that who polls has nothing to arm: a ring raises it, and a receiver that finds nothing lowers it
//! and looks again. A ring between the two is seen by that look. One that comes before the descriptor is read finds it raised, or writes too late
//! for the read: then it is readable for nothing, until the next receiver finds nothing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::SeqCst, fence};

use rustix::event::{EventfdFlags, eventfd};

#[derive(Debug, Default)]
pub(super) struct Descriptor {
    event: OnceLock<OwnedFd>,
    /// Whether it is readable or about to be, which spares the other rings their system call.
    raised: AtomicBool,
}

impl Descriptor {
    pub(super) fn get(&self) -> io::Result<BorrowedFd<'_>> {
        if self.event.get().is_none() {
            // Readable, since what it stands for may be there already. Of two that are made at once one is closed unseen.
            let made = eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            self.event.get_or_init(|| made);
        }
        Ok(self.event.get().expect("it was just made").as_fd())
    }

    /// Called after what it stands for has come, and a fence.
    pub(super) fn raise(&self) {
        if let Some(event) = self.event.get()
            && !self.raised.swap(true, AcqRel)
        {
            // A full counter means that it is readable already.
            _ = rustix::io::write(event, &1u64.to_ne_bytes());
        }
    }

    /// Attempts to have what it stands for: with nothing to be had it is lowered, and raised again where a second look finds something.
    pub(super) fn lowered<T>(&self, attempt: impl Fn() -> Option<T>) -> Option<T> {
        let had = attempt();
        let Some(event) = self.event.get().filter(|_| had.is_none()) else { return had };
        // Read before the flag is taken back: what is raised after that is not read away.
        _ = rustix::io::read(event, &mut [0; 8]);
        self.raised.swap(false, AcqRel);
        fence(SeqCst);
        let had = attempt();
        if had.is_some() {
            self.raise();
        }
        had
    }
}
