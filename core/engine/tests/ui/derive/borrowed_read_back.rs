//! What borrows is written, not read back.
use knhk_engine::{Engine, PromotionSafe};

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits<'a> {
    venue: &'a str,
}

fn read(engine: &Engine) {
    let _ = engine.promoted::<Limits<'static>>();
}

fn main() {}
