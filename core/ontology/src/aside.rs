//! Work that another thread may do meanwhile.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use crate::graph::{Delta, Terms};
use crate::merkle::{Hash, Hasher, Map};

/// Runs jobs on another thread, each soon; or refuses one, which its owner then does.
pub trait Aside: Sync {
    /// Takes a job, or drops it.
    fn submit(&self, job: Box<dyn FnOnce() + Send>);

    /// Frees something, some time.
    fn discard(&self, garbage: Box<dyn Any + Send>) {
        drop(garbage);
    }
}

/// Nobody else: each job is its owner's.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Aside for Alone {
    fn submit(&self, _: Box<dyn FnOnce() + Send>) {}
}

/// The Merkle map after a change of many statements, while two threads share the hashing: whoever is free takes the next few.
pub(crate) struct Hashing {
    shared: Arc<Shared>,
    own: SyncSender<Part>,
    made: Receiver<Map>,
}

struct Shared {
    before: Map,
    terms: Arc<Terms>,
    delta: Arc<Delta>,
    /// Statements that need not be hashed, since all of them go.
    skipped: usize,
    next: AtomicUsize,
}

/// What one thread hashed. Memory of its own, in few pieces: freeing what another thread allocated makes both wait for the allocator.
#[derive(Default)]
struct Part {
    /// Where in the change each few statements begin.
    starts: Vec<usize>,
    leaves: Vec<Hash>,
}

/// Statements taken at once.
const FEW: usize = 64;

impl Hashing {
    /// Begins, where the change is so large that it pays: to wake another thread, and to be interrupted on its behalf whenever memory is
    /// protected, costs as much as some thousand hashes.
    pub(crate) fn begin(
        aside: &dyn Aside,
        before: &Map,
        terms: &Arc<Terms>,
        delta: &Arc<Delta>,
        least: usize,
    ) -> Option<Hashing> {
        let gone = delta.removed().len();
        let skipped = if gone == before.len() { gone } else { 0 };
        if delta.len() - skipped < least {
            return None;
        }
        let (before, terms, delta) = (before.clone(), terms.clone(), delta.clone());
        let shared = Arc::new(Shared { before, terms, delta, skipped, next: AtomicUsize::new(skipped) });
        let (own, others) = sync_channel::<Part>(1);
        let (done, made) = sync_channel(1);
        let helper = shared.clone();
        aside.submit(Box::new(move || {
            let part = helper.work();
            if part.starts.is_empty() {
                return;
            }
            if let Some(other) = soon(&others) {
                // Whoever waited may have given up, for a reason of its own.
                _ = done.send(helper.finish(&[part, other]));
            }
        }));
        Some(Hashing { shared, own, made })
    }

    /// Does what is left to take. Gives the map where nobody else took any.
    pub(crate) fn help(&self) -> Option<Map> {
        let part = self.shared.work();
        if part.leaves.len() == self.shared.delta.len() - self.shared.skipped {
            return Some(self.shared.finish(&[part]));
        }
        // It cannot be full: this is the only message. Where nobody listens any more, nobody answers.
        _ = self.own.send(part);
        None
    }

    /// Waits for the map; makes it anew where the other thread failed.
    pub(crate) fn finish(self) -> Map {
        soon(&self.made).unwrap_or_else(|| self.shared.before.apply(&self.shared.terms, &self.shared.delta))
    }
}

/// What comes within microseconds, as a rule: to sleep and be woken would cost as much as all of the work.
pub(crate) fn soon<T>(from: &Receiver<T>) -> Option<T> {
    for _ in 0..SPINS {
        match from.try_recv() {
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            come => return come.ok(),
        }
    }
    from.recv().ok()
}

/// Looks before sleeping: about 100 microseconds.
const SPINS: usize = 4000;

impl Shared {
    /// Hashes a few statements after the other until all are taken.
    fn work(&self) -> Part {
        let mut part = Part::default();
        let mut hasher = Hasher::new(&self.terms);
        let (removed, added) = (self.delta.removed(), self.delta.added());
        loop {
            let start = self.next.fetch_add(FEW, Relaxed);
            let end = (start + FEW).min(self.delta.len());
            if start >= end {
                return part;
            }
            if part.starts.is_empty() {
                part.leaves.reserve(self.delta.len() - self.skipped);
            }
            part.starts.push(start);
            for (triples, before) in [(removed, 0), (added, removed.len())] {
                let at = |index: usize| index.saturating_sub(before).min(triples.len());
                hasher.push(&triples[at(start)..at(end)], &mut part.leaves);
            }
        }
    }

    fn finish(&self, parts: &[Part]) -> Map {
        let mut leaves = vec![[0; 32]; self.delta.len() - self.skipped];
        for part in parts {
            for (few, &start) in part.leaves.chunks(FEW).zip(&part.starts) {
                leaves[start - self.skipped..][..few.len()].copy_from_slice(few);
            }
        }
        if self.skipped > 0 || self.before.is_empty() {
            return Map::from_leaves(leaves);
        }
        let (removed, added) = leaves.split_at(self.delta.removed().len());
        self.before.apply_leaves(removed, added)
    }
}
