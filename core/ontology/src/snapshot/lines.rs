//! Snapshots as lines of N-Triples, which is how they are stored.

use std::sync::Arc;

use super::{Made, Snapshot, SnapshotError, address};
use crate::graph::{Delta, write_statement};
use crate::merkle::{self, Map};
use crate::rdf;

impl Snapshot {
    /// The snapshot of the same core whose own statements are what [`Snapshot::own_lines`] wrote.
    ///
    /// # Errors
    /// What is no N-Triples, or beyond a limit; else as [`Snapshot::apply`].
    pub fn of_lines(&self, lines: &[u8]) -> Result<Snapshot, SnapshotError> {
        let triples = rdf::parse_own_lines(lines, self.graph.terms(), &self.of.limits)?;
        self.apply(&Delta::new(&self.graph, self.graph.own().collect(), triples))
    }

    /// As [`Snapshot::of_lines`], for statements that were a sector's own under the core with this root: its content address and its proofs
    /// are what they were then, and what it says is read, checked and changed over this snapshot's core. What a change of it gives is made
    /// under this core.
    ///
    /// # Errors
    /// As [`Snapshot::of_lines`], [`Snapshot::report`] says whether it conforms to the shapes of this core.
    pub fn made_under(&self, core: [u8; 32], lines: &[u8]) -> Result<Snapshot, SnapshotError> {
        let snapshot = self.of_lines(lines)?;
        if core == self.of.core.root() {
            return Ok(snapshot);
        }
        let map = map_of(lines);
        // This core may have what was the sector's own.
        let lines = (map.root() != snapshot.map.root()).then(|| lines.to_vec());
        let id = address(&core, &map.root());
        Ok(Snapshot { id, made: Some(Arc::new(Made { core, map, lines })), ..snapshot })
    }

    /// The sector's own statements as canonical N-Triples, sorted.
    pub fn own_lines(&self) -> Vec<u8> {
        if let Some(lines) = self.made.as_ref().and_then(|made| made.lines.as_ref()) {
            return lines.clone();
        }
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for triple in self.graph.own() {
            write_statement(self.graph.terms(), triple, &mut bytes);
            ends.push(bytes.len());
        }
        let mut start = 0;
        let mut lines: Vec<&[u8]> = ends.iter().map(|&end| &bytes[std::mem::replace(&mut start, end)..end]).collect();
        lines.sort_unstable();
        lines.concat()
    }
}

/// The content address of the statements, canonical lines of N-Triples, that are a sector's own under the core with this root.
pub fn address_of(core: &[u8; 32], lines: &[u8]) -> [u8; 32] {
    address(core, &map_of(lines).root())
}

fn map_of(lines: &[u8]) -> Map {
    Map::from_leaves(lines.split_inclusive(|&byte| byte == b'\n').map(merkle::leaf).collect())
}
