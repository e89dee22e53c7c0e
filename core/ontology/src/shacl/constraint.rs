//! Shapes as they are checked: flat constraints over interned terms.

use std::cmp::Ordering;

use super::datatype::Datatype;
use super::path::Path;
use super::pattern::Pattern;
use super::value::Value;
use crate::graph::Term;

/// The number of a shape.
pub(super) type ShapeId = u32;

/// The number of a class that a shape names.
pub(super) type ClassId = u32;

/// A shape, compiled.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// What the shapes graph calls it.
    pub(super) node: Term,
    /// Of a property shape.
    pub(super) path: Option<Path>,
    /// What its value nodes must keep; none where the shape is deactivated.
    pub(super) constraints: Vec<Constraint>,
    /// The property shapes of a node shape whose path is one predicate, ordered by it: one look at the focus node serves them all.
    pub(super) direct: Vec<(Term, ShapeId)>,
    pub(super) severity: Term,
    /// `sh:message`, ordered as terms.
    pub(super) messages: Vec<Term>,
    /// Whether verdicts about nodes are worth remembering: several shapes refer to it, and it refers to others.
    pub(super) shared: bool,
}

/// A shape with targets, which begins validation.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) shape: ShapeId,
    pub(super) targets: Vec<Target>,
}

/// Which nodes a shape is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    Node(Term),
    Class(ClassId),
    SubjectsOf(Term),
    ObjectsOf(Term),
}

/// What a value node must keep. Some components compile to one constraint for each of their values.
#[derive(Clone, Debug)]
pub(super) enum Constraint {
    Class(ClassId),
    Datatype {
        iri: Term,
        /// None: every literal of the datatype is well-formed, as far as is known.
        known: Option<Datatype>,
    },
    NodeKind(NodeKind),
    MinCount(u64),
    MaxCount(u64),
    Range(Bound, Term, Option<Value<'static>>),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Box<Pattern>),
    /// Language ranges in lower case.
    LanguageIn(Vec<String>),
    UniqueLang,
    Equals(Term),
    Disjoint(Term),
    LessThan(Term),
    LessThanOrEquals(Term),
    Not(ShapeId),
    And(Vec<ShapeId>),
    Or(Vec<ShapeId>),
    Xone(Vec<ShapeId>),
    Node(ShapeId),
    Property(ShapeId),
    Qualified {
        shape: ShapeId,
        /// Shapes that a counted value must not have.
        siblings: Vec<ShapeId>,
        min: Option<u64>,
        max: Option<u64>,
    },
    /// The allowed predicates, ordered.
    Closed(Vec<Term>),
    HasValue(Term),
    In {
        /// The allowed values, ordered.
        allowed: Vec<Term>,
        /// As they were listed.
        listed: Vec<Term>,
    },
}

/// Which side a bound is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    MinExclusive,
    MinInclusive,
    MaxExclusive,
    MaxInclusive,
}

impl Bound {
    pub(super) fn component(self) -> Component {
        match self {
            Bound::MinExclusive => Component::MinExclusive,
            Bound::MinInclusive => Component::MinInclusive,
            Bound::MaxExclusive => Component::MaxExclusive,
            Bound::MaxInclusive => Component::MaxInclusive,
        }
    }

    /// Whether a value may stand so to the limit.
    #[inline]
    pub(super) fn allows(self, order: Ordering) -> bool {
        match self {
            Bound::MinExclusive => order.is_gt(),
            Bound::MinInclusive => order.is_ge(),
            Bound::MaxExclusive => order.is_lt(),
            Bound::MaxInclusive => order.is_le(),
        }
    }
}

/// Kinds of nodes that `sh:nodeKind` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeKind {
    pub(super) iri: bool,
    pub(super) blank: bool,
    pub(super) literal: bool,
}

impl NodeKind {
    /// Of a value of `sh:nodeKind`, without its namespace.
    pub(super) fn from_name(name: &str) -> Option<NodeKind> {
        let kind = |iri, blank, literal| Some(NodeKind { iri, blank, literal });
        match name {
            "IRI" => kind(true, false, false),
            "BlankNode" => kind(false, true, false),
            "Literal" => kind(false, false, true),
            "BlankNodeOrIRI" => kind(true, true, false),
            "BlankNodeOrLiteral" => kind(false, true, true),
            "IRIOrLiteral" => kind(true, false, true),
            _ => None,
        }
    }

    pub(super) fn allows(self, term: Term) -> bool {
        if term.is_iri() {
            self.iri
        } else if term.is_blank() {
            self.blank
        } else {
            self.literal
        }
    }
}

/// A constraint component of SHACL Core, as results name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the component of that name in the specification")]
pub enum Component {
    Class,
    Datatype,
    NodeKind,
    MinCount,
    MaxCount,
    MinExclusive,
    MinInclusive,
    MaxExclusive,
    MaxInclusive,
    MinLength,
    MaxLength,
    Pattern,
    LanguageIn,
    UniqueLang,
    Equals,
    Disjoint,
    LessThan,
    LessThanOrEquals,
    Not,
    And,
    Or,
    Xone,
    Node,
    QualifiedMinCount,
    QualifiedMaxCount,
    Closed,
    HasValue,
    In,
}

impl Component {
    /// Its IRI.
    pub fn iri(self) -> &'static str {
        macro_rules! iri {
            ($($name:ident),* $(,)?) => {
                match self {
                    $(Component::$name => {
                        concat!("http://www.w3.org/ns/shacl#", stringify!($name), "ConstraintComponent")
                    })*
                }
            };
        }
        iri!(
            Class,
            Datatype,
            NodeKind,
            MinCount,
            MaxCount,
            MinExclusive,
            MinInclusive,
            MaxExclusive,
            MaxInclusive,
            MinLength,
            MaxLength,
            Pattern,
            LanguageIn,
            UniqueLang,
            Equals,
            Disjoint,
            LessThan,
            LessThanOrEquals,
            Not,
            And,
            Or,
            Xone,
            Node,
            QualifiedMinCount,
            QualifiedMaxCount,
            Closed,
            HasValue,
            In,
        )
    }
}

/// What one constraint asks of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) shape: ShapeId,
    /// Only whether nodes have the shape counts, not why they do not.
    pub(super) verdict_only: bool,
}

impl Constraint {
    /// Whether it is about each value by itself, not about all together.
    #[inline]
    pub(super) fn is_of_each_value(&self) -> bool {
        use Constraint::*;
        !matches!(
            self,
            MinCount(_)
                | MaxCount(_)
                | UniqueLang
                | Equals(_)
                | Disjoint(_)
                | LessThan(_)
                | LessThanOrEquals(_)
                | Property(_)
                | Qualified { .. }
                | Closed(_)
                | HasValue(_)
        )
    }

    /// The shapes that it refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference> + '_ {
        let (one, many): (Option<ShapeId>, [&[ShapeId]; 2]) = match self {
            Constraint::Not(shape) | Constraint::Node(shape) | Constraint::Property(shape) => (Some(*shape), [&[]; 2]),
            Constraint::Qualified { shape, siblings, .. } => (Some(*shape), [siblings, &[]]),
            Constraint::And(shapes) | Constraint::Or(shapes) | Constraint::Xone(shapes) => (None, [shapes, &[]]),
            _ => (None, [&[]; 2]),
        };
        let verdict_only = !matches!(self, Constraint::Property(_));
        let all = one.into_iter().chain(many.into_iter().flatten().copied());
        all.map(move |shape| Reference { shape, verdict_only })
    }
}
