//! Checkpoints: how many receipts there are and their root, as a signed note (C2SP tlog-checkpoint, signed-note).
//!
//! ```text
//! <origin>
//! <size>
//! <root, base64>
//!
//! — <origin> <base64 of the key's hash and the signature>
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::trust::note_key_hash;
use crate::{Hash, KeyRing, LedgerError, Signer};

/// Bytes of a note, at most.
const MAX_BYTES: usize = 64 << 10;
/// Signatures on a note, at most: the log's and witnesses'.
const MAX_SIGNATURES: usize = 100;

/// What a checkpoint says. Its signature is checked by [`Checkpoint::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many receipts it covers.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    text: String,
    signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

impl Checkpoint {
    /// Signs a checkpoint; gives the note.
    pub(crate) fn sign(origin: &str, size: u64, root: &Hash, signer: &Signer) -> Result<String, LedgerError> {
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
        let mut signature = note_key_hash(origin, &signer.public()).to_vec();
        signature.extend_from_slice(&signer.sign(text.as_bytes())?);
        Ok(format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signature)))
    }

    /// Reads a note. Signatures of witnesses may stand beside the log's; further lines of the body are kept and signed.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(note: &str) -> Result<Checkpoint, LedgerError> {
        let malformed = |why: &str| LedgerError::malformed("checkpoint", why);
        if note.len() > MAX_BYTES {
            return Err(malformed("it has more than 64 KiB"));
        }
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(malformed("it has control characters"));
        }
        let (body, signatures) = note.rsplit_once("\n\n").ok_or_else(|| malformed("it has no signatures"))?;
        let text = format!("{body}\n");
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed("it has not three lines"));
        };
        let number: u64 = size.parse().map_err(|_| malformed("its second line is no number"))?;
        if origin.is_empty() || number.to_string() != size || lines.any(str::is_empty) {
            return Err(malformed("its first line is empty or its second no plain number"));
        }
        let bytes = STANDARD.decode(root).map_err(|_| malformed("its third line is no base64"))?;
        let root = bytes.try_into().map_err(|_| malformed("its root has not 32 bytes"))?;
        let signatures = signatures.strip_suffix('\n').ok_or_else(|| malformed("its last line has no end"))?;
        let signatures: Vec<_> = signatures
            .split('\n')
            .take(MAX_SIGNATURES + 1)
            .map(|line| signature(line).ok_or_else(|| malformed("a signature line is not of the form of one")))
            .collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it has more than 100 signatures"));
        }
        Ok(Checkpoint { origin: origin.into(), size: number, root, text, signatures })
    }

    /// Checks that it is this log's, signed by the key that was the log's at that size.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, keys: &KeyRing) -> Result<(), LedgerError> {
        if self.origin != keys.root().origin() {
            let why = format!("the checkpoint is of the log {}, not of {}", self.origin, keys.root().origin());
            return Err(LedgerError::unproven(why));
        }
        let key = keys.at(self.size);
        let hash = note_key_hash(&self.origin, &key);
        let ours = |(name, by, bytes): &(String, [u8; 4], Vec<u8>)| {
            let signature = <&[u8; 64]>::try_from(bytes.as_slice());
            *name == self.origin && *by == hash && signature.is_ok_and(|s| key.verifies(self.text.as_bytes(), s))
        };
        if self.signatures.iter().any(ours) {
            return Ok(());
        }
        Err(LedgerError::unproven("the checkpoint is not signed by the key that was the log's then"))
    }
}

/// The name, the key's hash and the signature of a line.
fn signature(line: &str) -> Option<(String, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (hash, signature) = bytes.split_first_chunk::<4>()?;
    (!name.is_empty()).then(|| (name.into(), *hash, signature.to_vec()))
}
