//! 100,000 names, and the order in which they are asked for, which no prefetcher guesses.

use std::sync::OnceLock;

/// How many names there are.
pub const NAMES: u64 = 100_000;

/// The i-th name.
pub fn name(i: u64) -> String {
    format!("tenant-{i}")
}

/// Each name once, in the order of the queries: a stride of about the golden ratio, which shares no factor with 100,000.
pub fn queries() -> &'static [&'static str] {
    static TEXT: OnceLock<String> = OnceLock::new();
    static QUERIES: OnceLock<Vec<&'static str>> = OnceLock::new();
    let asked = |i: u64| name(i * 61_803 % NAMES);
    QUERIES.get_or_init(|| {
        let mut rest = TEXT.get_or_init(|| (0..NAMES).map(asked).collect()).as_str();
        let mut next = |i| {
            let (query, behind) = rest.split_at(asked(i).len());
            rest = behind;
            query
        };
        (0..NAMES).map(&mut next).collect()
    })
}
