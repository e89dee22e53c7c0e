//! The ledger: appends receipts to the log, and proves what is in it.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use knhk_store::{
    Batch, Checkpoint as StoredCheckpoint, LogNode, Pending, PublicKey as StoredKey, Receipt, ReceiptQuery, Store,
    StoreError, Write,
};

use crate::cbor::{Field, encode, map};
use crate::counters::{APPENDED, LOST};
use crate::merkle::{Frontier, Nodes, consistency_path, inclusion_path, subtree};
use crate::statement::{self, Envelope};
use crate::verify::{Chain, check_checkpoint};
use crate::{
    Checkpoint, Claims, ConsistencyReceipt, Evidence, Hash, InclusionReceipt, KeyRing, LedgerError, Outcome, PublicKey,
    Signer, Statement, Tampering, TrustRoot, leaf_hash,
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
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    state: Mutex<State>,
}

/// The log's end, with what is on its way to the store.
struct State {
    keys: KeyRing,
    signer: Option<Signer>,
    frontier: Frontier,
    /// The last statement's leaf.
    previous: Hash,
    /// Something on its way did not arrive: the end is to be read from the store again.
    stale: bool,
}

/// Receipts on their way to the store.
pub struct PendingReceipts {
    receipts: Vec<Appended>,
    pending: Pending,
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
    fn lock(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
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
    fn submit_locked(
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
    fn refresh(&self, state: &mut State) -> Result<(), LedgerError> {
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

    /// Has another key sign from here on: the old one signs that it does, and the new one that it takes over.
    ///
    /// # Errors
    /// When one of them does not sign, the key was the log's before, or it cannot be stored; the old key goes on then.
    pub fn rotate(&self, signer: Signer, time_ns: u64, with: Batch) -> Result<Appended, LedgerError> {
        let mut state = self.shared.lock()?;
        self.refresh(&mut state)?;
        let (old, new) = (state.keys.newest(), signer.public());
        if state.keys.keys().iter().any(|(_, key)| *key == new) {
            return Err(LedgerError::State { why: "this key was the log's before; rotate to a new one".into() });
        }
        let (number, root) = (state.frontier.size(), state.keys.root().clone());
        let accepted = acceptance(root.origin(), number, &state.previous, &old, &new);
        let acceptance = statement::sign(accepted, &signer, Vec::new())?;
        let evidence = Evidence::KeyRotated { old: old.to_bytes(), new: new.to_bytes(), acceptance };
        let entry = Entry { time_ns, sector: None, outcome: Outcome::Approved, evidence, links: Vec::new() };
        let key = stored_key(state.keys.keys().len() as u64, new, number + 1, time_ns);
        // The new key signs the log with the rotation in it: both are there or neither.
        let with = |_: &[Appended]| with.with(Write::PublicKey(key));
        let pending = self.submit_locked(&mut state, vec![entry], with, Some(&signer))?;
        // Held to the end: no receipt is signed while it is open which key signs.
        let receipt = match pending.pending.wait() {
            Ok(()) => {
                APPENDED.add(1);
                pending.receipts.into_iter().next().ok_or(LedgerError::Poisoned)?
            }
            Err(error) => {
                LOST.add(1);
                state.stale = true;
                return Err(error.into());
            }
        };
        state.keys.rotate(&Statement::decode(&receipt.statement)?)?;
        state.signer = Some(signer);
        Ok(receipt)
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

/// The end of a stored log, checked against the trust root, the newest checkpoint and one that the caller holds.
fn load(store: &dyn Store, root: &TrustRoot, known: Option<&str>) -> Result<(KeyRing, Frontier, Hash), LedgerError> {
    let size = store.log_size()?;
    if size == 0 {
        return Err(LedgerError::State { why: "the store has no log; create one".into() });
    }
    let keys = load_keys(store, root)?;
    let missing =
        || Tampering::Checkpoint { size, what: "no checkpoint is stored, and each log begins with one".into() };
    let newest = store.checkpoint(u64::MAX)?.ok_or_else(missing)?;
    let frontier = check_checkpoint(store, &keys, &newest, size)?;
    if let Some(note) = known {
        let known = Checkpoint::decode(note)?;
        known.verify(&keys)?;
        if known.size > size {
            return Err(Tampering::CutTail { signed: known.size, size }.into());
        }
        if subtree(&StoreNodes(store), 0..known.size)? != known.root {
            return Err(Tampering::Fork { size: known.size }.into());
        }
    }
    // The receipts after the checkpoint take up the rotations among them again.
    let mut chain = Chain::begin(store, keys.until(frontier.size()), frontier)?;
    loop {
        let page = store.receipts(&ReceiptQuery { from: chain.size(), limit: Some(PAGE), ..Default::default() })?;
        if page.is_empty() {
            break;
        }
        chain.verify(&page, &mut |_| Ok(()))?;
    }
    Ok(chain.end())
}

/// The keys that a log names, from its first receipt and its rotations.
fn load_keys(store: &dyn Store, root: &TrustRoot) -> Result<KeyRing, LedgerError> {
    let mut keys = KeyRing::new(root.clone());
    let gap = Tampering::Gap { number: 0 };
    check_root(&Statement::decode(&store.receipt(0)?.ok_or(gap)?.statement)?, root)?;
    let mut from = 1;
    loop {
        let kind = Some("key rotated".into());
        let page = store.receipts(&ReceiptQuery { from, kind, limit: Some(PAGE), ..Default::default() })?;
        let Some(last) = page.last() else { break };
        from = last.number + 1;
        for receipt in &page {
            let number = receipt.number;
            let statement = Statement::decode(&receipt.statement)?;
            if statement.claims.number != number {
                return Err(Tampering::Reordered { number, says: statement.claims.number }.into());
            }
            let what = "the key that was the log's then did not sign it".into();
            statement.verify(&keys.newest()).map_err(|_| Tampering::Foreign { number, what })?;
            keys.rotate(&statement)?;
        }
    }
    Ok(keys)
}

/// Checks that the keys that are stored, of those that may sign one of the first `size` receipts or the next, are those that the log
/// names.
pub(crate) fn check_stored_keys(store: &dyn Store, keys: &KeyRing, size: u64) -> Result<(), LedgerError> {
    let mut stored = store.public_keys()?;
    stored.retain(|key| key.from_receipt <= size);
    for number in 0..stored.len().max(keys.keys().len()) {
        let differs = |what: &str| Tampering::Key { number: number as u64, what: what.into() };
        match (stored.get(number), keys.keys().get(number)) {
            (Some(stored), Some((from, key))) => {
                if stored.key != key.to_bytes() || stored.id != key.id() || stored.from_receipt != *from {
                    return Err(differs("it is not the one that the log names").into());
                }
            }
            (Some(_), None) => return Err(differs("no receipt introduces it").into()),
            _ => return Err(differs("it is missing").into()),
        }
    }
    Ok(())
}

/// Checks that the first statement is the trust root's.
pub(crate) fn check_root(statement: &Statement, root: &TrustRoot) -> Result<(), LedgerError> {
    let differs = |what: &str| Tampering::Root { what: what.into() };
    if statement.claims.log != root.origin() {
        return Err(differs("its first receipt is another log's").into());
    }
    if statement.claims.evidence != (Evidence::LedgerCreated { key: root.key().to_bytes() }) {
        return Err(differs("its first receipt names another key").into());
    }
    statement.verify(&root.key()).map_err(|_| differs("its first receipt is signed by another key"))?;
    Ok(())
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
pub(crate) fn row(claims: &Claims, statement: &[u8], leaf: Hash) -> Receipt {
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

fn stored_key(number: u64, key: PublicKey, from_receipt: u64, time_ns: u64) -> StoredKey {
    StoredKey { number, id: key.id().to_vec(), key: key.to_bytes(), from_receipt, time_ns }
}

/// What a key signs that takes over.
fn acceptance(log: &str, number: u64, previous: &Hash, old: &PublicKey, new: &PublicKey) -> Vec<u8> {
    let entries = [
        ("log", log.to_owned().to_value()),
        ("number", number.to_value()),
        ("previous", previous.to_value()),
        ("old", old.to_bytes().to_value()),
        ("new", new.to_bytes().to_value()),
    ];
    encode(&map(entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()))
}

/// Whether the new key signed that it takes over where these claims say so.
pub(crate) fn accepts(signed: &[u8], claims: &Claims, old: &PublicKey, new: &PublicKey) -> bool {
    Envelope::decode("acceptance", signed).is_ok_and(|envelope| {
        envelope.payload == acceptance(&claims.log, claims.number, &claims.previous, old, new)
            && envelope.key_id == new.id()
            && new.verifies(&envelope.signed, &envelope.signature)
    })
}

/// The log's hashes in a store.
pub(crate) struct StoreNodes<'s>(pub(crate) &'s dyn Store);

impl Nodes for StoreNodes<'_> {
    fn nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, LedgerError> {
        self.0.log_nodes(level, positions).map_err(StoreError::into)
    }
}
