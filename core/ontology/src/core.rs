//! Σ_core: what every sector knows, and none can change.

use std::sync::Arc;

use crate::Limits;
use crate::graph::{Graph, Terms};
use crate::merkle::Map;
use crate::rdf::{self, Format};
use crate::vocabulary::knhk;

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
        let nothing = Graph::empty(terms.clone());
        let text = crate::sectors::CORE.as_bytes();
        let read = rdf::parse_graph(text, Format::Turtle, knhk::CORE, &terms, &Limits::default(), &nothing);
        Core::of(read.expect("the shipped core is sound: its tests read it"))
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
