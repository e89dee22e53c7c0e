//! Shapes and data made from choices, so that a property test, a fuzzer and a comparison with other validators can all make them. Every
//! constraint component, target and path of SHACL Core may come up; what comes up is well-formed and not recursive.

use std::fmt::Write;

use knhk_ontology::graph::{Term, Terms, Triple};

/// A source of choices.
pub trait Choose {
    /// A number below `count`, which is at least 1.
    fn below(&mut self, count: usize) -> usize;

    /// One in so many times.
    fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of these.
    fn one<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Choices written down beforehand; zeros after the last.
pub struct Tape<'a>(pub &'a [u8]);

impl Choose for Tape<'_> {
    fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % count
    }
}

/// A term of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Iri(usize),
    Blank(usize),
    Class(usize),
    Literal(usize),
}

const NODES: usize = 6;
const BLANKS: usize = 2;
const CLASSES: usize = 3;
const PREDICATES: usize = 4;

/// Lexical forms with a datatype of XML Schema, or a language.
const LITERALS: [(&str, &str); 18] = [
    ("1", "integer"),
    ("2", "integer"),
    ("10", "integer"),
    ("2.0", "decimal"),
    ("2.5e0", "double"),
    ("a", "string"),
    ("b", "string"),
    ("abc", "string"),
    ("", "string"),
    ("true", "boolean"),
    ("a", "@en"),
    ("b", "@en"),
    ("a", "@de-at"),
    ("2024-01-01T00:00:00Z", "dateTime"),
    ("2024-01-01T10:00:00", "dateTime"),
    ("2024-01-02", "date"),
    ("x", "integer"),
    ("300", "byte"),
];

const EX: &str = "http://example.org/";

impl Node {
    /// As Turtle, with the prefixes `ex:` and `xsd:`.
    pub fn turtle(self) -> String {
        match self {
            Node::Iri(at) => format!("ex:n{at}"),
            Node::Blank(at) => format!("_:x{at}"),
            Node::Class(at) => format!("ex:C{at}"),
            Node::Literal(at) => match LITERALS[at] {
                (text, kind) if kind.starts_with('@') => format!("\"{text}\"{kind}"),
                (text, kind) => format!("\"{text}\"^^xsd:{kind}"),
            },
        }
    }

    pub fn term(self, terms: &Terms) -> Term {
        match self {
            Node::Iri(at) => terms.iri(&format!("{EX}n{at}")),
            Node::Blank(at) => terms.blank(&format!("x{at}")),
            Node::Class(at) => terms.iri(&format!("{EX}C{at}")),
            Node::Literal(at) => match LITERALS[at] {
                (text, kind) if kind.starts_with('@') => terms.language_literal(text, &kind[1..]),
                (text, kind) => terms.literal(text, &format!("http://www.w3.org/2001/XMLSchema#{kind}")),
            },
        }
    }

    fn subject(choose: &mut impl Choose) -> Node {
        match choose.below(NODES + BLANKS) {
            at if at < NODES => Node::Iri(at),
            at => Node::Blank(at - NODES),
        }
    }

    fn literal(choose: &mut impl Choose) -> Node {
        Node::Literal(choose.below(LITERALS.len()))
    }

    /// An IRI or a literal, as shapes may name.
    fn named(choose: &mut impl Choose) -> Node {
        if choose.below(2) == 0 { Node::Iri(choose.below(NODES)) } else { Node::literal(choose) }
    }
}

/// A statement of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    Property(Node, usize, Node),
    Type(Node, usize),
    Below(usize, usize),
}

impl Statement {
    pub fn turtle(self) -> String {
        match self {
            Statement::Property(subject, predicate, object) => {
                format!("{} ex:p{predicate} {} .", subject.turtle(), object.turtle())
            }
            Statement::Type(subject, class) => format!("{} a ex:C{class} .", subject.turtle()),
            Statement::Below(class, above) => format!("ex:C{class} rdfs:subClassOf ex:C{above} ."),
        }
    }

    pub fn triple(self, terms: &Terms) -> Triple {
        let (subject, predicate, object) = match self {
            Statement::Property(subject, predicate, object) => (subject, format!("{EX}p{predicate}"), object),
            Statement::Type(subject, class) => {
                (subject, knhk_ontology::vocabulary::rdf::TYPE.to_owned(), Node::Class(class))
            }
            Statement::Below(class, above) => {
                (Node::Class(class), knhk_ontology::vocabulary::rdfs::SUB_CLASS_OF.to_owned(), Node::Class(above))
            }
        };
        Triple { subject: subject.term(terms), predicate: terms.iri(&predicate), object: object.term(terms) }
    }
}

/// One statement.
pub fn statement(choose: &mut impl Choose) -> Statement {
    match choose.below(12) {
        0..=5 => Statement::Property(Node::subject(choose), choose.below(PREDICATES), Node::subject(choose)),
        6..=8 => Statement::Property(Node::subject(choose), choose.below(PREDICATES), Node::literal(choose)),
        9 | 10 => Statement::Type(Node::subject(choose), choose.below(CLASSES)),
        _ => Statement::Below(choose.below(CLASSES), choose.below(CLASSES)),
    }
}

/// Some statements.
pub fn data(choose: &mut impl Choose) -> Vec<Statement> {
    (0..4 + choose.below(28)).map(|_| statement(choose)).collect()
}

/// A shapes graph in Turtle.
pub fn shapes(choose: &mut impl Choose) -> String {
    let mut writer = Writer { choose, text: String::new(), count: 0, is_property: Vec::new() };
    writer.count = 1 + writer.choose.below(6);
    writer.is_property = (0..writer.count).map(|_| writer.choose.below(2) == 1).collect();
    for at in 0..writer.count {
        writer.shape(at);
    }
    writer.text
}

struct Writer<'c, C> {
    choose: &'c mut C,
    text: String,
    count: usize,
    is_property: Vec<bool>,
}

impl<C: Choose> Writer<'_, C> {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn shape(&mut self, at: usize) {
        let is_property = self.is_property[at];
        let kind = if is_property { "sh:PropertyShape" } else { "sh:NodeShape" };
        write!(self.text, "ex:S{at} a {kind}").expect("writing to a string does not fail");
        if is_property {
            let path = self.path(3);
            self.push(&format!(" ; sh:path {path}"));
        }
        if at == 0 || self.choose.below(3) == 0 {
            self.target();
        }
        if self.choose.rarely(12) {
            self.push(" ; a rdfs:Class");
        }
        if self.choose.rarely(20) {
            self.push(" ; sh:deactivated true");
        }
        if self.choose.rarely(6) {
            let severity = self.choose.one(&["sh:Warning", "sh:Info", "ex:severity"]);
            self.push(&format!(" ; sh:severity {severity}"));
        }
        // Many parameters admit one value: each is used at most once.
        let mut used = Vec::new();
        for _ in 0..1 + self.choose.below(3) {
            let kind = self.choose.below(KINDS);
            if !used.contains(&kind) {
                used.push(kind);
                let constraint = self.constraint(kind, at, is_property);
                self.push(&constraint);
            }
        }
        self.push(" .\n");
    }

    fn target(&mut self) {
        let target = match self.choose.below(5) {
            0 => format!("sh:targetNode {}", Node::named(self.choose).turtle()),
            1 => format!("sh:targetClass ex:C{}", self.choose.below(CLASSES)),
            2 => format!("sh:targetSubjectsOf ex:p{}", self.choose.below(PREDICATES)),
            3 => format!("sh:targetObjectsOf ex:p{}", self.choose.below(PREDICATES)),
            _ => format!("sh:targetNode ex:n0, ex:n1 ; sh:targetClass ex:C0"),
        };
        self.push(&format!(" ; {target}"));
    }

    fn path(&mut self, depth: usize) -> String {
        let predicate = |choose: &mut C| format!("ex:p{}", choose.below(PREDICATES));
        if depth == 0 || self.choose.below(2) == 0 {
            return predicate(self.choose);
        }
        match self.choose.below(8) {
            0 | 6 => format!("[ sh:inversePath {} ]", self.path(depth - 1)),
            1 | 7 => format!("( {} {} )", self.path(depth - 1), self.path(depth - 1)),
            2 => format!("[ sh:alternativePath ( {} {} ) ]", self.path(depth - 1), self.path(depth - 1)),
            3 => format!("[ sh:zeroOrMorePath {} ]", self.path(depth - 1)),
            4 => format!("[ sh:oneOrMorePath {} ]", self.path(depth - 1)),
            _ => format!("[ sh:zeroOrOnePath {} ]", self.path(depth - 1)),
        }
    }

    /// A shape after this one, so that none refers to itself, or one made on the spot.
    fn other(&mut self, at: usize) -> String {
        let rest = self.count - at - 1;
        if rest > 0 && self.choose.below(3) > 0 {
            return format!("ex:S{}", at + 1 + self.choose.below(rest));
        }
        match self.choose.below(5) {
            0 => "[ sh:nodeKind sh:IRI ]".to_owned(),
            1 => format!("[ sh:class ex:C{} ]", self.choose.below(CLASSES)),
            2 => format!("[ sh:in ( {} ) ]", Node::named(self.choose).turtle()),
            3 => "[ sh:datatype xsd:string ]".to_owned(),
            _ => format!("[ sh:path {} ; sh:minCount 1 ]", self.path(1)),
        }
    }

    fn property(&mut self, at: usize) -> String {
        let rest: Vec<usize> = (at + 1..self.count).filter(|&at| self.is_property[at]).collect();
        if !rest.is_empty() && self.choose.below(3) > 0 {
            return format!("ex:S{}", rest[self.choose.below(rest.len())]);
        }
        let path = self.path(1);
        let kind = self.choose.below(KINDS);
        // What refers to no other shape, so that shapes end.
        let constraint = if kind < SIMPLE { self.constraint(kind, at, true) } else { " ; sh:minCount 1".to_owned() };
        format!("[ sh:path {path}{constraint} ]")
    }

    fn constraint(&mut self, kind: usize, at: usize, is_property: bool) -> String {
        let number = |choose: &mut C| choose.below(4);
        let predicate = |choose: &mut C| format!("ex:p{}", choose.below(PREDICATES));
        let text = match kind {
            0 => format!("sh:class ex:C{}", self.choose.below(CLASSES)),
            1 => {
                let names = ["integer", "string", "boolean", "decimal", "byte", "dateTime", "double", "date"];
                format!("sh:datatype xsd:{}", self.choose.one(&names))
            }
            2 => {
                let kinds = ["IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral"];
                format!("sh:nodeKind sh:{}", self.choose.one(&kinds))
            }
            3 if is_property => format!("sh:minCount {}", number(self.choose)),
            4 if is_property => format!("sh:maxCount {}", number(self.choose)),
            5..=8 => {
                let name = ["minExclusive", "minInclusive", "maxExclusive", "maxInclusive"][kind - 5];
                format!("sh:{name} {}", Node::literal(self.choose).turtle())
            }
            9 => format!("sh:minLength {}", number(self.choose)),
            10 => format!("sh:maxLength {}", number(self.choose)),
            11 => format!("sh:pattern {}", self.choose.one(&["'^a'", "'^[a-c]+$'", "'n[0-3]'", "'^A' ; sh:flags 'i'"])),
            12 => format!("sh:languageIn {}", self.choose.one(&["( 'en' )", "( 'de' 'fr' )", "( )"])),
            13 if is_property => format!("sh:uniqueLang {}", self.choose.one(&["true", "false"])),
            14 => format!("sh:equals {}", predicate(self.choose)),
            15 => format!("sh:disjoint {}", predicate(self.choose)),
            16 if is_property => format!("sh:lessThan {}", predicate(self.choose)),
            17 if is_property => format!("sh:lessThanOrEquals {}", predicate(self.choose)),
            18 => format!("sh:hasValue {}", Node::named(self.choose).turtle()),
            19 => format!("sh:in ( {} {} )", Node::named(self.choose).turtle(), Node::named(self.choose).turtle()),
            20 => {
                let ignored =
                    self.choose.one(&["", " ; sh:ignoredProperties ( rdf:type )", " ; sh:ignoredProperties ( ex:p0 )"]);
                format!("sh:closed true{ignored}")
            }
            SIMPLE => format!("sh:not {}", self.other(at)),
            22..=24 => {
                let name = ["and", "or", "xone"][kind - 22];
                format!("sh:{name} ( {} {} )", self.other(at), self.other(at))
            }
            25 => format!("sh:node {}", self.other(at)),
            26 => format!("sh:property {}, {}", self.property(at), self.property(at)),
            27 if is_property => {
                let count = number(self.choose);
                let which = self.choose.one(&["Min", "Max"]);
                format!("sh:qualifiedValueShape {} ; sh:qualified{which}Count {count}", self.other(at))
            }
            28 => {
                // Two that exclude each other.
                let mut qualified = || {
                    let (path, shape) = (self.path(1), self.other(at));
                    format!(
                        "[ sh:path {path} ; sh:qualifiedValueShape {shape} ; sh:qualifiedMinCount 1 ;
                           sh:qualifiedMaxCount 1 ; sh:qualifiedValueShapesDisjoint true ]"
                    )
                };
                format!("sh:property {}, {}", qualified(), qualified())
            }
            _ => return format!(" ; sh:property {}", self.property(at)),
        };
        format!(" ; {text}")
    }
}

/// How many kinds of constraints there are, and how many of them refer to no shape.
const KINDS: usize = 29;
const SIMPLE: usize = 21;
