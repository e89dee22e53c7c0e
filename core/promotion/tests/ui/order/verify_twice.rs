//! What is verified cannot be verified again, nor the document behind it.
use knhk_promotion::{Preparing, Promotion, Ready};

fn again<'s>(ready: Promotion<'s, Ready<'s>>) {
    let _ = ready.verify();
}

fn reused(preparing: Promotion<'_, Preparing>) {
    let _ = preparing.verify();
    let _ = preparing.verify();
}

fn main() {}
