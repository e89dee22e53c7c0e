//! Statements in three orders: by subject always, by predicate and by object from the first question that needs them.

use std::sync::OnceLock;

use super::Triple;
use super::order::{Order, Row, Rows};
use super::term::{BLANK, IRI, Term};

/// A set of statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    by_subject: Order,
    by_predicate: OnceLock<Order>,
    by_object: OnceLock<Order>,
}

impl Layer {
    pub(super) fn new(rows: Vec<Row>) -> Layer {
        Layer { by_subject: Order::from_unsorted(rows), ..Layer::default() }
    }

    /// Subject, predicate, object.
    pub(super) fn by_subject(&self) -> &Order {
        &self.by_subject
    }

    /// Predicate, object, subject.
    pub(super) fn by_predicate(&self) -> &Order {
        self.by_predicate.get_or_init(|| Order::from_unsorted(self.by_subject.iter().map(to_predicate).collect()))
    }

    /// Object, subject, predicate.
    pub(super) fn by_object(&self) -> &Order {
        self.by_object.get_or_init(|| Order::from_unsorted(self.by_subject.iter().map(to_object).collect()))
    }

    /// The statements after a change; the orders that exist go along.
    pub(super) fn apply(&self, removed: Vec<Row>, added: Vec<Row>) -> Layer {
        let carried = |order: &OnceLock<Order>, to: fn(Row) -> Row| match order.get() {
            Some(order) => {
                let sorted = |rows: &[Row]| {
                    let mut rows: Vec<Row> = rows.iter().map(|&row| to(row)).collect();
                    rows.sort_unstable();
                    rows
                };
                OnceLock::from(order.apply(&sorted(&removed), &sorted(&added)))
            }
            None => OnceLock::new(),
        };
        Layer {
            by_predicate: carried(&self.by_predicate, to_predicate),
            by_object: carried(&self.by_object, to_object),
            by_subject: self.by_subject.apply(&removed, &added),
        }
    }

    /// [`Layer::apply`] without the orders that a later question may make again.
    pub(super) fn apply_once(&self, removed: &[Triple], added: &[Triple]) -> Layer {
        let by_subject = self.replaced(removed, added).unwrap_or_else(|| {
            let rows = |triples: &[Triple]| triples.iter().map(|&triple| row_of(triple)).collect::<Vec<Row>>();
            self.by_subject.apply(&rows(removed), &rows(added))
        });
        Layer { by_subject, ..Layer::default() }
    }

    /// The statements by subject after a change that gives properties other values, as most changes do: rows keep their
    /// places then. None for any other change.
    fn replaced(&self, removed: &[Triple], added: &[Triple]) -> Option<Order> {
        let pair = |(gone, new): (&Triple, &Triple)| {
            let same = gone.subject == new.subject && gone.predicate == new.predicate;
            same.then(|| (row_of(*gone), row_of(*new)))
        };
        if removed.len() != added.len() {
            return None;
        }
        let mut pairs = Vec::with_capacity(removed.len());
        for both in removed.iter().zip(added) {
            pairs.push(pair(both)?);
        }
        self.by_subject.replace(&pairs)
    }

    /// The same statements in other numbers, if these keep the order of the terms.
    pub(super) fn renumbered(&self, number: impl Fn(Term) -> Term) -> Layer {
        let renumber = |triple: Triple| Triple {
            subject: number(triple.subject),
            predicate: number(triple.predicate),
            object: number(triple.object),
        };
        let carried = |order: &OnceLock<Order>, from: fn(Row) -> Triple, to: fn(Row) -> Row| match order.get() {
            Some(order) => OnceLock::from(order.map(|row| to(row_of(renumber(from(row)))))),
            None => OnceLock::new(),
        };
        Layer {
            by_subject: self.by_subject.map(|row| row_of(renumber(triple_of(row)))),
            by_predicate: carried(&self.by_predicate, of_predicate, to_predicate),
            by_object: carried(&self.by_object, of_object, to_object),
        }
    }
}

/// An IRI or a blank node in 32 bits that order as the term does; of anything else none, which nothing says anything
/// of.
pub(super) fn short(term: Term) -> Option<u32> {
    matches!(term.kind(), IRI | BLANK).then(|| term.index() << 1 | u32::from(term.is_blank()))
}

fn long(short: u32) -> Term {
    Term::interned(if short & 1 == 0 { IRI } else { BLANK }, short >> 1)
}

pub(super) fn row(subject: u32, predicate: u32, object: Term) -> Row {
    Row::from(subject) << 96 | Row::from(predicate) << 64 | Row::from(object.0)
}

/// The row of a statement whose subject and predicate can be that.
pub(super) fn find_row(triple: Triple) -> Option<Row> {
    Some(row(short(triple.subject)?, short(triple.predicate)?, triple.object))
}

/// The row of a statement that is about to be said.
pub(super) fn row_of(triple: Triple) -> Row {
    find_row(triple).expect("a literal is no subject and no predicate: whoever reads a statement refuses it")
}

pub(super) fn triple_of(row: Row) -> Triple {
    Triple { subject: long((row >> 96) as u32), predicate: long((row >> 64) as u32), object: Term(row as u64) }
}

fn to_predicate(row: Row) -> Row {
    row.rotate_left(32)
}

fn to_object(row: Row) -> Row {
    row.rotate_right(64)
}

/// The statement of a row by predicate.
pub(super) fn of_predicate(row: Row) -> Triple {
    triple_of(row.rotate_right(32))
}

/// The statement of a row by object.
pub(super) fn of_object(row: Row) -> Triple {
    triple_of(row.rotate_left(64))
}

/// The rows by subject that begin so.
pub(super) fn about(order: &Order, subject: u32, predicate: Option<u32>) -> Rows<'_> {
    let (least, most) = (predicate.unwrap_or(0), predicate.unwrap_or(u32::MAX));
    order.range(row(subject, least, Term(0)), row(subject, most, Term(u64::MAX)))
}

/// The predicate of a row by subject.
#[inline]
pub(crate) fn predicate_of(row: Row) -> Term {
    long((row >> 64) as u32)
}

/// The object of a row by subject.
#[inline]
pub(crate) fn object_of(row: Row) -> Term {
    Term(row as u64)
}

/// A row of which only the object counts.
#[inline]
pub(crate) fn row_to(object: Term) -> Row {
    Row::from(object.0)
}

/// Takes the rows with a predicate, an IRI, from ordered rows about one subject, with all that come before them.
#[inline]
pub(crate) fn take_saying<'r>(rest: &mut &'r [Row], predicate: Term) -> &'r [Row] {
    let wanted = predicate.index() << 1;
    let number = |row: &Row| (row >> 64) as u32;
    let mut end = 0;
    while rest.get(end).is_some_and(|row| number(row) < wanted) {
        end += 1;
    }
    let start = end;
    while rest.get(end).is_some_and(|row| number(row) == wanted) {
        end += 1;
    }
    let (found, after) = (&rest[start..end], &rest[end..]);
    *rest = after;
    found
}

/// The rows by predicate that begin so.
pub(super) fn with_predicate(order: &Order, predicate: u32, object: Option<Term>) -> Rows<'_> {
    let end = |object: u64, subject| Row::from(predicate) << 96 | Row::from(object) << 32 | subject;
    order.range(end(object.map_or(0, |term| term.0), 0), end(object.map_or(u64::MAX, |term| term.0), 0xffff_ffff))
}

/// The rows by object that begin so.
pub(super) fn with_object(order: &Order, object: Term) -> Rows<'_> {
    let start = Row::from(object.0) << 64;
    order.range(start, start | Row::from(u64::MAX))
}

/// The rows of a change, as far as they are not the core's.
pub(super) fn rows_of(triples: &[Triple], core: Option<&Layer>) -> Vec<Row> {
    let own = |row: &Row| core.is_none_or(|core| !core.by_subject().contains(*row));
    let mut rows = Vec::with_capacity(triples.len());
    rows.extend(triples.iter().map(|&triple| row_of(triple)).filter(own));
    rows
}
