//! Brings statements in the order in which they are written, and finds what can be nested.

use std::cell::RefCell;
use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use crate::graph::{Term, TermRef, Terms, Triple};
use crate::vocabulary::rdf;

/// Levels of nesting that are written; what is deeper gets a label.
const LEVELS: usize = 12;

/// Statements in order: subjects by name, then by label, `rdf:type` first, then predicates and objects by name.
pub(super) struct Layout<'a> {
    terms: &'a Terms,
    triples: &'a [Triple],
    subjects: Vec<(Term, Range<usize>)>,
    about: HashMap<Term, Range<usize>>,
    /// Blank nodes that one statement refers to.
    once: HashSet<Term>,
    /// Cells of lists that end well.
    cells: HashSet<Term>,
    list: ListTerms,
    /// Subjects that were written.
    done: RefCell<HashSet<Term>>,
}

#[derive(Clone, Copy)]
struct ListTerms {
    first: Term,
    rest: Term,
    nil: Term,
}

/// How an object is written.
pub(super) enum Shape<'a> {
    /// By its name, label or text.
    Term(TermRef<'a>),
    /// A list of these.
    List(Vec<Term>),
    /// A blank node here, with what is said of it.
    Nested(Range<usize>),
}

impl<'a> Layout<'a> {
    pub fn new(terms: &'a Terms, triples: &'a mut Vec<Triple>) -> Layout<'a> {
        sort(terms, triples);
        let triples: &'a [Triple] = triples;
        let mut subjects = Vec::new();
        let mut start = 0;
        for group in triples.chunk_by(|a, b| a.subject == b.subject) {
            subjects.push((group[0].subject, start..start + group.len()));
            start += group.len();
        }
        let about = subjects.iter().cloned().collect();
        let list = ListTerms { first: terms.iri(rdf::FIRST), rest: terms.iri(rdf::REST), nil: terms.iri(rdf::NIL) };
        let mut referrers: HashMap<Term, Option<Triple>> = HashMap::new();
        for &triple in triples.iter().filter(|triple| triple.object.is_blank()) {
            let once = (triple.subject != triple.object).then_some(triple);
            referrers.entry(triple.object).and_modify(|before| *before = None).or_insert(once);
        }
        referrers.retain(|_, once| once.is_some());
        let mut layout = Layout {
            terms,
            triples,
            subjects,
            about,
            once: referrers.keys().copied().collect(),
            cells: HashSet::new(),
            list,
            done: RefCell::default(),
        };
        layout.find_lists(&referrers);
        layout
    }

    /// Follows lists from their ends to their beginnings.
    fn find_lists(&mut self, referrers: &HashMap<Term, Option<Triple>>) {
        let ends: Vec<Triple> = self.triples.iter().copied().filter(|triple| triple.object == self.list.nil).collect();
        for end in ends {
            let mut link = end;
            while link.predicate == self.list.rest && self.is_cell(link.subject) && self.cells.insert(link.subject) {
                link = referrers[&link.subject].expect("a cell is referred to once");
            }
        }
    }

    /// Whether this is a blank node that one statement refers to, with one first element, one rest, and nothing else.
    fn is_cell(&self, node: Term) -> bool {
        let said = self.about.get(&node).map_or(&[][..], |range| &self.triples[range.clone()]);
        self.once.contains(&node)
            && said.len() == 2
            && said.iter().any(|triple| triple.predicate == self.list.first)
            && said.iter().any(|triple| triple.predicate == self.list.rest)
    }

    pub fn terms(&self) -> &'a Terms {
        self.terms
    }

    pub fn triples(&self) -> &'a [Triple] {
        self.triples
    }

    /// Every subject with its statements, nothing nested.
    pub fn flat(&self) -> impl Iterator<Item = (Term, &'a [Triple])> + '_ {
        self.subjects.iter().map(|(subject, range)| (*subject, &self.triples[range.clone()]))
    }

    /// Goes through the subjects that are written for themselves; those nested meanwhile are left out.
    pub fn each_subject(&self, mut write: impl FnMut(Term, &'a [Triple])) {
        // What is referred to once is met from there, unless it is in a circle or lies too deep: then it comes at the end.
        for nested in [false, true] {
            for (subject, range) in &self.subjects {
                if self.once.contains(subject) == nested && self.done.borrow_mut().insert(*subject) {
                    write(*subject, &self.triples[range.clone()]);
                }
            }
        }
    }

    /// How to write an object at a level of nesting, counted from 0; what is nested counts as written from then on.
    pub fn shape(&self, object: Term, level: usize) -> Shape<'a> {
        let whole = || Shape::Term(self.terms.get(object));
        if object == self.list.nil {
            return Shape::List(Vec::new());
        }
        if level >= LEVELS || !self.once.contains(&object) || self.done.borrow().contains(&object) {
            return whole();
        }
        if self.cells.contains(&object) {
            return self.elements(object).map_or_else(whole, Shape::List);
        }
        self.done.borrow_mut().insert(object);
        Shape::Nested(self.about.get(&object).cloned().unwrap_or(0..0))
    }

    pub fn said(&self, range: Range<usize>) -> &'a [Triple] {
        &self.triples[range]
    }

    /// The elements of a list; none where one of its cells was written for itself.
    fn elements(&self, head: Term) -> Option<Vec<Term>> {
        let (mut cells, mut elements) = (Vec::new(), Vec::new());
        let mut cell = head;
        while cell != self.list.nil {
            cells.push(cell);
            for triple in &self.triples[self.about[&cell].clone()] {
                if triple.predicate == self.list.first {
                    elements.push(triple.object);
                } else {
                    cell = triple.object;
                }
            }
        }
        let mut done = self.done.borrow_mut();
        let whole = cells.iter().all(|cell| !done.contains(cell));
        whole.then(|| {
            done.extend(cells);
            elements
        })
    }
}

/// Sorts statements by what their terms say.
fn sort(terms: &Terms, triples: &mut Vec<Triple>) {
    let mut all: Vec<Term> =
        triples.iter().flat_map(|triple| [triple.subject, triple.predicate, triple.object]).collect();
    all.sort_unstable();
    all.dedup();
    all.sort_by_cached_key(|&term| match terms.get(term) {
        TermRef::Iri(iri) => (0, 0, iri.to_owned(), "", None),
        TermRef::Literal { lexical, datatype, language } => (1, 0, lexical.into_owned(), datatype, language),
        TermRef::Blank(label) => (2, label.len(), label.to_owned(), "", None), // c14n9 before c14n10
    });
    let rank: HashMap<Term, usize> = all.iter().enumerate().map(|(rank, &term)| (term, rank)).collect();
    let kind = terms.iri(rdf::TYPE);
    triples.sort_by_cached_key(|triple| {
        (rank[&triple.subject], triple.predicate != kind, rank[&triple.predicate], rank[&triple.object])
    });
    triples.dedup();
}
