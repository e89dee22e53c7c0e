//! Checking nodes against compiled shapes.

use std::cmp::Ordering;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use hashbrown::HashMap;

use super::Compiled;
use super::classes::Classes;
use super::constraint::{Bound, Component, Constraint, Root, Shape, ShapeId, Target};
use super::datatype::Datatype;
use super::path::Way;
use super::report::{Entry, Report};
use super::value::Value;
use crate::graph::{Graph, Term, TermRef};

/// The whole data graph against all shapes.
pub(super) fn validate(shapes: &Arc<Compiled>, data: &Graph) -> Report {
    let classes = Classes::new(data, &shapes.names, &shapes.classes);
    let mut checker = Checker::new(shapes, &classes, data);
    let mut found = Found::default();
    for (root, number) in shapes.roots.iter().zip(0..) {
        for focus in checker.focus_nodes(root) {
            if found.begin(&mut checker, number, root.shape, focus).is_break() {
                break;
            }
        }
    }
    Report { shapes: shapes.clone(), entries: Arc::new(found.entries), truncated: found.truncated, classes }
}

/// Where results go. It breaks off the check that found them when it wants no more.
pub(super) trait Sink {
    fn result(&mut self, result: Finding) -> ControlFlow<()>;
}

/// A result before it is known where validation began.
pub(super) struct Finding {
    shape: ShapeId,
    component: Component,
    focus: Term,
    value: Option<Term>,
    detail: Option<Term>,
}

/// Only whether there is any.
struct Any;

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
    /// Checks one target of one root.
    pub(super) fn begin(
        &mut self,
        checker: &mut Checker<'_>,
        root: u32,
        shape: ShapeId,
        focus: Term,
    ) -> ControlFlow<()> {
        self.root = Some((root, focus));
        checker.check(shape, focus, self)
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

/// Checks nodes of one data graph.
pub(super) struct Checker<'a> {
    shapes: &'a Compiled,
    classes: &'a Classes,
    data: &'a Graph,
    /// Verdicts of shapes that several others refer to, without which a chain of such shapes would take exponential time.
    verdicts: HashMap<(ShapeId, Term), bool>,
    /// Empty vectors to be used again.
    nodes: Vec<Vec<Term>>,
    statements: Vec<Vec<(Term, Term)>>,
}

/// One shape and one focus node, while its values are checked.
struct Check<'s, S> {
    id: ShapeId,
    focus: Term,
    sink: &'s mut S,
}

impl<S: Sink> Check<'_, S> {
    fn broken(&mut self, component: Component, value: Option<Term>, detail: Option<Term>) -> ControlFlow<()> {
        self.sink.result(Finding { shape: self.id, component, focus: self.focus, value, detail })
    }

    /// Each value that does not keep a test.
    fn each(
        &mut self,
        component: Component,
        detail: Option<Term>,
        values: &[Term],
        mut kept: impl FnMut(Term) -> bool,
    ) -> ControlFlow<()> {
        for &value in values {
            if !kept(value) {
                self.broken(component, Some(value), detail)?;
            }
        }
        Continue(())
    }
}

impl<'a> Checker<'a> {
    pub(super) fn new(shapes: &'a Compiled, classes: &'a Classes, data: &'a Graph) -> Checker<'a> {
        Checker { shapes, classes, data, verdicts: HashMap::new(), nodes: Vec::new(), statements: Vec::new() }
    }

    /// The nodes that a root's targets name, without repetition, ordered.
    fn focus_nodes(&self, root: &Root) -> Vec<Term> {
        let (data, names) = (self.data, &self.shapes.names);
        let mut nodes = Vec::new();
        for target in &root.targets {
            match *target {
                Target::Node(node) => nodes.push(node),
                Target::Class(class) => {
                    let classes = self.classes.closure(class).iter();
                    nodes.extend(classes.flat_map(|&class| data.subjects(names.rdf_type, class)));
                }
                Target::SubjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(_, node)| node)),
                Target::ObjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(node, _)| node)),
            }
        }
        if !nodes.is_sorted() {
            nodes.sort_unstable();
        }
        nodes.dedup();
        nodes
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

    /// Whether a node has a shape.
    pub(super) fn conforms(&mut self, id: ShapeId, focus: Term) -> bool {
        if !self.shapes.shapes[id as usize].shared {
            return self.check(id, focus, &mut Any).is_continue();
        }
        if let Some(&verdict) = self.verdicts.get(&(id, focus)) {
            return verdict;
        }
        let verdict = self.check(id, focus, &mut Any).is_continue();
        self.verdicts.insert((id, focus), verdict);
        verdict
    }

    /// Whether a node has a shape that several others refer to: one verdict saves walking it for each of them.
    fn is_known_to_conform(&mut self, id: ShapeId, focus: Term) -> bool {
        self.shapes.shapes[id as usize].shared && self.conforms(id, focus)
    }

    /// Tells `sink` how a node breaks a shape.
    fn check<S: Sink>(&mut self, id: ShapeId, focus: Term, sink: &mut S) -> ControlFlow<()> {
        let shape = &self.shapes.shapes[id as usize];
        let Some(path) = &shape.path else { return self.check_values(id, focus, &[focus], sink) };
        let mut values = self.nodes.pop().unwrap_or_default();
        match path.as_predicate() {
            Some(predicate) => {
                values.extend(self.data.objects(focus, predicate));
                sort(&mut values);
            }
            None => values = path.follow(self.data, focus, Way::Forward),
        }
        let outcome = self.check_values(id, focus, &values, sink);
        values.clear();
        self.nodes.push(values);
        outcome
    }

    /// Tells `sink` how the values that a shape's path leads to from a node break it. The values are ordered.
    fn check_values<S: Sink>(&mut self, id: ShapeId, focus: Term, values: &[Term], sink: &mut S) -> ControlFlow<()> {
        let shape = &self.shapes.shapes[id as usize];
        if !shape.constraints.is_empty() {
            let mut check = Check { id, focus, sink };
            for constraint in &shape.constraints {
                self.check_constraint(&mut check, constraint, values)?;
            }
        }
        if !shape.direct.is_empty() {
            for &value in values {
                self.check_direct(shape, value, sink)?;
            }
        }
        Continue(())
    }

    /// The property shapes whose path is one predicate, over the statements about a node.
    fn check_direct<S: Sink>(&mut self, shape: &'a Shape, node: Term, sink: &mut S) -> ControlFlow<()> {
        let mut statements = self.statements.pop().unwrap_or_default();
        let mut values = self.nodes.pop().unwrap_or_default();
        statements.extend(self.data.about(node));
        if !statements.is_sorted() {
            statements.sort_unstable();
        }
        let mut rest = statements.as_slice();
        let mut last = None;
        let mut outcome = Continue(());
        for &(predicate, property) in &shape.direct {
            if last != Some(predicate) {
                let skipped = rest.iter().take_while(|statement| statement.0 < predicate).count();
                rest = &rest[skipped..];
                let count = rest.iter().take_while(|statement| statement.0 == predicate).count();
                values.clear();
                values.extend(rest[..count].iter().map(|statement| statement.1));
                rest = &rest[count..];
                last = Some(predicate);
            }
            outcome = match self.is_known_to_conform(property, node) {
                true => Continue(()),
                false => self.check_values(property, node, &values, sink),
            };
            if outcome.is_break() {
                break;
            }
        }
        values.clear();
        statements.clear();
        self.nodes.push(values);
        self.statements.push(statements);
        outcome
    }

    fn check_constraint<S: Sink>(
        &mut self,
        check: &mut Check<'_, S>,
        constraint: &'a Constraint,
        values: &[Term],
    ) -> ControlFlow<()> {
        let (data, terms, names) = (self.data, &*self.shapes.terms, &self.shapes.names);
        match constraint {
            Constraint::Class(class) => {
                let wanted = self.shapes.classes[*class as usize];
                let has = |value| self.classes.has_instance(data, names, *class, value);
                check.each(Component::Class, Some(wanted), values, has)
            }
            Constraint::Datatype { iri, known } => {
                let TermRef::Iri(wanted) = terms.get(*iri) else { unreachable!("a datatype is an IRI") };
                let has = |value| self.has_datatype(value, wanted, *known);
                check.each(Component::Datatype, Some(*iri), values, has)
            }
            Constraint::NodeKind(kind) => check.each(Component::NodeKind, None, values, |value| kind.allows(value)),
            Constraint::MinCount(min) if (values.len() as u64) < *min => check.broken(Component::MinCount, None, None),
            Constraint::MaxCount(max) if values.len() as u64 > *max => check.broken(Component::MaxCount, None, None),
            Constraint::MinCount(_) | Constraint::MaxCount(_) => Continue(()),
            Constraint::Range(bound, term, limit) => {
                let (component, allowed): (_, fn(Ordering) -> bool) = match bound {
                    Bound::MinExclusive => (Component::MinExclusive, Ordering::is_gt),
                    Bound::MinInclusive => (Component::MinInclusive, Ordering::is_ge),
                    Bound::MaxExclusive => (Component::MaxExclusive, Ordering::is_lt),
                    Bound::MaxInclusive => (Component::MaxInclusive, Ordering::is_le),
                };
                let kept = |value| {
                    let order = Value::of(terms, value).zip(limit.as_ref());
                    order.and_then(|(value, limit)| value.compare(limit)).is_some_and(allowed)
                };
                check.each(component, Some(*term), values, kept)
            }
            Constraint::MinLength(min) => {
                let kept = |value| self.text(value, |text| at_least(text, *min)).unwrap_or(false);
                check.each(Component::MinLength, None, values, kept)
            }
            Constraint::MaxLength(max) => {
                let kept = |value| {
                    let beyond = max.checked_add(1);
                    let fits = |text: &str| beyond.is_none_or(|beyond| !at_least(text, beyond));
                    self.text(value, fits).unwrap_or(false)
                };
                check.each(Component::MaxLength, None, values, kept)
            }
            Constraint::Pattern(pattern) => {
                let kept = |value| self.text(value, |text| pattern.is_match(text)).unwrap_or(false);
                check.each(Component::Pattern, None, values, kept)
            }
            Constraint::LanguageIn(ranges) => {
                let kept = |value| match terms.get(value) {
                    TermRef::Literal { language: Some(tag), .. } => ranges.iter().any(|range| in_range(tag, range)),
                    _ => false,
                };
                check.each(Component::LanguageIn, None, values, kept)
            }
            Constraint::UniqueLang => self.check_languages(check, values),
            Constraint::Equals(other) => {
                let others = self.others(check.focus, *other);
                check.each(Component::Equals, Some(*other), values, |value| others.binary_search(&value).is_ok())?;
                check.each(Component::Equals, Some(*other), &others, |value| values.binary_search(&value).is_ok())
            }
            Constraint::Disjoint(other) => {
                let others = self.others(check.focus, *other);
                check.each(Component::Disjoint, Some(*other), values, |value| others.binary_search(&value).is_err())
            }
            Constraint::LessThan(other) => self.check_order(check, Component::LessThan, *other, values),
            Constraint::LessThanOrEquals(other) => self.check_order(check, Component::LessThanOrEquals, *other, values),
            Constraint::Not(shape) => {
                check.each(Component::Not, Some(self.node(*shape)), values, |value| !self.conforms(*shape, value))
            }
            Constraint::Node(shape) => {
                check.each(Component::Node, Some(self.node(*shape)), values, |value| self.conforms(*shape, value))
            }
            Constraint::And(shapes) => check
                .each(Component::And, None, values, |value| shapes.iter().all(|&shape| self.conforms(shape, value))),
            Constraint::Or(shapes) => {
                check.each(Component::Or, None, values, |value| shapes.iter().any(|&shape| self.conforms(shape, value)))
            }
            Constraint::Xone(shapes) => check.each(Component::Xone, None, values, |value| {
                shapes.iter().filter(|&&shape| self.conforms(shape, value)).take(2).count() == 1
            }),
            Constraint::Property(shape) => {
                for &value in values {
                    if !self.is_known_to_conform(*shape, value) {
                        self.check(*shape, value, check.sink)?;
                    }
                }
                Continue(())
            }
            Constraint::Qualified { shape, siblings, min, max } => {
                let counts = |&&value: &&Term| {
                    self.conforms(*shape, value) && !siblings.iter().any(|&sibling| self.conforms(sibling, value))
                };
                let count = values.iter().filter(counts).count() as u64;
                let detail = Some(self.node(*shape));
                if min.is_some_and(|min| count < min) {
                    check.broken(Component::QualifiedMinCount, None, detail)?;
                }
                if max.is_some_and(|max| count > max) {
                    check.broken(Component::QualifiedMaxCount, None, detail)?;
                }
                Continue(())
            }
            Constraint::Closed(allowed) => {
                for &value in values {
                    for (predicate, object) in data.about(value) {
                        if allowed.binary_search(&predicate).is_err() {
                            check.broken(Component::Closed, Some(object), Some(predicate))?;
                        }
                    }
                }
                Continue(())
            }
            Constraint::HasValue(wanted) if values.binary_search(wanted).is_err() => {
                check.broken(Component::HasValue, None, Some(*wanted))
            }
            Constraint::HasValue(_) => Continue(()),
            Constraint::In { allowed, .. } => {
                check.each(Component::In, None, values, |value| allowed.binary_search(&value).is_ok())
            }
        }
    }

    fn node(&self, shape: ShapeId) -> Term {
        self.shapes.shapes[shape as usize].node
    }

    fn has_datatype(&self, value: Term, wanted: &str, known: Option<Datatype>) -> bool {
        if value.as_integer().is_some() {
            return known == Some(Datatype::Integer(None, None));
        }
        if value.as_double().is_some() {
            return known == Some(Datatype::Double);
        }
        match self.shapes.terms.get(value) {
            TermRef::Literal { lexical, datatype, .. } => {
                datatype == wanted && known.is_none_or(|known| known.is_lexical(&lexical))
            }
            _ => false,
        }
    }

    /// What SPARQL's `str` makes of a term; a blank node has none.
    fn text<T>(&self, term: Term, use_it: impl FnOnce(&str) -> T) -> Option<T> {
        match self.shapes.terms.get(term) {
            TermRef::Iri(iri) => Some(use_it(iri)),
            TermRef::Literal { lexical, .. } => Some(use_it(&lexical)),
            TermRef::Blank(_) => None,
        }
    }

    /// The values of another property of the focus node, ordered.
    fn others(&self, focus: Term, predicate: Term) -> Vec<Term> {
        let mut others: Vec<Term> = self.data.objects(focus, predicate).collect();
        sort(&mut others);
        others
    }

    fn check_order<S: Sink>(
        &self,
        check: &mut Check<'_, S>,
        component: Component,
        other: Term,
        values: &[Term],
    ) -> ControlFlow<()> {
        let terms = &*self.shapes.terms;
        let others: Vec<_> = self.others(check.focus, other).into_iter().map(|term| Value::of(terms, term)).collect();
        for &value in values {
            let own = Value::of(terms, value);
            for other_value in &others {
                let order = own.as_ref().zip(other_value.as_ref()).and_then(|(own, other)| own.compare(other));
                let kept = match component {
                    Component::LessThan => order.is_some_and(Ordering::is_lt),
                    _ => order.is_some_and(Ordering::is_le),
                };
                if !kept {
                    // One result for each pair, as the specification counts.
                    check.broken(component, Some(value), Some(other))?;
                }
            }
        }
        Continue(())
    }

    /// One result for each language that several values have.
    fn check_languages<S: Sink>(&self, check: &mut Check<'_, S>, values: &[Term]) -> ControlFlow<()> {
        let language = |&value: &Term| match self.shapes.terms.get(value) {
            TermRef::Literal { language, .. } => language.map(|language| (language, value)),
            _ => None,
        };
        let mut languages: Vec<(&str, Term)> = values.iter().filter_map(language).collect();
        languages.sort_unstable();
        for same in languages.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            check.broken(Component::UniqueLang, None, Some(same[0].1))?;
        }
        Continue(())
    }
}

fn sort(values: &mut Vec<Term>) {
    if !values.is_sorted() {
        values.sort_unstable();
    }
    values.dedup();
}

/// Whether a text has that many characters, counted no further.
fn at_least(text: &str, count: u64) -> bool {
    // A character takes at most four bytes, at least one.
    let bytes = text.len() as u64;
    bytes >= count && (bytes / 4 >= count || text.chars().count() as u64 >= count)
}

/// Basic filtering of RFC 4647, on tags and ranges in lower case.
fn in_range(tag: &str, range: &str) -> bool {
    match tag.strip_prefix(range) {
        Some(rest) => rest.is_empty() || rest.starts_with('-'),
        None => range == "*",
    }
}
