//! Each constraint component of SHACL Core: <https://www.w3.org/TR/shacl/#core-components>.

use std::cmp::Ordering;
use std::ops::ControlFlow::{self, Continue};

use super::check::{Checker, Focus, objects};
use super::constraint::{Component, Constraint, ShapeId};
use super::datatype::Datatype;
use super::pattern::Pattern;
use super::validate::{Finding, Sink};
use super::value::Value;
use crate::graph::{Row, Term, TermRef, object_of, predicate_of};

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

    /// Each value that is not among some others; both are ordered.
    fn missing(&mut self, component: Component, detail: Term, values: &[Row], others: &[Row]) -> ControlFlow<()> {
        for value in objects(values).filter(|&value| !is_among(others, value)) {
            self.broken(component, Some(value), Some(detail))?;
        }
        Continue(())
    }

    /// Each statement whose predicate is not allowed.
    fn closed(&mut self, allowed: &[Term], statements: impl Iterator<Item = (Term, Term)>) -> ControlFlow<()> {
        // Both mostly are in order, so that looking goes on from where it ended.
        let mut rest = allowed;
        for (predicate, object) in statements {
            rest = &rest[rest.iter().take_while(|&&it| it < predicate).count()..];
            if rest.first() != Some(&predicate) && allowed.binary_search(&predicate).is_err() {
                self.broken(Component::Closed, Some(object), Some(predicate))?;
            }
        }
        Continue(())
    }
}

impl<'a> Checker<'a> {
    /// Whether it is plain that values, which are ordered, keep a constraint. Most do, and most constraints need no more than a look: the
    /// loop over a shape's constraints keeps this within itself and leaves the rest to [`check_constraint`](Checker::check_constraint).
    #[inline(always)]
    pub(super) fn holds(&self, constraint: &Constraint, values: &[Row]) -> bool {
        match constraint {
            Constraint::MinCount(min) => values.len() as u64 >= *min,
            Constraint::MaxCount(max) => values.len() as u64 <= *max,
            Constraint::HasValue(wanted) => objects(values).any(|value| value == *wanted),
            _ if constraint.is_of_each_value() => {
                for value in objects(values) {
                    if self.sees(constraint, value) != Some(true) {
                        return false;
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// Tells `sink` which of a shape's value nodes, which are ordered, break one of its constraints.
    #[inline(never)]
    pub(super) fn check_constraint<S: Sink>(
        &mut self,
        id: ShapeId,
        constraint: &'a Constraint,
        focus: Focus<'_>,
        values: &[Row],
        sink: &mut S,
    ) -> ControlFlow<()> {
        if !constraint.is_of_each_value() {
            return self.check_together(constraint, focus, values, Check { id, focus: focus.node, sink });
        }
        for value in objects(values) {
            let kept = self.sees(constraint, value).unwrap_or_else(|| self.keeps(constraint, focus, value));
            if !kept {
                self.broken_by(constraint, Check { id, focus: focus.node, sink }, value)?;
            }
        }
        Continue(())
    }

    #[cold]
    fn broken_by<S: Sink>(&self, constraint: &Constraint, mut check: Check<'_, S>, value: Term) -> ControlFlow<()> {
        let (component, detail) = match constraint {
            Constraint::Class(class) => (Component::Class, Some(self.shapes.classes[*class as usize])),
            Constraint::Datatype { iri, .. } => (Component::Datatype, Some(*iri)),
            Constraint::NodeKind(_) => (Component::NodeKind, None),
            Constraint::Range(bound, term, _) => (bound.component(), Some(*term)),
            Constraint::MinLength(_) => (Component::MinLength, None),
            Constraint::MaxLength(_) => (Component::MaxLength, None),
            Constraint::Pattern(_) => (Component::Pattern, None),
            Constraint::LanguageIn(_) => (Component::LanguageIn, None),
            Constraint::Not(shape) => (Component::Not, Some(self.node(*shape))),
            Constraint::Node(shape) => (Component::Node, Some(self.node(*shape))),
            Constraint::And(_) => (Component::And, None),
            Constraint::Or(_) => (Component::Or, None),
            Constraint::Xone(_) => (Component::Xone, None),
            Constraint::In { .. } => (Component::In, None),
            _ => unreachable!("what is about all values together is reported where it is checked"),
        };
        check.broken(component, Some(value), detail)
    }

    /// Whether a value keeps a constraint that is about each value by itself; none where telling takes more than a look.
    #[inline(always)]
    fn sees(&self, constraint: &Constraint, value: Term) -> Option<bool> {
        Some(match constraint {
            Constraint::Class(class) => self.known_instances(*class)?.contains(value),
            Constraint::Datatype { iri, known } => self.has_datatype(value, *iri, *known),
            Constraint::NodeKind(kind) => kind.allows(value),
            Constraint::Range(bound, _, limit) => match (value.as_integer(), limit) {
                (Some(value), Some(Value::Integer(limit))) => bound.allows(value.cmp(limit)),
                (_, Some(limit)) => self.order(value, limit).is_some_and(|order| bound.allows(order)),
                (_, None) => false,
            },
            Constraint::MinLength(min) => self.is_long(value, *min)?,
            Constraint::MaxLength(max) => !self.is_long(value, max.checked_add(1)?)?,
            Constraint::Pattern(pattern) => self.matches(value, pattern),
            Constraint::In { allowed, .. } => allowed.binary_search(&value).is_ok(),
            _ => return None,
        })
    }

    /// The same of what that leaves open.
    fn keeps(&mut self, constraint: &'a Constraint, focus: Focus<'_>, value: Term) -> bool {
        let mut conforms = |shape: &ShapeId| self.conforms(*shape, focus.at(value));
        match constraint {
            Constraint::Class(class) => self.has_instance(*class, value),
            Constraint::MinLength(min) => self.text(value, |text| at_least(text, *min)).unwrap_or(false),
            Constraint::MaxLength(max) => {
                let beyond = max.checked_add(1);
                self.text(value, |text| !beyond.is_some_and(|beyond| at_least(text, beyond))).unwrap_or(false)
            }
            Constraint::Not(shape) => !conforms(shape),
            Constraint::Node(shape) => conforms(shape),
            Constraint::And(shapes) => shapes.iter().all(conforms),
            Constraint::Or(shapes) => shapes.iter().any(conforms),
            Constraint::Xone(shapes) => shapes.iter().filter(|shape| conforms(shape)).take(2).count() == 1,
            Constraint::LanguageIn(ranges) => {
                let tag = self.shapes.terms.interned_literal(value).map_or("", |literal| literal.language);
                !tag.is_empty() && ranges.iter().any(|range| in_range(tag, range))
            }
            _ => unreachable!("the other constraints are about all values together, or were answered before"),
        }
    }

    /// Constraints about all values together.
    fn check_together<S: Sink>(
        &mut self,
        constraint: &'a Constraint,
        focus: Focus<'_>,
        values: &[Row],
        mut check: Check<'_, S>,
    ) -> ControlFlow<()> {
        match constraint {
            Constraint::MinCount(min) if (values.len() as u64) < *min => check.broken(Component::MinCount, None, None),
            Constraint::MaxCount(max) if values.len() as u64 > *max => check.broken(Component::MaxCount, None, None),
            Constraint::MinCount(_) | Constraint::MaxCount(_) => Continue(()),
            Constraint::HasValue(wanted) if is_among(values, *wanted) => Continue(()),
            Constraint::HasValue(wanted) => check.broken(Component::HasValue, None, Some(*wanted)),
            Constraint::UniqueLang => self.check_languages(check, values),
            Constraint::Equals(other) => self.with_values(focus, *other, |_, others| {
                check.missing(Component::Equals, *other, values, others)?;
                check.missing(Component::Equals, *other, others, values)
            }),
            Constraint::Disjoint(other) => self.with_values(focus, *other, |_, others| {
                for value in objects(values).filter(|&value| is_among(others, value)) {
                    check.broken(Component::Disjoint, Some(value), Some(*other))?;
                }
                Continue(())
            }),
            Constraint::LessThan(other) => {
                self.check_order(check, Component::LessThan, focus, *other, values, Ordering::is_lt)
            }
            Constraint::LessThanOrEquals(other) => {
                self.check_order(check, Component::LessThanOrEquals, focus, *other, values, Ordering::is_le)
            }
            Constraint::Property(shape) => {
                objects(values).try_for_each(|value| self.check_property(*shape, focus.at(value), check.sink))
            }
            Constraint::Qualified { shape, siblings, min, max } => {
                let counts = |&value: &Term| {
                    self.conforms(*shape, focus.at(value))
                        && !siblings.iter().any(|&sibling| self.conforms(sibling, focus.at(value)))
                };
                let count = objects(values).filter(counts).count() as u64;
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
                for value in objects(values) {
                    match focus.at(value).statements {
                        Some(statements) => {
                            check.closed(allowed, statements.iter().map(|&row| (predicate_of(row), object_of(row))))?;
                        }
                        None => check.closed(allowed, self.data.about(value))?,
                    }
                }
                Continue(())
            }
            _ => unreachable!("what is about each value is checked value by value"),
        }
    }

    fn node(&self, shape: ShapeId) -> Term {
        self.shapes.shapes[shape as usize].node
    }

    #[inline(always)]
    fn has_datatype(&self, value: Term, wanted: Term, known: Option<Datatype>) -> bool {
        match self.shapes.terms.interned_literal(value) {
            Some(literal) => literal.datatype == wanted && known.is_none_or(|known| known.is_lexical(literal.lexical)),
            None => known.is_some() && known == Datatype::of_itself(value),
        }
    }

    /// How a literal stands to a value.
    #[inline(never)]
    fn order(&self, literal: Term, value: &Value<'_>) -> Option<Ordering> {
        self.value(literal)?.compare(value)
    }

    /// How two literals stand to each other.
    fn order_between(&self, own: Term, other: Term) -> Option<Ordering> {
        let numbers = own.as_integer().zip(other.as_integer());
        match numbers.or_else(|| own.as_instant().zip(other.as_instant())) {
            Some((own, other)) => Some(own.cmp(&other)),
            None => self.value(own)?.compare(&self.value(other)?),
        }
    }

    /// Whether a text has that many characters, where that need not be counted.
    #[inline(always)]
    fn is_long(&self, term: Term, count: u64) -> Option<bool> {
        let literal = self.shapes.terms.interned_literal(term).filter(|literal| literal.ascii)?;
        Some(literal.lexical.len() as u64 >= count)
    }

    #[inline(never)]
    fn matches(&self, term: Term, pattern: &Pattern) -> bool {
        self.text(term, |text| pattern.is_match(text)).unwrap_or(false)
    }

    /// What SPARQL's `str` makes of a term; a blank node has none.
    #[inline]
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
        values: &[Row],
        allowed: fn(Ordering) -> bool,
    ) -> ControlFlow<()> {
        self.with_values(focus, other, |this, others| {
            for value in objects(values) {
                for other_value in objects(others) {
                    let order = this.order_between(value, other_value);
                    if !order.is_some_and(allowed) {
                        // One result for each pair, as the specification counts.
                        check.broken(component, Some(value), Some(other))?;
                    }
                }
            }
            Continue(())
        })
    }

    /// One result for each language that several values have.
    fn check_languages<S: Sink>(&self, mut check: Check<'_, S>, values: &[Row]) -> ControlFlow<()> {
        let language = |value: Term| {
            let language = self.shapes.terms.interned_literal(value)?.language;
            (!language.is_empty()).then_some((language, value))
        };
        if values.len() < 2 {
            return Continue(());
        }
        if let &[one, other] = values
            && language(object_of(one)).map(|it| it.0) != language(object_of(other)).map(|it| it.0)
        {
            return Continue(());
        }
        let mut languages: Vec<(&str, Term)> = objects(values).filter_map(language).collect();
        languages.sort_unstable();
        for same in languages.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            check.broken(Component::UniqueLang, None, Some(same[0].1))?;
        }
        Continue(())
    }
}

/// Whether a node is among ordered values.
fn is_among(values: &[Row], node: Term) -> bool {
    values.binary_search_by_key(&node, |&row| object_of(row)).is_ok()
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
