//! Stands in until the map lands.
use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::graph::{Delta, Terms, Triple, write_statement};

/// The map.
#[derive(Clone, Debug, Default)]
pub struct Map(Arc<BTreeSet<[u8; 32]>>);

fn leaf(terms: &Terms, triple: Triple) -> [u8; 32] {
    let mut line = vec![0];
    write_statement(terms, triple, &mut line);
    Sha256::digest(&line).into()
}

impl Map {
    /// None.
    pub fn empty() -> Map {
        Map::default()
    }
    /// Of these.
    pub fn from_statements(terms: &Terms, statements: impl Iterator<Item = Triple>) -> Map {
        Map(Arc::new(statements.map(|triple| leaf(terms, triple)).collect()))
    }
    /// After a change.
    pub fn apply(&self, terms: &Terms, delta: &Delta) -> Map {
        let mut leaves = (*self.0).clone();
        delta.removed().iter().for_each(|&triple| _ = leaves.remove(&leaf(terms, triple)));
        leaves.extend(delta.added().iter().map(|&triple| leaf(terms, triple)));
        Map(Arc::new(leaves))
    }
    /// Its root.
    pub fn root(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        self.0.iter().for_each(|leaf| hasher.update(leaf));
        hasher.finalize().into()
    }
}
