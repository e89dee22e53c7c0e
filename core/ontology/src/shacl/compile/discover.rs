//! Which nodes of a graph are shapes: <https://www.w3.org/TR/shacl/#shapes>.

use hashbrown::{HashMap, HashSet};

use super::super::classes::below;
use super::super::error::ProblemKind;
use super::super::names::{NAMESPACE, Role, role};
use super::Compiler;
use crate::graph::{Term, TermRef};
use crate::shacl::Rule;

/// What a graph holds of SHACL.
pub(super) struct Found {
    /// The shapes, ordered by name: IRIs before blank nodes.
    pub(super) shapes: Vec<Term>,
    /// Those that are instances of `sh:NodeShape`.
    pub(super) node_shapes: HashSet<Term>,
    /// Those that are instances of `sh:PropertyShape`.
    pub(super) property_shapes: HashSet<Term>,
    /// Those that are classes, and so their own target.
    pub(super) classes: HashSet<Term>,
    pub(super) rules: Vec<Rule>,
    /// The classes whose instances are shapes or classes.
    pub(super) kinds: HashSet<Term>,
}

impl Compiler<'_> {
    pub(super) fn discover(&mut self) -> Found {
        let mut shapes = HashSet::new();
        let (mut refused, mut unknown) = (HashSet::new(), HashSet::new());
        let mut rules = Vec::new();
        let mut roles: HashMap<Term, Option<Role>> = HashMap::new();
        let mut last = None;
        for statement in self.graph.iter() {
            let known = match last {
                Some((predicate, role)) if predicate == statement.predicate => role,
                _ => *roles.entry(statement.predicate).or_insert_with(|| self.role(statement.predicate)),
            };
            last = Some((statement.predicate, known));
            match known {
                Some(Role::Parameter | Role::Target) => {
                    shapes.insert(statement.subject);
                }
                Some(Role::Unsupported) => {
                    shapes.insert(statement.subject);
                    refused.insert((statement.subject, statement.predicate));
                }
                Some(Role::Unknown) => {
                    unknown.insert((statement.subject, statement.predicate));
                }
                Some(Role::Rule) => rules.push((statement.subject, statement.object)),
                Some(Role::Annotation | Role::Elsewhere) | None => {}
            }
        }
        let (names, graph) = (self.names.clone(), self.graph);
        let instances = |class: Term| {
            let classes = below(graph, &names, class).into_iter();
            classes.flat_map(|class| graph.subjects(names.rdf_type, class)).collect::<HashSet<Term>>()
        };
        let (node_shapes, property_shapes) = (instances(names.node_shape), instances(names.property_shape));
        shapes.extend(node_shapes.iter().chain(&property_shapes));
        for predicate in [names.node, names.not, names.property, names.qualified_value_shape] {
            shapes.extend(graph.with_predicate(predicate).map(|(shape, _)| shape));
        }
        for predicate in [names.and, names.or, names.xone] {
            for (list, _) in graph.with_predicate(predicate) {
                // A list that is not well-formed is reported where the shape is read.
                shapes.extend(self.list(list).unwrap_or_default());
            }
        }
        let mut classes = instances(names.rdfs_class);
        classes.extend(instances(names.owl_class));
        refused
            .extend(unknown.into_iter().filter(|(subject, _)| shapes.contains(subject) || classes.contains(subject)));
        refused.into_iter().for_each(|(subject, predicate)| self.unsupported(subject, predicate));
        let kinds = [names.node_shape, names.property_shape, names.rdfs_class, names.owl_class];
        let kinds = kinds.into_iter().flat_map(|kind| below(graph, &names, kind)).collect();
        self.refuse_declared(&shapes);
        let mut shapes: Vec<Term> = shapes.into_iter().filter(|shape| !shape.is_literal()).collect();
        shapes.sort_by_cached_key(|&shape| self.order(shape));
        self.consulted.extend(&shapes);
        let mut rules: Vec<Rule> = rules.into_iter().map(|(shape, rule)| Rule { shape, rule }).collect();
        rules.sort_by_cached_key(|rule| (self.order(rule.shape), self.order(rule.rule)));
        Found { shapes, node_shapes, property_shapes, classes, rules, kinds }
    }

    /// What a property of SHACL's namespace does; none where it is of another.
    fn role(&self, predicate: Term) -> Option<Role> {
        let TermRef::Iri(iri) = self.graph.terms().get(predicate) else { return None };
        iri.strip_prefix(NAMESPACE).map(role)
    }

    pub(super) fn unsupported(&mut self, shape: Term, predicate: Term) {
        let reason = format!("{} is not part of SHACL Core and cannot be checked", self.short(predicate));
        self.problem(shape, ProblemKind::Unsupported, reason);
    }

    /// Entailment regimes, and constraint components that the graph itself declares.
    fn refuse_declared(&mut self, shapes: &HashSet<Term>) {
        let (graph, names) = (self.graph, self.names.clone());
        for (regime, subject) in graph.with_predicate(names.entailment) {
            let reason = format!("the entailment {} is not supported", self.describe(regime));
            self.problem(subject, ProblemKind::Unsupported, reason);
        }
        for (parameter, component) in graph.with_predicate(names.parameter) {
            for predicate in graph.objects(parameter, names.path) {
                if self.role(predicate).is_some() {
                    continue; // SHACL's own components may be described in a graph.
                }
                for (_, shape) in graph.with_predicate(predicate).filter(|(_, subject)| shapes.contains(subject)) {
                    let (property, component) = (self.describe(predicate), self.describe(component));
                    let reason = format!(
                        "{property} belongs to the constraint component {component}, which is not SHACL Core and cannot be checked"
                    );
                    self.problem(shape, ProblemKind::Unsupported, reason);
                }
            }
        }
    }

    fn order(&self, term: Term) -> (bool, String) {
        match self.graph.terms().get(term) {
            TermRef::Iri(iri) => (false, iri.to_owned()),
            TermRef::Blank(label) => (true, label.to_owned()),
            TermRef::Literal { lexical, .. } => (true, lexical.into_owned()),
        }
    }
}
