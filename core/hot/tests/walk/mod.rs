//! Reads everything that an accepted image offers, the way inline code does, and checks that each read stays inside the image.

use knhk_hot::artifact::{Artifact, Value, lookup_raw};
use knhk_hot::layout::{Slot, Span, Tag};

/// Makes an image's checksum right again, as whoever wants to be believed would.
pub fn forge(image: &mut [u8]) {
    if image.len() >= 32 {
        let checksum = twox_hash::XxHash3_64::oneshot(&image[32..]);
        image[24..32].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Reads all of it.
pub fn walk(artifact: &Artifact) {
    let reads = Reads { artifact };
    let slots = (artifact.limit() / 16) as u32;
    let mut classes = Vec::new();
    for slot in 0..slots {
        reads.range(slot);
        let Slot { tag, value } = reads.slot(slot);
        let span = Span { offset: value as u32, len: (value >> 32) as u32 };
        if tag == Tag::Class as u64 {
            classes.push(span);
        } else {
            reads.value(tag, value, span);
        }
    }
    for class in classes.iter().take(64) {
        for ancestor in classes.iter().take(64) {
            reads.bytes(class.offset as usize + ancestor.len as usize / 8, 1, 1);
        }
    }
    names(artifact);
}

/// The safe face must agree: every entry is reachable by its path.
fn names(artifact: &Artifact) {
    for entry in artifact.entries() {
        if let Some((parent, leaf)) = artifact.name(entry.slot) {
            assert_eq!(artifact.lookup(parent, leaf), Some(entry.slot));
            assert_eq!(artifact.find(&entry.path), Some(entry.slot));
            // SAFETY: address and limit are of one artifact that lives.
            let raw = unsafe { lookup_raw(artifact.address(), artifact.limit(), parent, leaf.as_bytes()) };
            assert_eq!(raw, Some(entry.slot));
        }
        assert_eq!(artifact.lookup(Some(entry.slot), "no such name"), None);
        if let Value::Class { number, ancestors } = &entry.value {
            assert!(ancestors.contains(number));
        }
    }
    assert_eq!(artifact.named().count(), (0..artifact.slots()).filter(|&slot| artifact.name(slot).is_some()).count());
}

struct Reads<'a> {
    artifact: &'a Artifact,
}

impl<'a> Reads<'a> {
    /// `len` bytes at `offset` from the artifact's address, once they are known to be in the image.
    fn bytes(&self, offset: usize, len: usize, align: usize) -> &'a [u8] {
        let image = self.artifact.image().as_ptr_range();
        let start = self.artifact.address().cast::<u8>().wrapping_add(offset);
        assert_eq!(start as usize % align, 0, "an element is aligned");
        assert!(start >= image.start && start as usize + len <= image.end as usize, "a read leaves the image");
        // SAFETY: just checked to lie in the image, which lives as long as the artifact.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    fn word(&self, offset: usize, align: usize) -> u64 {
        u64::from_le_bytes(self.bytes(offset, 8, align).try_into().expect("eight bytes were asked for"))
    }

    fn slot(&self, slot: u32) -> Slot {
        let at = slot as usize * 16;
        Slot { tag: self.word(at, 16), value: self.word(at + 8, 8) }
    }

    fn range(&self, slot: u32) {
        self.word((-16 * (slot as isize + 1)) as usize, 16);
    }

    fn value(&self, tag: u64, value: u64, span: Span) {
        let (at, len) = (span.offset as usize, span.len as usize);
        match tag {
            0 | 11 => assert_eq!(value, 0),
            1 => assert!(value <= 1),
            2 => {}
            3 => assert!(f64::from_bits(value).is_finite()),
            4 => self.text(span),
            5 => drop(self.bytes(at, len, 1)),
            6 => assert!(self.bytes(at, len, 1).iter().all(|&byte| byte <= 1)),
            7 => (0..len).for_each(|i| _ = self.word(at + 8 * i, 8)),
            8 => (0..len).for_each(|i| assert!(f64::from_bits(self.word(at + 8 * i, 8)).is_finite())),
            9 | 10 => (0..len).for_each(|i| {
                let bits = self.word(at + 8 * i, 4);
                let span = Span { offset: bits as u32, len: (bits >> 32) as u32 };
                self.value(tag - 5, bits, span);
            }),
            other => panic!("a slot has tag {other}"),
        }
    }

    fn text(&self, span: Span) {
        let bytes = self.bytes(span.offset as usize, span.len as usize + 1, 1);
        let (&end, text) = bytes.split_last().expect("there is at least the NUL");
        assert!(end == 0 && !text.contains(&0) && std::str::from_utf8(text).is_ok());
    }
}
