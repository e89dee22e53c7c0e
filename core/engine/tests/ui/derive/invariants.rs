//! An invariant is a condition over fields that exist.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
#[knhk(sector = "orders", invariant = "self.low <= self.hihg", invariant = "self.low", invariant = "is_sound")]
struct Limits {
    low: i64,
    high: i64,
}

fn is_sound(_: &Limits, _: i64) -> bool {
    true
}

fn main() {}
