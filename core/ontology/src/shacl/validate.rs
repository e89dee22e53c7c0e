//! Validating a whole graph, and where results go.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use hashbrown::HashMap;

use super::Compiled;
use super::check::{Checker, Focus};
use super::classes::Classes;
use super::constraint::{Component, Root, ShapeId, Target};
use super::report::{Entry, Report};
use crate::graph::{Graph, Term};

/// The whole data graph against all shapes.
pub(super) fn validate(shapes: &Arc<Compiled>, data: &Graph) -> Report {
    let classes = Classes::new(data, &shapes.names, &shapes.classes);
    let mut checker = Checker::of_all(shapes, &classes, data);
    let mut found = Found::default();
    'all: for (targets, roots) in by_targets(&shapes.roots) {
        for focus in focus_nodes(shapes, &classes, data, targets) {
            // One look at the focus node serves all shapes with the same targets.
            let statements = checker.statements_about(focus);
            for &root in &roots {
                let shape = shapes.roots[root as usize].shape;
                if found.begin(&mut checker, root, shape, focus, statements.as_deref()).is_break() {
                    break 'all;
                }
            }
            checker.give_back(statements);
        }
    }
    found.entries.sort_by_key(|entry| entry.root);
    Report { shapes: shapes.clone(), entries: Arc::new(found.entries), truncated: found.truncated, classes }
}

/// The roots' numbers by their targets, in the order of the first of each.
fn by_targets(roots: &[Root]) -> Vec<(&[Target], Vec<u32>)> {
    let mut groups: Vec<(&[Target], Vec<u32>)> = Vec::new();
    let mut places = HashMap::new();
    for (root, number) in roots.iter().zip(0..) {
        let place = *places.entry(root.targets.as_slice()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((&root.targets, Vec::new()));
        }
        groups[place].1.push(number);
    }
    groups
}

/// The nodes that targets name, without repetition, ordered.
pub(super) fn focus_nodes(shapes: &Compiled, classes: &Classes, data: &Graph, targets: &[Target]) -> Vec<Term> {
    let mut nodes = Vec::new();
    for target in targets {
        match *target {
            Target::Node(node) => nodes.push(node),
            Target::Class(class) => {
                let classes = classes.closure(class).iter();
                nodes.extend(classes.flat_map(|&class| data.subjects(shapes.names.rdf_type, class)));
            }
            Target::SubjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(_, node)| node)),
            Target::ObjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(node, _)| node)),
        }
    }
    super::check::sort(&mut nodes);
    nodes
}

/// Where results go. It breaks off the check that found them when it wants no more.
pub(super) trait Sink {
    fn result(&mut self, result: Finding) -> ControlFlow<()>;
}

/// A result before it is known where validation began.
pub(super) struct Finding {
    pub(super) shape: ShapeId,
    pub(super) component: Component,
    pub(super) focus: Term,
    pub(super) value: Option<Term>,
    pub(super) detail: Option<Term>,
}

/// Only whether there is any.
pub(super) struct Any;

impl Sink for Any {
    fn result(&mut self, _: Finding) -> ControlFlow<()> {
        Break(())
    }
}

/// All results, up to the limit.
#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    pub(super) truncated: bool,
    root: Option<(u32, Term)>,
}

impl Found {
    /// Checks one target of one root. What is said about it may be known already.
    pub(super) fn begin(
        &mut self,
        checker: &mut Checker<'_>,
        root: u32,
        shape: ShapeId,
        focus: Term,
        statements: Option<&[(Term, Term)]>,
    ) -> ControlFlow<()> {
        self.root = Some((root, focus));
        checker.check(shape, Focus { node: focus, statements }, self)
    }
}

impl Sink for Found {
    fn result(&mut self, result: Finding) -> ControlFlow<()> {
        if self.entries.len() == Report::MOST_RESULTS {
            self.truncated = true;
            return Break(());
        }
        let (root, root_focus) = self.root.expect("a root begins before it finds anything");
        let Finding { shape, component, focus, value, detail } = result;
        self.entries.push(Entry { root, root_focus, shape, component, focus, value, detail });
        Continue(())
    }
}
