//! The operations, each in a function of its own that runs it a batch of times.

use std::arch::asm;
use std::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};
use std::sync::Arc;

use knhk_hot::artifact::{Builder, Value};
use knhk_hot::layout::{Key, Outcome, RawView, ReaderLine, Tag};
use knhk_hot::{Change, Hot, Options, Reader, ReaderOptions, Staged, raw};
use knhk_promotion::cost;

/// Operations in a batch; fewer than a ring holds.
pub const BATCH: u64 = 1000;
/// Sectors that one swap changes.
const SECTORS: usize = 8;

/// A constant of the cost model, as this bench compares it.
pub struct Stated {
    pub name: &'static str,
    pub instructions: u32,
    pub ticks: u32,
    /// Whether the batch is a loop, whose own cost is taken off.
    pub looped: bool,
    /// What one operation's figures are divided by.
    pub sectors: f64,
}

const fn hot<const BUDGET: u32, const TICKS: u32>(cost: cost::Cost<BUDGET, TICKS>) -> Stated {
    let (name, instructions, ticks) = (cost.operation(), cost.instructions(), cost.ticks());
    Stated { name, instructions, ticks, looped: true, sectors: 1.0 }
}

/// The empty loop's name.
pub const LOOP: &str = "loop";

pub const STATED: [Stated; 9] = [
    hot(cost::VIEW),
    hot(cost::END),
    hot(cost::READ_I64),
    hot(cost::READ_F64),
    hot(cost::READ_BOOL),
    hot(cost::GUARD_I64),
    hot(cost::IS_A),
    hot(cost::APPEND),
    Stated { looped: false, sectors: SECTORS as f64, ..hot(cost::SWAP) },
];

/// An engine's cells with a value, a guard range and two classes in each sector.
pub struct Fixture {
    hot: Hot,
    reader: Reader,
    changes: Vec<Change>,
}

const VALUE: u32 = 0;
const DOUBLE: u32 = 1;
const TRUTH: u32 = 2;
const CLASS: u32 = 3;
const ANCESTOR: u32 = 4;

impl Fixture {
    /// None where readers fence for themselves: the cost model speaks of the mode with a process-wide barrier.
    pub fn new() -> Option<Fixture> {
        let mut builder = Builder::new(8);
        builder.set(VALUE, Value::I64(1000)).range_i64(VALUE, 1, 5000);
        builder.set(DOUBLE, Value::F64(0.5)).set(TRUTH, Value::Bool(true));
        builder.set(CLASS, Value::Class { number: 0, ancestors: (&[0, 1][..]).into() });
        builder.set(ANCESTOR, Value::Class { number: 1, ancestors: (&[1][..]).into() });
        let artifact = Arc::new(builder.finish().expect("a sound artifact"));
        let change = |sector| Change { sector, artifact: artifact.clone(), snapshot_id: [7; 32], ready: true };
        let changes: Vec<Change> = (0..SECTORS).map(change).collect();
        let hot = Hot::new(Options::default()).expect("cells");
        hot.publish(&changes).expect("nothing is in the way");
        let reader = hot.register(ReaderOptions::default()).expect("a reader");
        (!hot.stats().fence_mode).then_some(Fixture { hot, reader, changes })
    }

    /// Runs batches of every operation in turn and tells each batch's ticks an operation.
    pub fn run(&self, batches: usize, mut each: impl FnMut(&'static str, f64)) {
        let line = self.reader.as_raw().as_ptr();
        for _ in 0..batches {
            each(LOOP, per_operation(|| knhk_cost_loop(BATCH)));
            each(cost::VIEW.operation(), per_operation(|| knhk_cost_view(line, BATCH)));
            let view = self.reader.view();
            let at = view.raw();
            let key = |slot| Key::new(3, slot);
            each(cost::READ_I64.operation(), per_operation(|| knhk_cost_read_i64(at, key(VALUE), BATCH)));
            each(cost::READ_F64.operation(), per_operation(|| knhk_cost_read_f64(at, key(DOUBLE), BATCH)));
            each(cost::READ_BOOL.operation(), per_operation(|| knhk_cost_read_bool(at, key(TRUTH), BATCH)));
            each(cost::GUARD_I64.operation(), per_operation(|| knhk_cost_guard_i64(at, key(VALUE), BATCH)));
            each(cost::IS_A.operation(), per_operation(|| knhk_cost_is_a(at, key(CLASS), key(ANCESTOR), BATCH)));
            each(cost::APPEND.operation(), per_operation(|| knhk_cost_append(line, at, key(VALUE), BATCH)));
            drop(view);
            each(cost::END.operation(), per_operation(|| knhk_cost_end(line, at, BATCH)));
            assert_eq!(self.hot.drain(usize::MAX, |_, _| {}) as u64, BATCH, "every append was accepted");
            each(cost::SWAP.operation(), self.swaps());
        }
        assert_eq!(self.hot.stats().cold_reads, 0, "every read found its value");
    }

    /// A batch of swaps, without building the roots.
    fn swaps(&self) -> f64 {
        const SWAPS: u32 = 64;
        let mut ticks = 0;
        for _ in 0..SWAPS {
            let staged = self.hot.prepare(&self.changes).expect("no reader is in the way");
            let empty = elapsed(|| ());
            ticks += elapsed(|| knhk_cost_swap(staged)).saturating_sub(empty);
        }
        self.hot.reclaim();
        ticks as f64 / f64::from(SWAPS)
    }
}

fn per_operation(batch: impl FnOnce()) -> f64 {
    elapsed(batch) as f64 / BATCH as f64
}

/// Ticks that pass meanwhile.
fn elapsed<T>(what: impl FnOnce() -> T) -> u64 {
    let mut processor = 0;
    // SAFETY: every x86-64 processor that this runs on has these instructions.
    unsafe {
        _mm_lfence();
        let begun = _rdtsc();
        _mm_lfence();
        what();
        let ended = __rdtscp(&mut processor);
        _mm_lfence();
        ended.wrapping_sub(begun)
    }
}

/// Hides where a view's root is from the optimizer at no instruction, so that each read of a batch is done.
#[inline(always)]
fn hidden(mut view: RawView) -> RawView {
    // SAFETY: no instruction; the pointer stays what it is.
    unsafe { asm!("/* {0} */", inout(reg) view.root, options(nostack, preserves_flags)) }
    view
}

/// Uses a result at no instruction.
#[inline(always)]
fn used(bits: u64) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {0} */", in(reg) bits, options(nostack, preserves_flags)) }
}

macro_rules! operation {
    ($name:ident($($argument:ident: $type:ty),*) $body:expr) => {
        #[inline(never)]
        fn $name($($argument: $type,)* batch: u64) {
            for n in 0..batch {
                used(n);
                $body
            }
        }
    };
}

operation!(knhk_cost_loop()());
// SAFETY of all that follow: the line is registered by this thread and outlives the call; views are open, keys of this layout.
operation!(knhk_cost_view(line: *mut ReaderLine) unsafe {
    let view = raw::begin(line);
    used(view.root.addr() as u64);
    raw::end(line, view);
});
operation!(knhk_cost_end(line: *mut ReaderLine, view: RawView) unsafe { raw::end(line, view) });
operation!(knhk_cost_read_i64(view: RawView, key: Key) unsafe { used(raw::get_i64(hidden(view), key, 0) as u64) });
operation!(knhk_cost_read_f64(view: RawView, key: Key) unsafe { used(raw::get_f64(hidden(view), key, 0.0).to_bits()) });
operation!(knhk_cost_read_bool(view: RawView, key: Key) unsafe {
    used(u64::from(raw::get_bool(hidden(view), key, false)))
});
operation!(knhk_cost_guard_i64(view: RawView, key: Key) unsafe {
    used(u64::from(raw::guard_i64(hidden(view), key, 40)))
});
operation!(knhk_cost_is_a(view: RawView, class: Key, ancestor: Key) unsafe {
    used(u64::from(raw::is_a(hidden(view), class, ancestor)))
});
operation!(knhk_cost_append(line: *mut ReaderLine, view: RawView, key: Key) unsafe {
    let outcome = Outcome::Success as u32;
    used(u64::from(raw::observe(line, hidden(view), key, Tag::I64 as u32, 7, outcome, 0, 0, None)))
});

#[inline(never)]
fn knhk_cost_swap(staged: Staged<'_>) -> u64 {
    staged.swap()
}
