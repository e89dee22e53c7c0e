//! The guard of a governed promotion takes the receipt of its validation.
use knhk_promotion::{Guard, Verified};

fn claimed(verified: Verified, receipt: String) {
    let _ = Guard::governed(verified, receipt);
}

fn main() {}
