//! An approval as it travels: a COSE_Sign message (RFC 9052, section 4.1) that one approver or several signed with Ed25519.
//!
//! The payload is a [`Request`] in deterministic CBOR (RFC 8949, 4.2.1); the body's protected header says what it is
//! (`application/vnd.knhk.approval+cbor`), each signature's says by which key and algorithm. Nothing stands outside of what is signed, and
//! there is one encoding of each message, with the signatures in the order of their keys' ids: any other is refused. The order is the
//! message's own: nobody can make two messages of the same signatures.

use ciborium::Value;
use coset::{CoseSign, CoseSignBuilder, CoseSignature, CoseSignatureBuilder, Header, HeaderBuilder};
use coset::{TaggedCborSerializable, iana};
use knhk_ledger::{LedgerError, Signer};
use serde::{Deserialize, Serialize};

use super::{Approvers, Refusal};
use crate::counters::{APPROVALS_REFUSED, APPROVALS_VERIFIED};
use crate::mutant::{Mutant, mutated};
use crate::text::hex;

/// What can be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A proposal.
    Proposal,
    /// A relaxation of a guard.
    Relaxation,
    /// A change of the set of approvers.
    Approvers,
    /// A change of the guards.
    Guards,
}

/// What an approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Yes.
    Approve,
    /// No more: an approval that was given counts no longer.
    Withdraw,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The engine's ledger, by its origin: an approval is good for one engine.
    pub log: String,
    /// What kind of thing it is about.
    pub kind: Kind,
    /// Which: `p-19`, `r-3`.
    pub id: String,
    /// SHA-256 that stands for its content.
    pub digest: [u8; 32],
    /// What is said of it.
    pub word: Word,
    /// Random bytes that tell this request from every other.
    pub nonce: [u8; 16],
    /// When it was made, in nanoseconds since 1970 (UTC).
    pub issued_ns: u64,
    /// From when on it is good for nothing.
    pub expires_ns: u64,
    /// The soft-mandatory rules that it overrides, such as `orders/four-eyes`; of a proposal alone, and mostly none.
    pub overrides: Vec<String>,
}

/// A message as it was read; its signatures are not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What is said.
    pub request: Request,
    payload: Vec<u8>,
    /// By the keys' ids, ascending.
    signatures: Vec<([u8; 8], [u8; 64])>,
}

/// A request that was signed, and by whom: verified, and not yet looked at in any other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// What is said.
    pub request: Request,
    /// Who says it.
    pub voters: Vec<Voter>,
}

/// Someone who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Their name.
    pub name: String,
    /// Their key.
    pub key: [u8; 32],
    /// Their groups.
    pub groups: Vec<String>,
}

/// Bytes of a message, at most.
const MAX_BYTES: usize = 64 << 10;
/// Signatures of a message, at most.
const MAX_SIGNATURES: usize = 64;
const WHAT: &str = "approval";

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Proposal, Kind::Relaxation, Kind::Approvers, Kind::Guards];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Proposal => "proposal",
            Kind::Relaxation => "relaxation",
            Kind::Approvers => "approvers",
            Kind::Guards => "guards",
        }
    }
}

impl Word {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Word::Approve => "approve",
            Word::Withdraw => "withdraw",
        }
    }
}

impl Request {
    /// The bytes that a message carries as its payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Shorter keys first, then bytewise.
        let entries = [
            ("id", Value::Text(self.id.clone())),
            ("log", Value::Text(self.log.clone())),
            ("kind", Value::Text(self.kind.as_str().into())),
            ("word", Value::Text(self.word.as_str().into())),
            ("nonce", Value::Bytes(self.nonce.to_vec())),
            ("digest", Value::Bytes(self.digest.to_vec())),
            ("issued", Value::from(self.issued_ns)),
            ("expires", Value::from(self.expires_ns)),
            ("overrides", Value::Array(self.overrides.iter().cloned().map(Value::Text).collect())),
        ];
        let map = entries.into_iter().map(|(key, value)| (Value::Text(key.into()), value)).collect();
        let mut bytes = Vec::with_capacity(256);
        ciborium::into_writer(&Value::Map(map), &mut bytes).expect("a vector takes any value");
        bytes
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`Refusal::Malformed`], [`Refusal::Limit`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Request, Refusal> {
        within(bytes)?;
        let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, 4)
            .map_err(|error| Refusal::malformed(WHAT, error.to_string()))?;
        let request = value.into_map().ok().and_then(Request::from_map);
        let request = request.ok_or_else(|| Refusal::malformed(WHAT, "it has not the fields of an approval"))?;
        // One way to write it: whatever was read and is written otherwise was written in another.
        if request.to_bytes() != bytes {
            return Err(Refusal::malformed(WHAT, "it is not CBOR in deterministic form"));
        }
        Ok(request)
    }

    fn from_map(entries: Vec<(Value, Value)>) -> Option<Request> {
        let mut values = entries.into_iter().map(|(_, value)| value);
        let mut next = || values.next();
        let (id, log) = (next()?.into_text().ok()?, next()?.into_text().ok()?);
        let (kind, word) = (next()?.into_text().ok()?, next()?.into_text().ok()?);
        let (nonce, digest) = (next()?.into_bytes().ok()?, next()?.into_bytes().ok()?);
        let (issued, expires) = (next()?.into_integer().ok()?, next()?.into_integer().ok()?);
        let overrides = next()?.into_array().ok()?;
        Some(Request {
            id,
            log,
            kind: Kind::ALL.into_iter().find(|known| known.as_str() == kind)?,
            word: [Word::Approve, Word::Withdraw].into_iter().find(|known| known.as_str() == word)?,
            nonce: nonce.try_into().ok()?,
            digest: digest.try_into().ok()?,
            issued_ns: issued.try_into().ok()?,
            expires_ns: expires.try_into().ok()?,
            overrides: overrides.into_iter().map(|rule| rule.into_text().ok()).collect::<Option<_>>()?,
        })
    }

    /// The same, signed by one approver.
    ///
    /// # Errors
    /// When a key that is held elsewhere does not sign.
    pub fn sign(&self, signer: &Signer) -> Result<Vec<u8>, LedgerError> {
        let mut approval = Approval { request: self.clone(), payload: self.to_bytes(), signatures: Vec::new() };
        approval.sign(signer)?;
        Ok(approval.to_bytes())
    }
}

impl Approval {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Refusal::Malformed`], [`Refusal::Limit`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Approval, Refusal> {
        Approval::read(bytes).inspect_err(|_| APPROVALS_REFUSED.add(1))
    }

    fn read(bytes: &[u8]) -> Result<Approval, Refusal> {
        within(bytes)?;
        let malformed = |why: &str| Refusal::malformed(WHAT, why);
        let message = CoseSign::from_tagged_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
        let payload = message.payload.ok_or_else(|| malformed("it has no payload"))?;
        if message.signatures.is_empty() {
            return Err(malformed("nobody signed it"));
        }
        if message.signatures.len() > MAX_SIGNATURES {
            return Err(Refusal::limit(format!("an approval has at most {MAX_SIGNATURES} signatures")));
        }
        let signature =
            |one: CoseSignature| Some((one.protected.header.key_id.try_into().ok()?, one.signature.try_into().ok()?));
        let signatures: Option<Vec<_>> = message.signatures.into_iter().map(signature).collect();
        let signatures = signatures.ok_or_else(|| malformed("a signature has no 64 bytes, or no key id of 8"))?;
        if !signatures.is_sorted_by(|(left, _), (right, _)| left < right) {
            return Err(malformed("its signatures are not in the order of their keys, each once"));
        }
        let approval = Approval { request: Request::from_bytes(&payload)?, payload, signatures };
        // The headers, too, are written in one way only.
        if approval.to_bytes() != bytes {
            return Err(malformed("it is no COSE_Sign of the form that approvals have"));
        }
        Ok(approval)
    }

    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = self.unsigned();
        for (key_id, signature) in &self.signatures {
            message = message.add_signature(CoseSignature { signature: signature.to_vec(), ..by(key_id) });
        }
        message.build().to_tagged_vec().expect("a message that was built encodes")
    }

    /// Adds a signature, in the place of an older one by the same key.
    ///
    /// # Errors
    /// When a key that is held elsewhere does not sign.
    pub fn sign(&mut self, signer: &Signer) -> Result<(), LedgerError> {
        let key_id = signer.public().id();
        let message = self.unsigned().build();
        let signature = signer.sign(&message.tbs_data(&[], &by(&key_id)))?;
        match self.signatures.binary_search_by_key(&key_id, |(id, _)| *id) {
            Ok(at) => self.signatures[at].1 = signature,
            Err(at) => self.signatures.insert(at, (key_id, signature)),
        }
        Ok(())
    }

    /// Verifies every signature against the keys of whoever is in one of the sets.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::Forged`].
    pub fn verify(&self, sets: &[&Approvers]) -> Result<Ballot, Refusal> {
        let ballot = self.verified(sets);
        match &ballot {
            Ok(ballot) => APPROVALS_VERIFIED.add(ballot.voters.len() as u64),
            Err(refusal) => {
                APPROVALS_REFUSED.add(1);
                tracing::warn!(%refusal, "an approval was refused");
            }
        }
        ballot
    }

    fn verified(&self, sets: &[&Approvers]) -> Result<Ballot, Refusal> {
        let message = self.unsigned().build();
        let mut voters = Vec::with_capacity(self.signatures.len());
        for (number, (key_id, signature)) in self.signatures.iter().enumerate() {
            let Some(approver) = sets.iter().find_map(|set| set.by_key_id(key_id)) else {
                if mutated(Mutant::StrangerSkipped) {
                    continue;
                }
                return Err(Refusal::Unknown { key: hex(key_id) });
            };
            let unchecked = mutated(Mutant::SignatureUnchecked) || mutated(Mutant::FirstSignatureOnly) && number > 0;
            if !unchecked && !approver.key.verifies(&message.tbs_data(&[], &by(key_id)), signature) {
                return Err(Refusal::Forged { by: approver.name.clone() });
            }
            let (name, groups) = (approver.name.clone(), approver.groups.clone());
            voters.push(Voter { name, key: approver.key.to_bytes(), groups });
        }
        Ok(Ballot { request: self.request.clone(), voters })
    }

    fn unsigned(&self) -> CoseSignBuilder {
        let protected = HeaderBuilder::new().content_type("application/vnd.knhk.approval+cbor".to_owned()).build();
        CoseSignBuilder::new().protected(protected).payload(self.payload.clone())
    }
}

/// A signature's header.
fn by(key_id: &[u8; 8]) -> CoseSignature {
    let protected: Header = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(key_id.to_vec()).build();
    CoseSignatureBuilder::new().protected(protected).build()
}

fn within(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.len() > MAX_BYTES {
        return Err(Refusal::limit(format!("an approval has {} bytes, and at most {MAX_BYTES}", bytes.len())));
    }
    Ok(())
}
