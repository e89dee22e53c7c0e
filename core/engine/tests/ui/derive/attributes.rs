//! Misspelt and misplaced attributes say what there is instead.
use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
#[knhk(sektor = "orders")]
struct MisspeltOnStruct {
    value: i64,
}

#[derive(PromotionSafe)]
#[knhk(sector = "Orders!")]
struct NoSector {
    value: i64,
}

#[derive(PromotionSafe)]
#[knhk(sector = "orders", sector = "quotes")]
struct TwoSectors {
    value: i64,
}

#[derive(PromotionSafe)]
struct MisspeltOnField {
    #[knhk(maximum = 1)]
    value: i64,
}

#[derive(PromotionSafe)]
struct Crossed {
    #[knhk(min = 10, max = -10)]
    value: i64,
}

#[derive(PromotionSafe)]
struct NoChoice {
    #[knhk(one_of())]
    value: i64,
}

#[derive(PromotionSafe)]
struct NoName {
    #[knhk(rename = "a/b")]
    value: i64,
}

#[derive(PromotionSafe)]
struct SameName {
    a: i64,
    #[knhk(rename = "a")]
    b: i64,
}

#[derive(PromotionSafe)]
#[knhk(invariant = "self.value <")]
struct NoExpression {
    value: i64,
}

fn main() {}
