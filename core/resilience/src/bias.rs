//! Updates without a read-modify-write instruction, for as long as one thread alone makes them.
//!
//! A [`Bias`] belongs to the first thread that enters it. That thread's updates of whatever the bias guards are loads and stores between two
//! stores to `inside`. The first other thread that comes takes the bias away for good, and from then on everybody updates by exchange.
//! Most limiters of most programs are used by one thread (an event loop, one worker a limiter), and an exchange is most of what they cost.
//!
//! # The owner
//!
//! ```text
//! o1  owner == my number ?        relaxed      else slowly
//! o2  inside == 0 ?               relaxed      else a signal handler interrupts its own thread: refused
//! o3  inside = 1                  relaxed
//! o4  light barrier               compiler only; the fence is the revoker's
//! o5  owner == my number ?        relaxed      else inside = 0, and slowly
//! o6  loads and stores            relaxed
//! o7  inside = 0                  release
//! ```
//!
//! # Whoever else comes
//!
//! ```text
//! r1  owner = its number, revoked relaxed      exchange, unless another thread's is found
//! r2  heavy barrier
//! r3  until inside == 0           acquire
//! r4  owner = SHARED              release
//! s1  owner == SHARED ?           acquire      then exchanges
//! ```
//!
//! # Why no update is lost
//!
//! *No section is entered behind a revocation.* The heavy barrier has the owner's program pass a full fence at some place. Where that is
//! before o5, the owner sees the revocation there and enters no section. Where it is behind o5, the store of o3 is before it, so r3 sees
//! it, and waits for o7. What o6 loads may be loaded earlier than o5 by the processor: the owner alone stores there until somebody has
//! got past r3.
//!
//! *Exchanges come after sections.* Each section's stores happen before r3 sees its o7, or that of a later one (release, acquire), and
//! r3 before s1 of every thread (release, acquire). So each exchange is of a value at least as new as the last section's.
//!
//! *Several threads revoke together.* Each of them fences and waits for itself, so none depends on one that the system has put to sleep; the
//! owner too, if it comes: its own `inside` is 0 then. Who finds the revocation made fences behind it as its maker does, since a fence
//! of the owner that comes later still would have it see what the finder has seen (C++20, [atomics.order], 4). *A thread that claims*
//! does so by exchange, so there is one owner, and what it finds is what the maker of the bias left.
//!
//! *The owner has ended.* `inside` is 0. A thread that begins later may have its number, and then goes on in its place: all that the one did
//! comes before all that the other does. *The process was forked.* The child's thread has
//! another number, so nobody there owns what was owned in the parent, and whoever comes revokes. `inside` may say that the owner
//! was in a section, of which the child has some stores and not the others; what is guarded must be whole after each. Nobody waits
//! there for a thread of the parent ([`asymmetric::is_of_this_process`]). What a signal handler forks inside its own thread's section
//! goes on in the child with that section.
//!
//! *A signal handler* that interrupts its own thread's section is told so, and makes no update: what that section is about to store
//! would overwrite it. Between sections it is served like any other call.
//!
//! *The system refuses the barrier* that it granted when the bias was claimed (a filter on system calls that came later). Then the revoker
//! waits for a time instead, [`DRAIN`]: what must become visible is one store that the owner's processor has already executed, or one load
//! that it has executed early, and no processor holds back either for a thousandth of that (Morrison and Afek, "Temporally Bounding TSO
//! for Fence-Free Asymmetric Synchronization", ASPLOS 2015). Where there is no barrier from the beginning, nobody ever owns a bias.
//!
//! The loom model (`tests/loom.rs`) has a full fence for each half of the barrier, which is what the two together amount to, and finds a
//! fault in each ordering above.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use knhk_hot::asymmetric;

use crate::mutant::Mutant::{
    self, ClaimStored, InsideLate, InsideLoadRelaxed, InsideStoreRelaxed, OwnerUnawaited, OwnerUnfenced,
    RevokerUnfenced, SharedLoadRelaxed, SharedStoreRelaxed,
};
use crate::mutant::{exchange, mutated, unless};
use crate::primitive::AtomicU64;

/// Nobody has come yet. No thread's number.
const FREE: u64 = 1 << 62;
/// Beside the owner's number: it owns the bias no more, and may be in a section.
const REVOKED: u64 = 1 << 63;
/// Nobody owns it, for good.
const SHARED: u64 = u64::MAX;

/// See the module.
const DRAIN: Duration = Duration::from_millis(10);

/// Who updates what it guards without exchanges.
#[derive(Debug)]
pub(crate) struct Bias {
    owner: AtomicU64,
    /// 1 while the owner is in a section.
    inside: AtomicU64,
}

/// How a thread may update what a bias guards.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// By loads and stores until this is dropped, which is to be soon, and without calling anybody: others may be waiting.
    Alone(#[allow(dead_code, reason = "its end is what counts")] Section<'a>),
    /// By exchange.
    Shared,
    /// Not at all: a signal handler interrupted its own thread, which is in a section.
    Nested,
}

impl Turn<'_> {
    /// Replaces `old` by `new`: in any case while alone, else if it is still there.
    #[inline(always)]
    pub(crate) fn exchange(&self, word: &AtomicU64, old: u64, new: u64, mutant: Mutant) -> bool {
        match self {
            Turn::Alone(_) => {
                word.store(new, Relaxed);
                true
            }
            Turn::Shared => exchange(word, old, new, Relaxed, mutant).is_ok(),
            Turn::Nested => false,
        }
    }
}

/// The owner's, in which nobody else updates.
#[derive(Debug)]
pub(crate) struct Section<'a>(&'a AtomicU64);

impl Drop for Section<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.store(0, unless(InsideStoreRelaxed, Release));
    }
}

impl Bias {
    /// One that nobody owns yet. In the models of what it guards it is everybody's from the beginning: both together have more
    /// interleavings than can be tried.
    pub(crate) fn new() -> Bias {
        Bias { owner: AtomicU64::new(if cfg!(loom) { SHARED } else { FREE }), inside: AtomicU64::new(0) }
    }

    #[cfg(loom)]
    pub(crate) fn free() -> Bias {
        Bias { owner: AtomicU64::new(FREE), inside: AtomicU64::new(0) }
    }

    /// Has the calling thread's turn.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Turn<'_> {
        self.enter_quickly().unwrap_or_else(|| self.enter_slowly())
    }

    /// The turn of a thread that came before, or of one among many; None where [`Bias::enter`] has to find out.
    #[inline(always)]
    pub(crate) fn enter_quickly(&self) -> Option<Turn<'_>> {
        let owner = self.owner.load(unless(SharedLoadRelaxed, Acquire));
        if owner == SHARED {
            return Some(Turn::Shared);
        }
        let own = owner == asymmetric::thread_number() && self.inside.load(Relaxed) == 0;
        if own { self.section(owner).map(Turn::Alone) } else { None }
    }

    /// Replaces the value of a word that this guards by what `next` makes of it, if that can be done at once, and returns the one before;
    /// no instruction is spent on the other cases, which are left to [`Bias::update`].
    #[inline(always)]
    pub(crate) fn try_update(
        &self,
        word: &AtomicU64,
        mutant: Mutant,
        next: impl Fn(u64) -> Option<u64>,
    ) -> Option<u64> {
        let turn = self.enter_quickly()?;
        let value = word.load(Relaxed);
        turn.exchange(word, value, next(value)?, mutant).then_some(value)
    }

    /// Replaces the value of a word that this guards by what `next` makes of it; returns the one before.
    ///
    /// # Errors
    /// The value, for which `next` had none; or nothing, where there is no turn to be had.
    pub(crate) fn update(
        &self,
        word: &AtomicU64,
        mutant: Mutant,
        next: impl Fn(u64) -> Option<u64>,
    ) -> Result<u64, Option<u64>> {
        let turn = self.enter();
        if let Turn::Nested = turn {
            return Err(None);
        }
        loop {
            let value = word.load(Relaxed);
            if turn.exchange(word, value, next(value).ok_or(Some(value))?, mutant) {
                return Ok(value);
            }
        }
    }

    /// The section of the thread of that number, unless it is not the owner.
    #[inline(always)]
    fn section(&self, thread: u64) -> Option<Section<'_>> {
        if mutated(InsideLate) {
            let owns = self.owner.load(Relaxed) == thread;
            asymmetric::light();
            return owns.then(|| {
                self.inside.store(1, Relaxed);
                Section(&self.inside)
            });
        }
        self.inside.store(1, Relaxed);
        if !mutated(OwnerUnfenced) {
            asymmetric::light();
        }
        let section = Section(&self.inside);
        (self.owner.load(Relaxed) == thread).then_some(section)
    }

    #[cold]
    #[inline(never)]
    fn enter_slowly(&self) -> Turn<'_> {
        let thread = asymmetric::number_thread();
        let mut owner = self.owner.load(unless(SharedLoadRelaxed, Acquire));
        loop {
            let next = match owner {
                SHARED => return Turn::Shared,
                FREE if thread != 0 && asymmetric::is_available() => thread,
                FREE => SHARED,
                _ if owner & !REVOKED == thread && self.inside.load(Relaxed) != 0 => return Turn::Nested,
                _ if owner == thread => match self.section(thread) {
                    Some(section) => return Turn::Alone(section),
                    None => owner | REVOKED,
                },
                _ if owner & REVOKED == 0 => owner | REVOKED,
                _ => {
                    self.leave_to_all(owner & !REVOKED);
                    return Turn::Shared;
                }
            };
            if mutated(ClaimStored) && owner == FREE {
                self.owner.store(next, Relaxed);
                owner = next;
                continue;
            }
            owner = match self.owner.compare_exchange(owner, next, Relaxed, unless(SharedLoadRelaxed, Acquire)) {
                Ok(_) => next,
                Err(other) => other,
            };
        }
    }

    /// Waits until a thread that does not own it any more is out of its section, and lets everybody in.
    fn leave_to_all(&self, owner: u64) {
        if asymmetric::is_of_this_process(owner) {
            if !mutated(RevokerUnfenced) && !asymmetric::heavy() {
                std::thread::sleep(DRAIN);
            }
            let mut looks = 0_u32;
            while self.inside.load(unless(InsideLoadRelaxed, Acquire)) != 0 && !mutated(OwnerUnawaited) {
                looks = looks.saturating_add(1);
                pause(looks);
            }
        }
        self.owner.store(SHARED, unless(SharedStoreRelaxed, Release));
    }
}

/// Waits a little for a thread that is in a few instructions, or was put to sleep there: then by the system's clock, so that it gets the
/// processor from a waiter of a higher real-time priority too.
#[cfg(not(loom))]
fn pause(looks: u32) {
    match looks {
        0..100 => std::hint::spin_loop(),
        100..1000 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(50)),
    }
}

/// What comes after two looks in vain is tried in one order only: two threads that wait have as many as there are numbers.
#[cfg(loom)]
fn pause(looks: u32) {
    if looks > 1 {
        loom::skip_branch();
    }
    loom::thread::yield_now();
}
