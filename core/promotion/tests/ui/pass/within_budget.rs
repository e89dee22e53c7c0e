//! A decision of a program, out of the operations it is made of.
use knhk_promotion::cost::{BEGIN, END, GUARD_I64, HotCost, PromoteCost, READ_I64, SWAP};

const ADMIT: HotCost<8> = HotCost::path("admit", [BEGIN.step(), READ_I64.step(), GUARD_I64.step(), END.step()]);
const PUBLISH: PromoteCost<15> = PromoteCost::path("publish", [SWAP.step()]);

fn main() {
    assert!(ADMIT.ticks() <= 8 && ADMIT.instructions() <= 40);
    assert!(PUBLISH.ticks() <= 15);
}
