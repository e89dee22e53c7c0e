//! Five services in a chain over loopback TCP, of which the last one hangs: what the first one keeps of the calls that do not need the
//! last one, without and with policies. Run by `cargo run --release -p knhk-resilience --example cascade`.

mod chain;

use chain::{Chain, Kept};

fn main() -> std::io::Result<()> {
    for (name, with_policies) in [("without policies", false), ("with policies", true)] {
        let chain = Chain::start(with_policies)?;
        println!("{name}:");
        tell("all is well", &chain.load(20));
        chain.break_last(true);
        tell("the last service hangs", &chain.load(5));
        tell("and still hangs", &chain.load(if with_policies { 100 } else { 2 }));
    }
    Ok(())
}

fn tell(when: &str, kept: &Kept) {
    let (made, needing) = kept.needing;
    let share = 100.0 * kept.share();
    println!("  {when}: kept {needing} of {made} calls that need the last service, {share:.0} % of those that do not");
}
