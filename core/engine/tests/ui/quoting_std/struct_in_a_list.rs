//! A struct is no element of a list.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
struct Desk {
    low: i64,
}

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits {
    desks: Vec<Desk>,
}

fn main() {}
