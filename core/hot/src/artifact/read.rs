//! Reading an artifact by name or as a whole; inline code reads slots by itself.

use super::format::{Counts, HEADER, LAYOUT_VERSION, NONE, Sections, field, u32_at, u64_at};
use super::names::{self, Record};
use super::verify::{FULL_F64, FULL_I64};
use super::{Artifact, Bounds, Entry, Value, value};
use crate::layout::{Slot, Tag};

impl Artifact {
    /// The slot that `leaf` leads to in the map of slot `parent`, or at the top.
    #[inline]
    pub fn lookup(&self, parent: Option<u32>, leaf: &str) -> Option<u32> {
        let seed = u64_at(self.image(), field::SEED);
        names::lookup(self.image(), &self.sections, seed, parent.unwrap_or(NONE), leaf.as_bytes())
    }

    /// The slot that a path leads to.
    pub fn find(&self, path: &str) -> Option<u32> {
        path.split('/').try_fold(None, |parent, leaf| self.lookup(parent, leaf).map(Some))?
    }

    /// How many slots have a name.
    pub fn names(&self) -> u32 {
        self.sections.counts.names
    }

    /// Whether a slot has a name.
    pub fn is_named(&self, slot: u32) -> bool {
        slot < self.slots() && u32_at(self.image(), self.sections.reference(slot as usize)) != NONE
    }

    /// The name of a slot and the map that it is in.
    pub fn name(&self, slot: u32) -> Option<(Option<u32>, &str)> {
        let record = self.record(slot)?;
        let name = std::str::from_utf8(record.name).expect("names were verified to be UTF-8");
        Some((Some(record.parent).filter(|&parent| parent != NONE), name))
    }

    /// The path that leads to a slot.
    pub fn path(&self, slot: u32) -> Option<String> {
        let (mut parent, leaf) = self.name(slot)?;
        let mut names = vec![leaf];
        while let Some((above, name)) = parent.and_then(|slot| self.name(slot)) {
            names.push(name);
            parent = above;
        }
        names.reverse();
        Some(names.join("/"))
    }

    /// The type of what a slot holds; none where there is no such slot.
    pub fn tag(&self, slot: u32) -> Option<Tag> {
        let at = self.sections.slot(slot as usize);
        (slot < self.slots()).then(|| value::tag(u64_at(self.image(), at)).expect("tags were verified"))
    }

    /// What a slot holds; none if it is absent.
    pub fn value(&self, slot: u32) -> Option<Value<'_>> {
        let tag = self.tag(slot)?;
        let bits = u64_at(self.image(), self.sections.slot(slot as usize) + 8);
        Some(match tag {
            Tag::Absent => return None,
            Tag::Bool => Value::Bool(bits != 0),
            Tag::I64 => Value::I64(bits as i64),
            Tag::F64 => Value::F64(f64::from_bits(bits)),
            Tag::Str => Value::Str(self.text(bits)),
            Tag::Bytes => Value::Bytes(self.spanned(bits, 1)),
            Tag::ListBool => Value::ListBool(self.elements(bits)),
            Tag::ListI64 => Value::ListI64(self.elements(bits)),
            Tag::ListF64 => Value::ListF64(self.elements(bits)),
            Tag::ListStr => Value::ListStr(self.spans(bits).map(|span| self.text(span)).collect()),
            Tag::ListBytes => Value::ListBytes(self.spans(bits).map(|span| self.spanned(span, 1)).collect()),
            Tag::Map => Value::Map,
            Tag::Class => Value::Class { number: (bits >> 32) as u32, ancestors: self.ancestors(bits) },
        })
    }

    /// The range that guards a slot, where one was set.
    pub fn bounds(&self, slot: u32) -> Option<Bounds> {
        if slot >= self.slots() {
            return None;
        }
        let range = self.sections.range(slot as usize);
        let range = (u64_at(self.image(), range), u64_at(self.image(), range + 8));
        match self.value(slot)? {
            Value::I64(_) if range != FULL_I64 => Some(Bounds::I64(range.0 as i64, range.1 as i64)),
            Value::F64(_) if range != FULL_F64 => Some(Bounds::F64(f64::from_bits(range.0), f64::from_bits(range.1))),
            _ => None,
        }
    }

    /// Every slot that is present, in order of slot numbers.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.slots()).filter_map(|slot| {
            let value = self.value(slot)?;
            Some(Entry { path: self.path(slot).unwrap_or_default(), slot, value, bounds: self.bounds(slot) })
        })
    }

    /// The named slots, each after the map that it is in.
    pub fn named(&self) -> impl Iterator<Item = u32> {
        let mut offset = 0;
        (0..self.sections.counts.names).map(move |_| {
            let record = Record::at(self.image(), &self.sections, offset).expect("name records were verified");
            offset += Record::stride(record.name.len()) as u32;
            record.slot
        })
    }

    fn record(&self, slot: u32) -> Option<Record<'_>> {
        if slot >= self.slots() {
            return None;
        }
        match u32_at(self.image(), self.sections.reference(slot as usize)) {
            NONE => None,
            offset => Record::at(self.image(), &self.sections, offset),
        }
    }

    fn spanned(&self, bits: u64, size: usize) -> &[u8] {
        let start = self.sections.spanned(bits as u32);
        &self.image()[start..start + (bits >> 32) as usize * size]
    }

    fn spans(&self, bits: u64) -> impl Iterator<Item = u64> {
        self.spanned(bits, 8).chunks_exact(8).map(|span| u64_at(span, 0))
    }

    fn text(&self, bits: u64) -> &str {
        std::str::from_utf8(self.spanned(bits, 1)).expect("strings were verified to be UTF-8")
    }

    fn elements<T: Element>(&self, bits: u64) -> &[T] {
        let bytes = self.spanned(bits, size_of::<T>());
        // SAFETY: `Element` promises that verified bytes are values of `T`; the verifier checked the alignment relative to the image's
        // start, which lies on a page, and `spanned` that the bytes are there.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
    }

    fn ancestors(&self, bits: u64) -> Vec<u32> {
        let start = self.sections.spanned(bits as u32);
        let row = &self.image()[start..start + self.sections.row_bytes];
        (0..self.sections.counts.classes).filter(|&class| row[class as usize / 8] >> (class % 8) & 1 != 0).collect()
    }
}

/// # Safety
/// The verifier leaves no list of this type whose bytes are not valid, aligned values of it.
unsafe trait Element: Copy {}
// SAFETY: each byte is 0 or 1.
unsafe impl Element for bool {}
// SAFETY: any 8 bytes are an i64; the span is 8-byte aligned.
unsafe impl Element for i64 {}
// SAFETY: any 8 bytes are an f64; the span is 8-byte aligned.
unsafe impl Element for f64 {}

/// [`Artifact::lookup`] for whoever holds only what a descriptor says.
///
/// # Safety
/// `artifact` and `limit` are the [`address`](Artifact::address) and the [`limit`](Artifact::limit) of one artifact that lives
/// for as long as the call: the header then lies at `artifact − limit − 192` and says how long the image is.
#[inline]
pub unsafe fn lookup_raw(artifact: *const Slot, limit: u64, parent: Option<u32>, leaf: &[u8]) -> Option<u32> {
    // SAFETY: a verified image begins there, with a header whose total is the image's length.
    let image = unsafe {
        let header = artifact.cast::<u8>().sub(limit as usize + HEADER);
        // Another copy of the library, of the same ABI, may lay its artifacts out otherwise behind the slots.
        if header.add(field::LAYOUT).cast::<u32>().read() != LAYOUT_VERSION {
            return None;
        }
        let total = header.add(field::TOTAL).cast::<u64>().read();
        std::slice::from_raw_parts(header, total as usize)
    };
    let sections: Sections = Counts::read(image).sections();
    names::lookup(image, &sections, u64_at(image, field::SEED), parent.unwrap_or(NONE), leaf)
}
