//! Σ_core: what every sector knows, and none can change.

use std::sync::Arc;

use crate::graph::{Graph, GraphBuilder, Term, TermRef, Terms};
use crate::merkle::{Hash, Map};
use crate::rdf::{self, Format, RdfError};
use crate::vocabulary::knhk;
use crate::{Limits, canon};

/// The core ontology in an interner of its own.
#[derive(Clone, Debug)]
pub struct Core {
    graph: Graph,
    map: Map,
}

impl Core {
    /// The root of the core that libraries shipped before the store kept which core a version was made with.
    pub const FIRST_ROOT: Hash = [
        0x53, 0x5a, 0xfe, 0x65, 0x64, 0x55, 0x8e, 0x37, 0xbb, 0xe3, 0x46, 0xa1, 0xe3, 0xe0, 0xdd, 0xd0, 0xf2, 0x7c,
        0xc1, 0xae, 0x1a, 0xef, 0x8c, 0xe8, 0x26, 0x5d, 0x38, 0xd6, 0xf0, 0xe2, 0xe1, 0xa9,
    ];

    /// The shipped core, in an interner of its own.
    pub fn shipped() -> Core {
        Core::from_turtle(crate::sectors::CORE).expect("the shipped core is sound: its tests read it")
    }

    /// A core from its text.
    ///
    /// # Errors
    /// What is no Turtle, or beyond a limit.
    pub fn from_turtle(text: &str) -> Result<Core, RdfError> {
        let terms = Arc::new(Terms::new());
        let limits = Limits::default();
        let read = rdf::parse(text.as_bytes(), Format::Turtle, knhk::CORE, &terms, &limits)?;
        let read = canon::label(read, &terms, &limits)?;
        // A sector's blank nodes are labelled `c14n0` and so on, each sector's for itself: the core's need labels of their own.
        let own = |term: Term| match terms.get(term) {
            TermRef::Blank(label) => terms.blank(&label.replace("c14n", "core")),
            _ => term,
        };
        let mut graph = GraphBuilder::new(terms.clone());
        for triple in read {
            graph.push(own(triple.subject), triple.predicate, own(triple.object));
        }
        Ok(Core::of(graph.finish()))
    }

    /// The root of its statements' Merkle map, which is part of every content address that is made with it.
    pub fn root(&self) -> Hash {
        self.map.root()
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
