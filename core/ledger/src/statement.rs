//! A statement: claims, signed as COSE_Sign1 (RFC 9052).
//!
//! The protected header names the algorithm (EdDSA), the content's form (CBOR) and the key; the unprotected header is empty, so that every
//! byte is signed. The encoding is deterministic: there is one for each statement and signature.

use ciborium::Value;
use coset::iana::{self, CoapContentFormat};
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable};

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
        let claims = Claims::from_value(cbor::decode("statement", envelope.payload)?)?;
        debug_assert_eq!(cbor::encode(&claims.to_value()), envelope.payload, "claims are written in one way only");
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

/// A COSE_Sign1 with an embedded payload, an empty unprotected header and the protected header that [`sign`] writes.
pub(crate) struct Envelope<'b> {
    pub(crate) payload: &'b [u8],
    pub(crate) key_id: [u8; 8],
    /// What the signature is over (RFC 9052's Sig_structure).
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

/// How a statement begins: tag 18, a list of four, and the protected header up to the key's id, which is EdDSA, CBOR, and an id of 8 bytes.
const HEAD: [u8; 11] = [0xd2, 0x84, 0x50, 0xa3, 0x01, 0x27, 0x03, 0x18, 0x3c, 0x04, 0x48];
/// How its Sig_structure begins: a list of four, "Signature1", and the protected header, likewise.
const SIGNED_HEAD: [u8; 21] = *b"\x84\x6aSignature1\x50\xa3\x01\x27\x03\x18\x3c\x04\x48";
/// The length of a signature, as a byte string's head.
const SIGNATURE: [u8; 2] = [0x58, 0x40];

impl Envelope<'_> {
    /// There is one encoding only, so it is matched byte by byte; whatever differs is refused.
    pub(crate) fn decode<'b>(what: &'static str, bytes: &'b [u8]) -> Result<Envelope<'b>, LedgerError> {
        let differs = || LedgerError::malformed(what, "it is no COSE_Sign1 of the form that this log has");
        let rest = bytes.strip_prefix(&HEAD).ok_or_else(differs)?;
        let (key_id, rest) = rest.split_first_chunk::<8>().ok_or_else(differs)?;
        // The unprotected header is empty.
        let rest = rest.strip_prefix(&[0xa0]).ok_or_else(differs)?;
        let (rest, signature) = rest.split_last_chunk::<64>().ok_or_else(differs)?;
        let content = rest.strip_suffix(&SIGNATURE).ok_or_else(differs)?;
        // The payload, with the head that its length has.
        let payload = match *content {
            [head @ 0x40..=0x57, ref payload @ ..] if payload.len() == usize::from(head - 0x40) => payload,
            [0x58, length, ref payload @ ..] if length >= 24 && payload.len() == usize::from(length) => payload,
            [0x59, high, low, ref payload @ ..] => {
                let length = u16::from_be_bytes([high, low]);
                if length < 256 || payload.len() != usize::from(length) {
                    return Err(differs());
                }
                payload
            }
            [0x5a, a, b, c, d, ref payload @ ..] => {
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                if length < 1 << 16 || payload.len() != length || length > cbor::MAX_BYTES {
                    return Err(differs());
                }
                payload
            }
            _ => return Err(differs()),
        };
        // No external data: an empty byte string before the payload.
        let signed = [&SIGNED_HEAD[..], key_id, &[0x40], content].concat();
        Ok(Envelope { payload, key_id: *key_id, signed, signature: *signature })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The form that is matched is the one that coset writes, whatever the payload's length.
    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let signer = Signer::from_seed(&[5; 32]);
        for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536, 100_000] {
            let payload = vec![7; length];
            let bytes = sign(payload.clone(), &signer, Vec::new()).unwrap();
            let envelope = Envelope::decode("statement", &bytes).unwrap();
            let message = decode_message("statement", &bytes).unwrap();
            assert_eq!(envelope.payload, payload);
            assert_eq!(envelope.signed, message.tbs_data(&[]), "{length}");
            assert!(signer.public().verifies(&envelope.signed, &envelope.signature));
            assert_eq!(envelope.key_id, signer.public().id());
            for cut in [1, bytes.len() / 2, bytes.len() - 1] {
                assert!(Envelope::decode("statement", &bytes[..cut]).is_err());
            }
            assert!(Envelope::decode("statement", &[&bytes[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn a_longer_head_than_needed_is_refused() {
        let signer = Signer::from_seed(&[5; 32]);
        let bytes = sign(vec![7; 30], &signer, Vec::new()).unwrap();
        let at = HEAD.len() + 8 + 1;
        assert_eq!(bytes[at..at + 2], [0x58, 30]);
        for head in [&[0x59, 0, 30][..], &[0x5a, 0, 0, 0, 30], &[0x5b, 0, 0, 0, 0, 0, 0, 0, 30]] {
            let longer = [&bytes[..at], head, &bytes[at + 2..]].concat();
            assert!(Envelope::decode("statement", &longer).is_err(), "{head:?}");
        }
    }
}
