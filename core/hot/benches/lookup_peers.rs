//! What a lookup by a run-time string costs among 100,000 names in hash maps, in an order that no cache can guess.

mod driver;

use std::collections::HashMap;
use std::sync::OnceLock;

use driver::Program;

const NAMES: u64 = 100_000;

/// The names in the order of the queries, which is a fixed permutation (99,991 and 100,000 share no factor).
fn queries() -> &'static [(u32, u8)] {
    static SPANS: OnceLock<Vec<(u32, u8)>> = OnceLock::new();
    SPANS.get_or_init(|| {
        let mut at = 0;
        (0..NAMES)
            .map(|i| {
                let len = name(i).len();
                at += len as u32;
                (at - len as u32, len as u8)
            })
            .collect()
    })
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| (0..NAMES).map(name).collect())
}

fn name(i: u64) -> String {
    format!("tenant-{}", i * 99_991 % NAMES)
}

type Std = HashMap<String, u64>;
type Hashbrown = hashbrown::HashMap<String, u64>;

static STD: OnceLock<Std> = OnceLock::new();
static HASHBROWN: OnceLock<Hashbrown> = OnceLock::new();

macro_rules! lookups {
    ($loop:ident, $map:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $loop(n: u64) -> u64 {
            let (map, text, queries) = ($map.get().expect("set by main"), text(), queries());
            let mut sum = 0;
            for &(at, len) in queries.iter().cycle().take(n as usize) {
                sum += map[&text[at as usize..at as usize + usize::from(len)]];
            }
            sum
        }
    };
}

lookups!(loop_std_hashmap, STD);
lookups!(loop_hashbrown, HASHBROWN);

fn all() -> impl Iterator<Item = (String, u64)> {
    (0..NAMES).map(|i| (format!("tenant-{i}"), i))
}

fn main() {
    STD.get_or_init(|| all().collect());
    HASHBROWN.get_or_init(|| all().collect());
    let mut program = Program::default();
    program.plain("std_hashmap", NAMES, loop_std_hashmap);
    program.plain("hashbrown", NAMES, loop_hashbrown);
    program.run();
}
