//! A sector's lock: it can be waited for with a limit, and after a panic under it nobody gets it any more.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::State;

/// What a sector's lock guards, locked; promotions of the sector wait meanwhile, readers never do.
pub struct Locked<'s> {
    // Dropped after the mark is set.
    state: MutexGuard<'s, State>,
    poisoned: &'s AtomicBool,
    /// A panic that was under way already is not about this.
    panicking: bool,
}

pub(crate) struct Lock {
    state: Mutex<State>,
    poisoned: AtomicBool,
}

/// A panic happened under the lock.
pub(crate) struct Poisoned;

impl Lock {
    pub fn new(state: State) -> Lock {
        Lock { state: Mutex::new(state), poisoned: AtomicBool::new(false) }
    }

    pub fn lock(&self) -> Result<Locked<'_>, Poisoned> {
        self.guard(self.state.lock())
    }

    /// None where it was not free in time.
    pub fn lock_within(&self, limit: Duration) -> Result<Option<Locked<'_>>, Poisoned> {
        self.state.try_lock_for(limit).map(|state| self.guard(state)).transpose()
    }

    fn guard<'s>(&'s self, state: MutexGuard<'s, State>) -> Result<Locked<'s>, Poisoned> {
        // Set under the lock, so the lock orders it.
        if self.poisoned.load(Relaxed) {
            return Err(Poisoned);
        }
        Ok(Locked { state, poisoned: &self.poisoned, panicking: std::thread::panicking() })
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if !self.panicking && std::thread::panicking() {
            self.poisoned.store(true, Relaxed);
        }
    }
}
