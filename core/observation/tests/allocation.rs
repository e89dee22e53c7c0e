//! No allocation for a record: not for adding it up, and next to none for keeping it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use knhk_observation::{Aggregates, Record, Schema, Settings};
use knhk_store::MemoryStore;
use world::{KEYS, ORDERS, World, append, order, snapshot};

#[path = "observation/world.rs"]
mod world;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, since all threads of the process count.
#[test]
fn records_are_added_up_and_kept_without_allocation() {
    let mut aggregates = Aggregates::new(10, 64, 0);
    aggregates.learn(0, Schema::of(&snapshot(ORDERS)), |key| KEYS.iter().position(|one| *one == key).map(|n| n as u32));
    let record = |n: u64| {
        let (value, tag, outcome) = (1 + n % 5000, 2, if n.is_multiple_of(50) { 2 } else { 1 });
        let (slot, subject, detail) = ((n % 4) as u32, n, n);
        Record { time_ns: n, epoch: 1, reader: 1, sequence: n, subject, detail, value, slot, tag, outcome }
    };
    let add = |aggregates: &mut Aggregates, n: u64| aggregates.add(0, &record(n), || None);
    (0..20_000).for_each(|n| add(&mut aggregates, n));
    let before = ALLOCATIONS.load(Relaxed);
    (0..1_000_000).for_each(|n| add(&mut aggregates, n));
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 0, "allocations for a million records");

    // The whole way: a segment takes some, a record none.
    let world = World::new(Arc::new(MemoryStore::new()), 1024);
    let mut monitor = world.monitor(Settings::default());
    let reader = world.reader();
    let observe = |count| (0..count).for_each(|n| _ = append(&reader, order(n)));
    observe(50_000);
    monitor.flush().unwrap();
    let (before, segments) = (ALLOCATIONS.load(Relaxed), monitor.stats().segments);
    observe(300_000);
    monitor.flush().unwrap();
    let (allocations, segments) = (ALLOCATIONS.load(Relaxed) - before, monitor.stats().segments - segments);
    println!("{allocations} allocations for 300,000 records in {segments} segments");
    assert!(allocations < 300_000 / 100, "{allocations}");
    monitor.close().unwrap();
}
