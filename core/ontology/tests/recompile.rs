//! What a change compiles to is what the whole graph compiles to, however the change came about.

use std::sync::Arc;

use knhk_hot::artifact::Artifact;
use knhk_ontology::graph::{Delta, Term, Triple};
use knhk_ontology::vocabulary::{knhk, rdf, rdfs, xsd};
use knhk_ontology::{Alone, Compiled, Core, KeyTable, Limits, Snapshot, compile_change, compile_snapshot, counters};
use proptest::prelude::*;

const PATHS: [&str; 10] = ["a", "a/x", "a/y", "b", "b/c/d", "b/c/e", "b/f", "m", "m/n", "Venue"];

/// One statement, or all of a subject's with one predicate.
#[derive(Clone, Debug)]
enum Said {
    Parameter(usize, &'static str, Object),
    Forget(usize, &'static str),
    Map(usize),
    NoMap(usize),
    Class(usize),
    Comment(usize),
    /// What programs do not read.
    Instance(usize, i64),
}

#[derive(Clone, Debug)]
enum Object {
    Integer(i64),
    Double(f64),
    Text(&'static str),
    List(&'static str),
}

fn object() -> impl Strategy<Value = Object> {
    prop_oneof![
        6 => (0..9_i64).prop_map(Object::Integer),
        2 => prop::sample::select(vec![0.5, 2.5]).prop_map(Object::Double),
        3 => prop::sample::select(vec!["", "one", "two"]).prop_map(Object::Text),
        1 => prop::sample::select(vec!["[1,2]", "[\"a\",\"b\"]", "[1.5]"]).prop_map(Object::List),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let at = || 0..PATHS.len();
    let field =
        || prop::sample::select(vec![knhk::VALUE, knhk::VALUE, knhk::MIN, knhk::MAX, knhk::UNIT, knhk::DEFAULT]);
    prop_oneof![
        12 => (at(), Just(knhk::VALUE), object()).prop_map(|(at, field, object)| Said::Parameter(at, field, object)),
        4 => (at(), field(), object()).prop_map(|(at, field, object)| Said::Parameter(at, field, object)),
        10 => (at(), field()).prop_map(|(at, field)| Said::Forget(at, field)),
        1 => at().prop_map(Said::Map),
        1 => at().prop_map(Said::NoMap),
        1 => at().prop_map(Said::Class),
        1 => at().prop_map(Said::Comment),
        4 => (at(), 0..9_i64).prop_map(|(at, fee)| Said::Instance(at, fee)),
    ]
}

/// The change that says this.
fn delta(snapshot: &Snapshot, said: &[Said]) -> Delta {
    let graph = snapshot.graph();
    let terms = graph.terms();
    let subject = |at: usize| terms.iri(&snapshot.namespace().iri(PATHS[at]));
    let object = |object: &Object| match object {
        Object::Integer(value) => Term::integer(*value).expect("it is small"),
        Object::Double(value) => Term::double(*value).expect("it is ordinary"),
        Object::Text(text) => terms.literal(text, xsd::STRING),
        Object::List(text) => terms.literal(text, rdf::JSON),
    };
    let (mut removed, mut added): (Vec<Triple>, Vec<Triple>) = Default::default();
    for said in said {
        let is = |at: usize, object: &str| Triple {
            subject: subject(at),
            predicate: terms.iri(rdf::TYPE),
            object: terms.iri(object),
        };
        match said {
            Said::Parameter(at, field, value) => {
                let (subject, predicate) = (subject(*at), terms.iri(field));
                // One value takes the place of another, as people change parameters.
                added.retain(|triple| (triple.subject, triple.predicate) != (subject, predicate));
                removed.extend(graph.objects(subject, predicate).map(|object| Triple { subject, predicate, object }));
                added.push(Triple { subject, predicate, object: object(value) });
            }
            Said::Forget(at, field) => {
                let (subject, predicate) = (subject(*at), terms.iri(field));
                removed.extend(graph.objects(subject, predicate).map(|object| Triple { subject, predicate, object }));
            }
            Said::Map(at) => added.push(is(*at, knhk::MAP)),
            Said::NoMap(at) => removed.push(is(*at, knhk::MAP)),
            Said::Class(at) => added.push(is(*at, rdfs::CLASS)),
            Said::Comment(at) => added.push(Triple {
                subject: subject(*at),
                predicate: terms.iri(rdfs::COMMENT),
                object: terms.literal("what it is", xsd::STRING),
            }),
            Said::Instance(at, fee) => added.push(Triple {
                subject: terms.iri(&snapshot.namespace().iri(&format!("instance-{at}"))),
                predicate: terms.iri(&snapshot.namespace().iri("fee")),
                object: Term::integer(*fee).expect("it is small"),
            }),
        }
    }
    Delta::new(graph, removed, added)
}

fn entries(artifact: &Artifact) -> Vec<String> {
    let mut entries: Vec<String> = artifact.entries().map(|entry| format!("{entry:?}")).collect();
    entries.sort();
    entries
}

/// Both ways of compiling, each with a key table of its own, which hold the same before and after.
fn compiled_alike(
    (base, compiled): (&Snapshot, Option<&Compiled>),
    delta: &Delta,
    after: &Snapshot,
    table: &mut KeyTable,
) -> Result<Compiled, String> {
    let mut other = table.clone();
    let by_change = compile_change(base, compiled, delta, after, table).map_err(|error| error.to_string());
    let whole = compile_snapshot(after, &mut other, None).map_err(|error| error.to_string());
    assert_eq!(table.id(), other.id());
    assert_eq!(table.lines_from(0).collect::<Vec<_>>(), other.lines_from(0).collect::<Vec<_>>());
    let types = |table: &KeyTable| (0..table.len()).map(|slot| table.value_type(slot)).collect::<Vec<_>>();
    assert_eq!(types(table), types(&other));
    let (by_change, whole) = match (by_change, whole) {
        (Ok(by_change), Ok(whole)) => (by_change, whole),
        (by_change, whole) => {
            assert_eq!(by_change.as_ref().err(), whole.as_ref().err());
            return by_change;
        }
    };
    let (artifact, expected) = (&by_change.artifact, &whole.artifact);
    assert_eq!(entries(artifact), entries(expected));
    assert_eq!((artifact.snapshot_id(), artifact.key_table()), (after.id(), table.id()));
    Artifact::from_image(artifact.image(), &Default::default()).expect("an image like any other");
    // What may be revised afterwards is the same.
    let value = after.graph().terms().iri(knhk::VALUE);
    for (object, subject) in after.graph().with_predicate(value) {
        let removed = Triple { subject, predicate: value, object };
        let added = Triple { object: Term::integer(8).expect("it is small"), ..removed };
        let delta = Arc::new(Delta::new(after.graph(), vec![removed], vec![added]));
        let revised = |compiled: &Compiled| {
            let revised = after.revise(compiled, &delta, &Alone)?;
            Some(entries(&revised.expect("there is memory").1.artifact))
        };
        assert_eq!(revised(&by_change), revised(&whole));
    }
    Ok(by_change)
}

fn empty() -> Snapshot {
    Snapshot::empty("orders", &Core::shipped(), &Limits::default())
}

fn recompiled() -> u64 {
    let counter = counters().into_iter().find(|counter| counter.name == "knhk.ontology.recompiled");
    counter.expect("it is counted").value()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 3000 }))]

    #[test]
    fn a_change_compiles_to_what_the_whole_does(steps in prop::collection::vec(prop::collection::vec(said(), 1..6), 1..8)) {
        let (mut base, mut compiled, mut table) = (empty(), None::<Compiled>, KeyTable::new());
        for said in steps {
            let delta = delta(&base, &said);
            let after = base.apply(&delta).expect("it is about the sector's own names");
            let before = table.clone();
            let Ok(next) = compiled_alike((&base, compiled.as_ref()), &delta, &after, &mut table) else { continue };
            if compiled.is_some() {
                // And back again, also where the key table does not know yet what was new.
                let inverse = delta.inverse();
                let back = after.apply(&inverse).expect("it was there");
                compiled_alike((&after, Some(&next)), &inverse, &back, &mut before.clone()).expect("it was sound");
            }
            (base, compiled) = (after, Some(next));
        }
    }
}

#[test]
fn nothing_but_what_a_change_touches_is_read() {
    use Said::{Forget, Instance, Map, Parameter};
    let value = |at, value| Parameter(at, knhk::VALUE, Object::Integer(value));
    // By what is there, then what changes, and whether that is compiled alone.
    let table: [(&[Said], &[Said], bool); 9] = [
        (&[value(1, 1)], &[value(2, 2)], true),
        (&[value(1, 1)], &[value(4, 2), value(5, 3)], true),
        (&[value(1, 1), value(2, 2)], &[Forget(2, knhk::VALUE)], true),
        (&[value(1, 1), value(4, 2)], &[Forget(4, knhk::VALUE)], true),
        (&[value(1, 1)], &[Parameter(1, knhk::VALUE, Object::Text("two"))], true),
        (&[value(1, 1)], &[Instance(1, 1)], true),
        // A value where a map is, and a map where a value is: the whole reading says what is wrong.
        (&[value(1, 1)], &[value(0, 2)], false),
        (&[value(0, 1)], &[value(1, 2)], false),
        (&[value(1, 1)], &[Map(3)], false),
    ];
    for (first, then, alone) in table {
        let mut table = KeyTable::new();
        let nothing = empty();
        let base = nothing.apply(&delta(&nothing, first)).expect("it is the sector's own");
        let compiled = compile_snapshot(&base, &mut table, None).expect("it compiles");
        let change = delta(&base, then);
        let after = base.apply(&change).expect("it is the sector's own");
        let before = recompiled();
        _ = compiled_alike((&base, Some(&compiled)), &change, &after, &mut table);
        // Other tests of the process may count, too.
        assert!(!alone || recompiled() > before, "{first:?} {then:?}");
    }
}

#[test]
fn a_map_stays_as_long_as_something_says_so() {
    let value = |at, value| Said::Parameter(at, knhk::VALUE, Object::Integer(value));
    let mut table = KeyTable::new();
    let nothing = empty();
    let base = nothing.apply(&delta(&nothing, &[value(0, 1), value(4, 2), Said::Map(3)])).expect("it is its own");
    let compiled = compile_snapshot(&base, &mut table, None).expect("it compiles");
    let change = delta(&base, &[Said::Forget(4, knhk::VALUE)]);
    let after = base.apply(&change).expect("it is the sector's own");
    let compiled = compiled_alike((&base, Some(&compiled)), &change, &after, &mut table).expect("it compiles");
    let named = |path| compiled.artifact.find(path).is_some();
    assert_eq!([named("b"), named("b/c"), named("b/c/d")], [true, false, false]);
}
