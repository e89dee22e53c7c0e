//! Reports for people: one line a result, such as `orders/max_qty: 9000 is above the maximum 5000 (shape MaxQty)`.

use std::fmt;

use super::constraint::{Component, Constraint, NodeKind, ShapeId};
use super::path::Path;
use super::report::{Report, Severity, ValidationResult};
use super::value::Value;
use crate::graph::{Term, TermRef, Terms};
use crate::vocabulary::{knhk, xsd};

/// Namespaces that people know by their prefixes.
const PREFIXES: [(&str, &str); 5] = [
    ("http://www.w3.org/2001/XMLSchema#", "xsd:"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:"),
    ("http://www.w3.org/2000/01/rdf-schema#", "rdfs:"),
    ("http://www.w3.org/2002/07/owl#", "owl:"),
    ("http://www.w3.org/ns/shacl#", "sh:"),
];

/// Members of a list that a message shows.
const SHOWN: usize = 10;

/// One line a result, ordered by what they say.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conforms() {
            return writeln!(f, "Conforms: no shape is broken.");
        }
        let mut lines: Vec<String> = self.results().map(|result| result.to_string()).collect();
        lines.sort_unstable();
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if self.truncated() {
            writeln!(f, "There are more than these {} results.", self.len())?;
        }
        Ok(())
    }
}

/// `focus path: message (shape name)`.
impl fmt::Display for ValidationResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let focus = self.short(self.entry.focus);
        let path = self.subject_path().map(|path| format!(" {path}")).unwrap_or_default();
        let severity = match self.severity() {
            Severity::Violation => "",
            Severity::Warning => "warning, ",
            Severity::Info => "information, ",
        };
        // A message of the shape's own does not say which value it is about.
        let value = match self.own_message() {
            Some(_) => self.entry.value.map(|value| format!("{}, ", self.short(value))).unwrap_or_default(),
            None => String::new(),
        };
        write!(f, "{focus}{path}: {} ({value}{severity}shape {})", self.message(), self.shape_name())
    }
}

impl fmt::Debug for ValidationResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValidationResult({self})")
    }
}

impl ValidationResult<'_> {
    /// What is wrong: the shape's own message where it has one (in no language or in English first), else one made from the constraint.
    pub fn message(&self) -> String {
        self.own_message().unwrap_or_else(|| self.explanation())
    }

    fn own_message(&self) -> Option<String> {
        let english = |language: &str| language == "en" || language.starts_with("en-");
        self.messages()
            .min_by_key(|(_, language)| match language {
                None => 0,
                Some(language) if english(language) => 1,
                Some(_) => 2,
            })
            .map(|(text, _)| text)
    }

    /// The path, but that of a parameter's value, which goes without saying.
    fn subject_path(&self) -> Option<String> {
        let terms = &self.report.shapes.terms;
        let says = |term: Term| matches!(terms.get(term), TermRef::Iri(knhk::VALUE));
        match (self.entry.component, self.entry.detail) {
            (Component::Closed, Some(predicate)) => Some(self.short(predicate)),
            _ => match self.source().path.as_ref()? {
                Path::Predicate(predicate) if says(*predicate) => None,
                other => Some(path(other, &|term| self.short(term))),
            },
        }
    }

    /// The nearest name: the shape's, or that of the shape with targets that led to it.
    fn shape_name(&self) -> String {
        let shapes = &self.report.shapes;
        let own = self.shape_term();
        let root = shapes.shapes[shapes.roots[self.entry.root as usize].shape as usize].node;
        self.short(if own.is_iri() { own } else { root })
    }

    fn explanation(&self) -> String {
        let value = match self.entry.value {
            Some(value) if value != self.entry.focus => self.short(value),
            _ => "it".to_owned(),
        };
        let detail = || self.entry.detail.map(|term| self.short(term)).unwrap_or_default();
        match self.entry.component {
            Component::Class => format!("{value} is not a {}", detail()),
            Component::Datatype => format!("{value} is not of type {}", detail()),
            Component::NodeKind => format!("{value} is not {}", self.kind_of_node()),
            Component::MinCount => format!("needs at least {}", self.count("value")),
            Component::MaxCount => format!("has more than {}", self.count("value")),
            Component::MinExclusive => self.range(&value, "is not above"),
            Component::MinInclusive => self.range(&value, "is below the minimum"),
            Component::MaxExclusive => self.range(&value, "is not below"),
            Component::MaxInclusive => self.range(&value, "is above the maximum"),
            Component::MinLength => format!("{value} is shorter than {}", self.count("character")),
            Component::MaxLength => format!("{value} is longer than {}", self.count("character")),
            Component::Pattern => format!("{value} does not match the pattern {}", self.pattern()),
            Component::LanguageIn => format!("{value} is in none of the languages {}", self.languages()),
            Component::UniqueLang => format!("has several values in the language {}", self.language()),
            Component::Equals => format!("{value} is a value of only one of this and {}", detail()),
            Component::Disjoint => format!("{value} is also a value of {}", detail()),
            Component::LessThan => format!("{value} is not less than every value of {}", detail()),
            Component::LessThanOrEquals => {
                format!("{value} is more than a value of {}, or has no order with it", detail())
            }
            Component::Not => format!("{value} has the shape {}, which is ruled out", self.named(self.entry.detail)),
            Component::And => format!("{value} does not have all of the shapes {}", self.members()),
            Component::Or => format!("{value} has none of the shapes {}", self.members()),
            Component::Xone => format!("{value} does not have exactly one of the shapes {}", self.members()),
            Component::Node => format!("{value} does not have the shape {}", self.named(self.entry.detail)),
            Component::QualifiedMinCount | Component::QualifiedMaxCount => self.qualified(),
            Component::Closed => format!("{} is not a property that this shape allows", detail()),
            Component::HasValue => format!("lacks the value {}", detail()),
            Component::In => format!("{value} is none of {}", self.members()),
        }
    }

    fn constraints(&self) -> &[Constraint] {
        &self.source().constraints
    }

    fn count(&self, what: &str) -> String {
        let component = self.entry.component;
        let count = self.constraints().iter().find_map(|constraint| match (constraint, component) {
            (Constraint::MinCount(count), Component::MinCount)
            | (Constraint::MaxCount(count), Component::MaxCount)
            | (Constraint::MinLength(count), Component::MinLength)
            | (Constraint::MaxLength(count), Component::MaxLength) => Some(*count),
            _ => None,
        });
        counted(count.unwrap_or_default(), what)
    }

    fn range(&self, value: &str, relation: &str) -> String {
        let terms = &self.report.shapes.terms;
        let (Some(own), Some(limit)) = (self.entry.value, self.entry.detail) else { return String::new() };
        let ordered = Value::of(terms, own).zip(Value::of(terms, limit)).and_then(|(own, limit)| own.compare(&limit));
        let relation = if ordered.is_some() { relation } else { "cannot be compared with" };
        format!("{value} {relation} {}", self.short(limit))
    }

    fn kind_of_node(&self) -> &'static str {
        let kind = self.constraints().iter().find_map(|constraint| match constraint {
            Constraint::NodeKind(kind) => Some(*kind),
            _ => None,
        });
        match kind {
            Some(NodeKind { iri: true, blank: false, literal: false }) => "an IRI",
            Some(NodeKind { iri: false, blank: true, literal: false }) => "a blank node",
            Some(NodeKind { iri: true, blank: true, .. }) => "an IRI or a blank node",
            Some(NodeKind { iri: false, blank: true, .. }) => "a blank node or a literal",
            Some(NodeKind { iri: true, .. }) => "an IRI or a literal",
            _ => "a literal",
        }
    }

    fn pattern(&self) -> String {
        let pattern = self.constraints().iter().find_map(|constraint| match constraint {
            Constraint::Pattern(pattern) => Some(pattern),
            _ => None,
        });
        let Some(pattern) = pattern else { return String::new() };
        let flags = match pattern.flags() {
            "" => String::new(),
            flags => format!(" (flags {flags})"),
        };
        format!("{}{flags}", pattern.source())
    }

    fn languages(&self) -> String {
        let ranges = self.constraints().iter().find_map(|constraint| match constraint {
            Constraint::LanguageIn(ranges) => Some(listed(ranges.iter().cloned())),
            _ => None,
        });
        ranges.unwrap_or_default()
    }

    fn language(&self) -> &str {
        match self.entry.detail.map(|value| self.report.shapes.terms.get(value)) {
            Some(TermRef::Literal { language: Some(language), .. }) => language,
            _ => "",
        }
    }

    /// The shapes or values that a list asks for.
    fn members(&self) -> String {
        let shapes = |shapes: &[ShapeId]| listed(shapes.iter().map(|&shape| self.named(Some(self.node(shape)))));
        let component = self.entry.component;
        let members = self.constraints().iter().find_map(|constraint| match (constraint, component) {
            (Constraint::And(list), Component::And)
            | (Constraint::Or(list), Component::Or)
            | (Constraint::Xone(list), Component::Xone) => Some(shapes(list)),
            (Constraint::In { listed: list, .. }, Component::In) => {
                Some(listed(list.iter().map(|&term| self.short(term))))
            }
            _ => None,
        });
        members.unwrap_or_default()
    }

    fn qualified(&self) -> String {
        let is_min = self.entry.component == Component::QualifiedMinCount;
        let count = self.constraints().iter().find_map(|constraint| match constraint {
            Constraint::Qualified { min, max, .. } => *(if is_min { min } else { max }),
            _ => None,
        });
        let (shape, count) = (self.named(self.entry.detail), counted(count.unwrap_or_default(), "value"));
        format!("{} {count} of the shape {shape}", if is_min { "needs at least" } else { "has more than" })
    }

    fn node(&self, shape: ShapeId) -> Term {
        self.report.shapes.shapes[shape as usize].node
    }

    /// A shape by its name; one without a name is described by where it stands.
    fn named(&self, shape: Option<Term>) -> String {
        match shape {
            Some(shape) if shape.is_iri() => self.short(shape),
            _ => "(unnamed)".to_owned(),
        }
    }

    fn short(&self, term: Term) -> String {
        short(&self.report.shapes.terms, term)
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The first members, and how many more there are.
fn listed(members: impl ExactSizeIterator<Item = String>) -> String {
    let more = members.len().saturating_sub(SHOWN);
    let mut text = members.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// A term as people say it: the local part of an IRI, a number, a text in quotes.
pub(super) fn short(terms: &Terms, term: Term) -> String {
    let TermRef::Iri(iri) = terms.get(term) else { return plain(terms, term) };
    if let Some((namespace, prefix)) = PREFIXES.iter().find(|(namespace, _)| iri.starts_with(namespace)) {
        return format!("{prefix}{}", &iri[namespace.len()..]);
    }
    let own = iri.strip_prefix(knhk::SECTORS).and_then(|rest| rest.split_once(':')).map(|(_, path)| path);
    let local = own.or_else(|| iri.rsplit(['#', '/', ':']).next()).filter(|local| !local.is_empty());
    local.map_or_else(|| format!("<{iri}>"), decoded)
}

/// Percent-encoding undone, where what it stands for is text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |at: usize| tail.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A term in full: an IRI bare, a blank node as `_:label`, a literal as Turtle writes it.
pub(super) fn plain(terms: &Terms, term: Term) -> String {
    match terms.get(term) {
        TermRef::Iri(iri) => iri.to_owned(),
        TermRef::Blank(label) => format!("_:{label}"),
        TermRef::Literal { lexical, language: Some(language), .. } => format!("{}@{language}", quoted(&lexical)),
        TermRef::Literal { lexical, datatype: xsd::STRING, .. } => quoted(&lexical),
        TermRef::Literal { lexical, datatype, .. } if is_bare(&lexical, datatype) => lexical.into_owned(),
        TermRef::Literal { lexical, datatype, .. } => match datatype.strip_prefix(PREFIXES[0].0) {
            Some(name) => format!("{}^^xsd:{name}", quoted(&lexical)),
            None => format!("{}^^<{datatype}>", quoted(&lexical)),
        },
    }
}

/// Whether a number or truth value means itself without quotes: in Turtle, the form tells the datatype.
fn is_bare(lexical: &str, datatype: &str) -> bool {
    use super::datatype::{is_decimal, is_float, is_integer};
    let bytes = lexical.as_bytes();
    let exponent = lexical.contains(['e', 'E']);
    match datatype {
        xsd::INTEGER => is_integer(bytes),
        xsd::BOOLEAN => matches!(lexical, "true" | "false"),
        xsd::DOUBLE => is_float(lexical),
        "http://www.w3.org/2001/XMLSchema#decimal" => is_decimal(bytes) && !exponent && !lexical.ends_with('.'),
        _ => false,
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            char if char.is_control() => quoted.push_str(&format!("\\u{:04X}", char as u32)),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A path in SPARQL's notation.
pub(super) fn path(path: &Path, name: &dyn Fn(Term) -> String) -> String {
    let inner = |path: &Path| match path {
        Path::Predicate(_) => self::path(path, name),
        _ => format!("({})", self::path(path, name)),
    };
    let joined = |paths: &[Path], with: &str| paths.iter().map(&inner).collect::<Vec<_>>().join(with);
    match path {
        Path::Predicate(predicate) => name(*predicate),
        Path::Inverse(path) => format!("^{}", inner(path)),
        Path::Sequence(paths) => joined(paths, "/"),
        Path::Alternative(paths) => joined(paths, "|"),
        Path::ZeroOrMore(path) => format!("{}*", inner(path)),
        Path::OneOrMore(path) => format!("{}+", inner(path)),
        Path::ZeroOrOne(path) => format!("{}?", inner(path)),
    }
}
