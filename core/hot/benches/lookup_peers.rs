//! What a lookup by a run-time string costs among 100,000 names in hash maps.

mod driver;
mod names;

use std::collections::HashMap;

use driver::Program;
use names::{NAMES, name, queries};

macro_rules! lookup_loop {
    ($loop:ident, $map:ty) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $loop(map: &$map, n: u64) -> u64 {
            queries().iter().cycle().take(n as usize).map(|query| map[*query]).sum()
        }
    };
}

lookup_loop!(loop_std_hashmap, HashMap<String, u64>);
lookup_loop!(loop_hashbrown, hashbrown::HashMap<String, u64>);

fn main() {
    let all = || (0..NAMES).map(|i| (name(i), i));
    let (std, hashbrown) = (all().collect(), all().collect());
    let mut program = Program::default();
    program.warmed("std_hashmap", NAMES, move |n| loop_std_hashmap(&std, n));
    program.warmed("hashbrown", NAMES, move |n| loop_hashbrown(&hashbrown, n));
    program.run();
}
