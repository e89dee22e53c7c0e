//! An artifact in which some values are others: what most promotions change.

use super::format::{Sections, UNSUMMED, field, put_u64, u64_at};
use super::memory::Mapping;
use super::{Artifact, ArtifactError, Builder, Limits, Value, verify};
use crate::layout::Tag;

/// The image of a successor, still writable: the same slots, names, types and ranges, other values. [`Revision::finish`] seals it.
#[derive(Debug)]
pub struct Revision {
    mapping: Mapping,
    sections: Sections,
}

impl Artifact {
    /// A successor in which these slots, each at most once, hold these values: truth values, numbers, texts or bytes of the slot's own
    /// type and within its range. The artifact must come from a [`Builder`]: its values share no memory.
    ///
    /// # Errors
    /// [`ArtifactError::Unbuildable`] for a value of another type, outside the range, or that no image can hold.
    pub fn revise<'v>(&self, changes: impl Iterator<Item = (u32, Value<'v>)>) -> Result<Revision, ArtifactError> {
        let mut spans: Vec<(u32, &'v [u8])> = Vec::new();
        let mut revision = self.copy(self.sections)?;
        for (slot, value) in changes {
            let wrong = |what| ArtifactError::Unbuildable { slot, what };
            if slot >= self.slots() {
                return Err(wrong("there is no such slot"));
            }
            let at = self.sections.slot(slot as usize);
            if u64_at(self.image(), at) != value.tag() as u64 {
                return Err(wrong("a revision keeps the types"));
            }
            let range = self.sections.range(slot as usize);
            let (low, high) = (u64_at(self.image(), range), u64_at(self.image(), range + 8));
            let bits = match value {
                Value::Bool(value) => value.into(),
                Value::I64(value) if (low as i64..=high as i64).contains(&value) => value as u64,
                Value::F64(value)
                    if value.is_finite() && (f64::from_bits(low)..=f64::from_bits(high)).contains(&value) =>
                {
                    value.to_bits()
                }
                Value::I64(_) | Value::F64(_) => return Err(wrong("its value lies outside its range")),
                Value::Str(text) if text.as_bytes().contains(&0) => {
                    return Err(wrong("a string holds a NUL: make it bytes"));
                }
                Value::Str(text) => {
                    spans.push((slot, text.as_bytes()));
                    continue;
                }
                Value::Bytes(bytes) => {
                    spans.push((slot, bytes));
                    continue;
                }
                _ => return Err(wrong("a revision changes scalars")),
            };
            put_u64(revision.mapping.bytes_mut(), at + 8, bits);
        }
        let fits = spans.iter().all(|&(slot, bytes)| {
            let span = u64_at(self.image(), self.sections.slot(slot as usize) + 8);
            bytes.len() as u64 <= span >> 32
        });
        if fits {
            revision.write_in_place(&spans)
        } else {
            revision = revision.relaid(self, spans)?
        }
        Ok(revision)
    }

    fn copy(&self, sections: Sections) -> Result<Revision, ArtifactError> {
        let memory = |source| ArtifactError::Memory { bytes: sections.total as u64, source };
        let mut mapping = self.memory.home().take(sections.total).map_err(memory)?;
        mapping.bytes_mut().copy_from_slice(self.image());
        Ok(Revision { mapping, sections })
    }
}

impl Revision {
    /// Writes texts and bytes where the ones before them were, none of which was shorter. What is left over is zero.
    fn write_in_place(&mut self, spans: &[(u32, &[u8])]) {
        let sections = self.sections;
        let image = self.mapping.bytes_mut();
        for &(slot, bytes) in spans {
            let at = sections.slot(slot as usize) + 8;
            let span = u64_at(image, at);
            let start = sections.spanned(span as u32);
            let before = (span >> 32) as usize;
            image[start..start + bytes.len()].copy_from_slice(bytes);
            image[start + bytes.len()..start + before].fill(0);
            put_u64(image, at, span & u64::from(u32::MAX) | (bytes.len() as u64) << 32);
        }
    }

    /// The same with a heap of another size: every text, every list is laid anew.
    fn relaid(self, before: &Artifact, mut spans: Vec<(u32, &[u8])>) -> Result<Revision, ArtifactError> {
        spans.sort_unstable_by_key(|&(slot, _)| slot);
        let mut spans = spans.into_iter().peekable();
        let mut builder = Builder::with_limits(before.slots(), Limits { slots: before.slots(), ..Limits::default() });
        for slot in 0..before.slots() {
            let tag = u64_at(before.image(), self.sections.slot(slot as usize));
            if let Some((_, bytes)) = spans.next_if(|&(changed, _)| changed == slot) {
                let text = |bytes| std::str::from_utf8(bytes).expect("a text's bytes were a text's");
                builder.set(slot, if tag == Tag::Str as u64 { Value::Str(text(bytes)) } else { Value::Bytes(bytes) });
            } else if (Tag::Str as u64..Tag::Map as u64).contains(&tag) {
                builder.set(slot, before.value(slot).expect("a slot with a tag holds a value"));
            }
        }
        let (heap, slots) = builder.into_heap()?;
        let mut counts = self.sections.counts;
        ArtifactError::check_limit("bytes", heap.len() as u64, u32::MAX.into())?;
        counts.heap_bytes = heap.len() as u32;
        let sections = counts.check(&Limits { slots: counts.slots, ..Limits::default() })?;
        let memory = |source| ArtifactError::Memory { bytes: sections.total as u64, source };
        let mut mapping = before.memory.home().take(sections.total).map_err(memory)?;
        let (image, from) = (mapping.bytes_mut(), self.mapping.bytes());
        image[..sections.heap].copy_from_slice(&from[..sections.heap]);
        image[sections.heap..sections.rows].copy_from_slice(&heap);
        image[sections.rows..].copy_from_slice(&from[self.sections.rows..]);
        put_u64(image, field::TOTAL, sections.total as u64);
        super::format::put_u32(image, field::HEAP_BYTES, counts.heap_bytes);
        for (slot, laid) in slots.iter().enumerate() {
            let at = sections.slot(slot);
            match u64_at(image, at) {
                tag if (Tag::Str as u64..Tag::Map as u64).contains(&tag) => put_u64(image, at + 8, laid.value),
                tag if tag == Tag::Class as u64 => {
                    let number = u64_at(image, at + 8) >> 32;
                    let offset = sections.rows + sections.row_bytes * number as usize - sections.slots;
                    put_u64(image, at + 8, offset as u64 | number << 32);
                }
                _ => {}
            }
        }
        Ok(Revision { mapping, sections })
    }

    /// Seals it as the image of a snapshot.
    ///
    /// # Errors
    /// [`ArtifactError::Memory`] when the system does not protect it.
    pub fn finish(mut self, snapshot_id: [u8; 32]) -> Result<Artifact, ArtifactError> {
        let image = self.mapping.bytes_mut();
        image[field::SNAPSHOT_ID..field::SNAPSHOT_ID + 32].copy_from_slice(&snapshot_id);
        let checksum = verify::checksum(&image[UNSUMMED..]);
        put_u64(image, field::CHECKSUM, checksum);
        let memory = |source| ArtifactError::Memory { bytes: self.sections.total as u64, source };
        Ok(Artifact::new(self.mapping.protect().map_err(memory)?, self.sections))
    }
}
