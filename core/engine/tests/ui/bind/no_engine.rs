//! The static holds an engine, once.
use std::sync::{Mutex, OnceLock};

static NUMBER: OnceLock<u64> = OnceLock::new();
static LOCKED: Mutex<u64> = Mutex::new(0);

knhk_engine::bind!(Orders => NUMBER);
knhk_engine::bind!(Quotes => LOCKED);

fn main() {}
