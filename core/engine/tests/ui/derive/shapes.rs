//! Structs with named fields, which are the same everywhere.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
enum Phase {
    Auction,
}

#[derive(PromotionSafe)]
struct Pair(i64, i64);

#[derive(PromotionSafe)]
struct Nothing;

#[derive(PromotionSafe)]
struct Empty {}

#[derive(PromotionSafe)]
union Either {
    a: i64,
    b: f64,
}

#[derive(PromotionSafe)]
struct Generic<T> {
    value: T,
}

fn main() {}
