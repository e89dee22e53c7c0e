//! Puts an image together.

use super::format::{self, Counts, NONE, RECORD, field, put_u32};
use super::memory::Mapping;
use super::names::{self, Record};
use super::verify::{self, EMPTY_RANGE};
use super::{Artifact, ArtifactError, Limits, Value};
use crate::layout::{Slot, Tag};

mod lay_out;

/// Builds an [`Artifact`]: say what each slot holds, then [`finish`](Builder::finish).
///
/// What cannot be built is remembered and returned by `finish`, so that calls chain.
#[derive(Debug)]
pub struct Builder {
    counts: Counts,
    slots: Vec<Slot>,
    ranges: Vec<(u64, u64)>,
    references: Vec<u32>,
    heap: Vec<u8>,
    names: Vec<u8>,
    hashes: Vec<(u64, u32)>,
    classes: Vec<(u32, u32, Vec<u32>)>,
    key_table: [u8; 32],
    snapshot_id: [u8; 32],
    limits: Limits,
    failed: Option<ArtifactError>,
    /// A verified index that is taken as it is, with its seed.
    index: Option<(u64, Vec<u64>)>,
}

impl Builder {
    /// A builder of an image with `slots` slots, all absent, under the default limits.
    pub fn new(slots: u32) -> Builder {
        Builder::with_limits(slots, Limits::default())
    }

    /// A builder of an image with `slots` slots, all absent.
    pub fn with_limits(slots: u32, limits: Limits) -> Builder {
        let failed = Counts { slots, ..Counts::default() }.check(&limits).err();
        let count = if failed.is_some() { 0 } else { slots as usize };
        Builder {
            counts: Counts { slots: count as u32, ..Counts::default() },
            slots: vec![Slot::default(); count],
            ranges: vec![EMPTY_RANGE; count],
            references: vec![NONE; count],
            heap: Vec::with_capacity(8 * count),
            names: Vec::with_capacity(28 * count),
            hashes: Vec::with_capacity(count),
            classes: Vec::new(),
            key_table: [0; 32],
            snapshot_id: [0; 32],
            limits,
            failed,
            index: None,
        }
    }

    /// Says what a slot holds. Said twice, the last one counts.
    pub fn set(&mut self, slot: u32, value: Value<'_>) -> &mut Builder {
        if let Err(what) = self.try_set(slot, value) {
            self.fail(slot, what);
        }
        self
    }

    /// Guards an i64 slot, set before, with an inclusive range.
    pub fn range_i64(&mut self, slot: u32, low: i64, high: i64) -> &mut Builder {
        match self.slots.get(slot as usize) {
            Some(Slot { tag, value }) if *tag == Tag::I64 as u64 => {
                if low <= *value as i64 && *value as i64 <= high {
                    self.ranges[slot as usize] = (low as u64, high as u64);
                } else {
                    self.fail(slot, "its value lies outside its range");
                }
            }
            _ => self.fail(slot, "a range of i64 needs an i64 value, set before the range"),
        }
        self
    }

    /// Guards an f64 slot, set before, with an inclusive range; a side that is infinite is open.
    pub fn range_f64(&mut self, slot: u32, low: f64, high: f64) -> &mut Builder {
        match self.slots.get(slot as usize) {
            Some(Slot { tag, value }) if *tag == Tag::F64 as u64 => {
                if (low..=high).contains(&f64::from_bits(*value)) {
                    self.ranges[slot as usize] = (low.to_bits(), high.to_bits());
                } else {
                    self.fail(slot, "its value lies outside its range");
                }
            }
            _ => self.fail(slot, "a range of f64 needs an f64 value, set before the range"),
        }
        self
    }

    /// Names a slot: `leaf` below the map in slot `parent`, or at the top. A parent is named before what lies below it.
    pub fn name(&mut self, parent: Option<u32>, leaf: &str, slot: u32) -> &mut Builder {
        let named = |slot: u32| self.references.get(slot as usize).is_some_and(|&offset| offset != NONE);
        let parent_slot = parent.unwrap_or(NONE);
        if slot as usize >= self.slots.len() {
            self.fail(slot, "there is no such slot");
        } else if named(slot) {
            self.fail(slot, "it has a name already");
        } else if parent.is_some_and(|parent| !named(parent)) {
            self.fail(slot, "its parent has no name yet");
        } else if self.names.len() + Record::stride(leaf.len()) >= NONE as usize {
            self.fail(slot, "all names together exceed 4 GiB");
        } else {
            let offset = self.names.len() as u32;
            self.references[slot as usize] = offset;
            let mut head = [0; RECORD];
            put_u32(&mut head, 0, slot);
            put_u32(&mut head, 4, parent_slot);
            put_u32(&mut head, 8, leaf.len() as u32);
            self.names.extend_from_slice(&head);
            self.names.extend_from_slice(leaf.as_bytes());
            self.names.extend_from_slice(&[0; 4][..Record::stride(leaf.len()) - RECORD - leaf.len()]);
            self.hashes.push((names::hash(0, parent_slot, leaf.as_bytes()), offset));
        }
        self
    }

    /// Names all slots as `before` does, in place of [`name`](Builder::name): an index that was verified is copied and not built and
    /// verified again. Every slot that `before` names, and no other, must be set; `finish` refuses else.
    pub fn names_of(&mut self, before: &Artifact) -> &mut Builder {
        if before.slots() as usize != self.slots.len() || !self.hashes.is_empty() {
            self.fail(0, "names can be taken over for as many slots, and before any is given");
            return self;
        }
        let (image, sections) = (before.image(), &before.sections);
        let words = |bytes: std::ops::Range<usize>| image[bytes].chunks_exact(4).map(|word| format::u32_at(word, 0));
        let references = sections.references..sections.references + 4 * self.slots.len();
        self.references.clear();
        self.references.extend(words(references));
        self.names.clear();
        self.names.extend_from_slice(&image[sections.names..sections.buckets]);
        self.counts.names = sections.counts.names;
        let buckets = image[sections.buckets..sections.total].chunks_exact(8).map(|bucket| format::u64_at(bucket, 0));
        self.index = Some((format::u64_at(image, field::SEED), buckets.collect()));
        self
    }

    /// Whether exactly the named slots are set and the maps among them are those that `before` had: what taking an index over needs.
    fn index_fits(&self) -> bool {
        let set = |slot: &Slot| slot.tag != Tag::Absent as u64;
        self.slots.iter().zip(&self.references).all(|(slot, &name)| set(slot) == (name != NONE))
    }

    /// Records the identity of the key table that the slot numbers come from.
    pub fn key_table(&mut self, id: [u8; 32]) -> &mut Builder {
        self.key_table = id;
        self
    }

    /// Records the content address of the snapshot this was compiled from.
    pub fn snapshot_id(&mut self, id: [u8; 32]) -> &mut Builder {
        self.snapshot_id = id;
        self
    }

    /// Lays the image out, verifies it as if it came from a stranger, and protects it.
    pub fn finish(mut self) -> Result<Artifact, ArtifactError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        pad(&mut self.heap, 8);
        pad(&mut self.names, 8);
        let taken_over = self.index.is_some();
        if taken_over && !self.index_fits() {
            return Err(ArtifactError::Unbuildable {
                slot: 0,
                what: "the names that were taken over are those of other slots",
            });
        }
        if !taken_over {
            self.counts.names = self.hashes.len() as u32;
        }
        self.counts.name_bytes = self.names.len() as u32;
        self.counts.classes = self.classes.len() as u32;
        ArtifactError::check_limit("bytes", self.heap.len() as u64, u32::MAX.into())?;
        self.counts.heap_bytes = self.heap.len() as u32;
        let (seed, buckets) = match self.index.take() {
            Some(index) => index,
            None => self.index()?,
        };
        self.counts.buckets = buckets.len() as u32;
        let sections = self.counts.check(&self.limits)?;
        self.place_classes(&sections)?;

        let memory = |source| ArtifactError::Memory { bytes: sections.total as u64, source };
        let mut mapping = Mapping::zeroed(sections.total).map_err(memory)?;
        self.fill(mapping.bytes_mut(), &sections, seed, &buckets);
        if taken_over {
            verify::contents_under_known_names(mapping.bytes(), &sections)?;
        } else {
            verify::contents(mapping.bytes(), &sections, &self.limits)?;
        }
        Ok(Artifact::new(mapping.protect().map_err(memory)?, sections))
    }

    /// The heap, padded, and the slots that point into it.
    pub(super) fn into_heap(mut self) -> Result<(Vec<u8>, Vec<Slot>), ArtifactError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        pad(&mut self.heap, 8);
        Ok((self.heap, self.slots))
    }

    fn fail(&mut self, slot: u32, what: &'static str) {
        self.failed.get_or_insert(ArtifactError::Unbuildable { slot, what });
    }

    fn try_set(&mut self, slot: u32, value: Value<'_>) -> Result<(), &'static str> {
        let index = slot as usize;
        if index >= self.slots.len() {
            return Err("there is no such slot");
        }
        let tag = value.tag();
        let mut range = EMPTY_RANGE;
        let bits = match value {
            Value::Bool(value) => value.into(),
            Value::I64(value) => {
                range = verify::FULL_I64;
                value as u64
            }
            Value::F64(value) if value.is_finite() => {
                range = verify::FULL_F64;
                value.to_bits()
            }
            Value::F64(_) => return Err("a double must be finite"),
            Value::Str(text) => self.text(text)?,
            Value::Bytes(bytes) => self.spanned(bytes, 1, bytes.len())?,
            Value::ListBool(list) => {
                let start = self.heap.len();
                self.heap.extend(list.iter().map(|&value| u8::from(value)));
                self.span(start, list.len())?
            }
            Value::ListI64(list) => self.words(list.len(), list.iter().map(|value| value.to_le_bytes()))?,
            Value::ListF64(list) if list.iter().all(|value| value.is_finite()) => {
                self.words(list.len(), list.iter().map(|value| value.to_le_bytes()))?
            }
            Value::ListF64(_) => return Err("a double must be finite"),
            Value::ListStr(list) => {
                let spans = list.iter().map(|text| self.text(text)).collect::<Result<Vec<u64>, _>>()?;
                self.spans(&spans)?
            }
            Value::ListBytes(list) => {
                let spans =
                    list.iter().map(|bytes| self.spanned(bytes, 1, bytes.len())).collect::<Result<Vec<u64>, _>>()?;
                self.spans(&spans)?
            }
            Value::Map => 0,
            Value::Class { number, ancestors } => {
                self.classes.retain(|&(other, ..)| other != slot);
                self.classes.push((slot, number, ancestors));
                0
            }
        };
        self.slots[index] = Slot { tag: tag as u64, value: bits };
        self.ranges[index] = range;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<u64, &'static str> {
        if text.as_bytes().contains(&0) {
            return Err("a string holds a NUL: make it bytes");
        }
        let span = self.spanned(text.as_bytes(), 1, text.len())?;
        self.heap.push(0);
        Ok(span)
    }

    fn words(&mut self, len: usize, words: impl Iterator<Item = [u8; 8]>) -> Result<u64, &'static str> {
        pad(&mut self.heap, 8);
        let start = self.heap.len();
        self.heap.extend(words.flatten());
        self.span(start, len)
    }

    fn spans(&mut self, spans: &[u64]) -> Result<u64, &'static str> {
        pad(&mut self.heap, 4);
        let start = self.heap.len();
        self.heap.extend(spans.iter().flat_map(|span| span.to_le_bytes()));
        self.span(start, spans.len())
    }

    fn spanned(&mut self, bytes: &[u8], align: usize, len: usize) -> Result<u64, &'static str> {
        pad(&mut self.heap, align);
        let start = self.heap.len();
        self.heap.extend_from_slice(bytes);
        self.span(start, len)
    }

    /// A span of `len` elements that begins `start` bytes into the heap, whose place is known from the slot count alone.
    fn span(&self, start: usize, len: usize) -> Result<u64, &'static str> {
        let sections = self.counts.sections();
        let offset = u32::try_from(sections.heap - sections.slots + start);
        match (offset, u32::try_from(len)) {
            (Ok(offset), Ok(len)) => Ok(u64::from(offset) | u64::from(len) << 32),
            _ => Err("all values together exceed 4 GiB"),
        }
    }
}

fn pad(bytes: &mut Vec<u8>, align: usize) {
    bytes.resize(bytes.len().next_multiple_of(align), 0);
}
