//! Where trust begins, and which key may sign which receipt.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::{Evidence, Hash, LedgerError, PublicKey, Statement, Tampering};

/// A log's name and its first key, as text a C2SP verifier key: `<origin>+<hash>+<key>`. Whoever verifies has it from elsewhere than the
/// log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    origin: String,
    key: PublicKey,
}

impl TrustRoot {
    /// A trust root of a log called `origin`.
    ///
    /// # Errors
    /// When the origin is not 1 to 255 visible characters without `+`.
    pub fn new(origin: &str, key: PublicKey) -> Result<TrustRoot, LedgerError> {
        let visible = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if origin.is_empty() || origin.len() > 255 || !origin.chars().all(visible) {
            let why =
                format!("{origin:?} is no name of a log: 1 to 255 bytes without space and +, such as host/folder");
            return Err(LedgerError::malformed("trust root", why));
        }
        Ok(TrustRoot { origin: origin.into(), key })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its first key.
    pub fn key(&self) -> PublicKey {
        self.key
    }
}

/// C2SP signed-note: what a signature names its key by.
pub(crate) fn note_key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let digest: Hash =
        Sha256::new().chain_update(name).chain_update(b"\n\x01").chain_update(key.to_bytes()).finalize().into();
    std::array::from_fn(|at| digest[at])
}

impl fmt::Display for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![1];
        typed.extend_from_slice(&self.key.to_bytes());
        let hash = u32::from_be_bytes(note_key_hash(&self.origin, &self.key));
        write!(f, "{}+{hash:08x}+{}", self.origin, STANDARD.encode(typed))
    }
}

impl FromStr for TrustRoot {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<TrustRoot, LedgerError> {
        let malformed = |why: &str| LedgerError::malformed("trust root", why);
        let mut parts = text.splitn(3, '+');
        let (Some(origin), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("it has not the form <origin>+<hash>+<key>"));
        };
        let typed = STANDARD.decode(key).map_err(|_| malformed("its key is no base64"))?;
        let [1, key @ ..] = typed.as_slice() else { return Err(malformed("its key is not of kind 1 (Ed25519)")) };
        let key = key.try_into().map_err(|_| malformed("its key has not 32 bytes"))?;
        let root = TrustRoot::new(origin, PublicKey::from_bytes(key)?)?;
        if root.to_string() == text { Ok(root) } else { Err(malformed("its hash is not that of its name and key")) }
    }
}

/// A log's keys, each with the receipts that it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    root: TrustRoot,
    /// The first receipt that each may sign, ascending.
    keys: Vec<(u64, PublicKey)>,
}

impl KeyRing {
    /// The keys of a log that no key took over in yet.
    pub fn new(root: TrustRoot) -> KeyRing {
        KeyRing { keys: vec![(0, root.key)], root }
    }

    /// The keys of a log by the statements of its rotations, oldest first: each is checked against the key that it takes over from.
    ///
    /// # Errors
    /// When one is no rotation of this log, or not signed by the key before it.
    pub fn following<'s>(
        root: TrustRoot,
        rotations: impl IntoIterator<Item = &'s [u8]>,
    ) -> Result<KeyRing, LedgerError> {
        let mut keys = KeyRing::new(root);
        for rotation in rotations {
            let statement = Statement::decode(rotation)?;
            statement.verify(&keys.newest())?;
            let rotates = matches!(statement.claims.evidence, Evidence::KeyRotated { .. });
            if !rotates || statement.claims.log != keys.root.origin {
                return Err(LedgerError::unproven("a statement among the rotations is no rotation of this log's keys"));
            }
            keys.rotate(&statement)?;
        }
        Ok(keys)
    }

    /// The log's trust root.
    pub fn root(&self) -> &TrustRoot {
        &self.root
    }

    /// The keys, each with the first receipt that it may sign.
    pub fn keys(&self) -> &[(u64, PublicKey)] {
        &self.keys
    }

    /// The key that signs now.
    pub fn newest(&self) -> PublicKey {
        self.keys[self.keys.len() - 1].1
    }

    /// The key that may sign the receipt at this place, or a checkpoint over this many receipts.
    pub fn at(&self, number: u64) -> PublicKey {
        let beyond = self.keys.partition_point(|(from, _)| *from <= number);
        // The first may sign from 0 on.
        self.keys[beyond.saturating_sub(1)].1
    }

    /// The keys that may sign one of the first `size` receipts or the next.
    pub(crate) fn until(&self, size: u64) -> KeyRing {
        let keys = self.keys.iter().copied().filter(|(from, _)| *from <= size).collect();
        KeyRing { root: self.root.clone(), keys }
    }

    /// Takes up a rotation, whose statement is verified already.
    pub(crate) fn rotate(&mut self, statement: &Statement) -> Result<(), LedgerError> {
        let Evidence::KeyRotated { old, new, acceptance } = &statement.claims.evidence else { return Ok(()) };
        let number = statement.claims.number;
        let changed = |what: &str| Tampering::Changed { number, what: what.into() };
        if *old != self.newest().to_bytes() {
            return Err(changed("it takes over from a key that did not sign").into());
        }
        let new = PublicKey::from_bytes(new)?;
        if self.keys.iter().any(|(_, key)| *key == new) {
            return Err(changed("the key that takes over was this log's before").into());
        }
        if !crate::rotate::accepts(acceptance, &statement.claims, &self.newest(), &new) {
            return Err(changed("the new key did not sign that it takes over").into());
        }
        self.keys.push((number + 1, new));
        Ok(())
    }
}
