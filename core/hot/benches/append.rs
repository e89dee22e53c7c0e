//! What appending an observation costs through the Rust face, with the engine draining meanwhile.

mod bursts;
mod driver;
mod fixture;

use bursts::{Bursts, CAPACITY};
use driver::Program;
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

fn round(hot: &Hot, append: fn(&Reader, Key, u64) -> u64) -> driver::Sample {
    let options = ReaderOptions { ring_records: Some(CAPACITY), ..ReaderOptions::default() };
    let reader = hot.register(options).expect("the reader registers");
    let consumer = hot.clone();
    let bursts = Bursts::consume(move || consumer.drain(CAPACITY, |_, _| ()) as u64);
    bursts.round(|n| append(&reader, Key::new(0, 1), n))
}

fn main() {
    let hot = fixture::hot();
    let mut program = Program::default();
    let cell = hot.clone();
    program.add("rust_append_caller_time", move || round(&cell, loop_rust_append_caller_time));
    program.add("rust_append_engine_clock", move || round(&hot, loop_rust_append_engine_clock));
    program.run();
}
