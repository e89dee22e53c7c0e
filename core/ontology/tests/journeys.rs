//! Random documents, and the fuzzer's corpus, through everything that is done with a document.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use knhk_ontology::{Core, Document, Limits, Snapshot};

mod journey;
use journey::journey;

/// JSON of a value with what may be said about it; mostly well-formed, sometimes against a rule.
fn value() -> impl Strategy<Value = String> {
    let text = "\\PC{0,8}".prop_map(|text| serde_json::to_string(&text).expect("a text"));
    let double = prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| format!("{value:?}")),
        Just("-0.0".to_owned()),
        Just("1e5".to_owned()),
    ];
    let integer =
        prop_oneof![any::<i64>().prop_map(|value| value.to_string()), (-3..3i64).prop_map(|v: i64| v.to_string())];
    let bytes = prop_oneof![Just(r#"{"$bytes": ""}"#), Just(r#"{"$bytes": "AP8="}"#)].prop_map(str::to_owned);
    let truth = any::<bool>().prop_map(|value| value.to_string());
    let scalar = prop_oneof![text.boxed(), double.boxed(), integer.boxed(), bytes.boxed(), truth.boxed()].boxed();
    let list = prop_oneof![
        any::<Vec<i64>>().prop_map(|list| format!("{list:?}")),
        prop::collection::vec(-1e9..1e9, 0..4).prop_map(|list: Vec<f64>| format!("{list:?}")),
        any::<Vec<bool>>().prop_map(|list| format!("{list:?}")),
        prop::collection::vec("[a-z]{0,3}", 0..4).prop_map(|list| format!("{list:?}")),
    ];
    let said = (scalar.clone(), -5..5i64, prop::option::of(0..9i64), prop::option::of("[a-z]{0,4}"), any::<bool>())
        .prop_map(|(value, low, span, unit, default)| {
            let mut json = format!("{{\"$value\": {value}");
            if let Some(span) = span {
                write!(json, ", \"$min\": {low}, \"$max\": {}", low + span).expect("a string takes any text");
            }
            if let Some(unit) = unit {
                write!(json, ", \"$unit\": {unit:?}, \"$doc\": \"a {unit}\"").expect("a string takes any text");
            }
            if default {
                write!(json, ", \"$default\": {value}").expect("a string takes any text");
            }
            json + "}"
        });
    let bounded = (-9..9i64, 0..9i64, 0..9i64).prop_map(|(value, below, above)| {
        let (low, high) = (value - below, value + above);
        format!("{{\"$min\": {low}, \"$default\": {value}, \"$max\": {high}, \"$enum\": [{value}, {high}]}}")
    });
    let empty = prop_oneof![
        Just(r#"{"$value": [], "$type": "list<bytes>"}"#),
        Just("{}"),
        Just(r#"{"$type": "list<f64>", "$value": [1, 2.5]}"#)
    ];
    prop_oneof![scalar, list.boxed(), said.boxed(), bounded.boxed(), empty.prop_map(str::to_owned).boxed()]
}

fn object() -> impl Strategy<Value = String> {
    let leaf = value().boxed();
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop::collection::btree_map("[^/$\\x00]{1,6}", inner, 0..6).prop_map(|map| {
            let fields =
                map.iter().map(|(name, value)| format!("{}: {value}", serde_json::to_string(name).expect("a text")));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn every_accepted_document_survives(inner in object(), parents in prop::collection::vec(prop::collection::btree_set(0usize..8, 0..3), 0..8)) {
        let classes = parents.iter().enumerate().map(|(class, parents)| {
            let parents: Vec<String> = parents.iter().filter(|&&parent| parent < class).map(|parent| format!("\"C{parent}\"")).collect();
            format!("\"C{class}\": [{}]", parents.join(", "))
        });
        let classes = classes.collect::<Vec<_>>().join(", ");
        journey(format!("{{\"x\": {inner}, \"$classes\": {{{classes}}}}}").as_bytes());
        journey(inner.as_bytes());
    }

    /// Whoever looks at the change alone sees what whoever looks at all of it sees.
    #[test]
    fn differences_by_a_change_are_the_differences(old in object(), new in object(), kept in object()) {
        let limits = Limits::default();
        let of = |inner: &str| Document::parse(format!("{{\"x\": {inner}, \"kept\": {kept}}}"), &limits);
        let (Ok(old), Ok(new)) = (of(&old), of(&new)) else { return Ok(()) };
        let empty = Snapshot::empty("orders", &Core::shipped(), &limits);
        let to = |from: &Snapshot, document: &Document| from.change_to(document).expect("it is sound");
        let before = empty.apply(&to(&empty, &old)).expect("its names are its own");
        let change = to(&before, &new);
        let after = before.apply(&change).expect("its names are its own");
        if let Some(differences) = after.differences_by(&before, &change) {
            let all = after.differences(&before).expect("it is sound");
            prop_assert_eq!(&differences.expect("it is sound"), &all);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_survive(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        journey(&bytes);
    }
}

#[test]
fn most_random_documents_are_accepted() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..200).filter(|_| {
        let tree = object().new_tree(&mut runner).expect("a document");
        journey(format!("{{\"x\": {}}}", tree.current()).as_bytes()).is_some()
    });
    let accepted = accepted.count();
    assert!(accepted > 60, "{accepted} of 200: the generator tests refusals only");
}

#[test]
fn the_corpus_survives() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/document");
    let mut accepted = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is part of the repository") {
        accepted += usize::from(journey(&fs::read(entry.expect("an entry").path()).expect("a file")).is_some());
    }
    assert!(accepted > 3, "the corpus has documents that are accepted");
}
