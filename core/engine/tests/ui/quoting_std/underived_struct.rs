//! A struct that does not derive is no field.
use knhk_engine::PromotionSafe;

struct Desk;

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits {
    desk: Desk,
}

fn main() {}
