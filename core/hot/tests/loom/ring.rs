//! The observation ring: one producer, one consumer, each record a tracked cell.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicUsize as Plain;
use std::sync::atomic::Ordering::SeqCst as Always;

use knhk_hot::layout::{Key, RawView, Record, Root, SECTOR_CAPACITY};
use knhk_hot::model::{Generation, ModelReader, ModelRing};
use knhk_hot::{mutant, raw};
use loom::cell::UnsafeCell;
use loom::sync::Arc;

const CAPACITY: usize = 2;
const UNUSED: Generation = Generation { root: 0, candidate: 0, epoch: 0, open: true };
const APPENDS: u64 = 3;

struct World {
    ring: ModelRing,
    reader: ModelReader,
    tracked: [UnsafeCell<()>; CAPACITY],
    root: Root,
}

// SAFETY: each side is used by one thread.
unsafe impl Send for World {}
// SAFETY: as above.
unsafe impl Sync for World {}

static WORLD: AtomicPtr<World> = AtomicPtr::new(std::ptr::null_mut());

fn touched(record: *const (), write: bool) {
    // SAFETY: the world of this execution, which outlives its threads.
    let world = unsafe { &*WORLD.load(Always) };
    let number = (record.addr() - world.ring.records().addr()) / size_of::<Record>();
    match write {
        true => world.tracked[number].with_mut(|_| ()),
        false => world.tracked[number].with(|_| ()),
    }
}

/// Checks every execution of three appends to a ring of two records, and as many drains; returns how many executions there were.
pub fn run() -> usize {
    static EXECUTIONS: Plain = Plain::new(0);
    EXECUTIONS.store(0, Always);
    mutant::on_touch(touched);
    mutant::hook(|_| ());
    loom::model(|| {
        EXECUTIONS.fetch_add(1, Always);
        let ring = ModelRing::new(CAPACITY);
        let unused = knhk_hot::layout::Descriptor {
            snapshot_id: [0; 32],
            artifact: std::ptr::null(),
            epoch: 0,
            limit: 0,
            reserved: 0,
        };
        let world = Arc::new(World {
            reader: ModelReader::new(&UNUSED, ring.header()),
            ring,
            tracked: [(); CAPACITY].map(UnsafeCell::new),
            root: Root { epoch: 7, cold_reads: std::ptr::null(), zero: [0; 6], descriptors: [unused; SECTOR_CAPACITY] },
        });
        WORLD.store((&raw const *world).cast_mut(), Always);
        let producer = {
            let world = world.clone();
            loom::thread::spawn(move || {
                let view = RawView { root: &world.root, saved: 0 };
                let append = |value| {
                    // SAFETY: the reader is this thread's, and the root lives.
                    unsafe { raw::observe(world.reader.line(), view, Key::default(), 2, value, 0, 0, 0, Some(value)) }
                };
                (0..APPENDS).filter(|&value| append(value)).count()
            })
        };
        let mut seen = Vec::new();
        let mut drain = || world.ring.drain(CAPACITY, &mut |observation| seen.push(observation));
        drain();
        drain();
        let accepted = producer.join().expect("a producer's panic ends the execution");
        drain();
        drain();
        assert_eq!(seen.len(), accepted, "what was accepted arrives");
        for (number, observation) in seen.iter().enumerate() {
            assert_eq!((observation.sequence, observation.epoch), (number as u64, 7));
            assert_eq!(observation.time_ns, observation.value, "a record was torn");
        }
        assert!(seen.is_sorted_by_key(|observation| observation.value));
    });
    EXECUTIONS.load(Always)
}
