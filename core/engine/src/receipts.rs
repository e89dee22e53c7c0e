//! Receipts and their proofs, the keys that sign, and the verification of all of it.

use knhk_ledger::{
    Claims, InclusionReceipt, KeyRing, ObservationProof, Signer, Statement, Value, VerifyOptions as LogOptions,
    leaf_hash,
};
use knhk_store::{Receipt, ReceiptQuery};
use knhk_version::{VersionError, VersionsVerified};
use serde_json::{Map, Number};

use crate::durable::Durable;
use crate::{Engine, Error, Status, trust};

/// A receipt: a signed statement of one operation, at its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptInfo {
    /// Its place in the log, from 0.
    pub number: u64,
    /// Its id: it begins with the time and so sorts by it, then names the sector ("engine" without one) and the place.
    pub id: String,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The sector that it is about; none: the engine.
    pub sector: Option<String>,
    /// What happened, such as "snapshot promoted".
    pub kind: String,
    /// How it ended: "approved", "rejected", "pending".
    pub outcome: String,
    /// What it states, field by field; hashes and other bytes as hexadecimal digits.
    pub evidence: serde_json::Value,
    /// Ids of receipts of other sectors that belong to the same operation.
    pub links: Vec<String>,
    /// The statement as it was signed (COSE_Sign1, RFC 9052).
    pub statement: Vec<u8>,
    /// Its leaf of the Merkle log: SHA-256(0x00 || statement).
    pub leaf: [u8; 32],
}

/// A key that signs, or signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Which key, from 0: the first one is the trust root's, each other one took over from the one before.
    pub number: u64,
    /// The identifier that statements name it by: the first 8 bytes of its SHA-256.
    pub id: [u8; 8],
    /// The public key (Ed25519).
    pub key: [u8; 32],
    /// The first receipt that it may sign.
    pub from_receipt: u64,
    /// Since when, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Whether it signs now.
    pub current: bool,
}

/// What a verification is to look at.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// A checkpoint that the caller holds: finds a log that was cut off or forked since.
    pub checkpoint: Option<String>,
    /// Leave out the observations themselves; their batches' receipts are verified all the same.
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
    /// Versions verified.
    pub versions: u64,
}

/// A log and a history that are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The log: receipts, their root, keys, checkpoints, observations.
    pub log: knhk_ledger::Verified,
    /// Versions whose receipts state them and whose content has its address.
    pub versions: u64,
    /// Different snapshots among them.
    pub snapshots: u64,
    /// Versions among them that were made with another core ontology than this library's.
    pub other_core: u64,
}

impl Engine {
    /// What makes this engine durable.
    pub(crate) fn durable(&self) -> Result<&Durable, Error> {
        self.not_forked()?;
        self.inner.journal.durable.as_deref().ok_or_else(|| {
            let message = "this engine has no ledger: open it on a folder, or in memory with a signer";
            Error::new(Status::NotFound, "ledger", "", message)
        })
    }

    /// The receipts that a query asks for, in order; at most 1,000 unless it says otherwise.
    ///
    /// # Errors
    /// `NotFound` without a ledger, `Io` when the store cannot be read.
    pub fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<ReceiptInfo>, Error> {
        self.durable()?.store().receipts(query)?.into_iter().map(ReceiptInfo::read).collect()
    }

    /// The receipt of this id, or at this place of the log.
    ///
    /// # Errors
    /// `NotFound` where there is none; else as [`Engine::receipts`].
    pub fn receipt(&self, id_or_number: &str) -> Result<ReceiptInfo, Error> {
        ReceiptInfo::read(self.stored_receipt(id_or_number)?)
    }

    fn stored_receipt(&self, id_or_number: &str) -> Result<Receipt, Error> {
        let store = self.durable()?.store();
        let found = match id_or_number.parse() {
            Ok(number) => store.receipt(number)?,
            Err(_) => store.receipt_by_id(id_or_number)?,
        };
        found.ok_or_else(|| {
            let message =
                format!("there is no receipt {id_or_number:?}; name one by its id, or by its place in the log");
            Error::new(Status::NotFound, "ledger", id_or_number, message)
        })
    }

    /// Proves that a receipt is in the log as it is now: a COSE receipt of inclusion (RFC 9942), which stock libraries verify.
    ///
    /// # Errors
    /// As [`Engine::receipt`]; `Signing` when it cannot be signed, `Io` when the engine is read-only.
    pub fn prove_receipt(&self, id_or_number: &str) -> Result<Vec<u8>, Error> {
        let number = self.stored_receipt(id_or_number)?.number;
        Ok(self.durable()?.history.ledger().prove_inclusion(number)?)
    }

    /// Proves that the log as it is now begins with its first `earlier` receipts as they were: a COSE receipt of consistency (RFC 9942).
    ///
    /// # Errors
    /// `InvalidArgument` when the log never had that size; else as [`Engine::prove_receipt`].
    pub fn prove_consistency(&self, earlier: u64) -> Result<Vec<u8>, Error> {
        Ok(self.durable()?.history.ledger().prove_consistency(earlier)?)
    }

    /// Signs the log's state as it is now, as a note (C2SP tlog-checkpoint) to be held elsewhere: whoever holds it finds a log that was
    /// cut off or forked since.
    ///
    /// # Errors
    /// As [`Engine::prove_receipt`].
    pub fn checkpoint(&self) -> Result<String, Error> {
        self.checked()?;
        Ok(self.durable()?.history.ledger().checkpoint(self.now_ns())?)
    }

    /// The log's name and first key, as text, for whoever verifies receipts; none without a ledger.
    pub fn trust_root(&self) -> Option<String> {
        let keys = self.durable().ok()?.history.ledger().keys().ok()?;
        Some(keys.root().to_string())
    }

    /// Verifies everything up to now, while the engine goes on: every receipt, the keys, the log's hashes and checkpoints, observations,
    /// and every retained version with its receipt and its content. `progress` stops it by returning false.
    ///
    /// # Errors
    /// `Tampered` and `Corrupt` with the first finding, `Unproven` for a checkpoint that is not the log's, `Timeout` when it was stopped.
    pub fn verify(
        &self,
        options: &VerifyOptions,
        progress: &mut dyn FnMut(VerifyProgress) -> bool,
    ) -> Result<Verified, Error> {
        verify(&self.durable()?.history, options, progress)
    }

    /// The keys that sign or signed, in order.
    ///
    /// # Errors
    /// As [`Engine::receipts`].
    pub fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        let durable = self.durable()?;
        let keys = durable.history.ledger().keys()?;
        let times = durable.store().public_keys()?;
        let last = keys.keys().len().saturating_sub(1);
        let key = |(number, (from_receipt, key)): (usize, &(u64, knhk_ledger::PublicKey))| SigningKey {
            number: number as u64,
            id: key.id(),
            key: key.to_bytes(),
            from_receipt: *from_receipt,
            time_ns: times.get(number).map_or(0, |stored| stored.time_ns),
            current: number == last,
        };
        Ok(keys.keys().iter().enumerate().map(key).collect())
    }

    /// Has another key sign from here on; the receipt of it is signed by both. Without a signer a new key is made in the folder, in place
    /// of the old one, whose secret is removed. With one the caller keeps the secret, gives the signer at each open, and the folder's key is
    /// removed.
    ///
    /// # Errors
    /// `Signing` when one of them does not sign, `InvalidArgument` for a key that was the log's before and for an engine in memory without
    /// a signer given, `Io` when it cannot be stored; the old key goes on then.
    pub fn rotate_key(&self, signer: Option<Signer>) -> Result<ReceiptInfo, Error> {
        self.checked()?;
        let durable = self.durable()?;
        durable.writable().map_err(|error| Error::new(Status::Io, "ledger", "", error.to_string()))?;
        let folder = durable.folder.as_ref().map(|folder| folder.root.as_path());
        let given = signer.is_some();
        let signer = match (signer, folder) {
            (Some(signer), _) => signer,
            (None, Some(folder)) => trust::next_key(folder)?,
            (None, None) => {
                let message = "an engine in memory keeps no key: rotate to a signer of your own";
                return Err(Error::new(Status::InvalidArgument, "ledger", "", message));
            }
        };
        let appended = durable.history.ledger().rotate(signer, self.now_ns(), Default::default())?;
        match folder {
            Some(folder) if given => trust::forget_key(folder)?,
            Some(folder) => trust::rotated(folder)?,
            None => {}
        }
        self.receipt(&appended.id)
    }
}

/// Checks, without an engine, that a statement is a receipt in the log of this trust root. `rotations` are the statements by which later keys
/// took over, oldest first; `inclusion` is the COSE receipt (RFC 9942) of [`Engine::prove_receipt`]. Gives what the receipt states.
///
/// # Errors
/// `Unproven` or `Tampered` where they do not show that, `InvalidArgument` for what is none.
pub fn check_receipt(
    trust_root: &str,
    rotations: &[Vec<u8>],
    statement: &[u8],
    inclusion: &[u8],
) -> Result<ReceiptInfo, Error> {
    let keys = KeyRing::following(trust_root.parse()?, rotations.iter().map(Vec::as_slice))?;
    let claims = Statement::decode(statement)?;
    claims.verify(&keys.at(claims.claims.number))?;
    InclusionReceipt::decode(inclusion)?.verify(statement, &keys)?;
    Ok(ReceiptInfo::of(statement.into(), claims.claims))
}

/// Checks, without an engine, that an observation's 64 bytes were ingested by the log of this trust root; `rotations` as in [`check_receipt`].
/// Gives the receipt of its batch.
///
/// # Errors
/// As [`check_receipt`].
pub fn check_observation(
    trust_root: &str,
    rotations: &[Vec<u8>],
    record: &[u8],
    proof: &[u8],
) -> Result<ReceiptInfo, Error> {
    let keys = KeyRing::following(trust_root.parse()?, rotations.iter().map(Vec::as_slice))?;
    let proof = ObservationProof::decode(proof)?;
    let statement = proof.verify(record, &keys)?;
    Ok(ReceiptInfo::of(proof.statement, statement.claims))
}

/// Verifies a log and the history over it.
pub(crate) fn verify(
    history: &knhk_version::History,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(VerifyProgress) -> bool,
) -> Result<Verified, Error> {
    let ledger = history.ledger();
    let root = ledger.keys()?.root().clone();
    let mut at = VerifyProgress::default();
    let log_options =
        LogOptions { known: options.checkpoint.as_deref(), without_observations: options.without_observations };
    let log = knhk_ledger::verify(&**ledger.store(), &root, log_options, &mut |now| {
        (at.receipts, at.total, at.observations) = (now.receipts, now.total, now.observations);
        progress(at)
    });
    let log = match log {
        Err(knhk_ledger::LedgerError::Stopped) => return Err(stopped()),
        log => log?,
    };
    let versions = history.verify(&mut |now| {
        at.versions = now.done;
        progress(at)
    });
    let versions = match versions {
        Err(VersionError::Stopped) => return Err(stopped()),
        versions => versions?,
    };
    let VersionsVerified { versions, snapshots, other_core, .. } = versions;
    Ok(Verified { log, versions, snapshots, other_core })
}

pub(crate) fn stopped() -> Error {
    Error::new(Status::Timeout, "verify", "", "the operation was stopped by its caller")
}

impl ReceiptInfo {
    fn read(receipt: Receipt) -> Result<ReceiptInfo, Error> {
        let statement = Statement::decode(&receipt.statement).map_err(|error| {
            Error::new(Status::Tampered, "ledger", &receipt.id, format!("receipt {}: {error}", receipt.number))
        })?;
        Ok(ReceiptInfo::of(receipt.statement, statement.claims))
    }

    fn of(statement: Vec<u8>, claims: Claims) -> ReceiptInfo {
        ReceiptInfo {
            number: claims.number,
            id: claims.id(),
            time_ns: claims.time_ns,
            kind: claims.evidence.kind().into(),
            outcome: claims.outcome.as_str().into(),
            evidence: json(claims.evidence.to_value()),
            sector: claims.sector,
            links: claims.links,
            leaf: leaf_hash(&statement),
            statement,
        }
    }
}

/// CBOR as JSON: bytes as hexadecimal digits.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => {
            i128::from(number).to_string().parse::<Number>().map_or(serde_json::Value::Null, Into::into)
        }
        Value::Float(number) => Number::from_f64(number).map_or(serde_json::Value::Null, Into::into),
        Value::Bool(truth) => truth.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Map(entries) => {
            let entry = |(key, value): (Value, Value)| Some((key.into_text().ok()?, json(value)));
            serde_json::Value::Object(entries.into_iter().filter_map(entry).collect::<Map<_, _>>())
        }
        _ => serde_json::Value::Null,
    }
}
