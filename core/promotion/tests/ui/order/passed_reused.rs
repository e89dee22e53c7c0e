//! One validation, one promotion.
use knhk_promotion::{Guard, Passed, Verified};

fn twice(first: Verified, second: Verified, passed: Passed) {
    let _ = Guard::governed(first, passed);
    let _ = Guard::governed(second, passed);
}

fn copied(verified: Verified, passed: &Passed) {
    let _ = Guard::governed(verified, passed.clone());
}

fn main() {}
