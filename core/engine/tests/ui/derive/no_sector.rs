//! Without a sector a struct is a part of others.
use knhk_engine::{Engine, Origin, PromotionSafe};

#[derive(PromotionSafe)]
struct Desk {
    low: i64,
}

struct Plain;

fn promote(engine: &Engine) {
    let _ = engine.promote(&Desk { low: 1 }, Origin::default());
    let _ = engine.promote(&Plain, Origin::default());
}

fn main() {}
