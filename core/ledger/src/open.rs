//! Opening a stored log: its end, checked against what is trusted.

use std::ops::Range;

use knhk_store::{Receipt, ReceiptQuery, Store, StoreError};

use crate::ledger::PAGE;
use crate::merkle::{Frontier, Nodes, subtree};
use crate::verify::{Chain, check_checkpoint};
use crate::{Checkpoint, Evidence, Hash, KeyRing, LedgerError, Statement, Tampering, TrustRoot};

/// The end of a stored log, checked against the trust root, the newest checkpoint and one that the caller holds.
pub(crate) fn load(
    store: &dyn Store,
    root: &TrustRoot,
    known: Option<&str>,
) -> Result<(KeyRing, Frontier, Hash), LedgerError> {
    // Before the log's size: beside a live engine both grow, and the checkpoint must not seem to cover what is not there.
    let newest = store.checkpoint(u64::MAX)?;
    let size = store.log_size()?;
    if size == 0 {
        return Err(LedgerError::State { why: "the store has no log; create one".into() });
    }
    let keys = load_keys(store, root)?;
    let missing =
        || Tampering::Checkpoint { size, what: "no checkpoint is stored, and each log begins with one".into() };
    let newest = newest.ok_or_else(missing)?;
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

/// The keys that a log names: in its first receipt and in the rotations that the stored keys lead to. One that is left out there is missed
/// by whatever was signed after it.
fn load_keys(store: &dyn Store, root: &TrustRoot) -> Result<KeyRing, LedgerError> {
    let mut keys = KeyRing::new(root.clone());
    check_root(&Statement::decode(&receipt(store, 0)?.statement)?, root)?;
    for stored in store.public_keys()?.iter().skip(1) {
        let number = stored.from_receipt.saturating_sub(1);
        let statement = Statement::decode(&receipt(store, number)?.statement)?;
        if statement.claims.number != number {
            return Err(Tampering::Reordered { number, says: statement.claims.number }.into());
        }
        let what = "the key that was the log's then did not sign it".into();
        statement.verify(&keys.newest()).map_err(|_| Tampering::Foreign { number, what })?;
        keys.rotate(&statement)?;
        if keys.newest().to_bytes() != stored.key {
            let what = "the receipt before the first one that it may sign does not introduce it".into();
            return Err(Tampering::Key { number: stored.number, what }.into());
        }
    }
    Ok(keys)
}

fn receipt(store: &dyn Store, number: u64) -> Result<Receipt, LedgerError> {
    store.receipt(number)?.ok_or(Tampering::Gap { number }.into())
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

/// The log's hashes in a store.
pub(crate) struct StoreNodes<'s>(pub(crate) &'s dyn Store);

impl Nodes for StoreNodes<'_> {
    fn nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, LedgerError> {
        self.0.log_nodes(level, positions).map_err(StoreError::into)
    }
}
