//! What a protected read costs in `arc_swap` and `crossbeam_epoch`, with the typed load of `ffi/benches/peers.h`: a root of 8
//! sectors with 1,024 slots each, bounds and tag checked.

mod driver;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use crossbeam_epoch::{Atomic, Owned};
use driver::{Gaps, Program, Sample, Writer, gap_round, plain_round, ticks};

const SECTORS: usize = 8;
const SLOTS: usize = 1024;
const KEYS: usize = 64;
const TAG_I64: u64 = 2;
const CHUNK: u64 = 65_536;
/// One or more publications fall into such a chunk, so that each pays for its share.
const DISTURBED_CHUNK: u64 = 1 << 15;

#[repr(C)]
struct Slot {
    tag: u64,
    value: u64,
}

#[repr(C, align(64))]
struct Sector {
    id: [u8; 32],
    slots: &'static [Slot; SLOTS],
    epoch: u64,
    limit: u64,
}

#[repr(C, align(64))]
struct Root {
    epoch: u64,
    sectors: [Sector; SECTORS],
}

/// Byte offsets, as in a `knhk_key_t`.
#[derive(Clone, Copy)]
struct Key {
    sector: u32,
    slot: u32,
}

fn slots(sector: usize) -> &'static [Slot; SLOTS] {
    static ALL: OnceLock<Vec<[Slot; SLOTS]>> = OnceLock::new();
    let filled = || std::array::from_fn(|i| Slot { tag: TAG_I64, value: i as u64 });
    &ALL.get_or_init(|| (0..SECTORS).map(|_| filled()).collect())[sector]
}

static MISSES: AtomicU64 = AtomicU64::new(0);

/// A miss is counted, and out of line, as in `knhk_hot::raw`.
#[cold]
#[inline(never)]
fn miss(fallback: i64) -> i64 {
    MISSES.fetch_add(1, Ordering::Relaxed);
    fallback
}

impl Root {
    fn new(epoch: u64) -> Root {
        let sector = |i| Sector { id: [0; 32], slots: slots(i), epoch, limit: size_of::<[Slot; SLOTS]>() as u64 };
        Root { epoch, sectors: std::array::from_fn(sector) }
    }

    #[inline(always)]
    fn load_i64(&self, key: Key, fallback: i64) -> i64 {
        // SAFETY: the keys below name a sector of the root.
        let sector = unsafe { &*(&raw const *self).cast::<u8>().add(key.sector as usize).cast::<Sector>() };
        if u64::from(key.slot) >= sector.limit {
            return miss(fallback);
        }
        // SAFETY: within the sector's slots, by the check above.
        let slot = unsafe { &*(&raw const *sector.slots).cast::<u8>().add(key.slot as usize).cast::<Slot>() };
        if slot.tag == TAG_I64 { slot.value as i64 } else { miss(fallback) }
    }
}

static PLACES: OnceLock<[Key; KEYS]> = OnceLock::new();

fn places() -> &'static [Key; KEYS] {
    PLACES.get_or_init(|| {
        std::array::from_fn(|i| Key {
            sector: (std::mem::offset_of!(Root, sectors) + i % SECTORS * size_of::<Sector>()) as u32,
            slot: (i * 37 % SLOTS * size_of::<Slot>()) as u32,
        })
    })
}

static SWAPPED: OnceLock<ArcSwap<Root>> = OnceLock::new();
static ATOMIC: Atomic<Root> = Atomic::null();

/// `loop_` is timed by the chunk (and counted by callgrind, hence its symbol), `gaps_` records the gap after each read.
macro_rules! read_loops {
    ($loop:ident, $gaps:ident, $state:expr, |$cell:ident, $key:ident| $read:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $loop(n: u64) -> u64 {
            let ($cell, keys) = ($state, places());
            let mut sum = 0_u64;
            for _ in 0..n / KEYS as u64 {
                for &$key in keys {
                    sum = sum.wrapping_add($read as u64);
                }
            }
            sum
        }

        fn $gaps(n: u64, gaps: &mut Gaps) -> u64 {
            let ($cell, keys) = ($state, places());
            let (mut sum, mut before) = (0_u64, ticks());
            for _ in 0..n / KEYS as u64 {
                for &$key in keys {
                    sum = sum.wrapping_add($read as u64);
                    let now = ticks();
                    gaps.record(now - before);
                    before = now;
                }
            }
            sum
        }
    };
}

read_loops!(loop_arc_swap, gaps_arc_swap, SWAPPED.get().expect("set by main"), |cell, key| cell
    .load()
    .load_i64(key, 0));
read_loops!(loop_crossbeam_epoch, gaps_crossbeam_epoch, &ATOMIC, |cell, key| {
    let guard = crossbeam_epoch::pin();
    // SAFETY: the root is never null, and destroyed through the collector only.
    unsafe { cell.load(Ordering::Acquire, &guard).deref() }.load_i64(key, 0)
});

fn arc_swap_writer() -> Writer {
    let cell = SWAPPED.get().expect("set by main");
    Writer::start(|epoch| cell.store(Arc::new(Root::new(epoch))))
}

fn crossbeam_writer() -> Writer {
    Writer::start(|epoch| {
        let guard = crossbeam_epoch::pin();
        let old = ATOMIC.swap(Owned::new(Root::new(epoch)), Ordering::AcqRel, &guard);
        // SAFETY: the swap took the root out of the only cell that leads to it.
        unsafe { guard.defer_destroy(old) };
    })
}

fn disturbed(writer: fn() -> Writer, round: impl FnOnce() -> Sample) -> Sample {
    let writer = writer();
    let sample = round();
    Sample { rate: Some(writer.stop()), ..sample }
}

fn main() {
    SWAPPED.get_or_init(|| ArcSwap::from_pointee(Root::new(1)));
    ATOMIC.store(Owned::new(Root::new(1)), Ordering::Release);
    let mut program = Program::default();
    program.plain("arc_swap", CHUNK, |n| loop_arc_swap(n));
    program.add("arc_swap_writer", || {
        disturbed(arc_swap_writer, || plain_round(DISTURBED_CHUNK, &mut |n| loop_arc_swap(n)))
    });
    program.add("arc_swap_gaps", || disturbed(arc_swap_writer, || gap_round(CHUNK, &mut gaps_arc_swap)));
    program.plain("crossbeam_epoch", CHUNK, |n| loop_crossbeam_epoch(n));
    program.add("crossbeam_epoch_writer", || {
        disturbed(crossbeam_writer, || plain_round(DISTURBED_CHUNK, &mut |n| loop_crossbeam_epoch(n)))
    });
    program.add("crossbeam_epoch_gaps", || disturbed(crossbeam_writer, || gap_round(CHUNK, &mut gaps_crossbeam_epoch)));
    program.run();
}
