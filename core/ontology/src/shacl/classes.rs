//! The classes that shapes name, with all that are below them in a data graph.

use std::sync::Arc;

use hashbrown::HashSet;

use super::constraint::ClassId;
use super::names::Names;
use crate::graph::{Graph, Term, Triple};

/// What `rdfs:subClassOf` says about the classes of the shapes. Another graph with the same such statements has the same.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    /// By class number: the class and those below it, ordered.
    closures: Arc<[Box<[Term]>]>,
}

impl Classes {
    pub(super) fn new(graph: &Graph, names: &Names, classes: &[Term]) -> Classes {
        Classes { closures: classes.iter().map(|&class| below(graph, names, class).into()).collect() }
    }

    /// The class and those below it.
    pub(super) fn closure(&self, class: ClassId) -> &[Term] {
        &self.closures[class as usize]
    }

    /// Whether a node is an instance of the class, or of one below it.
    pub(super) fn has_instance(&self, graph: &Graph, names: &Names, class: ClassId, node: Term) -> bool {
        if node.is_literal() {
            return false;
        }
        match self.closure(class) {
            [class] => graph.contains(Triple { subject: node, predicate: names.rdf_type, object: *class }),
            closure => graph.objects(node, names.rdf_type).any(|class| closure.binary_search(&class).is_ok()),
        }
    }
}

/// A class and all that are below it, ordered. Circles do no harm.
pub(super) fn below(graph: &Graph, names: &Names, class: Term) -> Vec<Term> {
    let mut seen: HashSet<Term> = HashSet::from_iter([class]);
    let mut open = vec![class];
    while let Some(class) = open.pop() {
        open.extend(graph.subjects(names.sub_class_of, class).filter(|&class| seen.insert(class)));
    }
    let mut closure: Vec<Term> = seen.into_iter().collect();
    closure.sort_unstable();
    closure
}
