//! Founding scenarios, each from end to end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use knhk_engine::{
    Engine, LogQuery, Observations, Observed, Options, Origin, Outcome, ReaderOptions, SectorKind, SegmentQuery,
    VerifyOptions,
};
use knhk_ledger::{KeyRing, Statement};

/// E2E 1: observation in, stored, receipted, signature valid; a hundred threads. (How many a second is the soak's to say.)
#[test]
fn what_a_hundred_threads_observe_is_stored_receipted_and_proven() {
    const THREADS: i64 = 100;
    const EACH: i64 = 1000;
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    let mut observations = Observations::default();
    observations.segment_records = 4096;
    options.observations = Some(observations);
    options.hot.ring_records = 256;
    let engine = Engine::open(folder.path().to_str().unwrap(), options.clone()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine.promote_json("orders", r#"{"max_qty": 1000}"#, Origin::default()).unwrap();
    let max_qty = engine.key::<i64>("orders", "max_qty").unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let engine = &engine;
            scope.spawn(move || {
                let reader = engine.register_reader(ReaderOptions::default()).unwrap();
                for n in 0..EACH {
                    let view = reader.view();
                    let observed = Observed::i64(max_qty.raw(), thread * EACH + n, Outcome::Success);
                    // A full ring refuses, and says so: nothing is lost unnoticed.
                    while !reader.observe(&view, observed) {
                        thread::yield_now();
                    }
                }
            });
        }
    });
    engine.flush_observations().unwrap();

    let root = engine.trust_root().unwrap();
    let keys = KeyRing::new(root.parse().unwrap());
    let segments = engine.segments(&SegmentQuery::default()).unwrap();
    let mut seen = HashSet::new();
    for segment in &segments {
        let receipt = engine.receipt(&segment.receipt.unwrap().to_string()).unwrap();
        Statement::decode(&receipt.statement).unwrap().verify(&keys.newest()).unwrap();
        assert_eq!(receipt.evidence["count"], segment.count);
        let observations = engine.observations(segment.number).unwrap();
        assert!(observations.iter().all(|one| one.key.as_deref() == Some("max_qty") && one.sector == "orders"));
        seen.extend(observations.iter().map(|one| one.record.value as i64));
        let proven = engine.prove_observation(segment.number, segment.count - 1).unwrap();
        knhk_ledger::ObservationProof::decode(&proven.proof).unwrap().verify(&proven.record, &keys).unwrap();
    }
    let count: u64 = segments.iter().map(|segment| segment.count).sum();
    assert_eq!((count, seen.len() as i64), ((THREADS * EACH) as u64, THREADS * EACH), "each once");
    drop(engine);

    let engine = Engine::open(folder.path().to_str().unwrap(), options).unwrap();
    let verified = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!(verified.log.observations, (THREADS * EACH) as u64);
}

/// E2E 3: the new snapshot is current, the old one in history, the chain is whole, readers never saw a mix, and rollback works.
#[test]
fn readers_see_whole_versions_while_each_is_made_durable() {
    const VERSIONS: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().to_str().unwrap(), Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    let promote = |n: u64| {
        let json = format!(r#"{{"min_qty": {n}, "max_qty": {}}}"#, n * 1000);
        engine.promote_json("orders", &json, Origin::default()).unwrap()
    };
    promote(1);
    let (min, max) = (engine.key::<i64>("orders", "min_qty").unwrap(), engine.key::<i64>("orders", "max_qty").unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let reader = engine.register_reader(ReaderOptions::default()).unwrap();
                let mut last = 0;
                while !done.load(Ordering::Acquire) {
                    let view = reader.view();
                    let (min, max) = (min.get(&view, -1), max.get(&view, -1));
                    assert_eq!(max, min * 1000, "of one version");
                    assert!(min >= last, "never an older one");
                    last = min;
                }
            });
        }
        for n in 2..=VERSIONS {
            assert_eq!(promote(n).version, n);
        }
        done.store(true, Ordering::Release);
    });
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    assert_eq!(min.get(&reader.view(), -1), VERSIONS as i64);
    let log = engine.log("orders", &LogQuery::default()).unwrap();
    assert_eq!(log.len() as u64, VERSIONS);
    assert!(log.windows(2).all(|pair| pair[0].parents == [pair[1].version] && pair[0].epoch > pair[1].epoch));
    engine.rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!(max.get(&reader.view(), -1), 1000);
    let verified = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!((verified.versions, verified.snapshots), (VERSIONS + 1, VERSIONS));
}
