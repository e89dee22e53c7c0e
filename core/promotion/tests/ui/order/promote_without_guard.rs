//! Being verified is not enough: the guard is asked for.
use knhk_promotion::{Promotion, Ready};

fn unguarded<'s>(ready: Promotion<'s, Ready<'s>>) {
    let _ = ready.promote();
}

fn main() {}
