//! Σ_core: what every sector knows, and none can change.

use std::sync::Arc;

use crate::graph::{Graph, Terms};
use crate::merkle::Map;

/// The core ontology in an interner of its own.
#[derive(Clone, Debug)]
pub struct Core {
    graph: Graph,
    root: [u8; 32],
}

impl Core {
    /// The shipped core.
    pub fn shipped() -> Core {
        Core::of(Graph::empty(Arc::new(Terms::new())))
    }

    /// Any graph as a core.
    pub fn of(graph: Graph) -> Core {
        let root = Map::from_statements(graph.terms(), graph.iter()).root();
        Core { graph, root }
    }

    /// Its statements.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The root of the Merkle map of its statements.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }
}
