//! What was promoted is gone as a thing to promote.
use knhk_promotion::{Guard, Promotion, Ready};

fn twice<'s>(ready: Promotion<'s, Ready<'s>>, one: Guard, other: Guard) {
    let _ = ready.promote(one);
    let _ = ready.promote(other);
}

fn main() {}
