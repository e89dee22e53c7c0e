//! What must hold of every sequence of changes, read from any bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use knhk_ontology::graph::{Delta, Graph, Term, Terms, Triple};
use knhk_ontology::merkle::Map;

/// Neighbours that one step adds, so that chunks fill up and are divided.
const RUN: i64 = 64;

/// Takes a graph and its Merkle map through the changes: the graph says what a plain set does, each change leads there
/// and back, and the content address is that of the set.
pub fn changes(bytes: &[u8]) {
    let terms = Arc::new(Terms::new());
    let subjects: Vec<Term> = (0..64).map(|i| terms.iri(&format!("urn:s:{i}"))).collect();
    let predicates: Vec<Term> = (0..4).map(|i| terms.iri(&format!("urn:p:{i}"))).collect();
    let integer = |number| Term::integer(number).expect("the number is small");
    let (mut graph, mut set, mut map) = (Graph::empty(terms.clone()), BTreeSet::new(), Map::empty());
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for &[a, b, c] in bytes.as_chunks::<3>().0 {
        let (subject, predicate) = (subjects[usize::from(a & 63)], predicates[usize::from(b & 3)]);
        let number = i64::from(b >> 2) << 8 | i64::from(c);
        let triple = |number| Triple { subject, predicate, object: integer(number) };
        match a >> 6 {
            0 => removed.push(triple(number)),
            1 => added.push(triple(number)),
            2 => added.extend((number..number + RUN).map(triple)),
            _ => {
                let before = (graph.clone(), set.clone());
                set.retain(|triple| !removed.contains(triple));
                set.extend(added.iter().copied());
                let delta = Delta::new(&graph, std::mem::take(&mut removed), std::mem::take(&mut added));
                graph = graph.apply(&delta);
                map = map.apply(&terms, &delta);
                assert!(graph.iter().eq(set.iter().copied()));
                assert!(graph.apply(&delta.inverse()).iter().eq(before.1.iter().copied()));
                assert_eq!(Delta::between(&before.0, &graph), delta);
                assert_eq!(
                    graph.with_predicate(predicate).count(),
                    set.iter().filter(|t| t.predicate == predicate).count()
                );
                let with_object = set.iter().filter(|other| other.object == integer(number)).count();
                assert_eq!(graph.with_object(integer(number)).count(), with_object);
                assert_eq!(map.len(), set.len());
            }
        }
    }
    assert_eq!(map.root(), Map::from_statements(&terms, graph.iter()).root());
}
