//! What a read costs through the Rust faces: the raw functions, and views.

mod driver;
mod fixture;

use std::cell::OnceCell;
use std::hint::black_box;

use driver::{Program, Writer, plain_round};
use fixture::{SECTORS, changes, keys};
use knhk_hot::layout::Key;
use knhk_hot::{Hot, Quiescent, Reader, ReaderOptions, raw};

const KEYS: usize = 64;
const CHUNK: u64 = 65_536;
/// Two or more publications fall into such a chunk, so that each pays for its share.
const DISTURBED_CHUNK: u64 = 1 << 17;

thread_local! {
    static CANARY: OnceCell<(Reader, [Key; KEYS])> = const { OnceCell::new() };
    static READ: OnceCell<(Reader, [Key; KEYS])> = const { OnceCell::new() };
}

macro_rules! read_loop {
    ($loop:ident, |$reader:ident, $key:ident| $read:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $loop($reader: &Reader, keys: &[Key; KEYS], n: u64) -> u64 {
            let mut sum = 0_u64;
            for _ in 0..n / KEYS as u64 {
                for &$key in keys {
                    sum = sum.wrapping_add($read as u64);
                }
            }
            sum
        }
    };
}

read_loop!(loop_rust_read_i64, |reader, key| {
    let line = reader.as_raw().as_ptr();
    // SAFETY: registered by this thread; each view ends before the next begins.
    unsafe {
        let view = raw::begin(line);
        let value = raw::get_i64(view, key, 0);
        raw::end(line, view);
        value
    }
});
// Each read is another subject's.
#[unsafe(no_mangle)]
#[inline(never)]
fn loop_rust_read_i64_canary(reader: &Reader, keys: &[Key; KEYS], n: u64) -> u64 {
    let (line, mut sum, mut subject) = (reader.as_raw().as_ptr(), 0_u64, 1_u64);
    for _ in 0..n / KEYS as u64 {
        for &key in keys {
            // An odd step visits all hashes, one far from the other.
            subject = subject.wrapping_add(0x9e37_79b9_7f4a_7c15);
            // SAFETY: registered by this thread; each view ends before the next begins.
            unsafe {
                let view = raw::begin_for(line, subject);
                sum = sum.wrapping_add(raw::get_i64(view, key, 0) as u64);
                raw::end(line, view);
            }
        }
    }
    sum
}
read_loop!(loop_rust_view_read_i64, |reader, key| reader.view().get_i64(key, 0));

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_rust_quiescent_read_i64(mode: &mut Quiescent<'_>, keys: &[Key; KEYS], n: u64) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..n / KEYS as u64 {
        for &key in keys {
            sum = sum.wrapping_add(mode.view().get_i64(key, 0) as u64);
        }
        mode.announce();
    }
    sum
}

fn read(run: impl Fn(&Reader, &[Key; KEYS], u64) -> u64) -> impl Fn(u64) -> u64 {
    move |n| READ.with(|cell| cell.get().map_or(0, |(reader, keys)| run(reader, keys, n)))
}

/// Publishes one of the sectors in turn.
fn writer(hot: &Hot) -> Writer {
    let (hot, made) = (hot.clone(), [changes(0), changes(1)]);
    Writer::start(move |i| {
        let change = &made[(i / u64::from(SECTORS) % 2) as usize][(i % u64::from(SECTORS)) as usize];
        black_box(hot.publish(std::slice::from_ref(change)).expect("the reader does not stall"));
    })
}

fn main() {
    let hot = fixture::hot();
    fixture::reclaim_in_background(&hot);
    let register = || hot.register(ReaderOptions::default()).expect("the reader registers");
    READ.with(|cell| cell.set((register(), keys())).expect("set once"));
    let mut quiescent = register();
    // A cell of its own, where a tenth of the subjects reads a candidate.
    let canary = fixture::hot();
    fixture::reclaim_in_background(&canary);
    canary.start_canary(&changes(1), u64::MAX / 10, 0x9e37_79b9_7f4a_7c15).expect("there is room for a candidate");
    let reader = canary.register(ReaderOptions::default()).expect("the reader registers");
    CANARY.with(|cell| cell.set((reader, keys())).expect("set once"));
    let mut program = Program::default();
    program.plain("rust_read_i64", CHUNK, read(loop_rust_read_i64));
    program.plain("rust_read_i64_canary", CHUNK, |n| {
        CANARY.with(|cell| cell.get().map_or(0, |(reader, keys)| loop_rust_read_i64_canary(reader, keys, n)))
    });
    program.plain("rust_view_read_i64", CHUNK, read(loop_rust_view_read_i64));
    program.plain("rust_quiescent_read_i64", CHUNK, move |n| {
        loop_rust_quiescent_read_i64(&mut quiescent.quiescent(), &keys(), n)
    });
    program.add("rust_view_read_i64_writer", move || {
        let writer = writer(&hot);
        let sample = plain_round(DISTURBED_CHUNK, &mut read(loop_rust_view_read_i64));
        driver::Sample { rate: Some(writer.stop()), ..sample }
    });
    program.run();
}
