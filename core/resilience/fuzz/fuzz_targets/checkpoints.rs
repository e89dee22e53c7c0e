//! Two pieces of any bytes. As checkpoints, with the digest that they should have: as they are, or as the bodies of a full one and one that
//! builds on it; they are skipped, or restored, and what was restored is what the next checkpoint restores. Or as the states of a
//! component, saved one after the other, encrypted or not; they are restored exactly.
//!
//! An input is a byte that says which (0 bodies, 1 checkpoints, 2 states, 3 states encrypted), the bytes of the first piece (2, little-endian),
//! the first piece and the second. No format of a library lies between, so that a mutation of an input is one of the checkpoint.
#![no_main]

use std::io::Write;
use std::sync::{Arc, Mutex};

use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Backend, BackendError, Checkpoints, Key, Settings, Stateful, Stored};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<(Stored, Vec<u8>)>>>);

impl Backend for Memory {
    fn put(&self, stored: Stored, content: &[u8]) -> Result<(), BackendError> {
        self.0.lock().unwrap().push((stored, content.into()));
        Ok(())
    }

    fn get(&self, stored: Stored, limit: u64) -> Result<Option<Vec<u8>>, BackendError> {
        let kept = self.0.lock().unwrap();
        Ok(kept
            .iter()
            .find(|(other, content)| *other == stored && content.len() as u64 <= limit)
            .map(|kept| kept.1.clone()))
    }

    fn list(&self) -> Result<Vec<Stored>, BackendError> {
        Ok(self.0.lock().unwrap().iter().map(|kept| kept.0).collect())
    }

    fn remove_before(&self, number: u64) -> Result<(), BackendError> {
        self.0.lock().unwrap().retain(|kept| kept.0.number >= number);
        Ok(())
    }
}

#[derive(Default)]
struct Component(Mutex<Vec<u8>>);

impl Stateful for Component {
    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        to.write_all(&self.0.lock().unwrap()).map_err(|error| error.to_string())
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        *self.0.lock().unwrap() = from.into();
        Ok(())
    }
}

fn sealed(content: &[u8]) -> Vec<u8> {
    [content, &Sha256::digest(content)[..]].concat()
}

/// A checkpoint with this body; the form is that of format.rs.
fn checkpoint(number: u64, parent: Option<&[u8]>, body: &[u8]) -> Vec<u8> {
    let word = |n: u64| n.to_le_bytes();
    let digest = parent.map_or([0; 32], |parent| parent[parent.len() - 32..].try_into().unwrap());
    let mut content = b"KNHKCKP1".to_vec();
    for field in [number, 7, u64::from(parent.is_some()), number - 1] {
        content.extend_from_slice(&word(field));
    }
    content.extend_from_slice(&digest);
    // No key, no nonce.
    content.extend_from_slice(&[0; 8 + 24]);
    content.extend_from_slice(&word(body.len() as u64));
    content.extend_from_slice(&zstd::bulk::compress(body, 1).unwrap());
    sealed(&content)
}

fn opened(memory: Memory, keys: Vec<Key>) -> (Checkpoints, Arc<Component>) {
    let settings = Settings { limit: 1 << 20, keys, ..Settings::default() };
    let checkpoints = Checkpoints::open("fuzz", memory, settings, &Scope::default()).unwrap();
    let component = Arc::new(Component::default());
    checkpoints.add("a", component.clone()).unwrap();
    (checkpoints, component)
}

fn read(contents: [Vec<u8>; 2]) {
    let memory = Memory::default();
    for (number, content) in (1..).zip(contents) {
        memory.0.lock().unwrap().push((Stored { number, full: number == 1 }, content));
    }
    let (checkpoints, component) = opened(memory, Vec::new());
    assert_eq!(checkpoints.list().unwrap().len(), 2);
    if checkpoints.restore().is_ok() {
        let restored = component.0.lock().unwrap().clone();
        checkpoints.take().unwrap();
        component.0.lock().unwrap().clear();
        checkpoints.restore().unwrap();
        assert_eq!(*component.0.lock().unwrap(), restored);
    }
}

fn write(states: [&[u8]; 2], keys: Vec<Key>) {
    let memory = Memory::default();
    let (checkpoints, component) = opened(memory.clone(), keys);
    for (state, full) in states.into_iter().zip([true, false]) {
        *component.0.lock().unwrap() = state.into();
        assert_eq!(checkpoints.take().unwrap().full, full);
    }
    for state in states.into_iter().rev() {
        component.0.lock().unwrap().clear();
        assert!(checkpoints.restore().unwrap().skipped.is_empty());
        assert_eq!(*component.0.lock().unwrap(), state);
        memory.0.lock().unwrap().pop();
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(([which, low, high], rest)) = input.split_first_chunk::<3>() else { return };
    let (first, second) = rest.split_at(rest.len().min(u16::from_le_bytes([*low, *high]).into()));
    match which {
        0 => {
            let first = checkpoint(1, None, first);
            let second = checkpoint(2, Some(&first), second);
            read([first, second]);
        }
        1 => read([sealed(first), sealed(second)]),
        2 => write([first, second], Vec::new()),
        3 => write([first, second], vec![Key::new([7; 32])]),
        _ => {}
    }
});
