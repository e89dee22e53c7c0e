//! What the crate counts: a program that reads, applies and validates finds all of it in the counters.

use std::sync::Arc;

use knhk_ontology::graph::{Delta, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Core, Document, Limits, Snapshot, counters};

fn value(name: &str) -> u64 {
    let found = counters().into_iter().find(|counter| counter.name == name);
    found.unwrap_or_else(|| panic!("{name} is counted")).value()
}

/// One test alone in its program: the counters are the process's.
#[test]
fn what_happens_is_counted() {
    let names: Vec<_> = counters().iter().map(|counter| counter.name).collect();
    assert!(names.iter().all(|name| name.starts_with("knhk.ontology.")));
    assert!(counters().iter().all(|counter| counter.unit.starts_with('{') && !counter.doc.is_empty()));
    let limits = Limits::default();
    let terms = Arc::new(Terms::new());
    let text = b"<urn:a> <urn:b> <urn:c>, 1 .";
    rdf::parse(text, Format::Turtle, "", &terms, &limits).unwrap();
    assert!(rdf::parse(b"<urn:a> <urn:b>", Format::Turtle, "", &terms, &limits).is_err());
    let before = |name| value(&format!("knhk.ontology.{name}"));
    assert_eq!(before("refused"), 1);
    let (read, statements) = (before("read"), before("statements"));
    rdf::parse(text, Format::Turtle, "", &terms, &limits).unwrap();
    assert_eq!((before("read"), before("statements")), (read + 1, statements + 2));

    let nothing = Snapshot::empty("orders", &Core::shipped(), &limits);
    let (compiled, validated) = (before("compiled"), before("validated"));
    assert!(compiled > 0 && validated > 0);
    let document = Document::parse(r#"{"max_qty": {"$value": 9, "$min": 1, "$max": 50}}"#, &limits).unwrap();
    let delta = nothing.change_to(&document).unwrap();
    let applied = nothing.apply(&delta).unwrap();
    assert_eq!((before("applied"), before("changed")), (1, delta.len() as u64));
    assert!(before("validated") + before("revalidated") > validated);
    assert!(before("checked") > 0, "the core's shapes are about parameters");

    let core = nothing.graph().iter().next().expect("the core states something");
    assert!(applied.apply(&Delta::new(applied.graph(), vec![core], Vec::new())).is_err());
    assert_eq!(before("foreign"), 1);
}
