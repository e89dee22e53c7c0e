//! Observations by the batch: one signed statement over a Merkle root, and a proof for each of them.

use ciborium::Value;

use crate::cbor::{decode, encode};
use crate::merkle::{Nodes, inclusion_path, leaf_hashes, root_of};
use crate::{Evidence, Hash, KeyRing, LedgerError, Statement, leaf_hash, verify_inclusion};

/// The Merkle root (RFC 9162) over records of `record_bytes` bytes each, one after another.
///
/// # Errors
/// When the bytes are no whole number of records.
pub fn observations_root(records: &[u8], record_bytes: usize) -> Result<Hash, LedgerError> {
    Ok(root_of(leaves(records, record_bytes)?))
}

fn leaves(records: &[u8], record_bytes: usize) -> Result<Vec<Hash>, LedgerError> {
    if record_bytes == 0 || !records.len().is_multiple_of(record_bytes) {
        let why = format!("{} bytes are no whole number of records of {record_bytes}", records.len());
        return Err(LedgerError::malformed("batch of observations", why));
    }
    Ok(leaf_hashes(records, record_bytes))
}

/// Proves one record of a batch under the batch's statement.
///
/// # Errors
/// When there is no such record, or the statement is not that of a batch.
pub fn prove_observation(
    statement: &[u8],
    records: &[u8],
    record_bytes: usize,
    index: u64,
) -> Result<ObservationProof, LedgerError> {
    let leaves = leaves(records, record_bytes)?;
    let size = leaves.len() as u64;
    if index >= size {
        return Err(LedgerError::unproven(format!("observation {index} is not one of {size}")));
    }
    let path = inclusion_path(&Leaves(leaves), index, size)?;
    Ok(ObservationProof { statement: statement.into(), index, path })
}

/// The leaves of a tree that is small enough to be hashed whole.
struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    fn nodes(&self, level: u8, positions: std::ops::Range<u64>) -> Result<Vec<Hash>, LedgerError> {
        let subtree = |position: u64| {
            let range = (position << level) as usize..((position + 1) << level) as usize;
            root_of(self.0[range].to_vec())
        };
        Ok(positions.map(subtree).collect())
    }
}

/// Shows that an observation is one of a batch that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservationProof {
    /// The batch's statement.
    pub statement: Vec<u8>,
    /// Which observation of the batch.
    pub index: u64,
    /// The hashes from the observation to the batch's root.
    pub path: Vec<Hash>,
}

impl ObservationProof {
    /// Writes it: a CBOR list of the statement, the index and the path.
    pub fn encode(&self) -> Vec<u8> {
        let path = self.path.iter().map(|hash| Value::Bytes(hash.to_vec())).collect();
        encode(&Value::Array(vec![Value::Bytes(self.statement.clone()), self.index.into(), Value::Array(path)]))
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<ObservationProof, LedgerError> {
        let malformed = |why: &str| LedgerError::malformed("proof of an observation", why);
        let Value::Array(parts) = decode("proof of an observation", bytes)? else {
            return Err(malformed("it is no list"));
        };
        let [Value::Bytes(statement), index, Value::Array(steps)] = parts.as_slice() else {
            return Err(malformed("it is not a statement, a number and a path"));
        };
        let index = index.as_integer().and_then(|index| u64::try_from(index).ok());
        let index = index.ok_or_else(|| malformed("its index is no number"))?;
        let step = |step: &Value| step.as_bytes().and_then(|bytes| bytes.as_slice().try_into().ok());
        let path: Option<Vec<Hash>> = steps.iter().map(step).collect();
        let path = path.filter(|path| path.len() <= 64).ok_or_else(|| malformed("its path is not up to 64 hashes"))?;
        Ok(ObservationProof { statement: statement.clone(), index, path })
    }

    /// Checks that the record is the batch's, and that the batch is signed; gives the batch's statement.
    ///
    /// # Errors
    /// When it does not show that.
    pub fn verify(&self, record: &[u8], keys: &KeyRing) -> Result<Statement, LedgerError> {
        let statement = Statement::decode(&self.statement)?;
        if statement.claims.log != keys.root().origin() {
            return Err(LedgerError::unproven("the batch is another log's"));
        }
        statement.verify(&keys.at(statement.claims.number))?;
        let Evidence::ObservationsIngested { count, record_bytes, root, .. } = &statement.claims.evidence else {
            return Err(LedgerError::unproven("the statement is not that of a batch of observations"));
        };
        if record.len() as u64 != *record_bytes {
            return Err(LedgerError::unproven(format!("an observation of the batch has {record_bytes} bytes")));
        }
        if verify_inclusion(&leaf_hash(record), self.index, *count, &self.path)? != *root {
            return Err(LedgerError::unproven("the observation is not the batch's"));
        }
        Ok(statement)
    }
}
