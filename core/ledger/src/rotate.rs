//! Rotation: one key takes over from another, and both sign that it does.

use knhk_store::{Batch, PublicKey as StoredKey, Write};

use crate::cbor::{Field, encode, map};
use crate::counters::{APPENDED, LOST};
use crate::statement::{self, Envelope};
use crate::{Appended, Claims, Entry, Evidence, Hash, Ledger, LedgerError, Outcome, PublicKey, Signer, Statement};

impl Ledger {
    /// Has another key sign from here on: the old one signs that it does, and the new one that it takes over. Keep the old key until the
    /// log was opened with the new one: where the disk failed in between, only opening tells which of them is the log's.
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
}

pub(crate) fn stored_key(number: u64, key: PublicKey, from_receipt: u64, time_ns: u64) -> StoredKey {
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
