//! What is drained is kept under receipts, all of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use knhk_hot::layout::Key;
use knhk_hot::{Observed, ReaderOptions};
use knhk_ledger::{Evidence, LedgerError, Statement, parse_ranges};
use knhk_observation::{ObservationError, Retention, Settings, prove, record};
use knhk_store::{MemoryStore, ReceiptQuery, SegmentQuery, SqliteStore, Store};

use crate::world::{World, acknowledged, append, assert_accounted, order};

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.segment_records = 1000;
    settings
}

#[test]
fn every_accepted_observation_is_kept_in_order_under_a_receipt() {
    const EACH: u64 = 30_000;
    let world = World::new(Arc::new(MemoryStore::new()), 256);
    let mut monitor = world.monitor(settings());
    let refused = AtomicU64::new(0);
    thread::scope(|scope| {
        for producer in 0..4 {
            let (world, refused) = (&world, &refused);
            scope.spawn(move || {
                let reader = world.reader();
                for n in 0..EACH {
                    let observed = Observed { subject: producer, detail: n, ..order(1 + (n % 1500) as i64) };
                    refused.fetch_add(append(&reader, observed), Ordering::Relaxed);
                }
            });
        }
    });
    monitor.flush().unwrap();
    let series = monitor.series(0).unwrap();
    assert_eq!(series.iter().map(|one| one.total.count).sum::<u64>(), 4 * EACH);
    monitor.close().unwrap();
    let refused = refused.into_inner();
    assert_accounted(&monitor.stats(), 4 * EACH, refused);
    assert!(matches!(monitor.series(0), Err(ObservationError::Stopped)));

    let held = world.held();
    let mut next: HashMap<u64, u64> = HashMap::new();
    for record in &held {
        let expected = next.entry(record.subject).or_default();
        assert_eq!((record.detail, record.sequence), (*expected, *expected), "of producer {}", record.subject);
        assert_eq!(record.value, 1 + *expected % 1500);
        *expected += 1;
    }
    assert_eq!(next.values().copied().collect::<Vec<_>>(), [EACH; 4]);
    let verified = world.verified();
    assert_eq!((verified.observations, verified.dropped), (4 * EACH, 0));
    // The receipts say the same as the rings.
    let query = ReceiptQuery { kind: Some("observations ingested".into()), ..Default::default() };
    let stated: u64 =
        world.store.receipts(&query).unwrap().iter().map(|receipt| stated_refused(&receipt.statement)).sum();
    assert_eq!(stated, refused);
}

fn stated_refused(statement: &[u8]) -> u64 {
    match Statement::decode(statement).unwrap().claims.evidence {
        Evidence::ObservationsIngested { refused, .. } => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_single_observation_is_proven_and_no_other() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let monitor = world.monitor(settings());
    let reader = world.reader();
    for n in 0..2500 {
        append(&reader, order(n));
    }
    monitor.flush().unwrap();
    let keys = world.ledger.keys().unwrap();
    for (segment, index) in [(0, 0), (0, 999), (1, 500), (2, 0), (2, 499)] {
        let (bytes, proof) = prove(&*world.store, segment, index).unwrap();
        let again = knhk_ledger::ObservationProof::decode(&proof.encode()).unwrap();
        let statement = again.verify(&bytes, &keys).unwrap();
        assert_eq!(statement.claims.sector.as_deref(), Some("orders"));
        assert_eq!(record(&*world.store, segment, index).unwrap().value, segment * 1000 + index);
        for byte in 0..bytes.len() {
            let mut changed = bytes;
            changed[byte] ^= 1;
            assert!(matches!(again.verify(&changed, &keys), Err(LedgerError::Unproven { .. })), "byte {byte}");
        }
    }
    let refused = prove(&*world.store, 2, 500).unwrap_err();
    assert_eq!(refused.to_string(), "segment 2 has 500 observations, and none with index 500");
    assert_eq!(prove(&*world.store, 3, 0).unwrap_err().to_string(), "there is no segment 3 among 3");
}

#[test]
fn sectors_have_segments_of_their_own() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let mut monitor = world.monitor(settings());
    let reader = world.reader();
    for n in 0..3000 {
        append(&reader, if n % 3 == 0 { order(n) } else { Observed { key: Key::new(1, 9), ..order(n) } });
    }
    append(&reader, acknowledged(12.5));
    // A key that was never interned says nothing of a sector: it is refused, and counted.
    append(&reader, Observed { key: Key::default(), ..order(1) });
    append(&reader, Observed { key: Key::new(5, 1), ..order(1) });
    monitor.close().unwrap();
    assert_accounted(&monitor.stats(), 3003, 0);
    assert_eq!(monitor.stats().unattributed, 2);
    let count = |sector: &str| -> u64 {
        let query = SegmentQuery { sector: Some(sector.into()), ..Default::default() };
        world.store.segments(&query).unwrap().iter().map(|segment| segment.count).sum()
    };
    assert_eq!((count("orders"), count("venues")), (1001, 2000));
    assert_eq!(world.verified().observations, 3001);
}

#[test]
fn refusals_alone_are_stated_too() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let mut monitor = world.monitor(settings());
    let deaf = world.hot.register(ReaderOptions { ring_records: Some(0), ..Default::default() }).unwrap();
    for _ in 0..5 {
        assert!(!deaf.observe(&deaf.view(), order(1)));
    }
    monitor.close().unwrap();
    assert_accounted(&monitor.stats(), 0, 5);
    assert_eq!(stated_refused(&world.store.receipt(1).unwrap().unwrap().statement), 5);
    assert_eq!(world.verified().receipts, 2);
}

#[test]
fn a_segment_is_sealed_when_it_is_old() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let mut settings = settings();
    settings.seal_after = Duration::from_millis(1);
    let monitor = world.monitor(settings);
    let reader = world.reader();
    append(&reader, order(1));
    // Nothing is asked of the monitor: it does so by itself.
    while monitor.stats().persisted == 0 {
        thread::yield_now();
    }
    assert_eq!(world.store.segment_count().unwrap(), 1);
}

#[test]
fn retention_drops_observations_and_keeps_what_proves_them() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let mut settings = settings();
    settings.retention = Retention { bytes: Some(3000 * 64), age: None };
    let mut monitor = world.monitor(settings.clone());
    let reader = world.reader();
    for n in 0..10_000 {
        append(&reader, order(n));
        if n % 1000 == 999 {
            monitor.flush().unwrap();
        }
    }
    monitor.close().unwrap();
    let held = world.held();
    assert!((3000..=4000).contains(&held.len()), "{}", held.len());
    assert_eq!(held.last().unwrap().value, 9999);
    let verified = world.verified();
    assert_eq!(verified.observations + verified.dropped, 10_000);
    assert_eq!(verified.observations, held.len() as u64);
    let refused = prove(&*world.store, 0, 0).unwrap_err();
    assert!(matches!(refused, ObservationError::Dropped { segment: 0 }), "{refused}");
    let gone =
        |numbers: std::ops::Range<u64>| numbers.filter(|&number| content(&world, number).is_none()).collect::<Vec<_>>();
    let count = world.store.segment_count().unwrap();
    assert_eq!(said_dropped(&world), gone(0..count), "each has its receipt");
    // By age, also of what an earlier run wrote, and while nothing new comes.
    settings.retention = Retention { bytes: None, age: Some(Duration::ZERO) };
    let monitor = world.monitor(settings);
    while monitor.stats().held_bytes > 0 {
        thread::yield_now();
    }
    assert_eq!(world.verified().dropped, 10_000);
    assert_eq!(said_dropped(&world), gone(0..count));
}

fn content(world: &World, segment: u64) -> Option<Vec<u8>> {
    world.store.segment(segment).unwrap().unwrap().content
}

/// The segments that signed receipts say were dropped, ascending.
fn said_dropped(world: &World) -> Vec<u64> {
    let query =
        ReceiptQuery { kind: Some("sector updated".into()), sector: Some("orders".into()), ..Default::default() };
    let mut said: Vec<u64> = Vec::new();
    for receipt in world.store.receipts(&query).unwrap() {
        let Evidence::SectorUpdated { change, why, .. } =
            Statement::decode(&receipt.statement).unwrap().claims.evidence
        else {
            panic!("a receipt of another kind")
        };
        let Some(ranges) = change.strip_prefix("segments dropped: ") else { continue };
        assert_eq!(why, "retention");
        said.extend(parse_ranges(ranges).unwrap().into_iter().flat_map(|(first, last)| first..=last));
    }
    said.sort_unstable();
    said
}

#[test]
fn another_run_goes_on_where_the_last_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut root = None;
    for run in 0..3 {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
        let world = match root.take() {
            None => World::new(store, 4096),
            Some(root) => World::open(store, root, 4096),
        };
        let mut monitor = world.monitor(settings());
        let reader = world.reader();
        for n in 0..1500 {
            append(&reader, order(n));
        }
        monitor.close().unwrap();
        assert_accounted(&monitor.stats(), 1500, 0);
        assert_eq!(monitor.stats().held_bytes, (run + 1) * 1500 * 64);
        assert_eq!(world.store.segment_count().unwrap(), 2 * (run + 1));
        assert_eq!(world.verified().observations, 1500 * (run + 1));
        root = Some(world.root);
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let world = World::new(Arc::new(MemoryStore::new()), 4096);
    let start = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        let started = knhk_observation::Monitor::start(&world.hot, &world.ledger, world.sectors.clone(), settings);
        started.err().map(|error| error.to_string())
    };
    assert!(start(|settings| settings.segment_records = 0).unwrap().contains("1 to 1,048,576"));
    assert!(start(|settings| settings.window = Duration::ZERO).unwrap().contains("1 second to 1 hour"));
    assert!(start(|settings| settings.compression = 99).unwrap().contains("zstd"));
    assert!(start(|settings| settings.series = 0).unwrap().contains("series"));
    assert_eq!(start(|_| ()), None);
}
