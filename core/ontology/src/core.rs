//! Σ_core: what every sector knows, and none can change.

use std::sync::Arc;

use crate::graph::{Graph, GraphBuilder, Term, TermRef, Terms};
use crate::merkle::Map;
use crate::rdf::{self, Format};
use crate::vocabulary::knhk;
use crate::{Limits, canon};

/// The core ontology in an interner of its own.
#[derive(Clone, Debug)]
pub struct Core {
    graph: Graph,
    map: Map,
}

impl Core {
    /// The shipped core, in an interner of its own.
    pub fn shipped() -> Core {
        let terms = Arc::new(Terms::new());
        let (text, limits) = (crate::sectors::CORE.as_bytes(), Limits::default());
        let read = rdf::parse(text, Format::Turtle, knhk::CORE, &terms, &limits);
        let read = read.and_then(|triples| canon::label(triples, &terms, &limits));
        // A sector's blank nodes are labelled `c14n0` and so on, each sector's for itself: the core's need labels of their own.
        let own = |term: Term| match terms.get(term) {
            TermRef::Blank(label) => terms.blank(&label.replace("c14n", "core")),
            _ => term,
        };
        let mut graph = GraphBuilder::new(terms.clone());
        for triple in read.expect("the shipped core is sound: its tests read it") {
            graph.push(own(triple.subject), triple.predicate, own(triple.object));
        }
        Core::of(graph.finish())
    }

    /// Any graph as a core.
    pub fn of(graph: Graph) -> Core {
        let map = Map::from_statements(graph.terms(), graph.iter());
        Core { graph, map }
    }

    /// Its statements.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The Merkle map of its statements.
    pub fn map(&self) -> &Map {
        &self.map
    }
}
