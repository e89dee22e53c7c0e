//! Graphs: sets of statements that never change, and what can be asked of them.

use std::iter::Chain;
use std::sync::Arc;

use super::layer::{self, Layer, find_row, row_of, short, triple_of};
use super::order::{Cursor, Row, Rows};
use super::{Delta, Term, Terms};

/// A statement: subject, predicate, object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Triple {
    /// An IRI or a blank node.
    pub subject: Term,
    /// An IRI.
    pub predicate: Term,
    /// Any term.
    pub object: Term,
}

/// An immutable set of statements. Cloning it is cheap, and what two versions share is stored once.
///
/// A graph may stand over a core: it says what the core says and its own statements, which are others. Answers come in
/// order, the core's before the own ones. Questions take no lock, except that the first question by predicate and the
/// first by object each sort the statements anew, while others that ask the same wait.
#[derive(Clone, Debug)]
pub struct Graph {
    terms: Arc<Terms>,
    core: Option<Arc<Layer>>,
    own: Arc<Layer>,
}

impl Graph {
    /// No statements.
    pub fn empty(terms: Arc<Terms>) -> Graph {
        Graph { terms, core: None, own: Arc::default() }
    }

    /// No statements but those of `core`, which every change leaves alone. Where that graph stands over a core, this
    /// one stands over the same.
    pub fn over(core: &Graph) -> Graph {
        let layer = core.core.as_ref().unwrap_or(&core.own);
        Graph { terms: core.terms.clone(), core: Some(layer.clone()), own: Arc::default() }
    }

    /// The interner of its terms.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// How many statements there are, the core's included.
    pub fn len(&self) -> usize {
        self.layers().map(|layer| layer.by_subject().len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many statements are not the core's.
    pub fn own_len(&self) -> usize {
        self.own.by_subject().len()
    }

    /// Whether it says this.
    pub fn contains(&self, triple: Triple) -> bool {
        find_row(triple).is_some_and(|row| self.layers().any(|layer| layer.by_subject().contains(row)))
    }

    /// Whether the core says this.
    pub fn is_core(&self, triple: Triple) -> bool {
        find_row(triple).is_some_and(|row| self.core.iter().any(|core| core.by_subject().contains(row)))
    }

    /// All statements, ordered by their terms' numbers: subject, predicate, object.
    pub fn iter(&self) -> impl Iterator<Item = Triple> + '_ {
        self.answers(|layer| Some(layer.by_subject().iter())).map(triple_of)
    }

    /// The statements that are not the core's, in the same order.
    pub fn own(&self) -> impl Iterator<Item = Triple> + '_ {
        self.own.by_subject().iter().map(triple_of)
    }

    /// What is said of a subject: predicates and objects.
    pub fn about(&self, subject: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        let rows = self.answers(|layer| Some(layer::about(layer.by_subject(), short(subject)?, None)));
        rows.map(triple_of).map(|triple| (triple.predicate, triple.object))
    }

    /// Looks up what is said of subjects; it costs least where they come in order.
    pub(crate) fn subjects_in_order(&self) -> Subjects<'_> {
        let core = self.core.as_deref().map(|layer| Cursor::new(layer.by_subject()));
        Subjects { graph: self, core, own: Cursor::new(self.own.by_subject()) }
    }

    /// The objects of a subject's property.
    pub fn objects(&self, subject: Term, predicate: Term) -> impl Iterator<Item = Term> + '_ {
        let rows =
            self.answers(|layer| Some(layer::about(layer.by_subject(), short(subject)?, Some(short(predicate)?))));
        rows.map(|row| Term(row as u64))
    }

    /// The subjects that have this object for a property.
    pub fn subjects(&self, predicate: Term, object: Term) -> impl Iterator<Item = Term> + '_ {
        let rows =
            self.answers(|layer| Some(layer::with_predicate(layer.by_predicate(), short(predicate)?, Some(object))));
        rows.map(|row| layer::of_predicate(row).subject)
    }

    /// The statements with a predicate: objects and subjects, ordered by object.
    pub fn with_predicate(&self, predicate: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        let rows = self.answers(|layer| Some(layer::with_predicate(layer.by_predicate(), short(predicate)?, None)));
        rows.map(layer::of_predicate).map(|triple| (triple.object, triple.subject))
    }

    /// The statements with an object: subjects and predicates.
    pub fn with_object(&self, object: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        let rows = self.answers(|layer| Some(layer::with_object(layer.by_object(), object)));
        rows.map(layer::of_object).map(|triple| (triple.subject, triple.predicate))
    }

    /// The graph after a change of its own statements; this one stays as it is. What the change says of the core's
    /// statements is passed over: whoever takes changes from outside refuses it before, by [`Graph::is_core`].
    pub fn apply(&self, delta: &Delta) -> Graph {
        let rows = |triples| layer::rows_of(triples, self.core.as_deref());
        let own = Arc::new(self.own.apply(rows(delta.removed()), rows(delta.added())));
        Graph { terms: self.terms.clone(), core: self.core.clone(), own }
    }

    /// [`Graph::apply`] of a change that is known to say nothing of the core's statements, where questions by predicate and by object
    /// are not expected: the first one sorts the statements anew.
    pub(crate) fn apply_own(&self, delta: &Delta) -> Graph {
        let own = Arc::new(self.own.apply_once(delta.removed(), delta.added()));
        Graph { terms: self.terms.clone(), core: self.core.clone(), own }
    }

    /// Calls `gone` with each own statement that `to` has not, `new` with each that only `to` has.
    pub(super) fn differences(&self, to: &Graph, mut gone: impl FnMut(Triple), mut new: impl FnMut(Triple)) {
        let (ours, theirs) = (self.own.by_subject(), to.own.by_subject());
        ours.differences(theirs, |row| gone(triple_of(row)), |row| new(triple_of(row)));
    }

    /// The own statements in another graph's interner, without a core.
    pub(super) fn translated(&self, to: &Graph) -> Graph {
        let mut builder = GraphBuilder::new(to.terms.clone());
        let mut writer = to.terms.writer();
        let mut term = |term| writer.import(&self.terms.get(term));
        for triple in self.own() {
            builder.push(term(triple.subject), term(triple.predicate), term(triple.object));
        }
        builder.finish()
    }

    /// The same statements in the numbers of another interner, if these keep the order of the terms.
    pub(super) fn renumbered(&self, terms: Arc<Terms>, number: impl Fn(Term) -> Term) -> Graph {
        let core = self.core.as_ref().map(|core| Arc::new(core.renumbered(&number)));
        Graph { terms, core, own: Arc::new(self.own.renumbered(&number)) }
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.core.as_deref().into_iter().chain([&*self.own])
    }

    /// The rows that the core and then the own statements answer with.
    fn answers<'a>(&'a self, ask: impl Fn(&'a Layer) -> Option<Rows<'a>>) -> Chain<Rows<'a>, Rows<'a>> {
        let core = self.core.as_deref().and_then(&ask).unwrap_or_default();
        core.chain(ask(&self.own).unwrap_or_default())
    }
}

/// What is said of one subject after the other; see [`Graph::subjects_in_order`].
pub(crate) struct Subjects<'g> {
    graph: &'g Graph,
    core: Option<Cursor<'g>>,
    own: Cursor<'g>,
}

impl<'g> Subjects<'g> {
    /// What is said of a subject, ordered by predicate and object: as it lies there, or gathered in `room`. None where it is more than
    /// `most` statements.
    #[inline]
    pub(crate) fn about<'a>(&mut self, subject: Term, most: usize, room: &'a mut Vec<Row>) -> Option<&'a [Row]>
    where
        'g: 'a,
    {
        let Some(number) = short(subject) else { return Some(&[]) };
        let own = self.own.beginning(number, most);
        match (self.core.as_mut().map(|core| core.beginning(number, most)), own) {
            (None | Some(Some([])), Some(rows)) | (Some(Some(rows)), Some([])) => return Some(rows),
            _ => {}
        }
        room.clear();
        room.extend(self.graph.answers(|layer| Some(layer::about(layer.by_subject(), number, None))).take(most + 1));
        if room.len() > most {
            return None;
        }
        if !room.is_sorted() {
            room.sort_unstable();
        }
        Some(room)
    }
}

/// Collects statements into a graph.
#[derive(Debug)]
pub struct GraphBuilder {
    base: Graph,
    rows: Vec<Row>,
}

impl GraphBuilder {
    /// No statements yet.
    pub fn new(terms: Arc<Terms>) -> GraphBuilder {
        GraphBuilder { base: Graph::empty(terms), rows: Vec::new() }
    }

    /// No statements yet but a core's, as [`Graph::over`].
    pub fn over(core: &Graph) -> GraphBuilder {
        GraphBuilder { base: Graph::over(core), rows: Vec::new() }
    }

    /// The interner of its terms.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.base.terms
    }

    /// How many statements were pushed, repetitions included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none was pushed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Makes room for so many statements.
    pub fn reserve(&mut self, statements: usize) {
        self.rows.reserve(statements);
    }

    /// Adds a statement; saying it twice, or what the core says, is saying it once.
    ///
    /// # Panics
    /// Where the subject or the predicate is a literal.
    pub fn push(&mut self, subject: Term, predicate: Term, object: Term) {
        self.rows.push(row_of(Triple { subject, predicate, object }));
    }

    /// The graph of what was pushed.
    pub fn finish(self) -> Graph {
        let GraphBuilder { base, mut rows } = self;
        if let Some(core) = &base.core {
            rows.retain(|&row| !core.by_subject().contains(row));
        }
        Graph { own: Arc::new(Layer::new(rows)), ..base }
    }
}
