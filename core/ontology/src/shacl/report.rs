//! What a validation found.

use std::sync::Arc;

use super::Compiled;
use super::classes::Classes;
use super::constraint::{Component, Shape, ShapeId};
use super::path::Path;
use crate::graph::{Term, TermRef};

/// The outcome of a validation: whether the data conform, and if not, why. Cloning is cheap.
#[derive(Clone)]
pub struct Report {
    pub(super) shapes: Arc<Compiled>,
    pub(super) classes: Classes,
    /// Ordered by root shape and root focus node, then as they were found.
    pub(super) entries: Arc<Vec<Entry>>,
    pub(super) truncated: bool,
}

/// One result, in the terms of the interner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The shape with targets that validation began with, by its place among the roots, and its focus node.
    pub(super) root: u32,
    pub(super) root_focus: Term,
    pub(super) shape: ShapeId,
    pub(super) component: Component,
    pub(super) focus: Term,
    pub(super) value: Option<Term>,
    /// Of a component whose message needs it: the parameter's value, or the predicate that a closed shape does not allow.
    pub(super) detail: Option<Term>,
}

/// How grave a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// `sh:Info`
    Info,
    /// `sh:Warning`
    Warning,
    /// `sh:Violation`, and every severity that SHACL does not define.
    Violation,
}

/// One thing that breaks one constraint.
#[derive(Clone, Copy)]
pub struct ValidationResult<'r> {
    pub(super) report: &'r Report,
    pub(super) entry: &'r Entry,
}

/// What people read, and not the shapes that it refers to.
impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.results().take(16).map(|result| result.message())).finish()
    }
}

impl Report {
    /// The most results that one validation reports. Where there are more, they are counted as [`truncated`](Report::truncated).
    pub const MOST_RESULTS: usize = 1_000_000;

    /// Whether there is no result, of any severity.
    pub fn conforms(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many results there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no result.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there were more results than are reported.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// The results, ordered by shape; within a shape in an order that stays the same for the same interner. The readable text
    /// is ordered by what it says.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValidationResult<'_>> + '_ {
        self.entries.iter().map(|entry| ValidationResult { report: self, entry })
    }

    /// The gravest severity among the results.
    pub fn worst(&self) -> Option<Severity> {
        self.results().map(|result| result.severity()).max()
    }
}

impl<'r> ValidationResult<'r> {
    /// The node that was checked.
    pub fn focus_term(&self) -> Term {
        self.entry.focus
    }

    /// The value that breaks the constraint, where it is one value that does.
    pub fn value_term(&self) -> Option<Term> {
        self.entry.value
    }

    /// The shape that is broken.
    pub fn shape_term(&self) -> Term {
        self.source().node
    }

    /// The severity as the shape states it, an IRI.
    pub fn severity_term(&self) -> Term {
        self.source().severity
    }

    /// The constraint component that is broken.
    pub fn constraint(&self) -> Component {
        self.entry.component
    }

    /// The node that was checked, as N-Triples writes it without the angle brackets of an IRI.
    pub fn focus(&self) -> String {
        self.text(self.entry.focus)
    }

    /// The path from the focus node to the values, in SPARQL's notation.
    pub fn path(&self) -> Option<String> {
        match (self.entry.component, self.entry.detail) {
            (Component::Closed, Some(predicate)) => Some(self.text(predicate)),
            _ => self.source().path.as_ref().map(|path| match path {
                Path::Predicate(predicate) => self.text(*predicate),
                path => super::readable::path(path, &|term| format!("<{}>", self.text(term))),
            }),
        }
    }

    /// The value that breaks the constraint: an IRI, a blank node as `_:label`, or a literal as Turtle writes it.
    pub fn value(&self) -> Option<String> {
        self.entry.value.map(|value| self.text(value))
    }

    /// The IRI of the constraint component.
    pub fn component(&self) -> &'static str {
        self.entry.component.iri()
    }

    /// The shape that is broken: its IRI, or `_:label`.
    pub fn shape(&self) -> String {
        self.text(self.shape_term())
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        let names = &self.report.shapes.names;
        match self.source().severity {
            severity if severity == names.info => Severity::Info,
            severity if severity == names.warning => Severity::Warning,
            _ => Severity::Violation,
        }
    }

    /// The shape's own messages (`sh:message`), each with its language.
    pub fn messages(&self) -> impl Iterator<Item = (String, Option<&'r str>)> + 'r {
        let shapes = &self.report.shapes;
        self.source().messages.iter().filter_map(move |&message| match shapes.terms.get(message) {
            TermRef::Literal { lexical, language, .. } => Some((lexical.into_owned(), language)),
            _ => None,
        })
    }

    pub(super) fn source(&self) -> &'r Shape {
        &self.report.shapes.shapes[self.entry.shape as usize]
    }

    fn text(&self, term: Term) -> String {
        super::readable::plain(&self.report.shapes.terms, term)
    }
}
