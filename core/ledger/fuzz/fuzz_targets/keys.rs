//! The keys of a log that signed nothing of what is tried.

use knhk_ledger::{KeyRing, Signer, TrustRoot};

pub fn keys() -> KeyRing {
    let key = Signer::from_seed(&[1; 32]).public();
    KeyRing::new(TrustRoot::new("example.org/sample", key).expect("the name is one"))
}
