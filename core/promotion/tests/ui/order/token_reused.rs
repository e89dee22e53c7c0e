//! One proof, one guard.
use knhk_promotion::{Guard, Verified};

fn twice(verified: Verified) {
    let _ = Guard::new(verified);
    let _ = Guard::new(verified);
}

fn copied(verified: &Verified) {
    let _ = Guard::new(verified.clone());
}

fn main() {}
