//! A disk that is slow, full or mended: memory stays bounded, refusals are counted, and nothing is lost in silence.

use std::sync::Arc;
use std::thread;

use knhk_hot::Reader;
use knhk_observation::{Monitor, ObservationError, Settings};

use crate::gate::{Door, Gate};
use crate::world::{World, append, assert_accounted, order};

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.segment_records = 100;
    settings.memory = 10 * 100 * 64;
    settings
}

fn world() -> (Arc<Gate>, World) {
    let gate = Arc::new(Gate::new());
    let world = World::new(gate.clone(), 64);
    (gate, world)
}

/// Opens the door before the monitor ends, so that a test which fails does not wait for ever.
struct Opener(Arc<Gate>);

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.set(Door::Open);
    }
}

/// Appends until nothing more is taken out of the ring; gives how many were accepted and refused.
fn fill(reader: &Reader, monitor: &Monitor) -> (u64, u64) {
    let (mut accepted, mut refused) = (0, 0);
    // All buffers in use, and then some refusals.
    while refused < 1000 || monitor.stats().buffers < 10 {
        let taken = reader.observe(&reader.view(), order(1));
        *(if taken { &mut accepted } else { &mut refused }) += 1;
        assert!(monitor.stats().buffers <= 11, "{:?}", monitor.stats());
    }
    (accepted, refused)
}

#[test]
fn a_disk_that_hangs_is_a_counted_refusal_and_no_loss() {
    let (gate, world) = world();
    let mut monitor = world.monitor(settings());
    let reader = world.reader();
    append(&reader, order(1));
    monitor.flush().unwrap();
    let _opener = Opener(gate.clone());
    gate.set(Door::Stuck);
    let (accepted, refused) = fill(&reader, &monitor);
    // Ten segments, what one chunk has too much, and the ring.
    assert!(accepted < 10 * 100 + 8192 + 64, "{accepted} were accepted");
    // Aggregates are there all the while.
    assert!(monitor.series(0).unwrap().iter().any(|series| series.total.count >= 900));
    gate.set(Door::Open);
    monitor.close().unwrap();
    assert_accounted(&monitor.stats(), 1 + accepted, refused);
    assert_eq!(world.verified().observations, 1 + accepted);
}

#[test]
fn a_full_disk_is_said_and_what_was_drained_is_stored_once_there_is_room() {
    let (gate, world) = world();
    let mut monitor = world.monitor(settings());
    let reader = world.reader();
    gate.set(Door::Shut);
    append(&reader, order(1));
    let refusal = monitor.flush().unwrap_err();
    assert!(matches!(refusal, ObservationError::Failing { .. }), "{refusal}");
    assert!(refusal.to_string().contains("is full"), "{refusal}");
    assert!(monitor.stats().failing.is_some());
    let (accepted, refused) = fill(&reader, &monitor);
    assert!(monitor.flush().is_err());
    gate.set(Door::Open);
    // It tries again by itself.
    while monitor.stats().failing.is_some() {
        thread::yield_now();
    }
    monitor.close().unwrap();
    assert_accounted(&monitor.stats(), 1 + accepted, refused);
    assert_eq!(world.verified().observations, 1 + accepted);
}

#[test]
fn what_cannot_be_stored_until_the_end_is_said_to_be_lost() {
    let (gate, world) = world();
    let mut monitor = world.monitor(settings());
    let reader = world.reader();
    gate.set(Door::Shut);
    for n in 0..30 {
        append(&reader, order(n));
    }
    let refusal = monitor.close().unwrap_err();
    assert!(matches!(refusal, ObservationError::Failing { .. }), "{refusal}");
    let stats = monitor.stats();
    assert_eq!((stats.drained, stats.persisted, stats.lost), (30, 0, 30));
    gate.set(Door::Open);
    assert_eq!(world.store.segment_count().unwrap(), 0);
    assert_eq!(world.verified().receipts, 1);
}

#[test]
fn others_go_on_appending_receipts_beside_it() {
    let (_, world) = world();
    let mut monitor = world.monitor(settings());
    let reader = world.reader();
    thread::scope(|scope| {
        let ledger = &world.ledger;
        scope.spawn(move || {
            for n in 0..200 {
                let (change, by, why) = (n.to_string(), String::new(), String::new());
                let evidence = knhk_ledger::Evidence::SectorUpdated { change, by, why };
                let outcome = knhk_ledger::Outcome::Approved;
                let entry = knhk_ledger::Entry { time_ns: n, sector: None, outcome, evidence, links: Vec::new() };
                ledger.append(vec![entry]).unwrap();
            }
        });
        for n in 0..20_000 {
            append(&reader, order(n));
        }
    });
    monitor.close().unwrap();
    assert_eq!(monitor.stats().persisted, 20_000);
    let verified = world.verified();
    assert_eq!(verified.observations, 20_000);
    assert_eq!(verified.receipts, 1 + 200 + monitor.stats().segments);
}
