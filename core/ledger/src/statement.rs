//! A statement: claims, signed as COSE_Sign1 (RFC 9052).
//!
//! The protected header names the algorithm (EdDSA), the content's form (CBOR) and the key; the unprotected header is empty, so that every
//! byte is signed. The encoding is deterministic: there is one for each statement and signature.

use ciborium::Value;
use coset::iana::{self, CoapContentFormat};
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, TaggedCborSerializable};

use crate::{Claims, LedgerError, PublicKey, Signer, cbor};

/// A statement as it was read: what it claims, and the signature, which is not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it claims.
    pub claims: Claims,
    /// The id of the key that signed.
    pub key_id: [u8; 8],
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Statement {
    /// Signs claims.
    ///
    /// # Errors
    /// When the signer does not.
    pub(crate) fn sign(claims: &Claims, signer: &Signer) -> Result<Vec<u8>, LedgerError> {
        sign(cbor::encode(&claims.to_value()), signer, Vec::new())
    }

    /// Reads a statement; any other encoding of it than ours is refused.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<Statement, LedgerError> {
        let envelope = Envelope::decode("statement", bytes)?;
        let claims = Claims::from_value(cbor::decode("statement", &envelope.payload)?)?;
        Ok(Statement { claims, key_id: envelope.key_id, signed: envelope.signed, signature: envelope.signature })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// When another key signed, or something else was signed.
    pub fn verify(&self, key: &PublicKey) -> Result<(), LedgerError> {
        if self.key_id != key.id() || !key.verifies(&self.signed, &self.signature) {
            return Err(LedgerError::unproven("the statement's signature is not this key's"));
        }
        Ok(())
    }
}

/// Signs a payload; `rest` goes into the protected header, in ascending order of labels beyond 4.
pub(crate) fn sign(payload: Vec<u8>, signer: &Signer, rest: Vec<(i64, Value)>) -> Result<Vec<u8>, LedgerError> {
    let message =
        unsigned(signer, rest).payload(payload).try_create_signature(&[], |message| signature(signer, message));
    Ok(message?.build().to_tagged_vec().expect("a message that was built encodes"))
}

pub(crate) fn unsigned(signer: &Signer, rest: Vec<(i64, Value)>) -> CoseSign1Builder {
    let mut protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(signer.public().id().to_vec());
    if rest.is_empty() {
        protected = protected.content_format(CoapContentFormat::Cbor);
    }
    for (label, value) in rest {
        protected = protected.value(label, value);
    }
    CoseSign1Builder::new().protected(protected.build())
}

pub(crate) fn signature(signer: &Signer, message: &[u8]) -> Result<Vec<u8>, LedgerError> {
    signer.sign(message).map(|signature| signature.to_vec())
}

/// A COSE_Sign1 with an embedded payload, an empty unprotected header and the header that [`sign`] writes.
pub(crate) struct Envelope {
    pub(crate) payload: Vec<u8>,
    pub(crate) key_id: [u8; 8],
    /// What the signature is over (RFC 9052's Sig_structure).
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Envelope {
    pub(crate) fn decode(what: &'static str, bytes: &[u8]) -> Result<Envelope, LedgerError> {
        let malformed = |why: &str| LedgerError::malformed(what, why);
        let message = decode_message(what, bytes)?;
        let header = &message.protected.header;
        let cbor = RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA);
        let format = coset::ContentType::Assigned(CoapContentFormat::Cbor);
        if header.alg != Some(cbor) || header.content_type != Some(format) || !header.rest.is_empty() {
            return Err(malformed("its protected header is not that of a statement"));
        }
        if !message.unprotected.is_empty() {
            return Err(malformed("its unprotected header is not empty"));
        }
        let key_id = header.key_id.as_slice().try_into().map_err(|_| malformed("its key's id has not 8 bytes"))?;
        let signature =
            message.signature.as_slice().try_into().map_err(|_| malformed("its signature has not 64 bytes"))?;
        let signed = message.tbs_data(&[]);
        let payload = message.payload.ok_or_else(|| malformed("it has no payload"))?;
        Ok(Envelope { payload, key_id, signed, signature })
    }
}

/// Reads a COSE_Sign1 in deterministic form.
pub(crate) fn decode_message(what: &'static str, bytes: &[u8]) -> Result<CoseSign1, LedgerError> {
    if bytes.len() > cbor::MAX_BYTES {
        let why = format!("it has {} bytes, and at most {}", bytes.len(), cbor::MAX_BYTES);
        return Err(LedgerError::malformed(what, why));
    }
    let malformed = |error: coset::CoseError| LedgerError::malformed(what, error.to_string());
    let message = CoseSign1::from_tagged_slice(bytes).map_err(malformed)?;
    // What was read keeps the bytes of the protected header; building it anew shows whether they are the only ones.
    let mut again = message.clone();
    again.protected.original_data = None;
    if again.to_tagged_vec().map_err(malformed)? != bytes {
        return Err(LedgerError::malformed(what, "it is not CBOR in deterministic form"));
    }
    Ok(message)
}
