//! The soak of `examples/soak`, shorter: with the asymmetric barrier, and with fences in the readers.

#[path = "../examples/soak/read.rs"]
mod read;
#[path = "../examples/soak/work.rs"]
mod work;

use std::time::Duration;

use knhk_hot::BarrierChoice;
use work::{Plan, run};

fn soak(barrier: BarrierChoice) {
    let outcome = run(Plan { reads: 4_000_000, threads: 4, barrier, limit: Duration::from_secs(15) });
    assert_eq!(outcome.violation, None, "{outcome}");
    assert!(
        outcome.reads > 0 && outcome.publications > 0 && outcome.observed > 0 && outcome.reclaimed > 0,
        "{outcome}"
    );
}

#[test]
fn nothing_torn_stale_or_freed_is_read() {
    soak(BarrierChoice::Auto);
}

#[test]
fn fences_in_the_readers_do_as_well() {
    soak(BarrierChoice::Fence);
}
