//! A document that nobody verified cannot be promoted.
use knhk_promotion::{Guard, Preparing, Promotion};

fn unverified(preparing: Promotion<'_, Preparing>, guard: Guard) {
    let _ = preparing.promote(guard);
}

fn main() {}
