//! A fixed number of calls at once.

use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};

use crate::bias::Bias;
use crate::counters::Counters;
use crate::error::{CallError, InvalidSetting, Rejected};
use crate::mutant::{Mutant::LaneStored, Mutant::PlaceStored, exchange};
use crate::primitive::{Apart, AtomicU64};
use crate::scope::Scope;

/// A place in a bulkhead; it must be given back.
#[derive(Debug)]
#[must_use = "the place must be given back with `Bulkhead::leave`"]
pub struct Place {
    /// The lane's word, or [`COUNTED`].
    lane: u64,
}

impl Place {
    /// One word, for a language that cannot hold a Rust value.
    pub fn into_raw(self) -> u64 {
        self.lane
    }

    /// The place of [`Place::into_raw`]. One given back twice frees a place at most where somebody else is in a counted one.
    pub fn from_raw(lane: u64) -> Place {
        Place { lane }
    }
}

/// Even: no lane's word while it is taken.
const COUNTED: u64 = 0;

/// Admits at most so many calls at once.
///
/// One of the places is the *lane*, which whoever finds it free takes by an exchange, or while one thread alone has come, by a store
/// (`bias.rs`), and gives back by a store; a second read-modify-write instruction would double what an uncontended call costs. The other
/// places are counted in one word, by exchange. A call is refused when the lane is taken, then all others are, and then the lane still is; a
/// place that is given back during these looks may go unseen.
#[derive(Debug)]
pub struct Bulkhead {
    lane: Apart<Lane>,
    /// Places taken besides the lane.
    counted: Apart<AtomicU64>,
    /// Places, the lane included.
    limit: Plain,
    scope: Scope,
}

#[derive(Debug)]
struct Lane {
    /// Odd while taken; each change adds one, so that a place is not given back twice.
    word: AtomicU64,
    /// Of the changes from even to odd. Back to even it is changed by whoever has the place, and by nobody else meanwhile.
    bias: Bias,
}

impl Bulkhead {
    /// A bulkhead of `limit` places, at least one.
    ///
    /// # Errors
    /// [`InvalidSetting`] when the limit is 0.
    pub fn new(limit: u32, scope: &Scope) -> Result<Bulkhead, InvalidSetting> {
        check(limit)?;
        Ok(Bulkhead {
            lane: Apart(Lane { word: AtomicU64::new(0), bias: Bias::new() }),
            counted: Apart(AtomicU64::new(0)),
            limit: Plain::new(u64::from(limit)),
            scope: scope.clone(),
        })
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

    /// Places, whether taken or not.
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed) as u32
    }

    /// Places taken at present.
    pub fn taken(&self) -> u32 {
        (self.lane.0.word.load(Relaxed) % 2 + self.counted.0.load(Relaxed)) as u32
    }

    /// Takes a place, without waiting.
    ///
    /// # Errors
    /// [`Rejected::Full`].
    #[inline]
    pub fn try_enter(&self) -> Result<Place, Rejected> {
        let Lane { word, bias } = &self.lane.0;
        match bias.try_update(word, LaneStored, taken) {
            Some(lane) => Ok(Place { lane: lane + 1 }),
            None => self.try_enter_slowly(),
        }
    }

    #[inline(never)]
    fn try_enter_slowly(&self) -> Result<Place, Rejected> {
        let Lane { word, bias } = &self.lane.0;
        let try_lane = || bias.update(word, LaneStored, taken).ok().map(|lane| Place { lane: lane + 1 });
        if let Some(place) = try_lane() {
            return Ok(place);
        }
        let limit = self.limit.load(Relaxed);
        let mut counted = self.counted.0.load(Relaxed);
        while counted + 1 < limit {
            match exchange(&self.counted.0, counted, counted + 1, Relaxed, PlaceStored) {
                Ok(_) => return Ok(Place { lane: COUNTED }),
                Err(now) => counted = now,
            }
        }
        try_lane().ok_or_else(|| {
            Counters::count(&self.scope.counters().bulkhead_rejected);
            Rejected::Full { limit: limit as u32 }
        })
    }

    /// Gives a place back.
    #[inline]
    pub fn leave(&self, place: Place) {
        if place.lane != COUNTED {
            if self.lane.0.word.load(Relaxed) == place.lane && !place.lane.is_multiple_of(2) {
                self.lane.0.word.store(place.lane + 1, Relaxed);
            }
            return;
        }
        // Only a place that was given back twice finds nothing to take off.
        let _ = self.counted.0.fetch_update(Relaxed, Relaxed, |counted| counted.checked_sub(1));
    }

    /// Calls `work` in a place of its own; a panic gives it back and goes on.
    ///
    /// # Errors
    /// [`CallError`]: refused, or failed.
    #[inline]
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        /// Gives the place back, also when the call panics.
        struct In<'a>(&'a Bulkhead, u64);
        impl Drop for In<'_> {
            fn drop(&mut self) {
                self.0.leave(Place::from_raw(self.1));
            }
        }
        let _in = In(self, self.try_enter()?.into_raw());
        work().map_err(CallError::Failed)
    }
}

/// What taking the lane makes of its word, if it is free.
fn taken(lane: u64) -> Option<u64> {
    lane.is_multiple_of(2).then_some(lane + 1)
}

fn check(limit: u32) -> Result<(), InvalidSetting> {
    InvalidSetting::unless(limit > 0, "limit", limit, "at least 1")
}
