//! A stage cannot be made from outside.
use knhk_promotion::{Promoted, Version};
use std::sync::Arc;

fn forged(version: Arc<Version>) {
    let _ = Promoted { version };
}

fn main() {}
