//! What appending an observation costs through the Rust face, with the engine draining meanwhile.

mod bursts;
mod driver;
mod fixture;

use std::hint::black_box;

use bursts::{Bursts, CAPACITY, Looks};
use driver::{Program, Sample};
use knhk_hot::layout::{Key, Outcome};
use knhk_hot::{Hot, Observed, Reader, ReaderOptions};

macro_rules! append_loop {
    ($loop:ident, $time:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $loop(reader: &Reader, key: Key, n: u64) -> u64 {
            let view = reader.view();
            let time: fn(u64) -> Option<u64> = $time;
            let observed = |i| Observed { time_ns: time(i), ..Observed::i64(key, i as i64, Outcome::Success) };
            (0..n).map(|i| u64::from(reader.observe(&view, observed(i)))).sum()
        }
    };
}

append_loop!(loop_rust_append_caller_time, |i| Some(i));
append_loop!(loop_rust_append_engine_clock, |_| None);

fn round(hot: &Hot, looks: Looks, append: fn(&Reader, Key, u64) -> u64) -> Sample {
    let options = ReaderOptions { ring_records: Some(CAPACITY), ..ReaderOptions::default() };
    let (reader, consumer) = (hot.register(options).expect("the reader registers"), hot.clone());
    let take = move || {
        consumer.drain(CAPACITY, |_, observation| {
            black_box(observation);
        })
    };
    Bursts::consume(looks, take).round(|n| append(&reader, Key::new(0, 1), n))
}

fn main() {
    let mut program = Program::default();
    let hot = fixture::hot();
    let mut add = |name, looks, append| {
        let hot = hot.clone();
        program.add(name, move || round(&hot, looks, append));
    };
    add("rust_append_caller_time", Looks::InBatches, loop_rust_append_caller_time);
    add("rust_append_engine_clock", Looks::InBatches, loop_rust_append_engine_clock);
    add("rust_append_caller_time_contended", Looks::Always, loop_rust_append_caller_time);
    program.run();
}
