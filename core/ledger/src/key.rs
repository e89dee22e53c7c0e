//! Signing keys: where they come from, and who signs.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::counters::SIGNED;
use crate::{Hash, LedgerError};

/// Bytes of a key file, at most.
const MAX_BYTES: u64 = 16 << 10;

/// The public part of a key (Ed25519), one that signatures can be checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// When they are no point of the curve in its one encoding, or one of small order, for which signatures say nothing.
    pub fn from_bytes(bytes: &Hash) -> Result<PublicKey, LedgerError> {
        let sound = |key: &VerifyingKey| !key.is_weak() && key.to_edwards().compress().as_bytes() == bytes;
        let key = VerifyingKey::from_bytes(bytes).ok().filter(sound);
        key.map(PublicKey).ok_or_else(|| LedgerError::malformed("public key", "it is no usable Ed25519 key"))
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> Hash {
        self.0.to_bytes()
    }

    /// What statements name it by: the first 8 bytes of its SHA-256.
    pub fn id(&self) -> [u8; 8] {
        let digest: Hash = Sha256::digest(self.0.as_bytes()).into();
        std::array::from_fn(|at| digest[at])
    }

    /// Whether it signed this (RFC 8032, with the strict checks that rule out ambiguous signatures).
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    pub(crate) fn dalek(&self) -> &VerifyingKey {
        &self.0
    }
}

/// Signs elsewhere: gets a message, gives its Ed25519 signature or says why not.
type Callback = dyn Fn(&[u8]) -> Result<[u8; 64], String> + Send + Sync;

#[derive(Clone)]
enum Secret {
    /// Zeroised when dropped.
    Here(Arc<SigningKey>),
    Elsewhere(Arc<Callback>),
}

/// Who signs: a key held here, or a callback to where one is held (HSM, KMS, Vault). Its secret is in no text that it gives.
#[derive(Clone)]
pub struct Signer {
    public: PublicKey,
    secret: Secret,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.secret {
            Secret::Here(_) => "here",
            Secret::Elsewhere(_) => "elsewhere",
        };
        f.debug_struct("Signer").field("public", &self.public).field("secret", &place).finish()
    }
}

impl Signer {
    /// A new key from the system's random source.
    ///
    /// # Errors
    /// When the system has none.
    pub fn generate() -> Result<Signer, LedgerError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice())
            .map_err(|error| LedgerError::Signing { why: format!("the system gives no random bytes: {error}") })?;
        Ok(Signer::from_seed(&seed))
    }

    /// The key of a seed (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Signer {
        Signer::held(SigningKey::from_bytes(seed))
    }

    fn held(key: SigningKey) -> Signer {
        Signer { public: PublicKey(key.verifying_key()), secret: Secret::Here(Arc::new(key)) }
    }

    /// A key that is held elsewhere. The callback may be called from any thread, and while it runs no other receipt is signed; each
    /// signature that it gives is checked.
    pub fn delegated(
        public: PublicKey,
        sign: impl Fn(&[u8]) -> Result<[u8; 64], String> + Send + Sync + 'static,
    ) -> Signer {
        Signer { public, secret: Secret::Elsewhere(Arc::new(sign)) }
    }

    /// Loads a key: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the file cannot be read, holds none of these, or others than its owner may touch it. No error quotes what is in it.
    pub fn load(path: &Path) -> Result<Signer, LedgerError> {
        let fail = |why: String| LedgerError::KeyFile { path: path.into(), why };
        let file = File::open(path).map_err(|error| fail(format!("cannot be opened: {error}")))?;
        // Of the file that is open, so that it cannot be another in between.
        let about = file.metadata().map_err(|error| fail(format!("cannot be looked at: {error}")))?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&about) & 0o777;
            if mode & 0o077 != 0 {
                return Err(fail(format!("can be touched by others (mode {mode:04o}); chmod 600 it")));
            }
        }
        if !about.is_file() || about.len() > MAX_BYTES {
            return Err(fail(format!("is no file of up to {MAX_BYTES} bytes")));
        }
        // Room for all of it at once: growing would leave copies of it behind.
        let mut content = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize));
        let read = file.take(MAX_BYTES).read_to_end(&mut content);
        read.map_err(|error| fail(format!("cannot be read: {error}")))?;
        parse(&content).ok_or_else(|| {
            fail("holds no Ed25519 key: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits".into())
        })
    }

    /// Writes the key to a new file as PKCS#8 PEM that only its owner may read.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the key is held elsewhere.
    pub fn save(&self, path: &Path) -> Result<(), LedgerError> {
        let fail = |why: String| LedgerError::KeyFile { path: path.into(), why };
        let Secret::Here(key) = &self.secret else {
            return Err(fail("cannot be written: the key is held elsewhere".into()));
        };
        // Without the public part, because older tools read that form only.
        let mut pair = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        zeroize::Zeroize::zeroize(&mut pair.secret_key);
        let pem = pem.map_err(|_| fail("cannot be written: the key does not encode".into()))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            file.write_all(pem.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| fail(format!("cannot be written: {error}")))
    }

    /// The public part.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message (RFC 8032): for whoever holds a key on behalf of an engine elsewhere.
    ///
    /// # Errors
    /// When a key held elsewhere did not, or its signature is not this key's.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], LedgerError> {
        let signature = match &self.secret {
            Secret::Here(key) => key.sign(message).to_bytes(),
            Secret::Elsewhere(sign) => {
                let signature = sign(message).map_err(|why| LedgerError::Signing { why })?;
                if !self.public.verifies(message, &signature) {
                    let why = "what the callback gave is not this key's signature; check which key it uses".into();
                    return Err(LedgerError::Signing { why });
                }
                signature
            }
        };
        SIGNED.add(1);
        Ok(signature)
    }
}

fn parse(content: &[u8]) -> Option<Signer> {
    if let Ok(seed) = <&[u8; 32]>::try_from(content) {
        return Some(Signer::from_seed(seed));
    }
    if let Ok(key) = SigningKey::from_pkcs8_der(content) {
        return Some(Signer::held(key));
    }
    let text = std::str::from_utf8(content).ok()?.trim();
    if let Ok(key) = SigningKey::from_pkcs8_pem(text) {
        return Some(Signer::held(key));
    }
    let digits = <&[u8; 64]>::try_from(text.as_bytes()).ok()?;
    let mut seed = Zeroizing::new([0; 32]);
    for (byte, pair) in seed.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(Signer::from_seed(&seed))
}
