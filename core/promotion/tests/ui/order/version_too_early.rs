//! There is no version before the promotion.
use knhk_promotion::{Promotion, Ready};

fn early<'s>(ready: &Promotion<'s, Ready<'s>>) {
    let _ = ready.version();
}

fn main() {}
