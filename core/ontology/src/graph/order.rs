//! Rows in sorted chunks that versions share: a change copies the chunks that it touches, and the list of chunks.

use std::sync::Arc;

/// A statement in one of three orders, packed so that rows compare as one number.
pub(crate) type Row = u128;

/// Rows that go, each with the one that comes in its place.
pub(super) type Pairs<'a> = &'a [(Row, Row)];

/// Rows of a chunk that is made: room is left for rows that come between.
const FILL: usize = 128;
/// Rows of the largest chunk.
const MOST: usize = 192;
/// Rows under which a changed chunk takes in the next one.
const FEWEST: usize = 48;

/// A sorted set of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// The first row of each chunk, in a place of their own for searches.
    firsts: Vec<Row>,
    /// None is empty.
    chunks: Vec<Arc<[Row]>>,
    /// How many chunks begin before each of the equal parts of the numbers that rows begin with: terms are numbered one
    /// after the other, so that a part holds about one chunk.
    parts: Vec<u32>,
    /// By how many bits a number is shifted to tell its part.
    shift: u32,
    len: usize,
    /// The last row.
    last: Row,
}

impl Order {
    /// The set of these rows, which are sorted and without repetition.
    pub(super) fn from_sorted(rows: &[Row]) -> Order {
        let mut order = Order::default();
        order.reserve(rows.len().div_ceil(FILL));
        order.push(rows);
        order.parted()
    }

    /// The set of these rows.
    pub(super) fn from_unsorted(mut rows: Vec<Row>) -> Order {
        rows.sort_unstable();
        rows.dedup();
        Order::from_sorted(&rows)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains(&self, row: Row) -> bool {
        self.range(row, row).next().is_some()
    }

    /// The rows from one to another, both included.
    pub(super) fn range(&self, from: Row, to: Row) -> Rows<'_> {
        let mut rest = [].iter();
        let mut rows = [].iter();
        // Of two graphs that are searched together, one knows nothing of most subjects.
        if from <= self.last && self.firsts.first().is_some_and(|&first| first <= to) {
            let at = self.chunk_of(from);
            let chunk = &self.chunks[at];
            rows = chunk[chunk.partition_point(|&row| row < from)..].iter();
            rest = self.chunks[at + 1..].iter();
        }
        Rows { rows, rest, to }
    }

    pub(super) fn iter(&self) -> Rows<'_> {
        Rows { rows: [].iter(), rest: self.chunks.iter(), to: Row::MAX }
    }

    /// The set after a change; what is removed may be absent, and what is added present. Both are sorted.
    pub(super) fn apply(&self, mut removed: &[Row], mut added: &[Row]) -> Order {
        let mut after = Order::default();
        after.reserve(self.chunks.len() + added.len().div_ceil(FILL));
        let mut open = Vec::with_capacity(2 * MOST);
        let mut at = 0;
        while at < self.chunks.len() {
            if open.is_empty() {
                let Some(&next) = removed.first().into_iter().chain(added.first()).min() else { break };
                let touched = self.chunk_of(next).max(at);
                after.share(&self.chunks[at..touched]);
                at = touched;
            }
            let here = |rows: &[Row]| match self.firsts.get(at + 1) {
                Some(end) => rows.partition_point(|row| row < end),
                None => rows.len(),
            };
            let (removed_here, added_here) = (removed.split_off(..here(removed)), added.split_off(..here(added)));
            merge(&self.chunks[at], removed_here.unwrap_or_default(), added_here.unwrap_or_default(), &mut open);
            at += 1;
            if open.len() >= FEWEST || at == self.chunks.len() {
                after.push(&open);
                open.clear();
            }
        }
        after.share(&self.chunks[at..]);
        if self.chunks.is_empty() {
            after.push(added);
        }
        after.parted()
    }

    /// The set with rows in the places of others: of each pair the first row goes and the second comes, and no third one
    /// lies between them. None where that does not hold. The pairs are sorted.
    pub(super) fn replace(&self, mut pairs: Pairs<'_>) -> Option<Order> {
        let mut after = self.clone();
        while let Some((&(first, _), _)) = pairs.split_first() {
            let at = self.firsts.first().map(|_| self.chunk_of(first))?;
            let end = self.firsts.get(at + 1).copied().unwrap_or(Row::MAX);
            let here = pairs.split_off(..pairs.partition_point(|&(old, _)| old < end))?;
            let mut chunk: Arc<[Row]> = Arc::from(&*self.chunks[at]);
            let rows = Arc::get_mut(&mut chunk).expect("nobody else has a chunk that was just made");
            let mut place = 0;
            for &(old, new) in here {
                place += gallop(&rows[place..], old);
                let above = place == 0 || rows[place - 1] < new;
                let below = new < rows.get(place + 1).copied().unwrap_or(end);
                if rows.get(place) != Some(&old) || !above || !below {
                    return None;
                }
                rows[place] = new;
                place += 1;
            }
            let (first, last) = (rows[0], rows[rows.len() - 1]);
            let before = at.checked_sub(1).map(|before| &after.chunks[before]);
            if before.is_some_and(|before| before[before.len() - 1] >= first) {
                return None;
            }
            if at + 1 == self.chunks.len() {
                after.last = last;
            }
            (after.firsts[at], after.chunks[at]) = (first, chunk);
        }
        Some(after)
    }

    /// The same rows after a change of their numbers that keeps their order.
    pub(super) fn map(&self, row: impl Fn(Row) -> Row) -> Order {
        let chunks: Vec<Arc<[Row]>> =
            self.chunks.iter().map(|chunk| chunk.iter().map(|&old| row(old)).collect()).collect();
        let mut mapped = Order::default();
        mapped.reserve(chunks.len());
        mapped.share(&chunks);
        mapped.parted()
    }

    /// Calls `gone` with each row that only this set has, `new` with each that only the other has; chunks in common are
    /// passed over.
    pub(super) fn differences(&self, other: &Order, mut gone: impl FnMut(Row), mut new: impl FnMut(Row)) {
        let (mut ours, mut theirs) = (self.iter(), other.iter());
        loop {
            while ours.rows.as_slice().is_empty() && theirs.rows.as_slice().is_empty() {
                match (ours.rest.as_slice().first(), theirs.rest.as_slice().first()) {
                    (Some(a), Some(b)) if Arc::ptr_eq(a, b) => {
                        ours.rest.next();
                        theirs.rest.next();
                    }
                    _ => break,
                }
            }
            // No row is the largest number: it would be of a blank node that the interner has no room for.
            let (a, b) = (ours.peek().unwrap_or(Row::MAX), theirs.peek().unwrap_or(Row::MAX));
            if a == b && a == Row::MAX {
                return;
            }
            if a < b {
                gone(a);
            } else if b < a {
                new(b);
            }
            if a <= b {
                ours.next();
            }
            if b <= a {
                theirs.next();
            }
        }
    }

    /// Where the row is, if it is there; zero before the first. There must be chunks.
    fn chunk_of(&self, row: Row) -> usize {
        let part = self.part(row).min(self.parts.len() - 2);
        let (start, end) = (self.parts[part] as usize, self.parts[part + 1] as usize);
        (start + self.firsts[start..end].partition_point(|&first| first <= row)).saturating_sub(1)
    }

    /// The part of the numbers that the row's first one is in.
    fn part(&self, row: Row) -> usize {
        (number(row).saturating_sub(number(self.firsts[0])) >> self.shift) as usize
    }

    /// With the parts counted, about two for each chunk.
    fn parted(mut self) -> Order {
        let (Some(&first), Some(&last)) = (self.firsts.first(), self.firsts.last()) else { return self };
        let bits = |number: u32| u32::BITS - number.leading_zeros();
        let chunks = u32::try_from(self.firsts.len()).expect("limits on input hold a graph far below 2^32 chunks");
        self.shift = bits(number(last) - number(first)).saturating_sub(bits(chunks));
        let mut parts = Vec::with_capacity(self.part(last) + 2);
        for (chunk, &row) in (0..).zip(&self.firsts) {
            parts.resize(parts.len().max(self.part(row) + 1), chunk);
        }
        parts.push(chunks);
        self.parts = parts;
        self
    }

    fn reserve(&mut self, chunks: usize) {
        self.firsts.reserve(chunks);
        self.chunks.reserve(chunks);
    }

    fn share(&mut self, chunks: &[Arc<[Row]>]) {
        self.firsts.extend(chunks.iter().map(|chunk| chunk[0]));
        self.len += chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
        self.chunks.extend_from_slice(chunks);
        if let Some(chunk) = chunks.last() {
            self.last = chunk[chunk.len() - 1];
        }
    }

    /// Appends rows as new chunks of about the same size.
    fn push(&mut self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        let count = if rows.len() <= MOST { 1 } else { rows.len().div_ceil(FILL) };
        for rows in rows.chunks(rows.len().div_ceil(count)) {
            self.share(&[Arc::from(rows)]);
        }
    }
}

/// Looks up the rows that begin with one number after the other: where the numbers go up, the next rows often begin where the last ended.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    order: &'a Order,
    /// Where the last answer ended.
    chunk: usize,
    row: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(order: &'a Order) -> Cursor<'a> {
        Cursor { order, chunk: 0, row: 0 }
    }

    /// The rows that begin with a number, where they lie side by side and are at most so many.
    #[inline]
    pub(super) fn beginning(&mut self, wanted: u32, most: usize) -> Option<&'a [Row]> {
        let Order { chunks, firsts, last, .. } = self.order;
        if wanted > number(*last) || firsts.first().is_none_or(|&first| number(first) > wanted) {
            return Some(&[]);
        }
        if !self.is_at(wanted) {
            let from = Row::from(wanted) << 96;
            self.chunk = self.order.chunk_of(from);
            self.row = chunks[self.chunk].partition_point(|&row| row < from);
        }
        let mut rows = &chunks[self.chunk][self.row..];
        if rows.is_empty() {
            // What comes after the last chunk was answered above.
            (self.chunk, self.row) = (self.chunk + 1, 0);
            rows = &chunks[self.chunk];
        }
        let count = rows.iter().position(|&row| number(row) != wanted).unwrap_or(rows.len());
        self.row += count;
        let goes_on = count == rows.len() && firsts.get(self.chunk + 1).is_some_and(|&first| number(first) == wanted);
        (count <= most && !goes_on).then(|| &rows[..count])
    }

    /// Whether the rows from this number on begin here.
    #[inline]
    fn is_at(&self, wanted: u32) -> bool {
        let rows = &self.order.chunks[self.chunk];
        let here = self.row.checked_sub(1).and_then(|before| rows.get(before..=self.row));
        here.is_some_and(|here| number(here[0]) < wanted && number(here[1]) >= wanted)
    }
}

/// What a row begins with.
fn number(row: Row) -> u32 {
    (row >> 96) as u32
}

/// Appends a chunk's rows after a change.
fn merge(chunk: &[Row], removed: &[Row], added: &[Row], out: &mut Vec<Row>) {
    let mut rest = chunk;
    let (mut removed, mut added) = (removed.iter().peekable(), added.iter().peekable());
    loop {
        let next = match (removed.peek(), added.peek()) {
            (None, None) => break,
            (Some(&&row), None) | (None, Some(&&row)) => row,
            (Some(&&gone), Some(&&new)) => gone.min(new),
        };
        let (before, after) = rest.split_at(gallop(rest, next));
        out.extend_from_slice(before);
        let present = after.first() == Some(&next);
        rest = &after[usize::from(present)..];
        let gone = removed.next_if(|&&row| row == next).is_some();
        let new = added.next_if(|&&row| row == next).is_some();
        if new || present && !gone {
            out.push(next);
        }
    }
    out.extend_from_slice(rest);
}

/// How many rows come before this one; cheap where they are few.
fn gallop(rows: &[Row], row: Row) -> usize {
    let mut end = 1;
    while rows.get(end - 1).is_some_and(|&other| other < row) {
        end *= 2;
    }
    let start = end / 2;
    start + rows[start..rows.len().min(end)].partition_point(|&other| other < row)
}

/// Walks over rows up to one.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows<'a> {
    rows: std::slice::Iter<'a, Row>,
    rest: std::slice::Iter<'a, Arc<[Row]>>,
    to: Row,
}

impl Rows<'_> {
    fn peek(&mut self) -> Option<Row> {
        if self.rows.as_slice().is_empty() {
            self.rows = self.rest.next()?.iter();
        }
        self.rows.as_slice().first().copied()
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    #[inline]
    fn next(&mut self) -> Option<Row> {
        let row = self.peek().filter(|&row| row <= self.to)?;
        self.rows.next();
        Some(row)
    }
}
