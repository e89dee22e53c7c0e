//! One guard, one promotion.
use knhk_promotion::{Guard, Promotion, Ready};

fn twice<'s>(one: Promotion<'s, Ready<'s>>, other: Promotion<'s, Ready<'s>>, guard: Guard) {
    let _ = one.promote(guard);
    let _ = other.promote(guard);
}

fn main() {}
