//! Encryption of checkpoints: XChaCha20-Poly1305, a nonce of 192 random bits each, the head authenticated with the body.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, Generate, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// Bytes of a key's identifier.
pub(super) const ID: usize = 8;

/// A key of 32 bytes. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A key. Where it comes from and where it is kept is the caller's to decide.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// What a checkpoint names the key by: the first bytes of a digest of it.
    pub fn id(&self) -> [u8; ID] {
        let digest = Sha256::new().chain_update(b"knhk checkpoint key\0").chain_update(*self.0).finalize();
        *digest.first_chunk().expect("a SHA-256 has 32 bytes")
    }

    pub(super) fn nonce() -> Result<[u8; NONCE], String> {
        XNonce::try_generate().map(Into::into).map_err(|error| format!("the system has no random numbers: {error}"))
    }

    pub(super) fn seal(&self, nonce: &[u8; NONCE], head: &[u8], body: &mut Vec<u8>) -> Result<(), String> {
        let sealed = self.cipher().encrypt_in_place(&XNonce::from(*nonce), head, body);
        sealed.map_err(|_| "it is too large to be encrypted".into())
    }

    pub(super) fn open(&self, nonce: &[u8; NONCE], head: &[u8], body: &mut Vec<u8>) -> Result<(), String> {
        let opened = self.cipher().decrypt_in_place(&XNonce::from(*nonce), head, body);
        opened.map_err(|_| "it does not decrypt: it was changed, or its key was".into())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
