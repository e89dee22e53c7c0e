//! Whose turn it is: the lock under which governance decides, what it counts, and the thread that looks after what is due.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use knhk_warm::{Next, Ticker};

use super::book::PROPOSAL;
use super::life::Filed;
use super::{State, candidate};
use crate::engine::Inner;
use crate::{Engine, Error, Level, Status};

/// How long the thread waits at most: the clock that decisions are dated by may be set meanwhile.
const LONGEST: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Governance {
    /// Held while something is decided. No sector's lock is held when it is taken.
    turn: Mutex<()>,
    /// Grows with whatever a decision may rest on: rules, guards, approvers, relaxations, versions that were enacted.
    generation: AtomicU64,
    /// The last number given out, by kind of item.
    numbers: Mutex<HashMap<&'static str, u64>>,
    /// Whether the thread has something new to look at.
    news: Mutex<News>,
    woken: Condvar,
    ticker: Mutex<Option<Ticker>>,
}

#[derive(Default)]
struct News {
    came: bool,
    closing: bool,
}

impl Governance {
    /// Waits for one's turn. What was decided half is not kept, so that a panic leaves nothing behind.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Notes that what decisions rest on has changed. Under the lock.
    pub(super) fn moved(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn numbers(&self) -> MutexGuard<'_, HashMap<&'static str, u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the thread look at what is due now.
    pub(super) fn wake(&self) {
        self.news().came = true;
        self.woken.notify_all();
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.news().closing = true;
        self.woken.notify_all();
        drop(self.ticker.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Waits for news, for `until` at most; whether it goes on.
    fn wait(&self, until: Duration) -> Next {
        let quiet = |news: &mut News| !news.came && !news.closing;
        let waited = self.woken.wait_timeout_while(self.news(), until, quiet);
        let mut news = waited.unwrap_or_else(PoisonError::into_inner).0;
        news.came = false;
        if news.closing { Next::Stop } else { Next::Continue }
    }
}
