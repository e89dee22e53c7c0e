//! Nine ticks are too many on the hot path.
use knhk_promotion::cost::HotCost;

const SLOW: HotCost<9> = HotCost::new("slow", 20);

fn main() {
    println!("{}", SLOW.ticks());
}
