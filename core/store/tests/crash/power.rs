//! Recorded file operations, and what a power cut after each of them leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One operation.
#[derive(Debug)]
pub struct Operation {
    pub kind: u8,
    pub path: String,
    pub offset: u64,
    pub data: Vec<u8>,
}

/// Reads what the shim recorded.
pub fn operations(log: &[u8]) -> Vec<Operation> {
    let mut rest = log;
    let mut operations = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<15>() {
        let length = u16::from_ne_bytes([head[1], head[2]]) as usize;
        let size = u32::from_ne_bytes(head[3..7].try_into().unwrap()) as usize;
        let offset = u64::from_ne_bytes(head[7..15].try_into().unwrap());
        let path = String::from_utf8(tail[..length].to_vec()).unwrap();
        let data = tail[length..length + size].to_vec();
        operations.push(Operation { kind: head[0], path, offset, data });
        rest = &tail[length + size..];
    }
    assert!(rest.is_empty(), "the recording ends within a record");
    operations
}

/// What becomes of writes that were not flushed.
#[derive(Clone, Copy, Debug)]
pub enum Unflushed {
    /// None of them reached the disk.
    Dropped,
    /// Some sectors did, as the seed has it.
    Torn(u64),
}

const SECTOR: usize = 512;

/// A disk: files as they are in memory, and what of it a power cut leaves.
#[derive(Clone, Default)]
struct File {
    /// Whether its name is on the disk.
    named: bool,
    durable: Vec<u8>,
    /// Writes and truncations since its last flush.
    since: Vec<(u64, Option<Vec<u8>>)>,
}

/// The files that a power cut after `operations` leaves, by name.
pub fn cut(operations: &[Operation], unflushed: Unflushed) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    // Removed, but the folder is not flushed: a power cut brings them back.
    let mut removed: BTreeMap<&str, File> = BTreeMap::new();
    for operation in operations {
        let path = operation.path.as_str();
        match operation.kind {
            b'o' => _ = files.insert(path, File::default()),
            b'w' => files.entry(path).or_default().since.push((operation.offset, Some(operation.data.clone()))),
            b't' => files.entry(path).or_default().since.push((operation.offset, None)),
            b'l' => {
                let to = std::str::from_utf8(&operation.data).unwrap();
                let linked = files.get(path).cloned().unwrap_or_default();
                files.insert(to, File { named: false, ..linked });
            }
            b'u' => {
                if let Some(file) = files.remove(path).filter(|file| file.named) {
                    removed.insert(path, file);
                }
            }
            b's' | b'd' => match files.get_mut(path) {
                Some(file) => {
                    for (offset, data) in std::mem::take(&mut file.since) {
                        apply(&mut file.durable, offset, data.as_deref());
                    }
                }
                // The folder's flush.
                None => {
                    files.values_mut().for_each(|file| file.named = true);
                    removed.clear();
                }
            },
            _ => {}
        }
    }
    for (path, file) in removed {
        files.entry(path).or_insert(file);
    }
    let mut random = match unflushed {
        Unflushed::Dropped => None,
        Unflushed::Torn(seed) => Some(seed | 1),
    };
    let mut left = BTreeMap::new();
    for (path, mut file) in files {
        let since = std::mem::take(&mut file.since);
        let Some(seed) = &mut random else {
            if file.named {
                left.insert(path.to_owned(), file.durable);
            }
            continue;
        };
        for (offset, data) in since {
            match data {
                None if coin(seed) => apply(&mut file.durable, offset, None),
                None => {}
                Some(data) => {
                    for (number, sector) in data.chunks(SECTOR).enumerate().filter(|_| coin(seed)) {
                        apply(&mut file.durable, offset + (number * SECTOR) as u64, Some(sector));
                    }
                }
            }
        }
        if file.named || coin(seed) {
            left.insert(path.to_owned(), file.durable);
        }
    }
    left
}

fn apply(content: &mut Vec<u8>, offset: u64, data: Option<&[u8]>) {
    let offset = offset as usize;
    let Some(data) = data else { return content.resize(offset, 0) };
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

/// xorshift64.
fn coin(seed: &mut u64) -> bool {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed & 1 == 1
}

/// Writes the files into an empty folder.
pub fn lay_out(files: &BTreeMap<String, Vec<u8>>, folder: &Path) {
    for (path, content) in files {
        fs::write(folder.join(Path::new(path).file_name().unwrap()), content).unwrap();
    }
}
