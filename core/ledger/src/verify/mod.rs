//! Verification of a whole log.
//!
//! Signatures are verified by the batch, which is faster and less strict than one by one: it accepts what no verifier of RFC 8032 has to
//! refuse, and only the holder of a log's key could make a signature on which the two differ. Keys of small order are refused before.

mod beside;
mod chain;

use std::collections::HashSet;

use knhk_store::{Checkpoint as StoredCheckpoint, ReceiptQuery, Store};

use crate::counters::{TAMPERED, VERIFIED};
use crate::ledger::PAGE;
use crate::merkle::{Frontier, subtree};
use crate::open::{StoreNodes, check_root, check_stored_keys};
use crate::{Checkpoint, Evidence, Hash, KeyRing, LedgerError, Tampering, TrustRoot};

use self::beside::{Versions, check_segment, check_segments};
pub(crate) use self::chain::Chain;

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

/// Verifies everything up to the log's end as it is now, while an engine may go on: each receipt's bytes, place, predecessor and
/// signature, the keys, the log's hashes, every checkpoint, the observations that are held, and the versions of sectors. `progress` stops
/// it by returning false.
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
