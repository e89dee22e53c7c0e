//! Snapshots as sorted lines: whole, or as what changed since another.

use crate::{Hash, Snapshot, StoreError};

impl Snapshot {
    /// How many changes may stand between a snapshot and one that is stored whole.
    pub const MAX_DEPTH: u64 = 64;
    /// Bytes of a snapshot's statements, at most.
    pub const MAX_BYTES: usize = 512 << 20;

    /// A snapshot with all of its statements.
    pub fn whole(id: Hash, statements: Vec<u8>) -> Snapshot {
        Snapshot { id, base: None, removed: Vec::new(), added: statements }
    }

    /// A snapshot as what changed since `base`.
    pub fn delta(id: Hash, base: Hash, removed: Vec<u8>, added: Vec<u8>) -> Snapshot {
        Snapshot { id, base: Some(base), removed, added }
    }
}

/// Applies a change to sorted lines.
pub(crate) fn apply(base: &[u8], removed: &[u8], added: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = (base.len() + added.len()).saturating_sub(removed.len());
    if size > Snapshot::MAX_BYTES {
        return Err(StoreError::corrupt(format!("a snapshot of more than {} bytes", Snapshot::MAX_BYTES)));
    }
    let mut out = Vec::with_capacity(size);
    let mut gone = removed.split_inclusive(newline).peekable();
    let mut new = added.split_inclusive(newline).peekable();
    for line in base.split_inclusive(newline) {
        while let Some(earlier) = new.next_if(|new| *new < line) {
            out.extend_from_slice(earlier);
        }
        if gone.next_if(|gone| *gone == line).is_none() {
            out.extend_from_slice(line);
        }
    }
    new.for_each(|line| out.extend_from_slice(line));
    match gone.next() {
        None => Ok(out),
        Some(line) => Err(StoreError::corrupt(format!(
            "a snapshot removes a statement that its base does not have: {}",
            String::from_utf8_lossy(line).trim_end()
        ))),
    }
}

/// Whether these are lines, each with its end, ascending, none twice.
pub(crate) fn is_sorted(lines: &[u8]) -> bool {
    lines.last().is_none_or(|last| *last == b'\n')
        && lines.split_inclusive(newline).is_sorted_by(|left, right| left < right)
}

fn newline(byte: &u8) -> bool {
    *byte == b'\n'
}
