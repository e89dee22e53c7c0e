//! What a parser says, between the parser's thread and the one that interns it: copied into one buffer, so that what the parser made is
//! freed at once by the thread that made it.

use oxrdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple};

/// A term as a parser gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Iri(&'a str),
    /// A blank node that the parser made, by its number for it.
    Anonymous(u128),
    /// A blank node with a label of its own.
    Labelled(&'a str),
    /// A lexical form and a datatype.
    Literal(&'a str, &'a str),
    /// A text and its language.
    Text(&'a str, &'a str),
    /// A statement as a term, which is not read.
    Triple,
}

/// A statement as a parser gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub(super) subject: Said<'a>,
    pub(super) predicate: &'a str,
    pub(super) object: Said<'a>,
    /// The graph that it names.
    pub(super) graph: Option<&'a GraphName>,
}

impl<'a> From<&'a NamedOrBlankNode> for Said<'a> {
    fn from(node: &'a NamedOrBlankNode) -> Said<'a> {
        match node {
            NamedOrBlankNode::NamedNode(node) => Said::Iri(node.as_str()),
            NamedOrBlankNode::BlankNode(node) => node.into(),
        }
    }
}

impl<'a> From<&'a oxrdf::BlankNode> for Said<'a> {
    fn from(node: &'a oxrdf::BlankNode) -> Said<'a> {
        node.as_ref().unique_id().map_or(Said::Labelled(node.as_str()), Said::Anonymous)
    }
}

impl<'a> From<&'a Term> for Said<'a> {
    fn from(term: &'a Term) -> Said<'a> {
        match term {
            Term::NamedNode(node) => Said::Iri(node.as_str()),
            Term::BlankNode(node) => node.into(),
            Term::Literal(literal) => match literal.language() {
                Some(language) => Said::Text(literal.value(), language),
                None => Said::Literal(literal.value(), literal.datatype().as_str()),
            },
            #[allow(unreachable_patterns, reason = "another crate of the build may turn oxrdf's RDF 1.2 on")]
            _ => Said::Triple,
        }
    }
}

impl<'a> Statement<'a> {
    pub(super) fn new(subject: &'a NamedOrBlankNode, predicate: &'a NamedNode, object: &'a Term) -> Statement<'a> {
        Statement { subject: subject.into(), predicate: predicate.as_str(), object: object.into(), graph: None }
    }
}

impl<'a> From<&'a Triple> for Statement<'a> {
    fn from(triple: &'a Triple) -> Statement<'a> {
        Statement::new(&triple.subject, &triple.predicate, &triple.object)
    }
}

impl<'a> From<&'a Quad> for Statement<'a> {
    fn from(quad: &'a Quad) -> Statement<'a> {
        let graph = Some(&quad.graph_name).filter(|graph| **graph != GraphName::DefaultGraph);
        Statement { graph, ..Statement::new(&quad.subject, &quad.predicate, &quad.object) }
    }
}

/// Statements in a row.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    /// How the text is cut, term by term.
    pieces: Vec<Piece>,
    /// Statements that name a graph, by their place.
    graphs: Vec<(usize, GraphName)>,
}

#[derive(Clone, Copy, Debug)]
enum Piece {
    Iri(usize),
    Anonymous(u128),
    Labelled(usize),
    Literal(usize, usize),
    Text(usize, usize),
    Triple,
}

/// Terms of a statement.
const TERMS: usize = 3;

impl Batch {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.pieces.clear();
        self.graphs.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.pieces.len() * size_of::<Piece>()
    }

    /// Copies a statement.
    pub(super) fn push(&mut self, statement: &Statement<'_>) {
        if let Some(graph) = statement.graph {
            self.graphs.push((self.pieces.len() / TERMS, graph.clone()));
        }
        for term in [statement.subject, Said::Iri(statement.predicate), statement.object] {
            let piece = self.piece(term);
            self.pieces.push(piece);
        }
    }

    fn piece(&mut self, term: Said<'_>) -> Piece {
        let mut add = |text: &str| {
            self.text.push_str(text);
            text.len()
        };
        match term {
            Said::Iri(iri) => Piece::Iri(add(iri)),
            Said::Anonymous(number) => Piece::Anonymous(number),
            Said::Labelled(label) => Piece::Labelled(add(label)),
            Said::Literal(lexical, datatype) => Piece::Literal(add(lexical), add(datatype)),
            Said::Text(text, language) => Piece::Text(add(text), add(language)),
            Said::Triple => Piece::Triple,
        }
    }

    /// Gives each statement to `take`, in order.
    pub(super) fn each<E>(&self, mut take: impl FnMut(&Statement<'_>) -> Result<(), E>) -> Result<(), E> {
        let (mut rest, mut graphs) = (self.text.as_str(), self.graphs.iter().peekable());
        let mut cut = |piece: Piece| {
            let mut next = |len: usize| {
                let (text, after) = rest.split_at(len);
                rest = after;
                text
            };
            match piece {
                Piece::Iri(len) => Said::Iri(next(len)),
                Piece::Anonymous(number) => Said::Anonymous(number),
                Piece::Labelled(len) => Said::Labelled(next(len)),
                Piece::Literal(lexical, datatype) => Said::Literal(next(lexical), next(datatype)),
                Piece::Text(text, language) => Said::Text(next(text), next(language)),
                Piece::Triple => Said::Triple,
            }
        };
        for (at, &[subject, predicate, object]) in self.pieces.as_chunks::<TERMS>().0.iter().enumerate() {
            let (subject, predicate, object) = (cut(subject), cut(predicate), cut(object));
            let Said::Iri(predicate) = predicate else { unreachable!("a predicate was an IRI") };
            let graph = graphs.next_if(|(of, _)| *of == at).map(|(_, graph)| graph);
            take(&Statement { subject, predicate, object, graph })?;
        }
        Ok(())
    }
}
