//! Blame: which version each statement came with.
//!
//! It goes back along the lineage, version by version, and ends as soon as every statement that was asked about has been told. Where
//! retention removed what was before, it says so: the statement is at least as old as the oldest version that is kept.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use knhk_ontology::Namespace;
use serde::Serialize;

use crate::lineage::{Change, Walk, came_from};
use crate::{History, VersionError};

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlameOf<'b> {
    /// Every statement.
    Everything,
    /// What is said of a path and of all below it, such as `limits` or `limits/max_qty`.
    Path(&'b str),
    /// One statement, as a canonical line of N-Triples.
    Statement(&'b str),
}

/// A statement and the version that it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blamed {
    /// The statement, as a line of N-Triples.
    pub statement: String,
    /// The path that it is about; none where its subject has none.
    pub path: Option<String>,
    /// The version that it came with, by whom, when, why, and under which receipt.
    pub change: Change,
    /// Whether it may have come earlier: the versions before that one are not retained.
    pub or_earlier: bool,
}

/// `version 7 by ops-2 (desk asked): <s> <p> <o> .`
impl std::fmt::Display for Blamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let earlier = if self.or_earlier { " or earlier" } else { "" };
        write!(f, "{}{earlier}: {}", self.change, self.statement)
    }
}

impl History {
    /// Which version each statement of a version came with, in the order of the statements. Nothing: it says nothing of what was asked.
    ///
    /// # Errors
    /// [`VersionError::Unknown`] where the version is not retained, [`VersionError::Damaged`] where one on the way is not as it was signed.
    pub fn blame(&self, sector: &str, version: u64, of: BlameOf<'_>) -> Result<Vec<Blamed>, VersionError> {
        let version = self.version(sector, version)?.number;
        let space = Namespace::of(sector);
        let mut walk = Walk::new(self, sector);
        let asked = asked(&mut walk, &space, version, of)?;
        // By the version that has them and that they are looked for in, greatest first: a predecessor has a smaller number.
        let mut open = BTreeMap::from([(version, asked)]);
        let mut told: BTreeMap<Vec<u8>, (u64, bool)> = BTreeMap::new();
        while let Some((number, mut lines)) = open.pop_last() {
            walk.forget_above(number);
            let before = walk.record(number)?.map(came_from).unwrap_or_default();
            let mut lost = false;
            for earlier in before {
                let Some(there) = walk.lines(earlier)? else {
                    lost = true;
                    continue;
                };
                let older: BTreeSet<Vec<u8>> = lines.iter().filter(|line| there.contains(line)).cloned().collect();
                lines.retain(|line| !older.contains(line));
                if !older.is_empty() {
                    open.entry(earlier).or_default().extend(older);
                }
            }
            told.extend(lines.into_iter().map(|line| (line, (number, lost))));
        }
        let mut changes: BTreeMap<u64, Change> = BTreeMap::new();
        let mut blamed = Vec::with_capacity(told.len());
        for (line, (number, or_earlier)) in told {
            if let Entry::Vacant(entry) = changes.entry(number) {
                entry.insert(walk.change(number)?);
            }
            let statement = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            let subject = statement.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(iri, _)| iri);
            let path = subject.and_then(|iri| space.path(iri));
            blamed.push(Blamed { path, change: changes[&number].clone(), statement, or_earlier });
        }
        Ok(blamed)
    }
}

fn asked(
    walk: &mut Walk<'_>,
    space: &Namespace,
    version: u64,
    of: BlameOf<'_>,
) -> Result<BTreeSet<Vec<u8>>, VersionError> {
    // It was found before, and retention may remove it meanwhile.
    let Some(lines) = walk.lines(version)? else { return Ok(BTreeSet::new()) };
    Ok(match of {
        BlameOf::Everything => lines.iter().map(<[u8]>::to_vec).collect(),
        BlameOf::Path(path) => {
            let iri = format!("<{}", space.iri(path));
            let is_below = |line: &&[u8]| matches!(line.get(iri.len()), Some(b'>' | b'/'));
            lines.beginning(iri.as_bytes()).filter(is_below).map(<[u8]>::to_vec).collect()
        }
        BlameOf::Statement(statement) => {
            let line = format!("{}\n", statement.trim_end()).into_bytes();
            lines.contains(&line).then_some(line).into_iter().collect()
        }
    })
}
