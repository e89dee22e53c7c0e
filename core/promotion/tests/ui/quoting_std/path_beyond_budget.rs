//! Each operation is within the budget, both together are not.
use knhk_promotion::cost::{APPEND, HotCost, IS_A};

const TOGETHER: HotCost<8> = HotCost::path("classified append", [IS_A.step(), APPEND.step()]);

fn main() {
    println!("{}", TOGETHER.ticks());
}
