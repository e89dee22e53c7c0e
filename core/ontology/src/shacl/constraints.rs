//! Each constraint component of SHACL Core: <https://www.w3.org/TR/shacl/#core-components>.

use std::cmp::Ordering;
use std::ops::ControlFlow::{self, Continue};

use super::check::{Checker, Focus};
use super::constraint::{Bound, Component, Constraint, ShapeId};
use super::datatype::Datatype;
use super::validate::{Finding, Sink};
use super::value::Value;
use crate::graph::{Term, TermRef, object_of, predicate_of};

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

    /// Each statement whose predicate is not allowed.
    fn closed(&mut self, allowed: &[Term], statements: impl Iterator<Item = (Term, Term)>) -> ControlFlow<()> {
        for (predicate, object) in statements {
            if allowed.binary_search(&predicate).is_err() {
                self.broken(Component::Closed, Some(object), Some(predicate))?;
            }
        }
        Continue(())
    }
}

impl<'a> Checker<'a> {
    /// Tells `sink` which of a shape's value nodes, which are ordered, break one of its constraints.
    pub(super) fn check_constraint<S: Sink>(
        &mut self,
        id: ShapeId,
        constraint: &'a Constraint,
        focus: Focus<'_>,
        values: &[Term],
        sink: &mut S,
    ) -> ControlFlow<()> {
        let (data, terms) = (self.data, &*self.shapes.terms);
        let mut check = Check { id, focus: focus.node, sink };
        match constraint {
            Constraint::Class(class) => {
                let wanted = self.shapes.classes[*class as usize];
                check.each(Component::Class, Some(wanted), values, |value| self.has_instance(*class, value))
            }
            Constraint::Datatype { iri, known } => {
                let has = |value| self.has_datatype(value, *iri, *known);
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
                let kept = |value: Term| {
                    let order = match (value.as_integer(), limit) {
                        (Some(value), Some(Value::Integer(limit))) => Some(value.cmp(limit)),
                        (_, Some(limit)) => self.value(value).and_then(|value| value.compare(limit)),
                        (_, None) => None,
                    };
                    order.is_some_and(allowed)
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
                let kept = |value| {
                    let tag = terms.interned_literal(value).map_or("", |literal| literal.language);
                    !tag.is_empty() && ranges.iter().any(|range| in_range(tag, range))
                };
                check.each(Component::LanguageIn, None, values, kept)
            }
            Constraint::UniqueLang => self.check_languages(check, values),
            Constraint::Equals(other) => {
                let others = self.values(focus, *other);
                check.each(Component::Equals, Some(*other), values, |value| others.binary_search(&value).is_ok())?;
                check.each(Component::Equals, Some(*other), &others, |value| values.binary_search(&value).is_ok())?;
                self.give_back_nodes(others);
                Continue(())
            }
            Constraint::Disjoint(other) => {
                let others = self.values(focus, *other);
                check.each(Component::Disjoint, Some(*other), values, |value| others.binary_search(&value).is_err())?;
                self.give_back_nodes(others);
                Continue(())
            }
            Constraint::LessThan(other) => self.check_order(check, Component::LessThan, focus, *other, values),
            Constraint::LessThanOrEquals(other) => {
                self.check_order(check, Component::LessThanOrEquals, focus, *other, values)
            }
            Constraint::Not(shape) => check
                .each(Component::Not, Some(self.node(*shape)), values, |value| !self.conforms(*shape, focus.at(value))),
            Constraint::Node(shape) => check
                .each(Component::Node, Some(self.node(*shape)), values, |value| self.conforms(*shape, focus.at(value))),
            Constraint::And(shapes) => check.each(Component::And, None, values, |value| {
                shapes.iter().all(|&shape| self.conforms(shape, focus.at(value)))
            }),
            Constraint::Or(shapes) => check.each(Component::Or, None, values, |value| {
                shapes.iter().any(|&shape| self.conforms(shape, focus.at(value)))
            }),
            Constraint::Xone(shapes) => check.each(Component::Xone, None, values, |value| {
                shapes.iter().filter(|&&shape| self.conforms(shape, focus.at(value))).take(2).count() == 1
            }),
            Constraint::Property(shape) => {
                values.iter().try_for_each(|&value| self.check_property(*shape, focus.at(value), check.sink))
            }
            Constraint::Qualified { shape, siblings, min, max } => {
                let counts = |&&value: &&Term| {
                    self.conforms(*shape, focus.at(value))
                        && !siblings.iter().any(|&sibling| self.conforms(sibling, focus.at(value)))
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
                    match focus.at(value).statements {
                        Some(statements) => {
                            check.closed(allowed, statements.iter().map(|&row| (predicate_of(row), object_of(row))))?;
                        }
                        None => check.closed(allowed, data.about(value))?,
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

    fn has_datatype(&self, value: Term, wanted: Term, known: Option<Datatype>) -> bool {
        if let Some(literal) = self.shapes.terms.interned_literal(value) {
            return literal.datatype == wanted && known.is_none_or(|known| known.is_lexical(literal.lexical));
        }
        let own = if value.as_integer().is_some() {
            Datatype::Integer
        } else if value.as_double().is_some() {
            Datatype::Double
        } else if value.as_boolean().is_some() {
            Datatype::Boolean
        } else {
            return false;
        };
        known == Some(own)
    }

    /// What SPARQL's `str` makes of a term; a blank node has none.
    fn text<T>(&self, term: Term, use_it: impl FnOnce(&str) -> T) -> Option<T> {
        if let Some(literal) = self.shapes.terms.interned_literal(term) {
            return Some(use_it(literal.lexical));
        }
        match self.shapes.terms.get(term) {
            TermRef::Iri(iri) => Some(use_it(iri)),
            TermRef::Literal { lexical, .. } => Some(use_it(&lexical)),
            TermRef::Blank(_) => None,
        }
    }

    fn check_order<S: Sink>(
        &mut self,
        mut check: Check<'_, S>,
        component: Component,
        focus: Focus<'_>,
        other: Term,
        values: &[Term],
    ) -> ControlFlow<()> {
        let others = self.values(focus, other);
        for &value in values {
            for &other_value in &others {
                let order = match (value.as_integer(), other_value.as_integer()) {
                    (Some(own), Some(other)) => Some(own.cmp(&other)),
                    _ => self.value(value).zip(self.value(other_value)).and_then(|(own, other)| own.compare(&other)),
                };
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
        self.give_back_nodes(others);
        Continue(())
    }

    /// One result for each language that several values have.
    fn check_languages<S: Sink>(&self, mut check: Check<'_, S>, values: &[Term]) -> ControlFlow<()> {
        if values.len() < 2 {
            return Continue(());
        }
        let language = |&value: &Term| {
            let language = self.shapes.terms.interned_literal(value)?.language;
            (!language.is_empty()).then_some((language, value))
        };
        let mut languages: Vec<(&str, Term)> = values.iter().filter_map(language).collect();
        languages.sort_unstable();
        for same in languages.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            check.broken(Component::UniqueLang, None, Some(same[0].1))?;
        }
        Continue(())
    }
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
