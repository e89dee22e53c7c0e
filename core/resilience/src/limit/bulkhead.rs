//! A fixed number of calls at once.

use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};

use crate::counters::Counters;
use crate::error::{CallError, InvalidSetting, Rejected};
use crate::mutant::{Mutant::PlaceStored, exchange};
use crate::primitive::{Apart, AtomicU64};
use crate::scope::Scope;

/// A place in a bulkhead; it must be given back.
#[derive(Debug)]
#[must_use = "the place must be given back with `Bulkhead::leave`"]
pub struct Place(());

impl Place {
    /// The place that a foreign language was given and holds no value for.
    pub fn assume() -> Place {
        Place(())
    }
}

/// Admits at most so many calls at once. One word counts them, by exchange, so that a refused call never takes the place of another.
#[derive(Debug)]
pub struct Bulkhead {
    taken: Apart<AtomicU64>,
    limit: Plain,
    scope: Scope,
}

impl Bulkhead {
    /// A bulkhead of `limit` places, at least one.
    ///
    /// # Errors
    /// [`InvalidSetting`] when the limit is 0.
    pub fn new(limit: u32, scope: &Scope) -> Result<Bulkhead, InvalidSetting> {
        check(limit)?;
        Ok(Bulkhead { taken: Apart(AtomicU64::new(0)), limit: Plain::new(u64::from(limit)), scope: scope.clone() })
    }

    /// Changes the number of places. Calls that are in stay in.
    ///
    /// # Errors
    /// [`InvalidSetting`] when it is 0.
    pub fn retune(&self, limit: u32) -> Result<(), InvalidSetting> {
        check(limit)?;
        self.limit.store(u64::from(limit), Relaxed);
        Ok(())
    }

    /// Places taken at present.
    pub fn taken(&self) -> u32 {
        self.taken.0.load(Relaxed) as u32
    }

    /// Takes a place, without waiting.
    ///
    /// # Errors
    /// [`Rejected::Full`].
    #[inline]
    pub fn try_enter(&self) -> Result<Place, Rejected> {
        let limit = self.limit.load(Relaxed);
        let mut taken = self.taken.0.load(Relaxed);
        while taken < limit {
            match exchange(&self.taken.0, taken, taken + 1, Relaxed, PlaceStored) {
                Ok(_) => return Ok(Place(())),
                Err(now) => taken = now,
            }
        }
        self.refuse(limit)
    }

    #[cold]
    fn refuse(&self, limit: u64) -> Result<Place, Rejected> {
        Counters::count(&self.scope.counters().bulkhead_rejected);
        Err(Rejected::Full { limit: limit as u32 })
    }

    /// Gives a place back. One that was never taken ([`Place::assume`]) changes nothing when nobody is in.
    #[inline]
    pub fn leave(&self, _place: Place) {
        let before = self.taken.0.fetch_sub(1, Relaxed);
        if before == 0 {
            self.taken.0.fetch_add(1, Relaxed);
        }
    }

    /// Calls `work` in a place of its own; a panic gives it back and goes on.
    ///
    /// # Errors
    /// [`CallError`]: refused, or failed.
    #[inline]
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        /// Gives the place back, also when the call panics.
        struct In<'a>(&'a Bulkhead);
        impl Drop for In<'_> {
            fn drop(&mut self) {
                self.0.leave(Place(()));
            }
        }
        let _place = self.try_enter()?;
        let _in = In(self);
        work().map_err(CallError::Failed)
    }
}

fn check(limit: u32) -> Result<(), InvalidSetting> {
    InvalidSetting::unless(limit > 0, "limit", limit, "at least 1")
}
