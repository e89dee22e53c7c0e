//! Two ticks have no room for eleven instructions.
use knhk_promotion::cost::HotCost;

const UNDERSTATED: HotCost<2> = HotCost::new("understated", 11);

fn main() {
    println!("{}", UNDERSTATED.ticks());
}
