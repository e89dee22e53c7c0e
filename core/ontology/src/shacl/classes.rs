//! The classes that shapes name, with all that are below them in a data graph.

use std::sync::{Arc, OnceLock};

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

/// The nodes that are instances of one class, looked up together when the first question comes.
#[derive(Debug, Default)]
pub(super) struct Instances {
    all: OnceLock<Nodes>,
}

impl Instances {
    /// Where they were looked up.
    #[inline(always)]
    pub(super) fn known(&self) -> Option<&Nodes> {
        self.all.get()
    }

    pub(super) fn of(&self, graph: &Graph, names: &Names, classes: &Classes, class: ClassId) -> &Nodes {
        self.all.get().unwrap_or_else(|| {
            // Two threads may both do this; waiting for another that sleeps would take longer.
            let closure = classes.closure(class).iter();
            let all = closure.flat_map(|&class| graph.subjects(names.rdf_type, class)).collect();
            self.all.get_or_init(|| all)
        })
    }
}

/// A set of IRIs and blank nodes: a bit for each place of the interner, up to the last that is in it.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    bits: Vec<u64>,
}

impl Nodes {
    #[inline]
    pub(super) fn contains(&self, node: Term) -> bool {
        let place = node.place();
        place.is_some_and(|place| self.bits.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1))
    }
}

impl FromIterator<Term> for Nodes {
    fn from_iter<I: IntoIterator<Item = Term>>(nodes: I) -> Nodes {
        let mut bits = Vec::new();
        for place in nodes.into_iter().filter_map(Term::place) {
            if bits.len() <= place / 64 {
                bits.resize(place / 64 + 1, 0);
            }
            bits[place / 64] |= 1 << (place % 64);
        }
        Nodes { bits }
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
