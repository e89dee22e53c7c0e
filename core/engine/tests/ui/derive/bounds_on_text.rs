//! `min` and `max` bound numbers; `one_of` is written in the field's own type.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits {
    #[knhk(min = "a")]
    name: String,
    #[knhk(max = 1.5)]
    count: i64,
    #[knhk(min = 1)]
    ratio: f64,
    #[knhk(one_of(1, 2))]
    venue: String,
}

fn main() {}
