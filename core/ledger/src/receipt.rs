//! COSE receipts (RFC 9942) over RFC9162_SHA256: a statement's place in the log, and the log's growth.
//!
//! A receipt is a COSE_Sign1 whose payload, the Merkle root, is left out: the verifier computes it from the proof in the unprotected
//! header. The RFC signs the root alone; ours also sign the log's name and size (CWT claims, RFC 9597), so that no number in the proof can
//! be changed either.

use ciborium::Value;
use coset::{HeaderBuilder, Label, TaggedCborSerializable, iana};

use crate::cbor::{decode, encode, map};
use crate::statement::{decode_message, signature, unsigned};
use crate::{Hash, KeyRing, LedgerError, Signer, leaf_hash, verify_consistency, verify_inclusion};

/// Header parameter: CWT claims (RFC 9597).
const CWT_CLAIMS: i64 = 15;
/// Header parameter: which verifiable data structure (RFC 9942).
const VDS: i64 = 395;
/// Header parameter: its proofs (RFC 9942).
const VDP: i64 = 396;
/// RFC9162_SHA256 among the verifiable data structures.
const RFC9162_SHA256: i64 = 1;
/// Inclusion proofs among the proofs of RFC9162_SHA256.
const INCLUSION: i64 = -1;
/// Consistency proofs among them.
const CONSISTENCY: i64 = -2;

/// Shows that a statement is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionReceipt {
    /// How many receipts the log had.
    pub size: u64,
    /// The statement's place.
    pub index: u64,
    /// The hashes from the leaf to the root.
    pub path: Vec<Hash>,
    bytes: Vec<u8>,
}

/// Shows that the log grew and nothing in it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyReceipt {
    /// How many receipts the log had earlier.
    pub earlier: u64,
    /// How many it had then.
    pub size: u64,
    /// What leads to both roots.
    pub path: Vec<Hash>,
    bytes: Vec<u8>,
}

impl InclusionReceipt {
    pub(crate) fn sign(
        origin: &str,
        signer: &Signer,
        root: &Hash,
        (size, index): (u64, u64),
        path: &[Hash],
    ) -> Result<Vec<u8>, LedgerError> {
        sign(origin, signer, root, INCLUSION, [size, index], size, path)
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<InclusionReceipt, LedgerError> {
        let ([size, index], path) = proof(bytes, INCLUSION)?;
        Ok(InclusionReceipt { size, index, path, bytes: bytes.into() })
    }

    /// Checks that the statement is in the log; gives the root that was signed.
    ///
    /// # Errors
    /// When it does not show that.
    pub fn verify(&self, statement: &[u8], keys: &KeyRing) -> Result<Hash, LedgerError> {
        let root = verify_inclusion(&leaf_hash(statement), self.index, self.size, &self.path)?;
        check(&self.bytes, self.size, &root, keys)?;
        Ok(root)
    }
}

impl ConsistencyReceipt {
    pub(crate) fn sign(
        origin: &str,
        signer: &Signer,
        root: &Hash,
        (earlier, size): (u64, u64),
        path: &[Hash],
    ) -> Result<Vec<u8>, LedgerError> {
        sign(origin, signer, root, CONSISTENCY, [earlier, size], size, path)
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<ConsistencyReceipt, LedgerError> {
        let ([earlier, size], path) = proof(bytes, CONSISTENCY)?;
        Ok(ConsistencyReceipt { earlier, size, path, bytes: bytes.into() })
    }

    /// Checks that the log of this root grew from the one of the earlier root.
    ///
    /// # Errors
    /// When it does not show that.
    pub fn verify(&self, earlier_root: &Hash, root: &Hash, keys: &KeyRing) -> Result<(), LedgerError> {
        verify_consistency(self.earlier, self.size, &self.path, earlier_root, root)?;
        check(&self.bytes, self.size, root, keys)
    }
}

/// What is signed beside the root.
fn claims(origin: &str, size: u64) -> Vec<(i64, Value)> {
    // RFC 8392's issuer is claim 1, and precedes the name that is ours.
    let Value::Map(mut entries) = map(vec![("tree-size", size.into())]) else { return Vec::new() };
    entries.insert(0, (1.into(), Value::Text(origin.into())));
    vec![(CWT_CLAIMS, Value::Map(entries)), (VDS, RFC9162_SHA256.into())]
}

fn sign(
    origin: &str,
    signer: &Signer,
    root: &Hash,
    kind: i64,
    numbers: [u64; 2],
    size: u64,
    path: &[Hash],
) -> Result<Vec<u8>, LedgerError> {
    let steps = path.iter().map(|hash| Value::Bytes(hash.to_vec())).collect();
    let proof = encode(&Value::Array(vec![numbers[0].into(), numbers[1].into(), Value::Array(steps)]));
    let proofs = Value::Map(vec![(kind.into(), Value::Array(vec![Value::Bytes(proof)]))]);
    let message = unsigned(signer, claims(origin, size))
        .unprotected(HeaderBuilder::new().value(VDP, proofs).build())
        .try_create_detached_signature(root, &[], |message| signature(signer, message))?;
    Ok(message.build().to_tagged_vec().expect("a message that was built encodes"))
}

/// The one proof of a kind that a receipt holds.
fn proof(bytes: &[u8], kind: i64) -> Result<([u64; 2], Vec<Hash>), LedgerError> {
    let malformed = |why: &str| LedgerError::malformed("receipt", why);
    let message = decode_message("receipt", bytes)?;
    let header = &message.unprotected;
    let [(Label::Int(VDP), Value::Map(proofs))] = header.rest.as_slice() else {
        return Err(malformed("its unprotected header does not hold proofs alone"));
    };
    let alone = coset::Header { rest: header.rest.clone(), ..coset::Header::default() };
    if *header != alone || message.payload.is_some() {
        return Err(malformed("it holds more than proofs"));
    }
    let [(label, Value::Array(proofs))] = proofs.as_slice() else {
        return Err(malformed("it does not hold proofs of one kind"));
    };
    let [Value::Bytes(proof)] = proofs.as_slice() else { return Err(malformed("it does not hold one proof")) };
    if *label != Value::from(kind) {
        return Err(malformed("it holds a proof of another kind"));
    }
    let Value::Array(parts) = decode("receipt", proof)? else { return Err(malformed("its proof is no list")) };
    let [first, second, Value::Array(steps)] = parts.as_slice() else {
        return Err(malformed("its proof is not two numbers and a path"));
    };
    let number = |value: &Value| value.as_integer().and_then(|number| u64::try_from(number).ok());
    let (Some(first), Some(second)) = (number(first), number(second)) else {
        return Err(malformed("its proof is not two numbers and a path"));
    };
    let step = |step: &Value| step.as_bytes().and_then(|bytes| bytes.as_slice().try_into().ok());
    let path: Option<Vec<Hash>> = steps.iter().map(step).collect();
    // Inclusion in 2^64 leaves takes 64 hashes, consistency one more.
    let path = path.filter(|path| path.len() <= 65);
    Ok(([first, second], path.ok_or_else(|| malformed("its path is not up to 65 hashes"))?))
}

/// Checks the signature over the root, and that the protected header is the one that we write for this size.
fn check(bytes: &[u8], size: u64, root: &Hash, keys: &KeyRing) -> Result<(), LedgerError> {
    let message = decode_message("receipt", bytes)?;
    let key = keys.at(size);
    let expected = coset::Header {
        alg: Some(coset::RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA)),
        key_id: key.id().to_vec(),
        rest: claims(keys.root().origin(), size).into_iter().map(|(label, value)| (Label::Int(label), value)).collect(),
        ..coset::Header::default()
    };
    if message.protected.header != expected {
        return Err(LedgerError::unproven("the receipt is of another log, size or key"));
    }
    let verifies = message.verify_detached_signature(root, &[], |signature, signed| {
        let signature = <&[u8; 64]>::try_from(signature).map_err(|_| ())?;
        if key.verifies(signed, signature) { Ok(()) } else { Err(()) }
    });
    verifies.map_err(|()| LedgerError::unproven("the receipt's signature is not over the root that the proof leads to"))
}
