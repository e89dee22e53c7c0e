//! A guard's field is private, also to whoever has a token.
use knhk_promotion::{Guard, Verified};

fn forged(verified: Verified) {
    let _ = Guard(verified);
}

fn main() {}
