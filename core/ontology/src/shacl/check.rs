//! Checking one node against one shape: what its path leads to, and the shapes inside it.

use std::ops::ControlFlow::{self, Continue};

use hashbrown::{HashMap, HashSet};

use super::Compiled;
use super::classes::Classes;
use super::constraint::{ClassId, Root, Shape, ShapeId, Target};
use super::path::Way;
use super::validate::{Any, Sink};
use crate::graph::{Graph, Term};

/// More statements about a node than these are not gathered: looking up the properties that are asked for is cheaper.
const GATHERED: usize = 64;

/// Looks for instances of a class before all of them are gathered.
const LOOKS: u32 = 32;

/// A node that is checked.
#[derive(Clone, Copy)]
pub(super) struct Focus<'s> {
    pub(super) node: Term,
    /// What the data say about it, ordered, where that was gathered.
    pub(super) statements: Option<&'s [(Term, Term)]>,
}

impl<'s> Focus<'s> {
    /// Nothing is gathered.
    pub(super) fn new(node: Term) -> Focus<'s> {
        Focus { node, statements: None }
    }

    /// Another node, or this one.
    pub(super) fn at(self, node: Term) -> Focus<'s> {
        if node == self.node { self } else { Focus::new(node) }
    }
}

/// Checks nodes of one data graph.
pub(super) struct Checker<'a> {
    pub(super) shapes: &'a Compiled,
    pub(super) classes: &'a Classes,
    pub(super) data: &'a Graph,
    /// Verdicts of shapes that several others refer to, without which a chain of such shapes would take exponential time.
    verdicts: HashMap<(ShapeId, Term), bool>,
    /// By class, where the whole graph is validated: how often instances were looked for, and all of them after some time.
    instances: Vec<(u32, HashSet<Term>)>,
    /// Empty vectors to be used again.
    nodes: Vec<Vec<Term>>,
    statements: Vec<Vec<(Term, Term)>>,
}

impl<'a> Checker<'a> {
    /// For a few nodes: its cost is that of what it looks up.
    pub(super) fn of_some(shapes: &'a Compiled, classes: &'a Classes, data: &'a Graph) -> Checker<'a> {
        let verdicts = HashMap::new();
        Checker { shapes, classes, data, verdicts, instances: Vec::new(), nodes: Vec::new(), statements: Vec::new() }
    }

    /// For all nodes of a graph.
    pub(super) fn of_all(shapes: &'a Compiled, classes: &'a Classes, data: &'a Graph) -> Checker<'a> {
        let instances = shapes.classes.iter().map(|_| (0, HashSet::new())).collect();
        Checker { instances, ..Checker::of_some(shapes, classes, data) }
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

    /// Whether a node is an instance of a class.
    pub(super) fn has_instance(&mut self, class: ClassId, node: Term) -> bool {
        let Some((looks, all)) = self.instances.get_mut(class as usize) else {
            return self.classes.has_instance(self.data, &self.shapes.names, class, node);
        };
        *looks += 1;
        if *looks < LOOKS {
            return self.classes.has_instance(self.data, &self.shapes.names, class, node);
        }
        if *looks == LOOKS {
            let classes = self.classes.closure(class).iter();
            all.extend(classes.flat_map(|&class| self.data.subjects(self.shapes.names.rdf_type, class)));
        }
        *looks = LOOKS + 1;
        all.contains(&node)
    }

    /// What is said about a node, ordered, unless it is much.
    pub(super) fn statements_about(&mut self, node: Term) -> Option<Vec<(Term, Term)>> {
        let mut statements = self.statements.pop().unwrap_or_default();
        if !node.is_literal() {
            statements.extend(self.data.about(node).take(GATHERED + 1));
        }
        if statements.len() > GATHERED {
            self.give_back(Some(statements));
            return None;
        }
        if !statements.is_sorted() {
            statements.sort_unstable();
        }
        Some(statements)
    }

    /// Takes a vector to be used again.
    pub(super) fn give_back(&mut self, statements: Option<Vec<(Term, Term)>>) {
        self.statements.extend(statements.map(|mut statements| {
            statements.clear();
            statements
        }));
    }

    /// The values of a node's property, ordered.
    pub(super) fn values(&mut self, focus: Focus<'_>, predicate: Term) -> Vec<Term> {
        let mut values = self.nodes.pop().unwrap_or_default();
        match focus.statements {
            Some(statements) => values.extend(
                statements.iter().skip_while(|it| it.0 < predicate).take_while(|it| it.0 == predicate).map(|it| it.1),
            ),
            None if focus.node.is_literal() => {}
            None => {
                values.extend(self.data.objects(focus.node, predicate));
                sort(&mut values);
            }
        }
        values
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
        let shape = &self.shapes.shapes[id as usize];
        let Some(path) = &shape.path else { return self.check_values(id, focus, &[focus.node], sink) };
        let values = match path.as_predicate() {
            Some(predicate) => self.values(focus, predicate),
            None => path.follow(self.data, focus.node, Way::Forward),
        };
        let outcome = self.check_values(id, focus, &values, sink);
        self.give_back_nodes(values);
        outcome
    }

    /// Tells `sink` how the values that a shape's path leads to from a node break it. The values are ordered.
    fn check_values<S: Sink>(
        &mut self,
        id: ShapeId,
        focus: Focus<'_>,
        values: &[Term],
        sink: &mut S,
    ) -> ControlFlow<()> {
        let shape = &self.shapes.shapes[id as usize];
        for constraint in &shape.constraints {
            self.check_constraint(id, constraint, focus, values, sink)?;
        }
        if !shape.direct.is_empty() {
            for &value in values {
                self.check_direct(shape, focus.at(value), sink)?;
            }
        }
        Continue(())
    }

    /// The property shapes whose path is one predicate, over the statements about a node.
    fn check_direct<S: Sink>(&mut self, shape: &'a Shape, focus: Focus<'_>, sink: &mut S) -> ControlFlow<()> {
        if let Some(statements) = focus.statements {
            return self.check_gathered(shape, focus, statements, sink);
        }
        let gathered = self.statements_about(focus.node);
        let outcome = match &gathered {
            Some(statements) => {
                let focus = Focus { node: focus.node, statements: Some(statements) };
                self.check_gathered(shape, focus, statements, sink)
            }
            None => shape.direct.iter().try_for_each(|&(_, property)| self.check_property(property, focus, sink)),
        };
        self.give_back(gathered);
        outcome
    }

    /// Both the statements and the property shapes are ordered by predicate, so that one pass serves all.
    fn check_gathered<S: Sink>(
        &mut self,
        shape: &'a Shape,
        focus: Focus<'_>,
        statements: &[(Term, Term)],
        sink: &mut S,
    ) -> ControlFlow<()> {
        let mut values = self.nodes.pop().unwrap_or_default();
        let mut rest = statements;
        let mut last = None;
        let mut outcome = Continue(());
        for &(predicate, property) in &shape.direct {
            if last != Some(predicate) {
                last = Some(predicate);
                values.clear();
                while let [(said, object), tail @ ..] = rest
                    && *said <= predicate
                {
                    rest = tail;
                    if *said == predicate {
                        values.push(*object);
                    }
                }
            }
            if !self.is_known_to_conform(property, focus) {
                outcome = self.check_values(property, focus, &values, sink);
            }
            if outcome.is_break() {
                break;
            }
        }
        self.give_back_nodes(values);
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

/// Orders nodes, without repetition.
pub(super) fn sort(nodes: &mut Vec<Term>) {
    if !nodes.is_sorted() {
        nodes.sort_unstable();
    }
    nodes.dedup();
}
