//! Checkpoints: exact, one cut across components, whole or passed over, and never all gone.
#![cfg(not(loom))]

mod cut;
mod damage;
mod exact;
mod kill;
mod store;

use std::sync::{Arc, Mutex};

use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Checkpoints, Folder, Settings, Stateful};

/// A state that is some bytes.
#[derive(Default)]
struct Bytes {
    state: Mutex<Vec<u8>>,
    /// What it says instead of saving or loading.
    refuses: Mutex<Option<String>>,
}

impl Bytes {
    fn set(&self, state: &[u8]) {
        *self.state.lock().unwrap() = state.to_vec();
    }

    fn now(&self) -> Vec<u8> {
        self.state.lock().unwrap().clone()
    }

    fn refuse(&self, why: Option<&str>) {
        *self.refuses.lock().unwrap() = why.map(str::to_owned);
    }

    fn answer(&self) -> Result<(), String> {
        match &*self.refuses.lock().unwrap() {
            Some(why) if why != "panic" => return Err(why.clone()),
            None => return Ok(()),
            Some(_) => {}
        }
        panic!("planted")
    }
}

impl Stateful for Bytes {
    fn save(&self, to: &mut dyn std::io::Write) -> Result<(), String> {
        let state = self.now();
        let (first, second) = state.split_at(state.len() / 3);
        to.write_all(first).map_err(|error| error.to_string())?;
        self.answer()?;
        to.write_all(second).map_err(|error| error.to_string())
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        self.answer()?;
        self.set(from);
        Ok(())
    }
}

/// Checkpoints of components "a" and "b" in a folder.
struct World {
    folder: tempfile::TempDir,
    checkpoints: Checkpoints,
    a: Arc<Bytes>,
    b: Arc<Bytes>,
}

fn open(path: &std::path::Path, settings: Settings) -> Checkpoints {
    Checkpoints::open("test", Folder::open(path).unwrap(), settings, &Scope::default()).unwrap()
}

impl World {
    fn new(settings: Settings) -> World {
        let folder = tempfile::tempdir().unwrap();
        let (a, b): (Arc<Bytes>, Arc<Bytes>) = Default::default();
        let checkpoints = open(folder.path(), settings);
        checkpoints.add("a", a.clone()).unwrap();
        checkpoints.add("b", b.clone()).unwrap();
        World { folder, checkpoints, a, b }
    }

    fn set(&self, a: &[u8], b: &[u8]) {
        self.a.set(a);
        self.b.set(b);
    }

    /// The files of the checkpoints, by name.
    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> =
            names.map(|name| name.into_string().unwrap()).filter(|name| !name.ends_with("lock")).collect();
        names.sort();
        names
    }

    /// Another process's view: the same folder, new components.
    fn reopened(self, settings: Settings) -> World {
        let World { folder, checkpoints, .. } = self;
        drop(checkpoints);
        let (a, b): (Arc<Bytes>, Arc<Bytes>) = Default::default();
        let checkpoints = open(folder.path(), settings);
        checkpoints.add("a", a.clone()).unwrap();
        checkpoints.add("b", b.clone()).unwrap();
        World { folder, checkpoints, a, b }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
