//! A promotion cannot be put at a stage from outside.
use knhk_promotion::{Promoted, Promotion};

fn skipped() -> Promotion<'static, Promoted> {
    Promotion { stage: () }
}

fn main() {}
