//! Any bytes as checkpoints, with the digest that they should have: as they are, or as the bodies of a full one and one that builds on it.
//! They are skipped, or restored, and what was restored is what the next checkpoint restores.
#![no_main]

use std::io::Write;
use std::sync::{Arc, Mutex};

use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Backend, BackendError, Checkpoints, Settings, Stateful, Stored};
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

fuzz_target!(|input: (bool, Vec<u8>, Vec<u8>)| {
    let (as_they_are, first, second) = input;
    let contents = match as_they_are {
        true => [sealed(&first), sealed(&second)],
        false => {
            let first = checkpoint(1, None, &first);
            let second = checkpoint(2, Some(&first), &second);
            [first, second]
        }
    };
    let memory = Memory::default();
    for (number, content) in (1..).zip(contents) {
        memory.0.lock().unwrap().push((Stored { number, full: number == 1 }, content));
    }
    let settings = Settings { limit: 1 << 20, ..Settings::default() };
    let checkpoints = Checkpoints::open("fuzz", memory, settings, &Scope::default()).unwrap();
    let component = Arc::new(Component::default());
    checkpoints.add("a", component.clone()).unwrap();
    assert_eq!(checkpoints.list().unwrap().len(), 2);
    if checkpoints.restore().is_ok() {
        let restored = component.0.lock().unwrap().clone();
        checkpoints.take().unwrap();
        component.0.lock().unwrap().clear();
        checkpoints.restore().unwrap();
        assert_eq!(*component.0.lock().unwrap(), restored);
    }
});
