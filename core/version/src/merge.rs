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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use knhk_ontology::graph::{Delta, Graph, Term, TermRef, Triple, write_statement};
use knhk_ontology::vocabulary::knhk;
use knhk_ontology::{Snapshot, SnapshotError};
use serde::{Deserialize, Serialize};

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

/// Something that both sides changed differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What: a path such as `limits/max_qty`, or an IRI.
    pub item: String,
    /// How, in a sentence.
    pub what: String,
    /// Its statements before, as lines of N-Triples.
    pub base: Vec<String>,
    /// Its statements on this side.
    pub ours: Vec<String>,
    /// Its statements on the other side.
    pub theirs: Vec<String>,
    /// The version that changed it last on this side, where it is one.
    pub ours_by: Option<Change>,
    /// The version that changed it last on the other side, where it is one.
    pub theirs_by: Option<Change>,
    /// How the lines of what was changed begin.
    #[serde(skip)]
    prefixes: Vec<Vec<u8>>,
    /// What it is about, in the merge's own interner; none where it is about no name.
    #[serde(skip)]
    about: Option<About>,
}

/// A subject, and which of its properties; none: all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    subject: Term,
    group: Option<Vec<Term>>,
}

impl About {
    fn covers(&self, triple: &Triple) -> bool {
        triple.subject == self.subject && self.group.as_ref().is_none_or(|group| group.contains(&triple.predicate))
    }
}

/// `max_qty: both sides changed it (ours: version 7 by ops-2; theirs: version 5 by desk)`, and the statements below it.
impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.item, self.what)?;
        for (side, lines, by) in [
            ("before", &self.base, &None),
            ("ours", &self.ours, &self.ours_by),
            ("theirs", &self.theirs, &self.theirs_by),
        ] {
            let by = by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
            write!(f, "\n  {side}{by}:")?;
            if lines.is_empty() {
                f.write_str(" nothing")?;
            }
            lines.iter().try_for_each(|line| write!(f, "\n    {line}"))?;
        }
        Ok(())
    }
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

/// Whether two descriptions of one subject have a property in common.
fn overlap(one: &About, other: &About) -> bool {
    match (&one.group, &other.group) {
        (Some(one), Some(other)) => one.iter().any(|predicate| other.contains(predicate)),
        _ => true,
    }
}

/// Properties of a parameter that mean nothing without each other.
const VALUE: [&str; 3] = [knhk::VALUE, knhk::TYPE, knhk::UNIT];
/// Properties of a parameter that hold one value each.
const SINGLE: [&str; 5] = [knhk::MIN, knhk::MAX, knhk::ENUM, knhk::DEFAULT, knhk::DOC];
/// Violations that are told.
const TOLD: usize = 100;

struct Sides<'s> {
    base: &'s Graph,
    ours: &'s Graph,
    theirs: &'s Graph,
    snapshot: &'s Snapshot,
}

impl Sides<'_> {
    fn conflicts(&self, here: &Delta, there: &Delta) -> Vec<Conflict> {
        let (by_us, by_them) = (touched(here), touched(there));
        let mut conflicts = Vec::new();
        let mut gone = BTreeSet::new();
        for (removed, kept, theirs, what) in [
            (self.ours, self.theirs, &by_them, "this side removed it and the other one changed it"),
            (self.theirs, self.ours, &by_us, "the other side removed it and this one changed it"),
        ] {
            for &subject in theirs.keys() {
                if is_known(self.base, subject) && !is_known(removed, subject) && is_known(kept, subject) {
                    gone.insert(subject);
                    conflicts.push(self.conflict(subject, None, what));
                }
            }
        }
        for (added, removed, what) in [
            (there.added(), self.ours, "this side removed it and the other one refers to it anew"),
            (here.added(), self.theirs, "the other side removed it and this one refers to it anew"),
        ] {
            for object in added.iter().map(|triple| triple.object).collect::<BTreeSet<_>>() {
                if !object.is_literal()
                    && is_known(self.base, object)
                    && !is_known(removed, object)
                    && gone.insert(object)
                {
                    conflicts.push(self.conflict(object, None, what));
                }
            }
        }
        for (&subject, ours) in &by_us {
            let Some(theirs) = by_them.get(&subject).filter(|_| !gone.contains(&subject)) else { continue };
            let mut groups: BTreeSet<Vec<Term>> = BTreeSet::new();
            groups.extend(ours.iter().map(|&predicate| self.group(predicate)));
            for group in groups {
                let touches = theirs.iter().any(|predicate| group.contains(predicate));
                if touches && self.differ(subject, &group) {
                    conflicts.push(self.conflict(subject, Some(&group), "both sides changed it"));
                }
            }
        }
        conflicts.sort_by(|one, other| (&one.item, &one.what).cmp(&(&other.item, &other.what)));
        conflicts
    }

    /// A subject's changed properties, each with those that mean nothing without it.
    fn about(&self, subject: Term, changed: BTreeSet<Term>) -> Vec<About> {
        let groups: BTreeSet<Vec<Term>> = changed.into_iter().map(|predicate| self.group(predicate)).collect();
        groups.into_iter().map(|group| About { subject, group: Some(group) }).collect()
    }

    /// Has one side hold of what is in conflict: changes what the other side's delta does to ours.
    fn settle(&self, about: &About, side: Side, here: &Delta, (removed, added): (&mut Vec<Triple>, &mut Vec<Triple>)) {
        removed.retain(|triple| !about.covers(triple));
        added.retain(|triple| !about.covers(triple));
        let said = |graph: &Graph| -> Vec<Triple> {
            let of = |(predicate, object)| Triple { subject: about.subject, predicate, object };
            graph.about(about.subject).map(of).filter(|triple| about.covers(triple)).collect()
        };
        let refers = |triple: &Triple| about.group.is_none() && triple.object == about.subject;
        match side {
            // Where the subject is not there, nothing refers to it.
            Side::Ours if said(self.ours).is_empty() => added.retain(|triple| !refers(triple)),
            Side::Ours => {}
            Side::Theirs => {
                if said(self.theirs).is_empty() {
                    removed.extend(here.added().iter().filter(|triple| refers(triple)));
                }
                removed.extend(said(self.ours));
                added.extend(said(self.theirs));
            }
        }
    }

    fn iri(&self, predicate: Term) -> Option<&str> {
        match self.ours.terms().get(predicate) {
            TermRef::Iri(iri) => Some(iri),
            _ => None,
        }
    }

    /// The properties that mean nothing without this one.
    fn group(&self, predicate: Term) -> Vec<Term> {
        match self.iri(predicate) {
            Some(iri) if VALUE.contains(&iri) => {
                VALUE.iter().filter_map(|iri| self.ours.terms().find_iri(iri)).collect()
            }
            _ => vec![predicate],
        }
    }

    /// Whether the sides say different things where one can hold.
    fn differ(&self, subject: Term, group: &[Term]) -> bool {
        let said = |graph: &Graph| -> BTreeSet<(Term, Term)> {
            group.iter().flat_map(|&p| graph.objects(subject, p).map(move |object| (p, object))).collect()
        };
        let (base, ours, theirs) = (said(self.base), said(self.ours), said(self.theirs));
        if ours == theirs || ours == base || theirs == base {
            return false;
        }
        let iri = group.first().and_then(|&predicate| self.iri(predicate));
        let single = iri.is_some_and(|iri| VALUE.contains(&iri) || SINGLE.contains(&iri));
        single || base.len() == 1 && ours.len() <= 1 && theirs.len() <= 1
    }

    fn conflict(&self, subject: Term, group: Option<&[Term]>, what: &str) -> Conflict {
        let said = |graph: &Graph| {
            let about =
                graph.about(subject).filter(|(predicate, _)| group.is_none_or(|group| group.contains(predicate)));
            let mut lines: Vec<String> =
                about.map(|(predicate, object)| self.line(Triple { subject, predicate, object })).collect();
            lines.sort_unstable();
            lines
        };
        let prefix = |predicate: Option<Term>| {
            let mut prefix = Vec::new();
            for term in std::iter::once(subject).chain(predicate) {
                knhk_ontology::graph::write_term(self.ours.terms(), term, &mut prefix);
                prefix.push(b' ');
            }
            prefix
        };
        Conflict {
            item: self.name(subject),
            what: what.into(),
            base: said(self.base),
            ours: said(self.ours),
            theirs: said(self.theirs),
            ours_by: None,
            theirs_by: None,
            prefixes: match group {
                None => vec![prefix(None)],
                Some(group) => group.iter().map(|&predicate| prefix(Some(predicate))).collect(),
            },
            about: Some(About { subject, group: group.map(<[Term]>::to_vec) }),
        }
    }

    /// A subject's path, or what it is called.
    fn name(&self, subject: Term) -> String {
        match self.ours.terms().get(subject) {
            TermRef::Iri(iri) => self.snapshot.namespace().path(iri).unwrap_or_else(|| iri.to_owned()),
            TermRef::Blank(label) => format!("_:{label}"),
            TermRef::Literal { lexical, .. } => lexical.into_owned(),
        }
    }

    fn line(&self, triple: Triple) -> String {
        let mut line = Vec::new();
        write_statement(self.ours.terms(), triple, &mut line);
        String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
    }

    /// What is wrong with both sides together.
    fn unsound(&self, merged: &Snapshot) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for result in merged.report().results().take(TOLD) {
            let what = format!("both sides together break a shape: {result}");
            conflicts.push(self.conflict(result.focus_term(), None, &what));
        }
        if let Err(error) = merged.document() {
            let what = format!("both sides together are not sound: {}", error.kind);
            let subject = self.ours.terms().find_iri(&self.snapshot.namespace().iri(&error.path));
            match subject {
                Some(subject) => conflicts.push(self.conflict(subject, None, &what)),
                None => conflicts.push(Conflict { item: error.path.clone(), what, ..Conflict::nowhere() }),
            }
        }
        conflicts
    }
}

impl Conflict {
    fn nowhere() -> Conflict {
        Conflict {
            item: String::new(),
            what: String::new(),
            base: Vec::new(),
            ours: Vec::new(),
            theirs: Vec::new(),
            ours_by: None,
            theirs_by: None,
            prefixes: Vec::new(),
            about: None,
        }
    }
}

/// The properties that a change touches, by subject.
fn touched(delta: &Delta) -> BTreeMap<Term, BTreeSet<Term>> {
    let mut touched: BTreeMap<Term, BTreeSet<Term>> = BTreeMap::new();
    for triple in delta.removed().iter().chain(delta.added()) {
        touched.entry(triple.subject).or_default().insert(triple.predicate);
    }
    touched
}

fn is_known(graph: &Graph, subject: Term) -> bool {
    graph.about(subject).next().is_some()
}
