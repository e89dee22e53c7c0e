//! A view does not outlive the read.
use std::sync::OnceLock;

use knhk_engine::{Engine, View};

static ENGINE: OnceLock<Engine> = OnceLock::new();
knhk_engine::bind!(Orders => ENGINE);

fn escaped() -> &'static View<'static> {
    Orders::with(|view| view).unwrap()
}

fn main() {}
