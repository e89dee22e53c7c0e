//! A struct has no bound of its own.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
struct Desk {
    low: i64,
}

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits {
    #[knhk(min = 1)]
    desk: Desk,
}

fn main() {}
