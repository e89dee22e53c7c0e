//! A checkpoint's form: a head, a body, and the SHA-256 of both. Numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `KNHKCKP1` |
//! | 8 | the checkpoint's number |
//! | 8 | when it was taken, in nanoseconds by its scope's clock |
//! | 8 | flags: 1 incremental, 2 encrypted |
//! | 8, 32 | of an incremental one: the number and the SHA-256 of the checkpoint it builds on; else zero |
//! | 8, 24 | of an encrypted one: its key's identifier, and the nonce; else zero |
//! | 8 | bytes of the body once it is decrypted and decompressed |
//! | … | the body, compressed with zstd, then encrypted with XChaCha20-Poly1305, which authenticates the head too |
//! | 32 | the SHA-256 of all before it |
//!
//! The body has, for each component by name: bytes of its name (2), the name, bytes of its state (8), ranges of lines that changed (4), and for
//! each range its first line (4), lines (4) and bytes. A full checkpoint is one whose ranges cover everything.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::image::{LINE, Range};
use super::key::{ID, Key, NONCE};

const MAGIC: &[u8; 8] = b"KNHKCKP1";
const INCREMENTAL: u64 = 1;
const ENCRYPTED: u64 = 2;
pub(super) const DIGEST: usize = 32;
const HEAD: usize = 8 * 4 + 8 + DIGEST + ID + NONCE + 8;

/// States by component.
pub(super) type States = BTreeMap<String, Vec<u8>>;

/// The checkpoint that an incremental one builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) number: u64,
    pub(super) digest: [u8; DIGEST],
}

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) time_ns: u64,
    pub(super) parent: Option<Parent>,
}

/// Writes a checkpoint; returns it with its digest. `changed` has the ranges of each component of `states`.
pub(super) fn encode(
    head: &Head,
    states: &States,
    changed: &BTreeMap<String, Vec<Range>>,
    level: i32,
    key: Option<&Key>,
) -> Result<(Vec<u8>, [u8; DIGEST]), String> {
    let plain = body(states, changed);
    let mut body = zstd::bulk::compress(&plain, level).map_err(|error| format!("zstd: {error}"))?;
    let mut out = Vec::with_capacity(HEAD + body.len() + 64 + DIGEST);
    let Head { number, time_ns, parent } = head;
    let flags = if parent.is_some() { INCREMENTAL } else { 0 } | if key.is_some() { ENCRYPTED } else { 0 };
    let parent = parent.unwrap_or(Parent { number: 0, digest: [0; DIGEST] });
    let nonce = key.map(|_| Key::nonce()).transpose()?.unwrap_or_default();
    out.extend_from_slice(MAGIC);
    [*number, *time_ns, flags, parent.number].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    out.extend_from_slice(&parent.digest);
    out.extend_from_slice(&key.map(Key::id).unwrap_or_default());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&(plain.len() as u64).to_le_bytes());
    if let Some(key) = key {
        key.seal(&nonce, &out, &mut body)?;
    }
    out.extend_from_slice(&body);
    let digest: [u8; DIGEST] = Sha256::digest(&out).into();
    out.extend_from_slice(&digest);
    Ok((out, digest))
}

fn body(states: &States, changed: &BTreeMap<String, Vec<Range>>) -> Vec<u8> {
    let lines: usize = changed.values().flatten().map(|(from, to)| (to - from) as usize * LINE + 8).sum();
    let mut out = Vec::with_capacity(lines + states.len() * 64);
    for (name, state) in states {
        let ranges = changed.get(name).map_or(&[][..], |ranges| ranges);
        // Ranges that were beyond the state's end before it became shorter.
        let ranges = ranges.iter().map(|(from, to)| (*from, (*to).min(state.len().div_ceil(LINE) as u32)));
        let ranges: Vec<Range> = ranges.filter(|(from, to)| from < to).collect();
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&(state.len() as u64).to_le_bytes());
        out.extend_from_slice(&(ranges.len() as u32).to_le_bytes());
        for (from, to) in ranges {
            out.extend_from_slice(&from.to_le_bytes());
            out.extend_from_slice(&(to - from).to_le_bytes());
            out.extend_from_slice(&state[from as usize * LINE..state.len().min(to as usize * LINE)]);
        }
    }
    out
}

/// A checkpoint whose digest is right.
#[derive(Debug)]
pub(super) struct Sealed<'a> {
    pub(super) head: Head,
    pub(super) digest: [u8; DIGEST],
    bytes: &'a [u8],
    pub(super) encrypted: bool,
    key_id: [u8; ID],
    nonce: [u8; NONCE],
    plain: u64,
}

/// Reads a checkpoint's head, and checks its digest.
pub(super) fn decode(content: &[u8]) -> Result<Sealed<'_>, String> {
    let (bytes, digest) = content.split_last_chunk::<DIGEST>().ok_or("it is cut off")?;
    if Sha256::digest(bytes)[..] != digest[..] {
        return Err("its SHA-256 is not what it says".into());
    }
    let mut reader = Reader(bytes);
    if reader.array::<8>()? != *MAGIC {
        return Err("it is no checkpoint, or one of a newer library".into());
    }
    let (number, time_ns, flags) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let parent = Parent { number: reader.u64()?, digest: reader.array()? };
    let (key_id, nonce, plain) = (reader.array()?, reader.array()?, reader.u64()?);
    if flags & !(INCREMENTAL | ENCRYPTED) != 0 {
        return Err("it is one of a newer library".into());
    }
    let parent = (flags & INCREMENTAL != 0).then_some(parent);
    if parent.is_some_and(|parent| parent.number >= number) {
        return Err("it builds on one that is not earlier".into());
    }
    let encrypted = flags & ENCRYPTED != 0;
    Ok(Sealed { head: Head { number, time_ns, parent }, digest: *digest, bytes, encrypted, key_id, nonce, plain })
}

impl Sealed<'_> {
    /// Brings `states`, which are those that it builds on, to its own; they have at most `limit` bytes. The first of `keys` encrypts what
    /// is written now; where there is any, a checkpoint that is not encrypted is not trusted.
    pub(super) fn apply(&self, states: &mut States, keys: &[Key], limit: u64) -> Result<(), String> {
        let (head, body) = self.bytes.split_at_checked(HEAD).ok_or("it is cut off")?;
        let mut body = body.to_vec();
        match (self.encrypted, keys.iter().find(|key| key.id() == self.key_id)) {
            (true, Some(key)) => key.open(&self.nonce, head, &mut body)?,
            (true, None) => return Err("it is encrypted with a key that was not given".into()),
            (false, _) if !keys.is_empty() => {
                return Err(
                    "it is not encrypted, and a key was given; restore it without one if it is to be trusted".into()
                );
            }
            (false, _) => {}
        }
        // Ranges and names take a little beside the states.
        if self.plain > limit.saturating_mul(2) {
            return Err(format!("it has {} bytes, and states have at most {limit}", self.plain));
        }
        let plain = usize::try_from(self.plain).map_err(|_| "it is larger than the memory")?;
        let plain = zstd::bulk::decompress(&body, plain).map_err(|error| format!("it does not decompress: {error}"))?;
        if plain.len() as u64 != self.plain {
            return Err("it has not as many bytes as it says".into());
        }
        patch(&plain, states, limit)
    }
}

fn patch(plain: &[u8], states: &mut States, limit: u64) -> Result<(), String> {
    let mut before = std::mem::take(states);
    let mut reader = Reader(plain);
    let mut all = 0_u64;
    while !reader.0.is_empty() {
        let name = u16::from_le_bytes(reader.array()?);
        let name = str::from_utf8(reader.take(name.into())?).map_err(|_| "a name is not UTF-8")?.to_owned();
        let length = reader.u64()?;
        all = all.saturating_add(length);
        if all > limit {
            return Err(format!("states have at most {limit} bytes, and these have more"));
        }
        let length = length as usize;
        let mut state = before.remove(&name).unwrap_or_default();
        state.resize(length, 0);
        for _ in 0..reader.u32()? {
            let (from, lines) = (reader.u32()? as usize, reader.u32()? as usize);
            let to = from.checked_add(lines).and_then(|to| to.checked_mul(LINE)).map(|to| to.min(length));
            let from = from.checked_mul(LINE).filter(|from| *from < length);
            let (Some(from), Some(to)) = (from, to) else { return Err("a range is beyond its state's end".into()) };
            state[from..to].copy_from_slice(reader.take(to - from)?);
        }
        if states.insert(name, state).is_some() {
            return Err("it names a component twice".into());
        }
    }
    Ok(())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or("it is cut off")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }
}

/// The range of all lines of a state.
pub(super) fn whole(state: &[u8]) -> Vec<Range> {
    if state.is_empty() { Vec::new() } else { vec![(0, state.len().div_ceil(LINE) as u32)] }
}
