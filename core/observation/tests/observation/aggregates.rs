//! Aggregates and objectives under a time that is passed in.

use knhk_hot::layout::{Outcome, Tag};
use knhk_observation::{Aggregates, Bound, OnMissingData, QUANTILE_ERROR, Record, Recorded, Schema, Series};

use crate::world::{ACK_P99, KEYS, MAX_QTY, ORDERS, snapshot, snapshot_of};

const S: u64 = 1_000_000_000;
const START: u64 = 1_000 * S;

fn orders() -> Aggregates {
    let mut aggregates = Aggregates::new(10, 8, START);
    learn(&mut aggregates, ORDERS);
    aggregates
}

fn learn(aggregates: &mut Aggregates, turtle: &str) {
    let slot = |key: &str| KEYS.iter().position(|known| *known == key).map(|slot| slot as u32);
    aggregates.learn(0, Schema::of(&snapshot(turtle)), slot);
}

fn record(slot: u32, tag: Tag, value: u64, outcome: u32) -> Record {
    let (time_ns, epoch, reader, sequence, subject, detail) = (0, 1, 1, 0, 0, 0);
    Record { time_ns, epoch, reader, sequence, subject, detail, value, slot, tag: tag as u8, outcome }
}

fn order(quantity: i64, outcome: Outcome) -> Record {
    record(MAX_QTY, Tag::I64, quantity as u64, outcome as u32)
}

fn add(aggregates: &mut Aggregates, record: Record) {
    aggregates.add(0, &record, || KEYS.get(record.slot as usize).map(|key| (*key).into()));
}

fn of(aggregates: &Aggregates, kind: Option<&str>, key: Option<&str>) -> Series {
    let series = aggregates.series(0);
    let found = series.iter().find(|one| one.kind.as_deref() == kind && one.key.as_deref() == key);
    found.unwrap_or_else(|| panic!("no {kind:?} under {key:?}: {series:#?}")).clone()
}

#[test]
fn kinds_and_objectives_are_read_from_the_ontology() {
    let schema = Schema::of(&snapshot(ORDERS));
    let names: Vec<_> = schema.kinds.iter().map(|kind| (&*kind.name, kind.value_type.as_str(), kind.code)).collect();
    let expected = [
        ("Acknowledged", "f64", None),
        ("Halted", "none", Some(400)),
        ("OrderAmended", "i64", Some(300)),
        ("OrderChecked", "i64", None),
    ];
    assert_eq!(names, expected);
    let checked = &schema.kinds[3];
    assert_eq!((checked.value_type, checked.min, checked.max), (Recorded::I64, Some(1.0), Some(1_000_000.0)));
    assert_eq!((checked.key.as_deref(), checked.unit.as_deref()), (Some("max_qty"), Some("lots")));
    let flow = schema.objectives.iter().find(|one| one.name == "Flow").unwrap();
    assert_eq!((flow.kind.as_str(), flow.aggregate.as_str(), flow.window_s), ("OrderChecked", "rate", 10));
    assert_eq!((flow.bound, flow.parameter.as_str(), flow.limit), (Bound::AtLeast, "least_rate", Some(5.0)));
    assert_eq!(flow.on_missing_data, OnMissingData::Keep);
}

#[test]
fn what_is_shipped_is_read_whole() {
    for (sector, kinds, objectives) in
        [("finance", 5, 3), ("healthcare", 5, 3), ("logistics", 5, 4), ("manufacturing", 5, 3)]
    {
        let shipped = knhk_ontology::sectors::shipped().iter().find(|one| one.name == sector).unwrap();
        let schema = Schema::of(&snapshot_of(sector, shipped.ontology));
        assert_eq!((schema.kinds.len(), schema.objectives.len()), (kinds, objectives), "{sector}");
        assert!(schema.kinds.iter().all(|kind| kind.key.is_some()), "{sector}");
        assert!(schema.objectives.iter().all(|objective| objective.limit.is_some()), "{sector}");
    }
}

#[test]
fn figures_are_those_of_the_records() {
    let mut aggregates = orders();
    let mut values: Vec<i64> = (0..5000).map(|n| 1 + n * n % 7919).collect();
    for (n, value) in values.iter().enumerate() {
        aggregates.advance(START + n as u64 * S / 1000);
        add(&mut aggregates, order(*value, if n % 10 == 0 { Outcome::Rejected } else { Outcome::Success }));
    }
    aggregates.advance(START + 5 * S);
    let series = of(&aggregates, Some("OrderChecked"), Some("max_qty"));
    let window = series.window;
    assert_eq!((window.counts.count, window.counts.outcomes, window.seconds), (5000, [0, 4500, 500, 0, 0], 5.0));
    assert_eq!((window.rate, window.failure_share), (1000.0, Some(10.0)));
    let sum: i64 = values.iter().sum();
    assert_eq!((window.sum, window.mean), (Some(sum as f64), Some(sum as f64 / 5000.0)));
    values.sort_unstable();
    assert_eq!((window.min, window.max), (Some(values[0] as f64), Some(values[4999] as f64)));
    for (share, found) in [(0.5, window.p50), (0.9, window.p90), (0.99, window.p99), (0.999, window.p999)] {
        let exact = values[(share * 4999.0) as usize] as f64;
        let found = found.unwrap();
        assert!((found - exact).abs() <= exact * QUANTILE_ERROR * 1.0001, "{share}: {found} for {exact}");
    }
    assert_eq!(series.total, window.counts);
    assert_eq!(series.unit.as_deref(), Some("lots"));
}

#[test]
fn a_window_forgets_and_the_total_does_not() {
    let mut aggregates = orders();
    for second in 0..30 {
        aggregates.advance(START + second * S);
        add(&mut aggregates, order(100, Outcome::Success));
    }
    let counts = |aggregates: &Aggregates| {
        let series = of(aggregates, Some("OrderChecked"), Some("max_qty"));
        (series.window.counts.count, series.total.count, series.window.seconds)
    };
    // Ten whole seconds and the one that runs.
    assert_eq!(counts(&aggregates), (11, 30, 10.0));
    aggregates.advance(START + 35 * S + S / 2);
    assert_eq!(counts(&aggregates), (5, 30, 10.5));
    aggregates.advance(START + 31 * S);
    assert_eq!(counts(&aggregates), (5, 30, 10.5), "time does not go back");
    aggregates.advance(START + 3600 * S);
    assert_eq!(counts(&aggregates), (0, 30, 10.0));
}

#[test]
fn a_long_window_keeps_its_length_in_few_slices() {
    let mut aggregates = orders();
    learn(&mut aggregates, &ORDERS.replace("k:window 60", "k:window 86400"));
    let share = |aggregates: &Aggregates| {
        let found = aggregates.objectives(0).into_iter().find(|one| one.objective.name == "Rejects").unwrap();
        (found.figures.counts.count, found.value)
    };
    for hour in 0..24 {
        aggregates.advance(START + hour * 3600 * S);
        add(&mut aggregates, order(100, if hour == 0 { Outcome::Rejected } else { Outcome::Success }));
    }
    assert_eq!(share(&aggregates), (24, Some(100.0 / 24.0)));
    // The first one leaves it a sixtieth after its day at the latest.
    aggregates.advance(START + (86_400 + 2 * 1440) * S);
    assert_eq!(share(&aggregates), (23, Some(0.0)));
}

#[test]
fn kinds_are_told_apart_by_key_and_code() {
    let mut aggregates = orders();
    add(&mut aggregates, order(5, Outcome::Success));
    add(&mut aggregates, record(MAX_QTY, Tag::I64, 7, 300));
    // A code that no kind has, and one that is another key's.
    add(&mut aggregates, record(MAX_QTY, Tag::I64, 9, 301));
    add(&mut aggregates, record(ACK_P99, Tag::F64, 1.5_f64.to_bits(), 300));
    // A kind without a key is recorded under any.
    add(&mut aggregates, record(ACK_P99, Tag::Bool, 1, 400));
    let checked = of(&aggregates, Some("OrderChecked"), Some("max_qty"));
    assert_eq!((checked.total.count, checked.total.own, checked.window.sum), (2, 1, Some(14.0)));
    assert_eq!(of(&aggregates, Some("OrderAmended"), Some("max_qty")).window.sum, Some(7.0));
    assert_eq!(of(&aggregates, Some("Acknowledged"), Some("ack_p99")).total.count, 1);
    let halted = of(&aggregates, Some("Halted"), Some("ack_p99"));
    assert_eq!((halted.total.count, halted.window.sum), (1, None), "it only counts");
    // Under a key that no kind concerns, numbers are numbers.
    add(&mut aggregates, record(2, Tag::F64, 2.5_f64.to_bits(), 1));
    assert_eq!(of(&aggregates, None, Some("reject_share")).window.sum, Some(2.5));
}

#[test]
fn what_does_not_fit_its_kind_is_counted_and_in_no_figure() {
    let mut aggregates = orders();
    let wrong = [
        record(MAX_QTY, Tag::F64, 5.0_f64.to_bits(), 1),
        record(MAX_QTY, Tag::I64, 0, 1),
        record(MAX_QTY, Tag::I64, 1_000_001, 1),
        record(MAX_QTY, Tag::I64, (-1_i64) as u64, 1),
    ];
    wrong.into_iter().for_each(|record| add(&mut aggregates, record));
    add(&mut aggregates, order(1_000_000, Outcome::Success));
    let series = of(&aggregates, Some("OrderChecked"), Some("max_qty"));
    assert_eq!((series.total.count, series.total.mismatched), (5, 4));
    assert_eq!((series.window.min, series.window.max, series.window.mean), (Some(1e6), Some(1e6), Some(1e6)));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        add(&mut aggregates, record(ACK_P99, Tag::F64, value.to_bits(), 1));
    }
    let series = of(&aggregates, Some("Acknowledged"), Some("ack_p99"));
    assert_eq!((series.total.count, series.total.mismatched, series.window.mean), (3, 3, None));
}

#[test]
fn a_kind_that_nothing_was_recorded_of_is_there() {
    let series = of(&orders(), Some("Acknowledged"), Some("ack_p99"));
    assert_eq!((series.total.count, series.window.p99, series.window.failure_share), (0, None, None));
}

#[test]
fn beyond_the_limit_series_are_added_up_together() {
    let mut aggregates = Aggregates::new(10, 3, START);
    for slot in 0..1000 {
        add(&mut aggregates, record(slot, Tag::I64, 1, 1));
        add(&mut aggregates, record(slot, Tag::I64, 1, 1));
    }
    let series = aggregates.series(0);
    assert_eq!(series.len(), 4);
    assert_eq!(of(&aggregates, None, None).total.count, 2 * 997);
    assert_eq!(series.iter().map(|series| series.total.count).sum::<u64>(), 2000);
}

#[test]
fn objectives_stand_as_their_data_says() {
    let mut aggregates = orders();
    let state = |aggregates: &Aggregates, name: &str| {
        let found = aggregates.objectives(0).into_iter().find(|one| one.objective.name == name).unwrap();
        (found.value, found.met, found.burn)
    };
    // No data is not a pass.
    for name in ["Rejects", "AckLatency", "Flow"] {
        assert_eq!(state(&aggregates, name), (None, None, None), "{name}");
    }
    for n in 0..100 {
        aggregates.advance(START + n * S / 100);
        add(&mut aggregates, order(10, if n < 1 { Outcome::Rejected } else { Outcome::Success }));
        add(&mut aggregates, record(ACK_P99, Tag::F64, 100.0_f64.to_bits(), 1));
    }
    aggregates.advance(START + S);
    assert_eq!(state(&aggregates, "Rejects"), (Some(1.0), Some(true), Some(0.5)));
    assert_eq!(state(&aggregates, "Flow"), (Some(100.0), Some(true), Some(0.05)));
    let (value, met, burn) = state(&aggregates, "AckLatency");
    assert!((99.0..=101.0).contains(&value.unwrap()) && met == Some(true) && burn.unwrap() < 0.5);
    for _ in 0..5 {
        add(&mut aggregates, order(10, Outcome::Timeout));
        add(&mut aggregates, record(ACK_P99, Tag::F64, 1000.0_f64.to_bits(), 1));
    }
    let (value, met, burn) = state(&aggregates, "Rejects");
    assert_eq!((value, met), (Some(100.0 * 6.0 / 105.0), Some(false)));
    assert!(burn.unwrap() > 2.8);
    assert_eq!(state(&aggregates, "AckLatency").1, Some(false));
    // Nothing for a while: the short windows have no data again, and the rate is none rather than too low.
    aggregates.advance(START + 30 * S);
    assert_eq!(state(&aggregates, "AckLatency"), (None, None, None));
    assert_eq!(state(&aggregates, "Flow"), (None, None, None));
    assert_eq!(state(&aggregates, "Rejects").1, Some(false));
}

#[test]
fn a_changed_ontology_is_taken_up_without_losing_what_was_counted() {
    let mut aggregates = orders();
    add(&mut aggregates, order(10, Outcome::Rejected));
    learn(&mut aggregates, &ORDERS.replace(":reject_share k:value 2", ":reject_share k:value 100"));
    let rejects = aggregates.objectives(0).into_iter().find(|one| one.objective.name == "Rejects").unwrap();
    assert_eq!((rejects.objective.limit, rejects.met, rejects.burn), (Some(100.0), Some(true), Some(1.0)));
    // The kind goes: what was recorded under its key stays under it.
    learn(&mut aggregates, "<urn:knhk:orders:max_qty> <urn:knhk:core:value> 1 .");
    assert_eq!(of(&aggregates, None, Some("max_qty")).total.count, 1);
    assert!(aggregates.objectives(0).is_empty());
}
