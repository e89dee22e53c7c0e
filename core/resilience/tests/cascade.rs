//! A failure at the end of a chain of five services: with policies the entry keeps at least 90 % of the calls that do not need the
//! broken one; without them it collapses.
#![cfg(not(loom))]

#[path = "../examples/cascade/chain.rs"]
mod chain;

use chain::Chain;

#[test]
fn policies_stop_the_cascade_that_happens_without_them() {
    let chain = Chain::start(false).unwrap();
    assert_eq!(chain.load(2).share(), 1.0, "all is well");
    chain.break_last(true);
    let without = chain.load(4);
    drop(chain);
    let chain = Chain::start(true).unwrap();
    assert_eq!(chain.load(2).share(), 1.0, "all is well");
    chain.break_last(true);
    let with = chain.load(40);
    println!("without policies {without:?}, with them {with:?}");
    assert!(without.share() < 0.5, "without policies {without:?}");
    assert_eq!((without.needing.1, with.needing.1), (0, 0), "nobody gets what is broken");
    assert!(with.share() >= 0.9, "with policies {with:?}");
}
