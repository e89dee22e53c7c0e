//! Work that another thread may do meanwhile.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use crate::graph::{Delta, Terms, Triple};
use crate::merkle::{self, Hash, Map};

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
    own: SyncSender<Vec<Piece>>,
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

/// Where in the change some statements begin, and their leaves.
type Piece = (usize, Vec<Hash>);

/// Statements taken at once.
const FEW: usize = 64;

impl Hashing {
    pub(crate) fn begin(aside: &dyn Aside, before: &Map, terms: &Arc<Terms>, delta: &Arc<Delta>) -> Hashing {
        let gone = delta.removed().len();
        let skipped = if gone == before.len() { gone } else { 0 };
        let (before, terms, delta) = (before.clone(), terms.clone(), delta.clone());
        let shared = Arc::new(Shared { before, terms, delta, skipped, next: AtomicUsize::new(skipped) });
        let (own, others) = sync_channel::<Vec<Piece>>(1);
        let (done, made) = sync_channel(1);
        let helper = shared.clone();
        aside.submit(Box::new(move || {
            let mut pieces = helper.work();
            if pieces.is_empty() {
                return;
            }
            if let Some(others) = soon(&others) {
                pieces.extend(others);
                // Whoever waited may have given up, for a reason of its own.
                _ = done.send(helper.finish(pieces));
            }
        }));
        Hashing { shared, own, made }
    }

    /// Does what is left to take. Gives the map where nobody else took any.
    pub(crate) fn help(&self) -> Option<Map> {
        let pieces = self.shared.work();
        let mine: usize = pieces.iter().map(|(_, leaves)| leaves.len()).sum();
        if mine == self.shared.delta.len() - self.shared.skipped {
            return Some(self.shared.finish(pieces));
        }
        // It cannot be full: this is the only message. Where nobody listens any more, nobody answers.
        _ = self.own.send(pieces);
        None
    }

    /// Waits for the map; makes it anew where the other thread failed.
    pub(crate) fn finish(self) -> Map {
        soon(&self.made).unwrap_or_else(|| self.shared.before.apply(&self.shared.terms, &self.shared.delta))
    }
}

/// What comes within microseconds, as a rule: to sleep and be woken would cost as much as all of the work.
fn soon<T>(from: &Receiver<T>) -> Option<T> {
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
    fn work(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (removed, added) = (self.delta.removed(), self.delta.added());
        loop {
            let start = self.next.fetch_add(FEW, Relaxed);
            let end = (start + FEW).min(self.delta.len());
            if start >= end {
                return pieces;
            }
            let of = |triples: &[Triple], before: usize| {
                let at = |index: usize| index.saturating_sub(before).min(triples.len());
                merkle::leaves(&self.terms, &triples[at(start)..at(end)])
            };
            let mut leaves = of(removed, 0);
            leaves.extend(of(added, removed.len()));
            pieces.push((start, leaves));
        }
    }

    fn finish(&self, mut pieces: Vec<Piece>) -> Map {
        pieces.sort_unstable_by_key(|&(start, _)| start);
        let leaves: Vec<Hash> = pieces.into_iter().flat_map(|(_, leaves)| leaves).collect();
        if self.skipped > 0 || self.before.is_empty() {
            return Map::from_leaves(leaves);
        }
        let (removed, added) = leaves.split_at(self.delta.removed().len());
        self.before.apply_leaves(removed, added)
    }
}
