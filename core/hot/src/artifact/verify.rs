//! The gate: what an image must satisfy before anything reads it.
//!
//! Every check runs on a private copy through bounds-checked slices, in time linear in the image (the closure of classes excepted,
//! whose number is limited), with scratch memory of one byte a slot. The order matters only for the error a person sees.

use twox_hash::XxHash3_64;

use super::ArtifactError;
use super::format::{Counts, HEADER, LAYOUT_VERSION, MAGIC, NONE, RECORD, Sections, UNSUMMED, field, u32_at, u64_at};
use super::names::{self, Record};
use super::value;
use crate::layout::Tag;

/// The range of what is not a number: low above high, both as i64 and as f64.
pub(super) const EMPTY_RANGE: (u64, u64) = (1, 0);
/// The range of an unguarded i64.
pub(super) const FULL_I64: (u64, u64) = (i64::MIN as u64, i64::MAX as u64);
/// The range of an unguarded f64.
pub(super) const FULL_F64: (u64, u64) = (f64::NEG_INFINITY.to_bits(), f64::INFINITY.to_bits());

/// What an image may ask for at most; checked before memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the whole image.
    pub bytes: u64,
    /// Slots: keys that the sector's key table ever gave out.
    pub slots: u32,
    /// Classes; their closure takes `classes² / 8` bytes.
    pub classes: u32,
    /// Bytes of one name.
    pub name_bytes: u32,
    /// Names on a path.
    pub depth: u8,
}

impl Default for Limits {
    /// 256 MiB, 1,000,000 slots, 4,096 classes, names of 256 bytes, 64 names on a path.
    fn default() -> Limits {
        Limits { bytes: 256 << 20, slots: 1_000_000, classes: 4096, name_bytes: 256, depth: 64 }
    }
}

/// The checksum of the bytes behind the header's fixed part.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Checks what can be told from the header and the length alone, before the image is copied.
pub(super) fn header(image: &[u8], limits: &Limits) -> Result<Sections, ArtifactError> {
    ArtifactError::check_limit("bytes", image.len() as u64, limits.bytes)?;
    if image.len() < 8 || image[..8] != MAGIC {
        return Err(ArtifactError::NotAnArtifact);
    }
    let length = |expected| Err(ArtifactError::Length { found: image.len() as u64, expected });
    if image.len() < HEADER {
        return length(HEADER as u64);
    }
    match u32_at(image, field::LAYOUT) {
        LAYOUT_VERSION => {}
        found => return Err(ArtifactError::Layout { found, known: LAYOUT_VERSION }),
    }
    if u32_at(image, field::HEADER) as usize != HEADER {
        return Err(ArtifactError::malformed("its header has another size", field::HEADER));
    }
    let total = u64_at(image, field::TOTAL);
    if total != image.len() as u64 {
        return length(total);
    }
    let sections = Counts::read(image).check(limits)?;
    if sections.total != image.len() {
        return length(sections.total as u64);
    }
    Ok(sections)
}

/// Compares the checksum; `image` is the private copy.
pub(super) fn sum(image: &[u8]) -> Result<(), ArtifactError> {
    let (found, expected) = (checksum(&image[UNSUMMED..]), u64_at(image, field::CHECKSUM));
    if found == expected { Ok(()) } else { Err(ArtifactError::Checksum { found, expected }) }
}

/// Checks everything behind the header; `image` is the private copy that [`header`] accepted.
pub(super) fn contents(image: &[u8], sections: &Sections, limits: &Limits) -> Result<(), ArtifactError> {
    values(image, sections)?;
    index(image, sections, limits)
}

/// [`contents`] of an image whose names and index were copied from a verified one with as many slots. What remains to be seen of them is
/// that each parent is still a map.
pub(super) fn contents_under_known_names(image: &[u8], sections: &Sections) -> Result<(), ArtifactError> {
    values(image, sections)?;
    let mut at = sections.names;
    for _ in 0..sections.counts.names {
        let parent = u32_at(image, at + 4);
        if parent != NONE && u64_at(image, sections.slot(parent as usize)) != Tag::Map as u64 {
            return Err(ArtifactError::malformed("a name's parent is not a map", at));
        }
        at += Record::stride(u32_at(image, at + 8) as usize);
    }
    Ok(())
}

/// Checks all but the names.
fn values(image: &[u8], sections: &Sections) -> Result<(), ArtifactError> {
    let counts = sections.counts;
    if let Some(at) = image[field::RESERVED..HEADER].iter().position(|&byte| byte != 0) {
        return Err(ArtifactError::malformed("a reserved byte is not zero", field::RESERVED + at));
    }
    if !counts.heap_bytes.is_multiple_of(8) || !counts.name_bytes.is_multiple_of(8) {
        return Err(ArtifactError::malformed("a section's size is not a multiple of 8", field::NAME_BYTES));
    }
    let padding = sections.references + 4 * counts.slots as usize..sections.heap;
    if let Some(at) = image[padding.clone()].iter().position(|&byte| byte != 0) {
        return Err(ArtifactError::malformed("padding is not zero", padding.start + at));
    }
    Slots { image, sections, unspent: counts.heap_bytes.into(), classes: vec![false; counts.classes as usize] }
        .check()?;
    class_rows(image, sections)
}

/// Walks the slots. `unspent` bounds the work: no heap byte is paid for twice, so spans cannot share a long string a million times.
struct Slots<'a> {
    image: &'a [u8],
    sections: &'a Sections,
    unspent: u64,
    classes: Vec<bool>,
}

impl<'a> Slots<'a> {
    fn check(mut self) -> Result<(), ArtifactError> {
        let (image, sections) = (self.image, self.sections);
        let slots = image[sections.slots..sections.references].chunks_exact(16);
        let ranges = image[HEADER..sections.slots].chunks_exact(16).rev();
        for (number, (slot, range)) in slots.zip(ranges).enumerate() {
            let (tag, bits) = (u64_at(slot, 0), u64_at(slot, 8));
            let range = (u64_at(range, 0), u64_at(range, 8));
            let wrong = |what| Err(ArtifactError::malformed(what, sections.slot(number)));
            let Some(tag) = value::tag(tag) else { return wrong("a slot's tag is unknown") };
            let in_range = match tag {
                Tag::I64 => (range.0 as i64..=range.1 as i64).contains(&(bits as i64)),
                // No comparison with NaN holds, so a NaN is refused both as a value and as a bound.
                Tag::F64 => {
                    let value = f64::from_bits(bits);
                    value.is_finite() && (f64::from_bits(range.0)..=f64::from_bits(range.1)).contains(&value)
                }
                _ => range == EMPTY_RANGE,
            };
            if !in_range {
                return Err(ArtifactError::malformed("a range does not fit its slot's value", sections.range(number)));
            }
            let valid = match tag {
                Tag::I64 | Tag::F64 => true,
                Tag::Absent | Tag::Map => bits == 0,
                Tag::Bool => bits <= 1,
                Tag::Str => self.text(bits),
                Tag::Bytes => self.span(bits, 1, 1, 0).is_some(),
                Tag::ListBool => self.span(bits, 1, 1, 0).is_some_and(|list| list.iter().all(|&byte| byte <= 1)),
                Tag::ListI64 => self.span(bits, 8, 8, 0).is_some(),
                Tag::ListF64 => self
                    .span(bits, 8, 8, 0)
                    .is_some_and(|list| list.chunks_exact(8).all(|value| f64::from_bits(u64_at(value, 0)).is_finite())),
                Tag::ListStr => self.list(bits, Self::text),
                Tag::ListBytes => self.list(bits, |slots, span| slots.span(span, 1, 1, 0).is_some()),
                Tag::Class => self.class(bits),
            };
            if !valid {
                return wrong(match tag {
                    Tag::Absent | Tag::Map => "a slot without a value has value bits",
                    Tag::Bool => "a truth value is neither 0 nor 1",
                    Tag::Str | Tag::ListStr => "a string leaves the heap, lacks its NUL, holds one or is not UTF-8",
                    Tag::Class => "a class has a number or a row that is not its own",
                    _ => "a list or bytes leave the heap, are not aligned or hold an invalid element",
                });
            }
        }
        match self.classes.iter().position(|seen| !seen) {
            Some(_) => Err(ArtifactError::malformed("a class row belongs to no slot", self.sections.rows)),
            None => Ok(()),
        }
    }

    /// The bytes of a span of `size`-byte elements, with `more` bytes behind it.
    fn span(&mut self, bits: u64, size: u64, align: u64, more: u64) -> Option<&'a [u8]> {
        let (offset, len) = (bits & u64::from(u32::MAX), bits >> 32);
        let start = self.sections.slots as u64 + offset;
        let cost = len * size + more;
        let end = start + cost;
        if start < self.sections.heap as u64 || end > self.sections.rows as u64 || !start.is_multiple_of(align) {
            return None;
        }
        self.unspent = self.unspent.checked_sub(cost)?;
        Some(&self.image[start as usize..end as usize])
    }

    fn text(&mut self, bits: u64) -> bool {
        let Some([text @ .., 0]) = self.span(bits, 1, 1, 1) else { return false };
        !text.contains(&0) && std::str::from_utf8(text).is_ok()
    }

    /// A list of spans, each checked by `element`.
    fn list(&mut self, bits: u64, element: impl Fn(&mut Self, u64) -> bool) -> bool {
        let Some(spans) = self.span(bits, 8, 4, 0) else { return false };
        spans.chunks_exact(8).all(|span| element(self, u64_at(span, 0)))
    }

    fn class(&mut self, bits: u64) -> bool {
        let (offset, number) = (bits as u32 as usize, (bits >> 32) as usize);
        let row = self.sections.rows - self.sections.slots + self.sections.row_bytes * number;
        match self.classes.get_mut(number) {
            Some(seen) if !*seen && offset == row => {
                *seen = true;
                true
            }
            _ => false,
        }
    }
}

/// Each row has its own bit, none beyond the last class, and with each ancestor all of that one's ancestors.
fn class_rows(image: &[u8], sections: &Sections) -> Result<(), ArtifactError> {
    let count = sections.counts.classes as usize;
    let rows = &image[sections.rows..sections.names];
    let row = |class: usize| &rows[class * sections.row_bytes..][..sections.row_bytes];
    for class in 0..count {
        let mine = row(class);
        let wrong = |what| Err(ArtifactError::malformed(what, sections.rows + class * sections.row_bytes));
        for at in (0..sections.row_bytes * 8).filter(|at| mine[at / 8] >> (at % 8) & 1 != 0) {
            if at >= count {
                return wrong("a class row has a bit beyond the last class");
            }
            if row(at).iter().zip(mine).any(|(theirs, mine)| theirs & !mine != 0) {
                return wrong("a class row lacks an ancestor of an ancestor");
            }
        }
        if mine[class / 8] >> (class % 8) & 1 == 0 {
            return wrong("a class is not among its own ancestors");
        }
    }
    Ok(())
}

/// Records, references and buckets lead to each other, one to one, and a lookup finds every name.
fn index(image: &[u8], sections: &Sections, limits: &Limits) -> Result<(), ArtifactError> {
    let counts = sections.counts;
    if counts.buckets != 0 && (!counts.buckets.is_power_of_two() || counts.buckets <= counts.names) {
        return Err(ArtifactError::malformed("the name index has no room or an odd size", field::BUCKETS));
    }
    if counts.names > counts.buckets {
        return Err(ArtifactError::malformed("there are names but no index", field::NAMES));
    }
    let seed = u64_at(image, field::SEED);
    let mut depths = vec![0u8; counts.slots as usize];
    let mut found = 0;
    let mut at = sections.names;
    while sections.buckets - at >= RECORD && found < counts.names {
        let wrong = |what| Err(ArtifactError::malformed(what, at));
        let offset = (at - sections.names) as u32;
        let Some(record) = Record::at(image, sections, offset) else { return wrong("a name leaves its section") };
        let end = at + Record::stride(record.name.len());
        if end > sections.buckets || image[at + RECORD + record.name.len()..end].iter().any(|&byte| byte != 0) {
            return wrong("a name lacks its NUL");
        }
        valid_name(record.name, limits).or_else(wrong)?;
        if record.slot >= counts.slots || reference(image, sections, record.slot) != offset {
            return wrong("a name and its slot do not refer to each other");
        }
        let depth = match record.parent {
            NONE => 1,
            // A parent's depth is known only if its record came first, which also rules cycles out.
            parent => match depths.get(parent as usize) {
                Some(&above) if above > 0 => above + 1,
                _ => return wrong("a name's parent has no name before it"),
            },
        };
        if depth > limits.depth.min(u8::MAX - 1) {
            return wrong("a path has too many names");
        }
        if record.parent != NONE && u64_at(image, sections.slot(record.parent as usize)) != Tag::Map as u64 {
            return wrong("a name's parent is not a map");
        }
        depths[record.slot as usize] = depth;
        if names::lookup(image, sections, seed, record.parent, record.name) != Some(record.slot) {
            return wrong("a lookup does not find a name");
        }
        found += 1;
        at = end;
    }
    if found < counts.names || image[at..sections.buckets].iter().any(|&byte| byte != 0) || sections.buckets - at >= 8 {
        return Err(ArtifactError::malformed("the names end early or late", at));
    }
    let references = &image[sections.references..sections.references + 4 * counts.slots as usize];
    let named = references.chunks_exact(4).filter(|reference| u32_at(reference, 0) != NONE).count();
    if named != found as usize {
        return Err(ArtifactError::malformed("a slot refers to no name", sections.references));
    }
    let buckets = image[sections.buckets..sections.total].chunks_exact(8).map(|bucket| u64_at(bucket, 0));
    if buckets.filter(|&bucket| bucket != names::EMPTY_BUCKET).count() != found as usize {
        return Err(ArtifactError::malformed("a bucket leads to no name", sections.buckets));
    }
    Ok(())
}

fn reference(image: &[u8], sections: &Sections, slot: u32) -> u32 {
    u32_at(image, sections.reference(slot as usize))
}

fn valid_name(name: &[u8], limits: &Limits) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > limits.name_bytes as usize {
        return Err("a name is empty or too long");
    }
    // One pass without an early way out, which compilers turn into a few vector instructions.
    let (mut bits, mut forbidden) = (0, false);
    for &byte in name {
        bits |= byte;
        forbidden |= byte == 0 || byte == b'/';
    }
    if forbidden || (bits >= 0x80 && std::str::from_utf8(name).is_err()) {
        return Err("a name holds a NUL or a slash or is not UTF-8");
    }
    Ok(())
}
