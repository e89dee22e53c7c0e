//! The proof is not the right.
use knhk_promotion::{Promotion, Ready, Verified};

fn token<'s>(ready: Promotion<'s, Ready<'s>>, verified: Verified) {
    let _ = ready.promote(verified);
}

fn main() {}
