//! Verification of a whole log.
//!
//! Signatures are verified by the batch, which is faster and less strict than one by one: it accepts what no verifier of RFC 8032 has to
//! refuse, and only the holder of a log's key could make a signature on which the two differ. Keys of small order are refused before.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ed25519_dalek::{Signature, VerifyingKey};
use knhk_store::{Checkpoint as StoredCheckpoint, Receipt, ReceiptQuery, Segment, SegmentQuery, Store};

use crate::counters::{TAMPERED, VERIFIED};
use crate::ledger::{PAGE, StoreNodes, check_root, check_stored_keys, row};
use crate::merkle::{Completed, Frontier, Nodes, subtree};
use crate::{Checkpoint, Evidence, Hash, KeyRing, LedgerError, Statement, Tampering, TrustRoot, leaf_hash};

/// Bytes of a segment's observations, at most.
const MAX_SEGMENT: u64 = 1 << 30;

/// What to verify.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyOptions<'a> {
    /// A checkpoint that the caller holds: finds a log that was set back or forked since.
    pub known: Option<&'a str>,
    /// Leave out the observations themselves; their batches' statements are verified all the same.
    pub without_observations: bool,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Receipts verified.
    pub receipts: u64,
    /// Receipts in all.
    pub total: u64,
    /// Observations verified.
    pub observations: u64,
}

/// A log that is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many receipts it has.
    pub receipts: u64,
    /// Their Merkle root.
    pub root: Hash,
    /// How many keys signed.
    pub keys: u64,
    /// How many stored checkpoints were checked.
    pub checkpoints: u64,
    /// Observations whose hashes lead to the roots that were signed.
    pub observations: u64,
    /// Observations that retention dropped: their batches' statements are there, they are not.
    pub dropped: u64,
    /// Versions of sectors that their receipts stand for.
    pub versions: u64,
    /// The first receipt's time, in nanoseconds since 1970 (UTC).
    pub first_ns: u64,
    /// The last receipt's time.
    pub last_ns: u64,
}

/// Verifies everything up to the log's end as it is now, while an engine may go on: each receipt's bytes, place, predecessor and signature, the keys, the log's hashes, every checkpoint, the
/// observations that are held, and the versions of sectors. `progress` stops it by returning false.
///
/// # Errors
/// [`LedgerError::Tampered`] with the first finding.
pub fn verify(
    store: &dyn Store,
    root: &TrustRoot,
    options: VerifyOptions,
    progress: &mut dyn FnMut(VerifyProgress) -> bool,
) -> Result<Verified, LedgerError> {
    let verified = run(store, root, options, progress);
    match &verified {
        Ok(verified) => VERIFIED.add(verified.receipts),
        Err(LedgerError::Tampered(finding)) => {
            TAMPERED.add(1);
            tracing::error!(log = root.origin(), %finding, "the log was tampered with");
        }
        Err(_) => {}
    }
    verified
}

fn run(
    store: &dyn Store,
    root: &TrustRoot,
    options: VerifyOptions,
    progress: &mut dyn FnMut(VerifyProgress) -> bool,
) -> Result<Verified, LedgerError> {
    let total = store.log_size()?;
    let known = options.known.map(Checkpoint::decode).transpose()?;
    let known = known.as_ref();
    if total == 0 {
        return Err(Tampering::Gap { number: 0 }.into());
    }
    let mut chain = Chain::begin(store, KeyRing::new(root.clone()), Frontier::default())?;
    let mut verified = Verified::default();
    let mut versions = Versions::default();
    let mut segments = HashSet::new();
    while chain.size() < total {
        let query = ReceiptQuery { from: chain.size(), to: Some(total), limit: Some(PAGE), ..Default::default() };
        let page = store.receipts(&query)?;
        if page.is_empty() {
            return Err(Tampering::Gap { number: chain.size() }.into());
        }
        chain.verify(&page, &mut |statement| {
            let claims = &statement.claims;
            if claims.number == 0 {
                check_root(statement, root)?;
                verified.first_ns = claims.time_ns;
            }
            verified.last_ns = claims.time_ns;
            versions.note(statement);
            if let Evidence::ObservationsIngested { segment, .. } = claims.evidence {
                segments.insert(segment);
                let (held, dropped) = check_segment(store, statement, segment, !options.without_observations)?;
                verified.observations += held;
                verified.dropped += dropped;
            }
            Ok(())
        })?;
        let at = VerifyProgress { receipts: chain.size(), total, observations: verified.observations };
        if !progress(at) {
            return Err(LedgerError::Stopped);
        }
    }
    chain.check_nodes()?;
    check_segments(store, &segments, total)?;
    verified.versions = versions.check(store, total)?;
    let (keys, frontier, _) = chain.end();
    check_stored_keys(store, &keys, total)?;
    verified.checkpoints = check_checkpoints(store, &keys, total)?;
    if let Some(known) = known {
        known.verify(&keys)?;
        if known.size > total {
            return Err(Tampering::CutTail { signed: known.size, size: total }.into());
        }
        if subtree(&StoreNodes(store), 0..known.size)? != known.root {
            return Err(Tampering::Fork { size: known.size }.into());
        }
    }
    Ok(Verified { receipts: total, root: frontier.root(), keys: keys.keys().len() as u64, ..verified })
}

/// A log's receipts, verified from one on.
pub(crate) struct Chain<'s> {
    store: &'s dyn Store,
    keys: KeyRing,
    frontier: Frontier,
    /// The leaf of the statement before.
    previous: Hash,
    /// Nodes that became complete, to be compared with those that are stored.
    nodes: HashMap<u8, (u64, Vec<Hash>)>,
}

impl<'s> Chain<'s> {
    /// From the end of `frontier` on, which is trusted.
    pub(crate) fn begin(store: &'s dyn Store, keys: KeyRing, frontier: Frontier) -> Result<Chain<'s>, LedgerError> {
        let previous = match frontier.size() {
            0 => [0; 32],
            size => {
                let last = store.receipt(size - 1)?.ok_or(Tampering::Gap { number: size - 1 })?;
                if leaf_hash(&last.statement) != last.leaf {
                    let what = "its hash in the log is another's".into();
                    return Err(Tampering::Changed { number: size - 1, what }.into());
                }
                last.leaf
            }
        };
        Ok(Chain { store, keys, frontier, previous, nodes: HashMap::new() })
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn end(self) -> (KeyRing, Frontier, Hash) {
        (self.keys, self.frontier, self.previous)
    }

    /// Verifies the receipts that come next; `each` is told of every statement before the page's signatures are known to hold.
    pub(crate) fn verify(
        &mut self,
        page: &[Receipt],
        each: &mut dyn FnMut(&Statement) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut statements = Vec::with_capacity(page.len());
        let mut keys = Vec::with_capacity(page.len());
        for receipt in page {
            let number = self.frontier.size();
            if receipt.number != number {
                return Err(Tampering::Gap { number }.into());
            }
            let statement = self.check(receipt)?;
            let key = self.keys.newest();
            if statement.key_id != key.id() {
                let what = "another key than the log's signed it".into();
                return Err(Tampering::Foreign { number, what }.into());
            }
            keys.push(*key.dalek());
            if matches!(statement.claims.evidence, Evidence::KeyRotated { .. }) {
                // Who takes over hangs on this signature alone, and so do all that follow.
                let what = "its signature is not its key's".into();
                statement.verify(&key).map_err(|_| Tampering::Changed { number, what })?;
                self.keys.rotate(&statement)?;
            }
            each(&statement)?;
            let (nodes, size) = (&mut self.nodes, number + 1);
            self.frontier.push(receipt.leaf, |Completed { level, position, hash }| {
                debug_assert!(size > position);
                nodes.entry(level).or_insert_with(|| (position, Vec::new())).1.push(hash);
            });
            self.previous = receipt.leaf;
            statements.push(statement);
        }
        verify_signatures(&statements, &keys)
    }

    /// Everything about a receipt but its signature.
    fn check(&self, receipt: &Receipt) -> Result<Statement, LedgerError> {
        let number = receipt.number;
        let changed = |what: String| Tampering::Changed { number, what };
        let statement = Statement::decode(&receipt.statement).map_err(|error| changed(error.to_string()))?;
        let claims = &statement.claims;
        if claims.log != self.keys.root().origin() {
            return Err(Tampering::Foreign { number, what: format!("it is of the log {}", claims.log) }.into());
        }
        if claims.number != number {
            return Err(Tampering::Reordered { number, says: claims.number }.into());
        }
        if claims.previous != self.previous {
            return Err(Tampering::Orphan { number }.into());
        }
        if leaf_hash(&receipt.statement) != receipt.leaf {
            return Err(changed("its hash in the log is another's".into()).into());
        }
        let expected = row(claims, &receipt.statement, receipt.leaf);
        if *receipt != expected {
            return Err(changed("the columns beside it say something else than it does".into()).into());
        }
        Ok(statement)
    }

    /// Compares the log's stored nodes with those that the receipts make.
    pub(crate) fn check_nodes(&self) -> Result<(), LedgerError> {
        for (level, (from, made)) in &self.nodes {
            let range: Range<u64> = *from..from + made.len() as u64;
            let stored = StoreNodes(self.store).nodes(*level, range)?;
            let same = made.iter().zip(&stored).take_while(|(made, stored)| made == stored).count();
            if same < made.len() {
                return Err(Tampering::Node { level: *level, position: from + same as u64 }.into());
            }
        }
        Ok(())
    }
}

fn verify_signatures(statements: &[Statement], keys: &[VerifyingKey]) -> Result<(), LedgerError> {
    let messages: Vec<&[u8]> = statements.iter().map(|statement| statement.signed.as_slice()).collect();
    let signatures: Vec<Signature> =
        statements.iter().map(|statement| Signature::from_bytes(&statement.signature)).collect();
    if ed25519_dalek::verify_batch(&messages, &signatures, keys).is_ok() {
        return Ok(());
    }
    let wrong = statements.iter().zip(keys).find(|(statement, key)| {
        key.verify_strict(&statement.signed, &Signature::from_bytes(&statement.signature)).is_err()
    });
    let number = wrong.map_or(statements[0].claims.number, |(statement, _)| statement.claims.number);
    Err(Tampering::Changed { number, what: "its signature is not its key's".into() }.into())
}

/// Checks a stored checkpoint and the stored log under it; gives the log's right edge there.
pub(crate) fn check_checkpoint(
    store: &dyn Store,
    keys: &KeyRing,
    stored: &StoredCheckpoint,
    size: u64,
) -> Result<Frontier, LedgerError> {
    let changed = |what: String| Tampering::Checkpoint { size: stored.size, what };
    let checkpoint = Checkpoint::decode(&stored.note).map_err(|error| changed(error.to_string()))?;
    checkpoint.verify(keys).map_err(|error| changed(error.to_string()))?;
    if checkpoint.size != stored.size || checkpoint.root != stored.root {
        return Err(changed("the columns beside it say something else than it does".into()).into());
    }
    if checkpoint.size > size {
        return Err(Tampering::CutTail { signed: checkpoint.size, size }.into());
    }
    let frontier = Frontier::load(&StoreNodes(store), checkpoint.size)?;
    if frontier.root() != checkpoint.root {
        return Err(Tampering::Fork { size: checkpoint.size }.into());
    }
    Ok(frontier)
}

fn check_checkpoints(store: &dyn Store, keys: &KeyRing, size: u64) -> Result<u64, LedgerError> {
    let (mut count, mut from) = (0, 0);
    loop {
        let page = store.checkpoints(from)?;
        let Some(last) = page.last() else { return Ok(count) };
        from = last.size + 1;
        for stored in &page {
            // Made since the verification began.
            if stored.size > size && stored.size <= store.log_size()? {
                continue;
            }
            check_checkpoint(store, keys, stored, size)?;
            count += 1;
        }
    }
}

/// Checks a batch of observations against its statement: how many are held and lead to the root, how many were dropped.
fn check_segment(store: &dyn Store, statement: &Statement, number: u64, read: bool) -> Result<(u64, u64), LedgerError> {
    let Evidence::ObservationsIngested { count, record_bytes, root, first_ns, last_ns, .. } = statement.claims.evidence
    else {
        return Ok((0, 0));
    };
    let changed = |what: &str| Tampering::Observations { segment: number, what: what.into() };
    let segment = store.segment(number)?.ok_or_else(|| changed("it is missing"))?;
    let stated = Segment {
        number,
        sector: statement.claims.sector.clone().unwrap_or_default(),
        first_ns,
        last_ns,
        count,
        record_bytes: u32::try_from(record_bytes).unwrap_or(u32::MAX),
        root,
        receipt: Some(statement.claims.number),
        content: None,
    };
    let Segment { content, .. } = &segment;
    if (Segment { content: None, ..segment.clone() }) != stated {
        return Err(changed("its row says something else than its receipt").into());
    }
    let Some(packed) = content else { return Ok((0, count)) };
    if !read {
        return Ok((0, 0));
    }
    let bytes = count.checked_mul(record_bytes).filter(|bytes| *bytes <= MAX_SEGMENT);
    let bytes = bytes.ok_or_else(|| changed("it claims more than 1 GiB"))? as usize;
    let records =
        zstd::bulk::decompress(packed, bytes).map_err(|error| changed(&format!("it does not unpack: {error}")))?;
    let same = records.len() == bytes && crate::observations_root(&records, record_bytes as usize)? == root;
    if same { Ok((count, 0)) } else { Err(changed("its observations are not those that were signed").into()) }
}

/// Whether something names a receipt that was made since the verification of the first `total` began.
fn is_later(store: &dyn Store, receipt: Option<u64>, total: u64) -> Result<bool, LedgerError> {
    match receipt.filter(|receipt| *receipt >= total) {
        Some(receipt) => Ok(receipt < store.log_size()?),
        None => Ok(false),
    }
}

/// Checks that there is no segment beyond those that receipts stand for.
fn check_segments(store: &dyn Store, receipted: &HashSet<u64>, total: u64) -> Result<(), LedgerError> {
    let mut from = 0;
    loop {
        let page = store.segments(&SegmentQuery { from, ..Default::default() })?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.number + 1;
        for segment in page.iter().filter(|segment| !receipted.contains(&segment.number)) {
            if !is_later(store, segment.receipt, total)? {
                let what = "it is an orphan: no receipt stands for it".into();
                return Err(Tampering::Observations { segment: segment.number, what }.into());
            }
        }
    }
}

/// Versions that receipts stand for.
#[derive(Default)]
struct Versions {
    /// The receipt and the content address, by sector and version.
    promoted: HashMap<(String, u64), (u64, Hash)>,
    /// The newest version, by sector.
    newest: HashMap<String, u64>,
}

impl Versions {
    fn note(&mut self, statement: &Statement) {
        let claims = &statement.claims;
        let (Evidence::SnapshotPromoted { version, snapshot, .. }
        | Evidence::RollbackExecuted { version, snapshot, .. }) = &claims.evidence
        else {
            return;
        };
        let Some(sector) = &claims.sector else { return };
        self.promoted.insert((sector.clone(), *version), (claims.number, *snapshot));
        self.newest.insert(sector.clone(), *version);
    }

    /// Compares each stored version with what its receipt states, and the newest with the newest receipt.
    fn check(&self, store: &dyn Store, total: u64) -> Result<u64, LedgerError> {
        let mut count = 0;
        for sector in store.sectors()? {
            let mut before = None;
            loop {
                let page = store.versions(&sector.name, before, PAGE)?;
                if before.is_none() {
                    self.check_newest(&sector.name, page.first().map(|version| version.number))?;
                }
                let Some(last) = page.last() else { break };
                before = Some(last.number);
                for version in &page {
                    if is_later(store, version.receipt, total)? {
                        continue;
                    }
                    let stated = self.promoted.get(&(version.sector.clone(), version.number));
                    let named = version.receipt.map(|receipt| (receipt, version.snapshot));
                    if named.is_none() || stated.copied() != named {
                        let what = "no receipt states it as it is stored".into();
                        let (sector, number) = (version.sector.clone(), version.number);
                        return Err(Tampering::Version { sector, number, what }.into());
                    }
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// An older version must not pass for the current one: going back is a new version with its own receipt.
    fn check_newest(&self, sector: &str, stored: Option<u64>) -> Result<(), LedgerError> {
        match self.newest.get(sector) {
            Some(newest) if stored.is_none_or(|stored| stored < *newest) => {
                let what = "its receipt is there and it is not, so that an older one passes for the current".into();
                Err(Tampering::Version { sector: sector.into(), number: *newest, what }.into())
            }
            _ => Ok(()),
        }
    }
}
