//! A text that repeats the one before with other values takes a short way, which leads where the long one does.

use std::fmt::Write;

use knhk_hot::artifact::{self, Artifact};
use knhk_ontology::Limits;
use knhk_promotion::{Guard, NoJournal};
use proptest::prelude::*;

use crate::support::{cells, document, origin, sector};

/// One value of each of these kinds, under rules for some.
#[derive(Clone, Debug)]
struct Values {
    count: i64,
    bounded: i64,
    share: f64,
    open: bool,
    name: String,
    spaced: bool,
}

fn values() -> impl Strategy<Value = Values> {
    let count = prop_oneof![any::<i64>(), -3..3i64];
    let share = prop_oneof![
        (-1e9..1e9f64).boxed(),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).boxed(),
        Just(-0.0).boxed()
    ];
    (count, 0..12i64, share, any::<bool>(), "[a-z \"\\\\\u{e9}\u{1F600}]{0,12}", any::<bool>())
        .prop_map(|(count, bounded, share, open, name, spaced)| Values { count, bounded, share, open, name, spaced })
}

fn text(values: &[Values]) -> String {
    let mut json = String::from("{\"$classes\": {\"A\": [], \"B\": [\"A\"]}");
    for (at, Values { count, bounded, share, open, name, spaced }) in values.iter().enumerate() {
        let name = serde_json::to_string(name).expect("a text");
        let space = if *spaced && at == 0 { " " } else { "" };
        write!(
            json,
            ",{space} \"g{at}\": {{\"count\": {count}, \"in\": {{\"$min\": 0, \"$value\": {bounded}, \"$max\": 10}}, \"share\": {share:?}, \
             \"open\": {open}, \"name\": {name}, \"list\": [1, 2], \"mode\": {{\"$value\": {name}, \"$doc\": \"5\"}}, \"raw\": {{\"$bytes\": \"AQ==\"}}}}"
        )
        .expect("a string takes any text");
    }
    json + "}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_short_way_leads_where_the_long_one_does(texts in prop::collection::vec(prop::collection::vec(values(), 3), 2..6)) {
        let hot = cells();
        let (short, limits) = (sector("orders", 0, 8), Limits::default());
        for values in &texts {
            let json = text(values);
            // Alone, in a sector that knows nothing: the long way.
            let long = sector("orders", 1, 8);
            let parsed = knhk_ontology::Document::parse(&json, &limits);
            let promoted = short.read_json(&json, &limits).and_then(|content| {
                let (ready, verified) = short.prepare(&hot, &NoJournal, content).with_origin(origin(""), 0).verify()?;
                ready.promote(Guard::new(verified))
            });
            let promoted = match (promoted, parsed) {
                (Ok(promoted), Ok(_)) => promoted.version().clone(),
                (Err(error), Err(expected)) => {
                    prop_assert_eq!(error.to_string(), expected.to_string());
                    continue;
                }
                (promoted, parsed) => panic!("{json}: {:?} {:?}", promoted.err(), parsed.err()),
            };
            let (ready, verified) = long.prepare(&hot, &NoJournal, document(&json)).verify().expect("it is sound");
            let alone = ready.promote(Guard::new(verified)).expect("nothing is in the way").version().clone();
            prop_assert_eq!(promoted.snapshot_id, alone.snapshot_id);
            prop_assert_eq!(promoted.document(), alone.document());
            let entries = |artifact: &Artifact| {
                let mut entries: Vec<String> = artifact.entries().map(|entry| format!("{} {:?} {:?}", entry.path, entry.value, entry.bounds)).collect();
                entries.sort();
                entries
            };
            prop_assert_eq!(entries(promoted.artifact()), entries(alone.artifact()));
            let image = promoted.artifact().image();
            Artifact::from_image(image, &artifact::Limits::default()).expect("a revised image keeps every rule");
            prop_assert_eq!(promoted.artifact().snapshot_id(), promoted.snapshot_id);
        }
    }
}
