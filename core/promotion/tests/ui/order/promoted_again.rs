//! What is current is neither verified nor promoted a second time.
use knhk_promotion::{Guard, Promoted, Promotion};

fn again(promoted: Promotion<'_, Promoted>, guard: Guard) {
    let _ = promoted.promote(guard);
}

fn verified(promoted: Promotion<'_, Promoted>) {
    let _ = promoted.verify();
}

fn main() {}
