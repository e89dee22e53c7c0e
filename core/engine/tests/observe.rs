//! The engine observes: aggregates and objectives of what was declared, kept under receipts, proven, and there after a restart.

use std::thread;

use knhk_engine::observation::{Counts, RECORD_BYTES, Retention};
use knhk_engine::{
    Engine, Error, Format, Key, Observations, Observed, Options, Origin, Outcome, Reader, ReaderOptions, SectorKind,
    SegmentQuery, Signer, Status, VerifyOptions,
};

const ORDERS: &str = r#"
    @prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :max_qty k:value 1000 ; k:unit "lots" . :reject_share k:value 5 ; k:unit "%" .
    :OrderChecked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ;
        rdfs:comment "Each order that was checked."@en .
    :Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ; k:window 60 ;
        k:onMissingData "hold" ; rdfs:comment "Few orders are refused."@en .
"#;

fn options(segment_records: usize) -> Options {
    let mut observations = Observations::default();
    observations.segment_records = segment_records;
    let mut options = Options::default();
    options.observations = Some(observations);
    options.hot.ring_records = 4096;
    options
}

fn declare(engine: &Engine) -> Key<i64> {
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine.promote_rdf("orders", ORDERS.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    engine.key("orders", "max_qty").unwrap()
}

fn check(reader: &Reader, max_qty: Key<i64>, quantity: i64) -> bool {
    let view = reader.view();
    let outcome = if quantity <= max_qty.get(&view, 0) { Outcome::Success } else { Outcome::Rejected };
    reader.observe(&view, Observed::i64(max_qty.raw(), quantity, outcome))
}

fn only(counts: Vec<Counts>) -> Counts {
    assert_eq!(counts.len(), 1, "{counts:?}");
    counts[0]
}

#[test]
fn observations_are_aggregated_kept_and_proven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let engine = Engine::open(path, options(100)).unwrap();
    let max_qty = declare(&engine);
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let accepted = (0..1000).filter(|&n| check(&reader, max_qty, if n % 5 == 0 { 1250 } else { n })).count() as u64;
    assert_eq!(accepted, 1000);
    engine.flush_observations().unwrap();

    let series = engine.aggregates("orders").unwrap();
    let counts = only(series.iter().map(|series| series.total).collect());
    assert_eq!((counts.count, counts.successes(), counts.mismatched), (1000, 800, 0));
    assert_eq!((series[0].kind.as_deref(), series[0].key.as_deref()), (Some("OrderChecked"), Some("max_qty")));
    assert_eq!((series[0].unit.as_deref(), series[0].window.max), (Some("lots"), Some(1250.0)));

    let rejects = engine.objectives("orders").unwrap().remove(0);
    assert_eq!((rejects.value, rejects.met, rejects.burn), (Some(20.0), Some(false), Some(4.0)));
    // The limit is a parameter: changing it changes how the objective stands.
    let change = |from: &str, to: &str| {
        let line = |value: &str| format!("<urn:knhk:orders:reject_share> <urn:knhk:core:value> {value} .");
        let (from, to) = (line(from), line(to));
        engine.promote_delta("orders", from.as_bytes(), to.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    };
    change("5", "40");
    let again = || engine.objectives("orders").unwrap().remove(0);
    while again().objective.limit != Some(40.0) {
        thread::yield_now();
    }
    assert_eq!((again().met, again().burn), (Some(true), Some(0.5)));

    let segments = engine.segments(&SegmentQuery::default()).unwrap();
    assert_eq!(segments.iter().map(|segment| segment.count).sum::<u64>(), 1000);
    let kept = engine.observations(segments[3].number).unwrap();
    assert_eq!((kept[7].key.as_deref(), kept[7].record.sequence), (Some("max_qty"), 307));
    assert_eq!(engine.observation(segments[3].number, 7).unwrap(), kept[7]);
    let receipt = engine.receipt(&segments[3].receipt.unwrap().to_string()).unwrap();
    assert_eq!((receipt.kind.as_str(), receipt.sector.as_deref()), ("observations ingested", Some("orders")));

    let proven = engine.prove_observation(segments[3].number, 7).unwrap();
    assert_eq!(proven.record, kept[7].record.encode());
    engine.verify_observation(&proven.record, &proven.proof).unwrap();
    let mut changed = proven.record;
    changed[RECORD_BYTES - 1] ^= 1;
    assert_eq!(engine.verify_observation(&changed, &proven.proof).unwrap_err().status(), Status::Unproven);

    // What was appended last is made durable by closing, and all of it is there afterwards.
    (0..50).for_each(|n| assert!(check(&reader, max_qty, n + 1)));
    drop(reader);
    engine.close();
    let engine = Engine::open(path, options(100)).unwrap();
    let verified = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!(verified.log.observations, 1050);
    assert_eq!(only(engine.aggregates("orders").unwrap().iter().map(|one| one.total).collect()).count, 0);
    engine.verify_observation(&proven.record, &proven.proof).unwrap();
}

#[test]
fn what_is_recorded_as_a_second_ends_is_in_the_windows_that_were_declared() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path().to_str().unwrap(), options(100)).unwrap();
        let reader = engine.register_reader(ReaderOptions::default()).unwrap();
        // The monitor looks for declarations now and then; here the second ends before it would.
        while now().subsec_millis() < 950 {
            thread::yield_now();
        }
        let max_qty = declare(&engine);
        assert!(check(&reader, max_qty, 2000));
        let second = now().as_secs();
        while now().as_secs() == second {
            thread::yield_now();
        }
        engine.flush_observations().unwrap();
        let rejects = engine.objectives("orders").unwrap().remove(0);
        assert_eq!((rejects.value, rejects.met), (Some(100.0), Some(false)));
    }
}

#[test]
fn a_monitor_drains_alone() {
    let mut options = options(100);
    options.signer = Some(Signer::from_seed(&[3; 32]));
    let engine = Engine::open(":memory:", options).unwrap();
    let max_qty = declare(&engine);
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    assert!(check(&reader, max_qty, 5));
    let refused = engine.drain(10, |_, _| panic!("the monitor's")).unwrap_err();
    assert_eq!(refused.status(), Status::InvalidArgument);
    assert!(refused.message().contains("option observations"), "{refused}");
    engine.flush_observations().unwrap();
    let stats = engine.observe_stats().unwrap();
    assert_eq!((stats.drained, stats.persisted, stats.segments), (1, 1, 1));
    engine.close();
    assert_eq!(engine.flush_observations().unwrap_err().status(), Status::Closed);
}

#[test]
fn where_nothing_is_observed_it_is_said() {
    let status = |refused: Result<(), Error>| refused.unwrap_err().status();
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    declare(&engine);
    assert_eq!(status(engine.aggregates("orders").map(|_| ())), Status::NotReady);
    assert_eq!(status(engine.flush_observations()), Status::NotReady);
    assert_eq!(status(engine.segments(&SegmentQuery::default()).map(|_| ())), Status::NotFound);
    // Receipts need a ledger, and keeping needs a writer.
    let refused = Engine::open(":memory:", options(10)).map(|_| ()).unwrap_err();
    assert!(refused.message().contains("under receipts"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    drop(Engine::open(path, Options::default()).unwrap());
    let refused = Engine::open_read_only(path, options(10)).map(|_| ()).unwrap_err();
    assert!(refused.message().contains("read-only"), "{refused}");
}

#[test]
fn retention_keeps_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(100);
    let keep = Retention { bytes: Some(250 * RECORD_BYTES as u64), age: None };
    options.observations.as_mut().unwrap().retention = keep;
    let engine = Engine::open(folder.path().to_str().unwrap(), options).unwrap();
    let max_qty = declare(&engine);
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    for n in 0..1000 {
        assert!(check(&reader, max_qty, 1 + n));
        if n % 100 == 99 {
            engine.flush_observations().unwrap();
        }
    }
    let held = engine.segments(&SegmentQuery { held: true, ..Default::default() }).unwrap();
    let all = engine.segments(&SegmentQuery::default()).unwrap();
    assert!(held.len() < all.len() && held.last() == all.last(), "{} of {}", held.len(), all.len());
    let dropped = engine.observations(0).unwrap_err();
    assert_eq!(dropped.status(), Status::NotFound);
    assert!(dropped.message().contains("dropped by retention"), "{dropped}");
    let verified = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!(verified.log.observations + verified.log.dropped, 1000);
}

#[test]
fn observing_goes_on_while_everything_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(1000);
    options.hot.ring_records = 1 << 15;
    let engine = Engine::open(folder.path().to_str().unwrap(), options).unwrap();
    let max_qty = declare(&engine);
    let accepted: u64 = thread::scope(|scope| {
        let producers: Vec<_> = (0..3)
            .map(|_| {
                let engine = &engine;
                scope.spawn(move || {
                    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
                    (0..20_000).filter(|n| check(&reader, max_qty, 1 + n % 1200)).count() as u64
                })
            })
            .collect();
        for n in 0..20 {
            let (from, to) = (1000 - n, 999 - n);
            let line = |value: i64| format!("<urn:knhk:orders:max_qty> <urn:knhk:core:value> {value} .");
            let (from, to) = (line(from), line(to));
            engine.promote_delta("orders", from.as_bytes(), to.as_bytes(), Format::Turtle, Origin::default()).unwrap();
        }
        producers.into_iter().map(|producer| producer.join().unwrap()).sum()
    });
    engine.flush_observations().unwrap();
    let stats = engine.observe_stats().unwrap();
    assert_eq!((stats.persisted, stats.refused), (accepted, 60_000 - accepted));
    let verified = engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!((verified.log.observations, verified.versions), (accepted, 21));
}
