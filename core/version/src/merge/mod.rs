//! Three-way merge: what changed on either side since what both came from, statement by statement, with conflicts where both changed the
//! same thing differently.
//!
//! Statements are a set, and a change removes and adds. What only one side changed is taken from it. Both changed the same thing differently,
//! and it is a conflict,
//! - where a subject's property holds one value: a parameter's `min`, `max`, `enum`, `default`, `doc`, or any other property that had one
//!   value and has one at most on either side; a parameter's value, its type and its unit are one such property, since none means anything
//!   without the others;
//! - where one side removed all that is said of a subject and the other one changed it, or refers to it anew;
//! - where each side alone is sound, and both together break a shape or a parameter's own range.

mod conflict;
mod sides;

use std::collections::BTreeMap;
use std::sync::Arc;

use knhk_ontology::graph::Delta;
use knhk_ontology::{Snapshot, SnapshotError};
use serde::{Deserialize, Serialize};

pub use self::conflict::Conflict;
use self::conflict::{About, overlap};
use self::sides::{Sides, touched};
use crate::lineage::{Change, Walk, came_from};
use crate::{History, VersionError};

/// What came of a merge.
#[derive(Clone, Debug)]
pub enum Merged {
    /// There is nothing on the other side that this one does not have.
    Nothing,
    /// Both sides' changes together.
    Clean {
        /// What leads from this side to both.
        delta: Delta,
        /// Both.
        snapshot: Box<Snapshot>,
    },
    /// What both sides changed differently; nothing is merged.
    Conflicts(Vec<Conflict>),
}

/// One side of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// This one.
    Ours,
    /// The other one.
    Theirs,
}

/// How conflicts are resolved.
#[derive(Clone, Debug, Default)]
pub struct Resolved<'r> {
    /// Which side holds, by the conflict's item.
    pub sides: BTreeMap<String, Side>,
    /// Which side holds of those that are not named; none: they stay conflicts.
    pub otherwise: Option<Side>,
    /// Ours with what was given for the merge: what it changes holds, whatever the sides say of it.
    pub given: Option<&'r Snapshot>,
}

/// A merge of two versions.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The version that both came from; none: nothing.
    pub base: Option<u64>,
    /// This side, which the merge is a change of.
    pub ours: u64,
    /// The other side.
    pub theirs: u64,
    /// What came of it.
    pub merged: Merged,
}

impl Merge {
    /// The parents of the version that a clean merge becomes.
    pub fn parents(&self) -> [u64; 2] {
        [self.ours, self.theirs]
    }
}

impl History {
    /// Merges one version of a sector into another: what changed towards `theirs` since the version that both came from, on top of `ours`.
    /// `near` is a snapshot of the sector over the core that the result stands on. Conflicts that `resolved` says nothing of stay.
    ///
    /// # Errors
    /// [`VersionError::NoConflict`] where it resolves what is none; [`VersionError::Unknown`] where a version, or the one that both came from, is not retained; as [`History::load`].
    pub fn merge(
        &self,
        sector: &str,
        (ours, theirs): (u64, u64),
        near: &Snapshot,
        resolved: &Resolved<'_>,
    ) -> Result<Merge, VersionError> {
        let base = self.base_of(sector, ours, theirs)?;
        let load = |number| Ok::<_, VersionError>(self.load(&self.version(sector, number)?, near)?.0);
        let nothing = || near.of_lines(b"").map_err(|error| unreadable(sector, &error));
        let before = base.map_or_else(nothing, load)?;
        let (left, right) = (load(ours)?, load(theirs)?);
        let merged = resolve(&before, &left, &right, resolved).map_err(|error| unreadable(sector, &error))?;
        let merged = merged.map_err(|item| VersionError::NoConflict { sector: sector.into(), item })?;
        let merged = match merged {
            Merged::Conflicts(mut conflicts) => {
                let stop = base.unwrap_or(0);
                let mut walk = Walk::new(self, sector);
                for conflict in &mut conflicts {
                    conflict.ours_by = last_change(&mut walk, ours, stop, &conflict.prefixes)?;
                    conflict.theirs_by = last_change(&mut walk, theirs, stop, &conflict.prefixes)?;
                }
                Merged::Conflicts(conflicts)
            }
            merged => merged,
        };
        Ok(Merge { base, ours, theirs, merged })
    }
}

fn unreadable(sector: &str, error: &SnapshotError) -> VersionError {
    VersionError::Unmergeable { sector: sector.into(), why: error.to_string() }
}

/// The newest version from `tip` down to `stop` that changed the lines that begin so.
fn last_change(walk: &mut Walk<'_>, tip: u64, stop: u64, prefixes: &[Vec<u8>]) -> Result<Option<Change>, VersionError> {
    let mut at = tip;
    while at > stop && !prefixes.is_empty() {
        let Some(record) = walk.record(at)? else { return Ok(None) };
        let before = came_from(record);
        let here = said(walk, at, prefixes)?;
        let mut same = None;
        for number in before {
            if said(walk, number, prefixes)? == here {
                same = Some(number);
                break;
            }
        }
        match same {
            Some(number) => at = number,
            None if here.as_ref().is_some_and(Vec::is_empty)
                && walk.record(at)?.is_some_and(|r| came_from(r).is_empty()) =>
            {
                return Ok(None);
            }
            None => return walk.change(at).map(Some),
        }
    }
    Ok(None)
}

fn said(walk: &mut Walk<'_>, number: u64, prefixes: &[Vec<u8>]) -> Result<Option<Vec<Vec<u8>>>, VersionError> {
    let lines = walk.lines(number)?;
    Ok(lines.map(|lines| prefixes.iter().flat_map(|prefix| lines.beginning(prefix)).map(<[u8]>::to_vec).collect()))
}

/// Merges what changed from `base` to `theirs` into `ours`, three snapshots of one sector over one core.
///
/// # Errors
/// [`SnapshotError`] where a side cannot be read over the other's core, or the shapes of both together are ill-formed.
pub fn three_way(base: &Snapshot, ours: &Snapshot, theirs: &Snapshot) -> Result<Merged, SnapshotError> {
    // Nothing is resolved, so that nothing can be resolved that is no conflict.
    Ok(resolve(base, ours, theirs, &Resolved::default())?.unwrap_or(Merged::Nothing))
}

/// [`three_way`] with conflicts resolved. Refuses with the item where a side is named for what is no conflict.
fn resolve(
    base: &Snapshot,
    ours: &Snapshot,
    theirs: &Snapshot,
    resolved: &Resolved<'_>,
) -> Result<Result<Merged, String>, SnapshotError> {
    let of_ours = |other: &Snapshot| match Arc::ptr_eq(other.graph().terms(), ours.graph().terms()) {
        true => Ok(other.clone()),
        false => ours.of_lines(&other.own_lines()),
    };
    let (base, theirs) = (of_ours(base)?, of_ours(theirs)?);
    let here = Delta::between(base.graph(), ours.graph());
    let there = Delta::between(base.graph(), theirs.graph());
    let sides = Sides { base: base.graph(), ours: ours.graph(), theirs: theirs.graph(), snapshot: ours };
    let given = resolved.given.map(of_ours).transpose()?;
    let given = given.map_or_else(Delta::default, |given| Delta::between(ours.graph(), given.graph()));
    let set: Vec<About> =
        touched(&given).into_iter().flat_map(|(subject, changed)| sides.about(subject, changed)).collect();
    let is_set = |about: &About| set.iter().any(|set| set.subject == about.subject && overlap(set, about));
    let conflicts = sides.conflicts(&here, &there);
    if let Some(item) = resolved.sides.keys().find(|item| conflicts.iter().all(|conflict| conflict.item != **item)) {
        return Ok(Err(item.clone()));
    }
    let (mut removed, mut added) = (there.removed().to_vec(), there.added().to_vec());
    let mut open = Vec::new();
    for conflict in conflicts {
        let side = resolved.sides.get(&conflict.item).copied().or(resolved.otherwise);
        match (&conflict.about, side) {
            // What was given takes the place of both.
            (Some(about), _) if is_set(about) => {}
            (Some(about), Some(side)) => sides.settle(about, side, &here, (&mut removed, &mut added)),
            _ => open.push(conflict),
        }
    }
    if !open.is_empty() {
        return Ok(Ok(Merged::Conflicts(open)));
    }
    for triples in [&mut removed, &mut added] {
        triples.retain(|triple| !set.iter().any(|set| set.covers(triple)));
    }
    removed.extend_from_slice(given.removed());
    added.extend_from_slice(given.added());
    let delta = Delta::new(ours.graph(), removed, added);
    if delta.is_empty() {
        return Ok(Ok(Merged::Nothing));
    }
    let snapshot = ours.apply(&delta)?;
    let unsound = sides.unsound(&snapshot);
    if unsound.is_empty() {
        Ok(Ok(Merged::Clean { delta, snapshot: Box::new(snapshot) }))
    } else {
        Ok(Ok(Merged::Conflicts(unsound)))
    }
}
