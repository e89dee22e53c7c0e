//! What refused changes leave behind: nothing that grows.

use std::sync::Arc;

use knhk_ontology::graph::{Terms, Triple};
use knhk_promotion::{Content, NoJournal, PromotionError, Sector, Statements};

use crate::support::{cells, promoted, sector};

/// Names that nobody said before, about another sector's name, which is refused.
fn refused(round: usize) -> Content {
    let terms = Arc::new(Terms::new());
    let subject = terms.iri("urn:knhk:quotes:max_qty");
    let triple = |number: usize| {
        let predicate = terms.iri(&format!("urn:p:{round}:{number}"));
        Triple { subject, predicate, object: terms.iri(&format!("urn:o:{round}:{number}")) }
    };
    let triples = (0..500).map(triple).collect();
    let nothing = Statements { terms: terms.clone(), triples: Vec::new() };
    Content::Change { removed: nothing, added: Statements { terms, triples } }
}

fn interned(sector: &Sector) -> usize {
    sector.lock().expect("not poisoned").base().graph().terms().len()
}

#[test]
fn names_of_refused_changes_are_forgotten() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    for before in [0, 1] {
        let least = interned(&orders);
        let most = (0..40).map(|round| {
            let error = orders.prepare(&hot, &NoJournal, refused(round)).verify().err().expect("a foreign name");
            assert!(matches!(error, PromotionError::Snapshot(_)), "{error}");
            interned(&orders)
        });
        let most = most.max().unwrap_or_default();
        assert!(most < 3 * least + 3 * 4096, "40,000 names were refused, and {most} terms are interned after {least}");
        let number = promoted(&orders, &hot, &format!(r#"{{"max_qty": {before}, "venue": "XPAR"}}"#));
        assert_eq!(number, before + 1, "promotions go on in the other interner");
    }
    let again = orders.read_json(r#"{"max_qty": 7, "venue": "XLON"}"#, &Default::default()).expect("a document");
    let (ready, _) = orders.prepare(&hot, &NoJournal, again).verify().expect("nothing is in the way");
    assert_eq!(ready.differences().len(), 2);
}

#[test]
fn a_change_of_values_is_quick_again_after_forgetting() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1, "rate": 0.5, "venue": "XPAR"}"#);
    let before = orders.lock().expect("not poisoned").current().expect("promoted").clone();
    for round in 0..40 {
        orders.prepare(&hot, &NoJournal, refused(round)).verify().err().expect("a foreign name");
    }
    let after = orders.lock().expect("not poisoned").current().expect("promoted").clone();
    assert!(!Arc::ptr_eq(before.snapshot.graph().terms(), after.snapshot.graph().terms()), "it was moved");
    assert_eq!((after.number, after.snapshot_id, after.epoch), (before.number, before.snapshot_id, before.epoch));
    assert_eq!(after.snapshot.id(), before.snapshot.id());
    assert!(Arc::ptr_eq(after.artifact(), before.artifact()), "what programs read is not made anew");
    promoted(&orders, &hot, r#"{"max_qty": 2, "rate": 1.5, "venue": "XLON"}"#);
    let state = orders.lock().expect("not poisoned");
    let document = state.document().expect("promoted").to_json();
    assert_eq!(document.trim_end(), "{\n  \"max_qty\": 2,\n  \"rate\": 1.5,\n  \"venue\": \"XLON\"\n}");
}
