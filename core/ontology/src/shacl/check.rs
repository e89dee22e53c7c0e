//! Checking one node against one shape: what its path leads to, and the shapes inside it.

use std::cell::Cell;
use std::ops::ControlFlow::{self, Continue};

use hashbrown::HashMap;

use super::Compiled;
use super::classes::{Classes, Instances, Nodes};
use super::constraint::{ClassId, Root, Shape, ShapeId, Target};
use super::datatype::Datatype;
use super::path::{Path, Way};
use super::validate::{Any, Sink};
use super::value::Value;
use crate::graph::{Graph, Row, Subjects, Term, TermRef, object_of, row_to, take_saying};

/// More statements about a node than these are not walked over: looking up the properties that are asked for is cheaper.
pub(super) const WALKED: usize = 64;

/// Looks for instances of a class before all of them are gathered.
const LOOKS: u32 = 32;

/// A node that is checked.
#[derive(Clone, Copy)]
pub(super) struct Focus<'s> {
    pub(super) node: Term,
    /// What the data say about it, ordered, where that was looked up.
    pub(super) statements: Option<&'s [Row]>,
}

impl<'s> Focus<'s> {
    /// Nothing is looked up.
    pub(super) fn new(node: Term) -> Focus<'s> {
        Focus { node, statements: None }
    }

    /// Another node, or this one.
    pub(super) fn at(self, node: Term) -> Focus<'s> {
        if node == self.node { self } else { Focus::new(node) }
    }
}

/// A datatype, and which it is where its lexical forms are known.
type Known = (Term, Option<Datatype>);

/// Checks nodes of one data graph.
pub(super) struct Checker<'a> {
    pub(super) shapes: &'a Compiled,
    pub(super) classes: &'a Classes,
    pub(super) data: &'a Graph,
    /// Verdicts of shapes that several others refer to, without which a chain of such shapes would take exponential time.
    verdicts: HashMap<(ShapeId, Term), bool>,
    /// Of the classes, where the whole graph is validated.
    instances: Option<&'a [Instances]>,
    /// By class: how often instances were looked for.
    looks: Vec<u32>,
    /// What is known of datatypes, by the last bits of their places: few are in use.
    datatypes: [Cell<Option<Known>>; 16],
    /// Of the data.
    subjects: Subjects<'a>,
    /// Empty vectors to be used again.
    nodes: Vec<Vec<Term>>,
    statements: Vec<Vec<Row>>,
}

impl<'a> Checker<'a> {
    /// For a few nodes: its cost is that of what it looks up.
    pub(super) fn of_some(shapes: &'a Compiled, classes: &'a Classes, data: &'a Graph) -> Checker<'a> {
        Checker {
            shapes,
            classes,
            data,
            verdicts: HashMap::new(),
            instances: None,
            looks: Vec::new(),
            datatypes: Default::default(),
            subjects: data.subjects_in_order(),
            nodes: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// For all nodes of a graph, of whose classes the instances are known from the moment that it pays.
    pub(super) fn of_all(
        shapes: &'a Compiled,
        classes: &'a Classes,
        data: &'a Graph,
        instances: &'a [Instances],
    ) -> Checker<'a> {
        let looks = vec![0; instances.len()];
        Checker { instances: Some(instances), looks, ..Checker::of_some(shapes, classes, data) }
    }

    /// Whether a root's targets name a node.
    pub(super) fn is_target(&self, root: &Root, node: Term) -> bool {
        root.targets.iter().any(|target| match *target {
            Target::Node(target) => target == node,
            Target::Class(class) => self.classes.has_instance(self.data, &self.shapes.names, class, node),
            Target::SubjectsOf(predicate) => self.data.objects(node, predicate).next().is_some(),
            Target::ObjectsOf(predicate) => self.data.subjects(predicate, node).next().is_some(),
        })
    }

    /// The instances of a class, once they are gathered.
    #[inline(always)]
    pub(super) fn known_instances(&self, class: ClassId) -> Option<&'a Nodes> {
        self.instances?[class as usize].known()
    }

    /// Whether a node is an instance of a class.
    pub(super) fn has_instance(&mut self, class: ClassId, node: Term) -> bool {
        if let Some(instances) = self.instances {
            let looks = &mut self.looks[class as usize];
            *looks += 1;
            if *looks > LOOKS {
                *looks = LOOKS;
                return instances[class as usize].of(self.data, &self.shapes.names, self.classes, class).contains(node);
            }
        }
        self.classes.has_instance(self.data, &self.shapes.names, class, node)
    }

    /// A literal's value, as far as it has an order.
    pub(super) fn value(&self, term: Term) -> Option<Value<'a>> {
        Value::read(&self.shapes.terms, term, |datatype| self.datatype(datatype))
    }

    #[inline]
    fn datatype(&self, datatype: Term) -> Option<Datatype> {
        let place = &self.datatypes[datatype.place().unwrap_or_default() % 16];
        match place.get() {
            Some((known, what)) if known == datatype => what,
            _ => {
                let what = match self.shapes.terms.get(datatype) {
                    TermRef::Iri(iri) => Datatype::from_iri(iri),
                    _ => None,
                };
                place.set(Some((datatype, what)));
                what
            }
        }
    }

    /// Room for what is said about a node.
    pub(super) fn room(&mut self) -> Vec<Row> {
        self.statements.pop().unwrap_or_default()
    }

    /// Takes room to be used again.
    pub(super) fn give_back(&mut self, mut room: Vec<Row>) {
        room.clear();
        self.statements.push(room);
    }

    /// Gives `use_it` the values of a node's property, ordered.
    #[inline]
    pub(super) fn with_values<T>(
        &mut self,
        focus: Focus<'_>,
        predicate: Term,
        use_it: impl FnOnce(&mut Self, &[Row]) -> T,
    ) -> T {
        if let Some(mut statements) = focus.statements {
            return use_it(self, take_saying(&mut statements, predicate));
        }
        let mut values = self.room();
        values.extend(self.data.objects(focus.node, predicate).map(row_to));
        sort(&mut values);
        let outcome = use_it(self, &values);
        self.give_back(values);
        outcome
    }

    /// The nodes that a path leads to, ordered.
    fn follow(&mut self, focus: Focus<'_>, path: &Path) -> Vec<Term> {
        match path {
            Path::Predicate(predicate) => self.with_values(focus, *predicate, |this, values| {
                let mut nodes = this.nodes.pop().unwrap_or_default();
                nodes.extend(objects(values));
                nodes
            }),
            Path::Sequence(steps) => {
                let Some((first, rest)) = steps.split_first() else { return vec![focus.node] };
                rest.iter().fold(self.follow(focus, first), |here, step| {
                    let next = self.step(&here, step);
                    self.give_back_nodes(here);
                    next
                })
            }
            _ => self.step(&[focus.node], path),
        }
    }

    /// The nodes that a path leads to from any of these, ordered.
    fn step(&mut self, from: &[Term], path: &Path) -> Vec<Term> {
        let mut nodes = self.nodes.pop().unwrap_or_default();
        from.iter().for_each(|&node| path.collect(self.data, node, Way::Forward, &mut nodes));
        sort(&mut nodes);
        nodes
    }

    /// Takes a vector to be used again.
    pub(super) fn give_back_nodes(&mut self, mut nodes: Vec<Term>) {
        nodes.clear();
        self.nodes.push(nodes);
    }

    /// Whether a node has a shape.
    pub(super) fn conforms(&mut self, id: ShapeId, focus: Focus<'_>) -> bool {
        if !self.shapes.shapes[id as usize].shared {
            return self.check(id, focus, &mut Any).is_continue();
        }
        if let Some(&verdict) = self.verdicts.get(&(id, focus.node)) {
            return verdict;
        }
        let verdict = self.check(id, focus, &mut Any).is_continue();
        self.verdicts.insert((id, focus.node), verdict);
        verdict
    }

    /// Whether a node has a shape that several others refer to: one verdict saves walking it for each of them.
    pub(super) fn is_known_to_conform(&mut self, id: ShapeId, focus: Focus<'_>) -> bool {
        self.shapes.shapes[id as usize].shared && self.conforms(id, focus)
    }

    /// Tells `sink` how a node breaks a shape.
    pub(super) fn check<S: Sink>(&mut self, id: ShapeId, focus: Focus<'_>, sink: &mut S) -> ControlFlow<()> {
        match &self.shapes.shapes[id as usize].path {
            None => self.check_values(id, focus, &[row_to(focus.node)], sink),
            Some(Path::Predicate(predicate)) => {
                self.with_values(focus, *predicate, |this, values| this.check_values(id, focus, values, sink))
            }
            Some(path) => {
                let (nodes, mut values) = (self.follow(focus, path), self.room());
                values.extend(nodes.iter().copied().map(row_to));
                let outcome = self.check_values(id, focus, &values, sink);
                self.give_back_nodes(nodes);
                self.give_back(values);
                outcome
            }
        }
    }

    /// Tells `sink` how the values that a shape's path leads to from a node break it. The values are ordered.
    #[inline(always)]
    pub(super) fn check_values<S: Sink>(
        &mut self,
        id: ShapeId,
        focus: Focus<'_>,
        values: &[Row],
        sink: &mut S,
    ) -> ControlFlow<()> {
        self.check_constraints(id, focus, values, sink)?;
        let shape = &self.shapes.shapes[id as usize];
        if !shape.direct.is_empty() {
            for value in objects(values) {
                self.check_direct(shape, focus.at(value), sink)?;
            }
        }
        Continue(())
    }

    /// The constraints of a shape but its direct property shapes.
    #[inline(always)]
    pub(super) fn check_constraints<S: Sink>(
        &mut self,
        id: ShapeId,
        focus: Focus<'_>,
        values: &[Row],
        sink: &mut S,
    ) -> ControlFlow<()> {
        for constraint in &self.shapes.shapes[id as usize].constraints {
            if !self.holds(constraint, values) {
                self.check_constraint(id, constraint, focus, values, sink)?;
            }
        }
        Continue(())
    }

    /// A property shape whose values are known.
    #[inline(always)]
    pub(super) fn check_direct_property<S: Sink>(
        &mut self,
        property: ShapeId,
        focus: Focus<'_>,
        values: &[Row],
        sink: &mut S,
    ) -> ControlFlow<()> {
        match self.is_known_to_conform(property, focus) {
            true => Continue(()),
            false => self.check_values(property, focus, values, sink),
        }
    }

    /// The property shapes whose path is one predicate, over the statements about a node.
    fn check_direct<S: Sink>(&mut self, shape: &'a Shape, focus: Focus<'_>, sink: &mut S) -> ControlFlow<()> {
        let mut room = self.room();
        let statements = focus.statements.or_else(|| self.subjects.about(focus.node, WALKED, &mut room));
        let outcome = match statements {
            Some(statements) => {
                let focus = Focus { node: focus.node, statements: Some(statements) };
                walk(&shape.direct, statements, |property, values| {
                    self.check_direct_property(property, focus, values, sink)
                })
            }
            None => shape.direct.iter().try_for_each(|&(_, property)| self.check_property(property, focus, sink)),
        };
        self.give_back(room);
        outcome
    }

    /// A property shape that another shape asks about one of its values.
    pub(super) fn check_property<S: Sink>(
        &mut self,
        property: ShapeId,
        focus: Focus<'_>,
        sink: &mut S,
    ) -> ControlFlow<()> {
        match self.is_known_to_conform(property, focus) {
            true => Continue(()),
            false => self.check(property, focus, sink),
        }
    }
}

/// Gives `check` the values of one property after the other. Both the statements and the properties are ordered by predicate, so that one
/// pass serves all.
#[inline]
pub(super) fn walk<P: Copy>(
    direct: &[(Term, P)],
    statements: &[Row],
    mut check: impl FnMut(P, &[Row]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (mut rest, mut values) = (statements, &statements[..0]);
    let mut last = None;
    for &(predicate, property) in direct {
        if last != Some(predicate) {
            last = Some(predicate);
            values = take_saying(&mut rest, predicate);
        }
        check(property, values)?;
    }
    Continue(())
}

/// What rows lead to.
#[inline]
pub(super) fn objects(rows: &[Row]) -> impl ExactSizeIterator<Item = Term> + '_ {
    rows.iter().map(|&row| object_of(row))
}

/// Orders nodes, without repetition.
pub(super) fn sort<T: Ord>(nodes: &mut Vec<T>) {
    if !nodes.is_sorted() {
        nodes.sort_unstable();
    }
    nodes.dedup();
}
