//! Lays out what was put together: the index of names, the classes' rows, the bytes of the image.

use super::super::format::{
    self, Counts, HEADER, LAYOUT_VERSION, MAGIC, RECORD, Sections, UNSUMMED, field, put_u32, put_u64,
};
use super::super::{ArtifactError, names, verify};
use super::Builder;

/// Seeds that are tried before the index is made larger.
const SEEDS_PER_SIZE: u64 = 8;

impl Builder {
    /// The index's seed and buckets, at most half of them full.
    pub(super) fn index(&mut self) -> Result<(u64, Vec<u64>), ArtifactError> {
        if self.hashes.is_empty() {
            return Ok((0, Vec::new()));
        }
        let mut buckets = vec![names::EMPTY_BUCKET; (2 * self.hashes.len()).next_power_of_two()];
        for seed in 0u64.. {
            if seed > 0 {
                self.rehash(seed);
                if seed.is_multiple_of(SEEDS_PER_SIZE) {
                    ArtifactError::check_limit("name buckets", 2 * buckets.len() as u64, 1 << 28)?;
                    buckets.resize(2 * buckets.len(), names::EMPTY_BUCKET);
                }
            }
            if names::fill(&mut buckets, self.hashes.iter().copied()) {
                return Ok((seed, buckets));
            }
        }
        unreachable!("the table grows beyond its limit first")
    }

    fn rehash(&mut self, seed: u64) {
        for (hash, offset) in &mut self.hashes {
            let at = *offset as usize;
            let len = format::u32_at(&self.names, at + 8) as usize;
            let name = &self.names[at + RECORD..at + RECORD + len];
            *hash = names::hash(seed, format::u32_at(&self.names, at + 4), name);
        }
    }

    /// Points each class at its row, now that the rows' place is known.
    pub(super) fn place_classes(&mut self, sections: &Sections) -> Result<(), ArtifactError> {
        for &(slot, number, ref ancestors) in &self.classes {
            let what = if number >= sections.counts.classes {
                "classes must be numbered from 0 without a gap"
            } else if ancestors.iter().any(|&ancestor| ancestor >= sections.counts.classes) {
                "its ancestors include a class that is not there"
            } else {
                let offset = sections.rows + sections.row_bytes * number as usize - sections.slots;
                self.slots[slot as usize].value = offset as u64 | u64::from(number) << 32;
                continue;
            };
            return Err(ArtifactError::Unbuildable { slot, what });
        }
        Ok(())
    }

    pub(super) fn fill(&self, image: &mut [u8], sections: &Sections, seed: u64, buckets: &[u64]) {
        image[field::MAGIC..field::MAGIC + 8].copy_from_slice(&MAGIC);
        put_u32(image, field::LAYOUT, LAYOUT_VERSION);
        put_u32(image, field::HEADER, HEADER as u32);
        put_u64(image, field::TOTAL, sections.total as u64);
        let Counts { slots, classes, names, name_bytes, buckets: bucket_count, heap_bytes } = sections.counts;
        for (at, count) in [
            (field::SLOTS, slots),
            (field::CLASSES, classes),
            (field::NAMES, names),
            (field::NAME_BYTES, name_bytes),
            (field::BUCKETS, bucket_count),
            (field::HEAP_BYTES, heap_bytes),
        ] {
            put_u32(image, at, count);
        }
        put_u64(image, field::SEED, seed);
        image[field::KEY_TABLE..field::KEY_TABLE + 32].copy_from_slice(&self.key_table);
        image[field::SNAPSHOT_ID..field::SNAPSHOT_ID + 32].copy_from_slice(&self.snapshot_id);

        for (range, &(low, high)) in image[HEADER..sections.slots].chunks_exact_mut(16).rev().zip(&self.ranges) {
            put_u64(range, 0, low);
            put_u64(range, 8, high);
        }
        for (bytes, slot) in image[sections.slots..sections.references].chunks_exact_mut(16).zip(&self.slots) {
            put_u64(bytes, 0, slot.tag);
            put_u64(bytes, 8, slot.value);
        }
        for (bytes, &offset) in image[sections.references..sections.heap].chunks_exact_mut(4).zip(&self.references) {
            put_u32(bytes, 0, offset);
        }
        image[sections.heap..sections.rows].copy_from_slice(&self.heap);
        for (_, number, ancestors) in &self.classes {
            let row = sections.rows + sections.row_bytes * *number as usize;
            for &ancestor in ancestors {
                image[row + ancestor as usize / 8] |= 1 << (ancestor % 8);
            }
        }
        image[sections.names..sections.buckets].copy_from_slice(&self.names);
        for (bytes, &bucket) in image[sections.buckets..sections.total].chunks_exact_mut(8).zip(buckets) {
            put_u64(bytes, 0, bucket);
        }
        let checksum = verify::checksum(&image[UNSUMMED..]);
        put_u64(image, field::CHECKSUM, checksum);
    }
}
