//! Sixteen ticks are too many for a sector's swap.
use knhk_promotion::cost::PromoteCost;

const SLOW: PromoteCost<16> = PromoteCost::new("slow", 20);

fn main() {
    println!("{}", SLOW.ticks());
}
