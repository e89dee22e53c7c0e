//! A sector: a name, a key table, declared defaults, and the retained versions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use knhk_hot::{Change, Hot};
use knhk_ontology::{Alone, Aside, Core, Document, KeyTable, Limits, Snapshot, Text, compile};

use crate::locked::{Lock, Locked, Poisoned};
use crate::{Content, Journal, Preparing, Promotion, PromotionError, Version};

/// How changes of a sector are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectorKind {
    /// Schema, ranges and compatibility are checked; for values whose source is already trusted.
    Direct,
    /// A change passes all seven stages first, and is promoted with the receipt that says so alone. Going back is allowed: what it goes back to
    /// has passed.
    Governed,
}

impl SectorKind {
    /// The kind's name in files and interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            SectorKind::Direct => "direct",
            SectorKind::Governed => "governed",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<SectorKind> {
        [SectorKind::Direct, SectorKind::Governed].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A namespace with its own knowledge and its own promotion history.
pub struct Sector {
    name: String,
    number: usize,
    kind: SectorKind,
    empty: Arc<Snapshot>,
    aside: Arc<dyn Aside + Send>,
    state: Lock,
}

impl std::fmt::Debug for Sector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sector").field("name", &self.name).field("number", &self.number).finish_non_exhaustive()
    }
}

/// What the sector's lock guards.
pub struct State {
    /// The slots that the sector's names have, for the engine's life.
    pub keys: KeyTable,
    /// What the first promotion starts from.
    start: Arc<Snapshot>,
    /// Values that hold before the first promotion.
    pub declared: Option<Arc<Document>>,
    /// Retained versions, oldest first; the last one is current.
    pub versions: VecDeque<Arc<Version>>,
    pub(crate) next: u64,
    /// The JSON text that the current version, or an earlier one, came from.
    pub(crate) text: Option<Arc<LastText>>,
    /// Verifications so far, which tells their tokens apart.
    pub(crate) verifications: u64,
    depth: usize,
}

/// A JSON text that was promoted.
pub(crate) struct LastText {
    pub version: u64,
    pub text: Text,
}

impl State {
    /// The current version.
    pub fn current(&self) -> Option<&Arc<Version>> {
        self.versions.back()
    }

    /// What the next change starts from: the current version's knowledge, or the core's.
    pub fn base(&self) -> &Arc<Snapshot> {
        self.current().map_or(&self.start, |current| &current.snapshot)
    }

    /// Moves what is current into an interner of its own, where the one it has holds much that only refused changes said.
    fn tidy(&mut self) {
        let Some(snapshot) = self.base().compacted().map(Arc::new) else { return };
        let Some(current) = self.versions.back_mut() else {
            self.start = snapshot;
            return;
        };
        if let Some(compiled) = current.compiled.moved(&current.snapshot, &snapshot) {
            let compiled = Arc::new(compiled);
            *current = Arc::new(Version { snapshot, compiled, ..(**current).clone() });
        }
    }

    /// The retained version with this number.
    pub fn version(&self, number: u64) -> Option<&Arc<Version>> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The document that reads see now: the current version's, else the declared one.
    pub fn document(&self) -> Option<&Document> {
        self.current().map(|version| version.document()).or(self.declared.as_deref())
    }

    /// The number that the next version will have.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Takes up a version that became current; returns the one that fell out of the history.
    pub(crate) fn push(&mut self, version: Arc<Version>) -> Option<Arc<Version>> {
        self.next = version.number + 1;
        self.versions.push_back(version);
        if self.versions.len() > self.depth { self.versions.pop_front() } else { None }
    }

    /// That no version with this number is retained, and which ones are.
    pub fn unknown(&self, sector: &str, version: u64) -> PromotionError {
        PromotionError::UnknownVersion { sector: sector.into(), version, retained: self.retained() }
    }

    fn retained(&self) -> String {
        match (self.versions.front(), self.versions.back()) {
            (Some(first), Some(last)) if first.number == last.number => format!("only {}", last.number),
            (Some(first), Some(last)) => format!("{} to {}", first.number, last.number),
            _ => "none yet".into(),
        }
    }
}

impl Sector {
    /// A sector without versions, over the shipped core. `number` is its descriptor's place, `depth` how many versions are retained (at
    /// least 1).
    pub fn new(name: &str, number: usize, kind: SectorKind, keys: KeyTable, depth: usize) -> Sector {
        let empty = Snapshot::empty(name, &Core::shipped(), &Limits::default());
        Sector::over(Arc::new(empty), number, kind, keys, depth)
    }

    /// [`Sector::new`] of the sector that `empty` is the snapshot of before anything was promoted.
    pub fn over(empty: Arc<Snapshot>, number: usize, kind: SectorKind, keys: KeyTable, depth: usize) -> Sector {
        let state = State {
            keys,
            start: empty.clone(),
            declared: None,
            versions: VecDeque::new(),
            next: 1,
            text: None,
            verifications: 0,
            depth: depth.max(1),
        };
        Sector {
            name: empty.namespace().sector().into(),
            number,
            kind,
            empty,
            aside: Arc::new(Alone),
            state: Lock::new(state),
        }
    }

    /// With another thread for what can be done aside.
    pub fn with_aside(self, aside: Arc<dyn Aside + Send>) -> Sector {
        Sector { aside, ..self }
    }

    pub(crate) fn aside(&self) -> &dyn Aside {
        &*self.aside
    }

    /// The sector's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place of its descriptor in every root.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What is known while nothing was promoted: the core.
    pub fn empty(&self) -> &Arc<Snapshot> {
        &self.empty
    }

    /// How its changes are admitted.
    pub fn kind(&self) -> SectorKind {
        self.kind
    }

    /// Locks the sector's state; promotions wait meanwhile, readers never do.
    ///
    /// # Errors
    /// [`PromotionError::Poisoned`] after a panic under the lock.
    pub fn lock(&self) -> Result<Locked<'_>, PromotionError> {
        self.state.lock().map_err(|Poisoned| PromotionError::Poisoned { sector: self.name.clone() })
    }

    /// [`Sector::lock`] where it is free within a time; else none.
    ///
    /// # Errors
    /// As [`Sector::lock`].
    pub fn lock_within(&self, limit: Duration) -> Result<Option<Locked<'_>>, PromotionError> {
        self.state.lock_within(limit).map_err(|Poisoned| PromotionError::Poisoned { sector: self.name.clone() })
    }

    /// [`Sector::lock`] where nothing else holds it; none while a promotion does.
    pub fn try_lock(&self) -> Option<Locked<'_>> {
        self.lock_within(Duration::ZERO).ok().flatten()
    }

    /// Forgets the names that refused changes, or mere questions about a change, left behind, where they are many. A refused promotion does
    /// so by itself.
    ///
    /// # Errors
    /// As [`Sector::lock`].
    pub fn tidy(&self) -> Result<(), PromotionError> {
        self.lock()?.tidy();
        Ok(())
    }

    /// Begins a promotion. Nothing is locked until it is verified.
    pub fn prepare<'s>(
        &'s self,
        hot: &'s Hot,
        journal: &'s dyn Journal,
        content: impl Into<Content>,
    ) -> Promotion<'s, Preparing> {
        Promotion::new(self, hot, journal, content.into())
    }

    /// Publishes `document`'s values as what reads see until the first promotion; afterwards it is only recorded.
    ///
    /// # Errors
    /// When the document does not compile, or cannot be written or published; nothing changes then.
    pub fn declare(&self, hot: &Hot, journal: &dyn Journal, document: Document) -> Result<(), PromotionError> {
        let mut state = self.lock()?;
        let artifact = compile(&document, &mut state.keys, true)?;
        let failed = |source| PromotionError::Journal { sector: self.name.clone(), version: 0, source };
        journal.declared(&self.name, &document, &state.keys).map_err(failed)?;
        if state.current().is_none() {
            let change =
                Change { sector: self.number, artifact: Arc::new(artifact), snapshot_id: [0; 32], ready: false };
            hot.publish(&[change])?;
        }
        let keys = state.keys.len();
        state.keys.promote(0..keys);
        state.declared = Some(Arc::new(document));
        Ok(())
    }

    /// Takes up stored versions and makes the newest current again without journalling it: how an engine opens a folder. The next
    /// version's number will be `next`.
    ///
    /// # Errors
    /// When it cannot be published.
    pub fn recover(&self, hot: &Hot, retained: Vec<Version>, next: u64) -> Result<(), PromotionError> {
        let mut state = self.lock()?;
        for version in retained {
            state.keys.promote(version.artifact().named());
            state.push(Arc::new(version));
        }
        state.next = next;
        let Some(current) = state.current().cloned() else { return Ok(()) };
        let change = Change {
            sector: self.number,
            artifact: current.artifact().clone(),
            snapshot_id: current.snapshot_id,
            ready: true,
        };
        hot.publish(&[change])?;
        Ok(())
    }
}
