//! The ledger: appends receipts to the log, and proves what is in it.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use knhk_store::{Batch, Checkpoint as StoredCheckpoint, LogNode, Pending, Receipt, Store, Write};

use crate::counters::{APPENDED, LOST};
use crate::merkle::{Frontier, consistency_path, inclusion_path, subtree};
use crate::open::{StoreNodes, load};
use crate::rotate::stored_key;
use crate::{
    Checkpoint, Claims, ConsistencyReceipt, Evidence, Hash, InclusionReceipt, KeyRing, LedgerError, Outcome, Signer,
    Statement, TrustRoot, leaf_hash,
};

/// Receipts between two checkpoints that are signed by themselves.
const CHECKPOINT_EVERY: u64 = 256;
/// Receipts read at once; the more signatures are verified together, the less each costs.
pub(crate) const PAGE: usize = 4096;

/// What a receipt is to state.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The sector that it is about; none: the engine.
    pub sector: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened.
    pub evidence: Evidence,
    /// Ids of receipts of other sectors that belong to the same operation.
    pub links: Vec<String>,
}

/// A receipt that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the log.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// The statement.
    pub statement: Vec<u8>,
}

/// The log of an engine. Any thread may call; receipts are signed one after another, and flushed together where several wait.
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    state: Mutex<State>,
}

/// The log's end, with what is on its way to the store.
pub(crate) struct State {
    pub(crate) keys: KeyRing,
    pub(crate) signer: Option<Signer>,
    pub(crate) frontier: Frontier,
    /// The last statement's leaf.
    pub(crate) previous: Hash,
    /// Something on its way did not arrive: the end is to be read from the store again.
    pub(crate) stale: bool,
}

/// Receipts on their way to the store.
pub struct PendingReceipts {
    pub(crate) receipts: Vec<Appended>,
    pub(crate) pending: Pending,
    shared: Arc<Shared>,
}

impl PendingReceipts {
    /// Waits until the receipts, and what was committed with them, are durable.
    ///
    /// # Errors
    /// When they could not be stored; nothing of it is there then.
    pub fn wait(self) -> Result<Vec<Appended>, LedgerError> {
        let count = self.receipts.len() as u64;
        match self.pending.wait() {
            Ok(()) => {
                APPENDED.add(count);
                Ok(self.receipts)
            }
            Err(error) => {
                LOST.add(count);
                self.shared.lock()?.stale = true;
                Err(error.into())
            }
        }
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
        self.state.lock().map_err(|_| LedgerError::Poisoned)
    }
}

impl Ledger {
    /// Begins a log in an empty store: its first receipt names the first key.
    ///
    /// # Errors
    /// When a log is there, the origin is no name, or it cannot be signed or stored.
    pub fn create(
        store: Arc<dyn Store>,
        origin: &str,
        signer: Signer,
        time_ns: u64,
    ) -> Result<(Ledger, TrustRoot), LedgerError> {
        let root = TrustRoot::new(origin, signer.public())?;
        if store.log_size()? > 0 {
            return Err(LedgerError::State { why: "the store has a log already; open it with its trust root".into() });
        }
        let state = State {
            keys: KeyRing::new(root.clone()),
            signer: Some(signer),
            frontier: Frontier::default(),
            previous: [0; 32],
            stale: false,
        };
        let ledger = Ledger { shared: Arc::new(Shared { store, state: Mutex::new(state) }) };
        let evidence = Evidence::LedgerCreated { key: root.key().to_bytes() };
        let entry = Entry { time_ns, sector: None, outcome: Outcome::Approved, evidence, links: Vec::new() };
        let first = stored_key(0, root.key(), 0, time_ns);
        let mut state = ledger.shared.lock()?;
        let signer = state.signer.clone();
        let with = |_: &[Appended]| Batch::new().with(Write::PublicKey(first));
        let pending = ledger.submit_locked(&mut state, vec![entry], with, signer.as_ref())?;
        drop(state);
        pending.wait()?;
        Ok((ledger, root))
    }

    /// Opens a log. Checked are: that it begins at the trust root, every rotation of keys, the newest checkpoint and the log's root under
    /// it, each receipt after it, and `known`, a checkpoint that the caller holds. [`verify`](crate::verify()) checks everything.
    ///
    /// Without a signer nothing can be appended.
    ///
    /// # Errors
    /// When the log was tampered with, or the signer is not the log's.
    pub fn open(
        store: Arc<dyn Store>,
        root: &TrustRoot,
        signer: Option<Signer>,
        known: Option<&str>,
    ) -> Result<Ledger, LedgerError> {
        let (keys, frontier, previous) = load(&*store, root, known)?;
        if let Some(signer) = &signer
            && signer.public() != keys.newest()
        {
            let why = "the signing key is not the one that the log's newest rotation names; load that one".into();
            return Err(LedgerError::State { why });
        }
        let state = State { keys, signer, frontier, previous, stale: false };
        Ok(Ledger { shared: Arc::new(Shared { store, state: Mutex::new(state) }) })
    }

    /// The store that holds the log.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// The log's keys.
    ///
    /// # Errors
    /// After a panic under the ledger's lock.
    pub fn keys(&self) -> Result<KeyRing, LedgerError> {
        Ok(self.shared.lock()?.keys.clone())
    }

    /// Appends receipts and waits until they are durable.
    ///
    /// # Errors
    /// When they cannot be signed or stored; nothing changed then.
    pub fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, LedgerError> {
        self.append_with(entries, |_| Batch::new())
    }

    /// Appends receipts together with other changes of the store, all or nothing, and waits until they are durable. `with` is told the
    /// receipts' places.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_with(
        &self,
        entries: Vec<Entry>,
        with: impl FnOnce(&[Appended]) -> Batch,
    ) -> Result<Vec<Appended>, LedgerError> {
        self.submit(entries, with)?.wait()
    }

    /// [`Ledger::append_with`] where those of `linked` belong to one operation: each names the receipts of the others.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_linked(
        &self,
        mut entries: Vec<Entry>,
        linked: Range<usize>,
        with: impl FnOnce(&[Appended]) -> Batch,
    ) -> Result<Vec<Appended>, LedgerError> {
        let pending = {
            let mut state = self.shared.lock()?;
            self.refresh(&mut state)?;
            // Under the lock their places in the log are known.
            let (first, linked) = (state.frontier.size(), linked.start..linked.end.min(entries.len()));
            let name = |at: usize| Receipt::name(entries[at].time_ns, entries[at].sector.as_deref(), first + at as u64);
            let names: Vec<String> = linked.clone().map(name).collect();
            for (own, entry) in entries[linked].iter_mut().enumerate() {
                let others = names.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, name)| name.clone());
                entry.links.extend(others);
            }
            self.submit_locked(&mut state, entries, with, None)?
        };
        pending.wait()
    }

    /// [`Ledger::append_with`] without waiting. Receipts behind ones that could not be stored are refused as well.
    ///
    /// # Errors
    /// When they cannot be signed or handed in.
    pub fn submit(
        &self,
        entries: Vec<Entry>,
        with: impl FnOnce(&[Appended]) -> Batch,
    ) -> Result<PendingReceipts, LedgerError> {
        let mut state = self.shared.lock()?;
        self.refresh(&mut state)?;
        self.submit_locked(&mut state, entries, with, None)
    }

    /// Hands in receipts. With them goes a checkpoint that `checkpoint_by` signs; none: the log's key does, where one is due.
    pub(crate) fn submit_locked(
        &self,
        state: &mut State,
        entries: Vec<Entry>,
        with: impl FnOnce(&[Appended]) -> Batch,
        checkpoint_by: Option<&Signer>,
    ) -> Result<PendingReceipts, LedgerError> {
        let signer = state.signer.clone().ok_or(LedgerError::ReadOnly)?;
        // Signed aside, so that a signer that fails changes nothing.
        let mut frontier = state.frontier.clone();
        let mut previous = state.previous;
        let mut batch = Batch::new();
        let mut receipts = Vec::with_capacity(entries.len());
        let mut last_ns = 0;
        for entry in entries {
            let Entry { time_ns, sector, outcome, evidence, links } = entry;
            let (log, number) = (state.keys.root().origin().to_owned(), frontier.size());
            let claims = Claims { log, number, previous, time_ns, sector, outcome, evidence, links };
            let statement = Statement::sign(&claims, &signer)?;
            let leaf = leaf_hash(&statement);
            previous = leaf;
            frontier.push(leaf, |done| {
                batch.push(Write::LogNode(LogNode { level: done.level, position: done.position, hash: done.hash }));
            });
            last_ns = time_ns;
            batch.push(Write::Receipt(row(&claims, &statement, leaf)));
            receipts.push(Appended { number, id: claims.id(), statement });
        }
        let due = frontier.size() / CHECKPOINT_EVERY > state.frontier.size() / CHECKPOINT_EVERY;
        if let Some(by) = checkpoint_by.or(due.then_some(&signer)) {
            batch.push(Write::Checkpoint(sign_checkpoint(state.keys.root(), &frontier, by, last_ns)?.1));
        }
        batch.extend(with(&receipts));
        let pending = self.shared.store.submit(batch)?;
        state.frontier = frontier;
        state.previous = previous;
        Ok(PendingReceipts { receipts, pending, shared: self.shared.clone() })
    }

    /// Reads the log's end again after something did not arrive.
    pub(crate) fn refresh(&self, state: &mut State) -> Result<(), LedgerError> {
        if !state.stale {
            return Ok(());
        }
        // Behind everything that is on its way; under the lock nothing more is handed in.
        self.shared.store.commit(Batch::new())?;
        let (keys, frontier, previous) = load(&*self.shared.store, &state.keys.root().clone(), None)?;
        (state.keys, state.frontier, state.previous) = (keys, frontier, previous);
        state.stale = false;
        Ok(())
    }

    /// Signs the log's state and keeps it in the store; gives the note, for the caller to hold elsewhere.
    ///
    /// # Errors
    /// When it cannot be signed or stored.
    pub fn checkpoint(&self, time_ns: u64) -> Result<String, LedgerError> {
        let mut state = self.shared.lock()?;
        self.refresh(&mut state)?;
        let signer = state.signer.as_ref().ok_or(LedgerError::ReadOnly)?;
        let (note, stored) = sign_checkpoint(state.keys.root(), &state.frontier, signer, time_ns)?;
        // Behind the receipts that it covers, under the lock: it is refused if they were.
        self.shared.store.commit(Batch::new().with(Write::Checkpoint(stored)))?;
        Ok(note)
    }

    /// A COSE receipt (RFC 9942): this receipt's statement is in the log as it is now.
    ///
    /// # Errors
    /// When there is no such receipt, or it cannot be signed.
    pub fn prove_inclusion(&self, number: u64) -> Result<Vec<u8>, LedgerError> {
        let state = self.shared.lock()?;
        let signer = state.signer.as_ref().ok_or(LedgerError::ReadOnly)?;
        let store = StoreNodes(&*self.shared.store);
        // What is durable; the key that signs now took over at that size or before, as rotations are waited for.
        let size = self.shared.store.log_size()?;
        if number >= size {
            return Err(LedgerError::State { why: format!("receipt {number} is not one of the log's {size}") });
        }
        let path = inclusion_path(&store, number, size)?;
        let root = subtree(&store, 0..size)?;
        InclusionReceipt::sign(state.keys.root().origin(), signer, &root, (size, number), &path)
    }

    /// A COSE receipt (RFC 9942): the log as it is now begins with its first `earlier` receipts as they were.
    ///
    /// # Errors
    /// When the log never had that size, or it cannot be signed.
    pub fn prove_consistency(&self, earlier: u64) -> Result<Vec<u8>, LedgerError> {
        let state = self.shared.lock()?;
        let signer = state.signer.as_ref().ok_or(LedgerError::ReadOnly)?;
        let store = StoreNodes(&*self.shared.store);
        // What is durable; the key that signs now took over at that size or before, as rotations are waited for.
        let size = self.shared.store.log_size()?;
        if earlier == 0 || earlier > size {
            return Err(LedgerError::State { why: format!("the log has {size} receipts and never had {earlier}") });
        }
        let path = consistency_path(&store, earlier, size)?;
        let root = subtree(&store, 0..size)?;
        ConsistencyReceipt::sign(state.keys.root().origin(), signer, &root, (earlier, size), &path)
    }
}

fn sign_checkpoint(
    root: &TrustRoot,
    frontier: &Frontier,
    signer: &Signer,
    time_ns: u64,
) -> Result<(String, StoredCheckpoint), LedgerError> {
    let (size, hash) = (frontier.size(), frontier.root());
    let note = Checkpoint::sign(root.origin(), size, &hash, signer)?;
    Ok((note.clone(), StoredCheckpoint { size, root: hash, time_ns, note }))
}

/// A receipt as it is stored.
fn row(claims: &Claims, statement: &[u8], leaf: Hash) -> Receipt {
    Receipt {
        number: claims.number,
        id: claims.id(),
        time_ns: claims.time_ns,
        sector: claims.sector.clone(),
        kind: claims.evidence.kind().into(),
        outcome: claims.outcome.as_str().into(),
        statement: statement.into(),
        leaf,
    }
}
