//! A log's receipts, one after another.

use std::collections::HashMap;
use std::ops::Range;

use ed25519_dalek::{Signature, VerifyingKey};
use knhk_store::{Receipt, Store};

use crate::merkle::{Completed, Frontier, Nodes};
use crate::open::StoreNodes;
use crate::{Evidence, Hash, KeyRing, LedgerError, Statement, Tampering, leaf_hash};

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
            let statement = match self.check(receipt) {
                Ok(statement) => statement,
                Err(found) => {
                    // What was changed comes before what no longer follows it.
                    verify_signatures(&statements, &keys)?;
                    return Err(found);
                }
            };
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
        let Receipt { number: _, id, time_ns, sector, kind, outcome, statement: _, leaf: _ } = receipt;
        let beside = (*time_ns, sector, kind.as_str(), outcome.as_str());
        let said = (claims.time_ns, &claims.sector, claims.evidence.kind(), claims.outcome.as_str());
        if beside != said || *id != claims.id() {
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
    let Some(first) = statements.first() else { return Ok(()) };
    let messages: Vec<&[u8]> = statements.iter().map(|statement| statement.signed.as_slice()).collect();
    let signatures: Vec<Signature> =
        statements.iter().map(|statement| Signature::from_bytes(&statement.signature)).collect();
    if ed25519_dalek::verify_batch(&messages, &signatures, keys).is_ok() {
        return Ok(());
    }
    let wrong = statements.iter().zip(keys).find(|(statement, key)| {
        key.verify_strict(&statement.signed, &Signature::from_bytes(&statement.signature)).is_err()
    });
    let number = wrong.map_or(first.claims.number, |(statement, _)| statement.claims.number);
    Err(Tampering::Changed { number, what: "its signature is not its key's".into() }.into())
}
