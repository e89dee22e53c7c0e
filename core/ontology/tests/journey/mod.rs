//! What must hold for every document that is accepted.

use knhk_hot::artifact::{self, Artifact, Bounds, Value};
use knhk_ontology::{Core, Document, KeyTable, Leaf, Limits, Snapshot, check_compatible, compile_snapshot, diff};

/// Takes a document through everything that is done with one; gives it back if it was accepted.
pub fn journey(json: &[u8]) -> Option<Document> {
    let limits = Limits::default();
    let document = Document::parse(json, &limits).ok()?;

    let exported = document.to_json();
    let again =
        Document::parse(&exported, &limits).unwrap_or_else(|error| panic!("an export is refused: {error}\n{exported}"));
    assert_eq!(again, document, "an export reads back as the same document");
    assert_eq!(again.to_json(), exported);
    assert!(diff(&document, &again).is_empty());

    let empty = Snapshot::empty("orders", &Core::shipped(), &limits);
    let change = empty.change_to(&document).expect("nothing is known yet");
    let snapshot = empty.apply(&change).expect("a document is about its own sector");
    let sorted = snapshot.document().expect("a sound document makes a sound graph");
    let classless = |difference: &knhk_ontology::Difference| difference.path != "$classes";
    assert_eq!(
        diff(&document, sorted).iter().filter(|one| classless(one)).count(),
        0,
        "the graph says what the document says"
    );
    assert_eq!(diff(sorted, &document).iter().filter(|one| classless(one)).count(), 0);
    assert!(!snapshot.is_beyond_json().expect("it is sound"));
    assert!(snapshot.change_to(&document).expect("it is sound").is_empty(), "what is said already changes nothing");
    let exported = sorted.to_json();
    let again = Document::parse(&exported, &limits).expect("an export of a graph is a document");
    assert!(snapshot.change_to(&again).expect("it is sound").is_empty());
    assert_eq!(snapshot.change_to(sorted).expect("it is sound"), Default::default());

    let mut table = KeyTable::new();
    let artifact =
        compile_snapshot(&snapshot, &mut table, None).expect("a document within the limits compiles").artifact;
    assert_eq!(artifact.snapshot_id(), snapshot.id());
    assert_eq!(artifact.entries().count(), sorted.len());
    let document = sorted;
    for leaf in document.entries() {
        let slot = table.get(&leaf.path).expect("every path has a slot");
        assert_eq!(artifact.find(&leaf.path), Some(slot));
        assert_eq!(artifact.value(slot), Some(leaf.value.clone()));
        assert_eq!(artifact.bounds(slot), bounds(&leaf));
        table.mark_interned(slot, leaf.value_type);
    }
    assert!(check_compatible(&artifact, &table).is_empty());
    knhk_ontology::compile(document, &mut KeyTable::new(), true).expect("so do its defaults");

    let travelled = Artifact::from_image(artifact.image(), &artifact::Limits::default()).expect("an image travels");
    let read = Document::from_artifact(&travelled, &limits).expect("an image has a document");
    assert_eq!(read.len(), document.len());

    let mut replayed = KeyTable::new();
    let lines: Vec<String> = table.lines_from(0).collect();
    replayed.replay(lines.iter().map(String::as_str)).expect("a table's lines are its own");
    assert_eq!(replayed.id(), table.id());
    Some(document.clone())
}

/// The range that a leaf's slot is guarded with.
fn bounds(leaf: &Leaf<'_>) -> Option<Bounds> {
    let open = leaf.min.is_none() && leaf.max.is_none();
    match leaf.value {
        Value::I64(_) if !open => {
            let bound = |side: &Option<Value<'_>>, open| if let Some(Value::I64(bound)) = side { *bound } else { open };
            let range = (bound(&leaf.min, i64::MIN), bound(&leaf.max, i64::MAX));
            (range != (i64::MIN, i64::MAX)).then_some(Bounds::I64(range.0, range.1))
        }
        Value::F64(_) if !open => {
            let bound = |side: &Option<Value<'_>>, open| if let Some(Value::F64(bound)) = side { *bound } else { open };
            Some(Bounds::F64(bound(&leaf.min, f64::NEG_INFINITY), bound(&leaf.max, f64::INFINITY)))
        }
        _ => None,
    }
}
