//! Dependencies between sectors: a version may need versions of other sectors.
//!
//! A version needs version n of another sector. That is met where the other sector's version came from n (it is n, or n is in its lineage)
//! and none since n was declared incompatible: it *has* n. A version that went back to before n does not.
//!
//! Whoever moves some sectors asks which versions of the others go with them. Candidates of each other sector are its current version, then
//! its retained ones, newest first; what cannot go with the others is ruled out until nothing changes, and what is left is tried in that
//! order. Where nothing is left of a sector, the reasons are the explanation.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use knhk_store::VersionRecord;

use crate::lineage::came_from;
use crate::{History, VersionError};

/// A version of each sector that has one.
pub type Versions = BTreeMap<String, u64>;

/// Versions of a sector that are considered, at most.
const CONSIDERED: usize = 256;
/// Choices that are tried, at most.
const TRIED: usize = 100_000;
/// Reasons that an explanation gives of each sector.
const REASONS: usize = 5;

impl History {
    /// Which version of each sector goes with `wanted`, staying with `current` wherever that is possible. Sectors that are in neither have
    /// no version.
    ///
    /// # Errors
    /// [`VersionError::Clash`] where none go together, with the reasons; [`VersionError::Unknown`] for a version that is not retained.
    pub fn resolve_dependencies(&self, wanted: &Versions, current: &Versions) -> Result<Versions, VersionError> {
        let mut search = Search::default();
        for (sector, number) in wanted {
            search.add(sector, vec![self.version(sector, *number)?], &[], self)?;
        }
        for (sector, number) in current.iter().filter(|(sector, _)| !wanted.contains_key(*sector)) {
            let mut candidates = vec![self.version(sector, *number)?];
            let others = self.store().versions(sector, None, CONSIDERED)?;
            candidates.extend(others.into_iter().filter(|version| version.number != *number));
            search.add(sector, candidates, &[], self)?;
        }
        search.choose()
    }
}

/// A version of a sector that may be chosen.
struct Candidate {
    record: VersionRecord,
    /// What it came from, and itself, up to the last version that was declared incompatible.
    provides: BTreeSet<u64>,
}

#[derive(Default)]
pub(crate) struct Search {
    sectors: Vec<String>,
    candidates: Vec<Vec<Candidate>>,
    tried: usize,
}

impl Search {
    /// Adds a sector with the versions that may be chosen, the preferred one first. `new` are versions that are not stored yet.
    pub(crate) fn add(
        &mut self,
        sector: &str,
        versions: Vec<VersionRecord>,
        new: &[VersionRecord],
        history: &History,
    ) -> Result<(), VersionError> {
        let new = new.iter().filter(|record| record.sector == sector);
        let mut known: BTreeMap<u64, Option<VersionRecord>> =
            new.map(|record| (record.number, Some(record.clone()))).collect();
        let mut candidates = Vec::with_capacity(versions.len());
        for record in versions {
            let mut provides = BTreeSet::new();
            let mut next = vec![record.number];
            while let Some(number) = next.pop() {
                if !provides.insert(number) {
                    continue;
                }
                if let Entry::Vacant(entry) = known.entry(number) {
                    entry.insert(history.store().version(sector, number)?);
                }
                // What is not retained any more is known by its number alone.
                next.extend(known[&number].iter().filter(|record| !record.major).flat_map(came_from));
            }
            candidates.push(Candidate { record, provides });
        }
        self.sectors.push(sector.into());
        self.candidates.push(candidates);
        Ok(())
    }

    /// A version of each sector that goes with the others'.
    pub(crate) fn choose(mut self) -> Result<Versions, VersionError> {
        let left = self.candidates.iter().map(|candidates| (0..candidates.len()).collect()).collect();
        let Some(chosen) = self.solve(left, 0) else { return Err(VersionError::Clash { why: self.explain() }) };
        let pick = |(at, &candidate): (usize, &usize)| {
            (self.sectors[at].clone(), self.candidates[at][candidate].record.number)
        };
        Ok(chosen.iter().enumerate().map(pick).collect())
    }

    /// What one needs of the other and does not get.
    fn lacks(&self, (at, one): (usize, usize), (other_at, other): (usize, usize)) -> Option<(u64, u64)> {
        let (one, other) = (&self.candidates[at][one], &self.candidates[other_at][other]);
        let needed = one.record.depends.iter().find(|(sector, _)| *sector == self.sectors[other_at])?.1;
        (!other.provides.contains(&needed)).then_some((needed, other.record.number))
    }

    fn go_together(&self, one: (usize, usize), other: (usize, usize)) -> bool {
        self.lacks(one, other).is_none() && self.lacks(other, one).is_none()
    }

    /// Whether a version needs something of a sector that has no version at all.
    fn needs_what_is_not(&self, at: usize, candidate: usize) -> Option<&(String, u64)> {
        self.candidates[at][candidate].record.depends.iter().find(|(sector, _)| !self.sectors.contains(sector))
    }

    /// Rules out what goes with nothing that is left of another sector; whether something is left of each.
    fn prune(&self, left: &mut [Vec<usize>]) -> bool {
        loop {
            let mut changed = false;
            for at in 0..left.len() {
                let stays = |&candidate: &usize| {
                    self.needs_what_is_not(at, candidate).is_none()
                        && (0..left.len()).all(|other| {
                            other == at
                                || left[other].iter().any(|&with| self.go_together((at, candidate), (other, with)))
                        })
                };
                let kept: Vec<usize> = left[at].iter().copied().filter(stays).collect();
                changed |= kept.len() < left[at].len();
                left[at] = kept;
                if left[at].is_empty() {
                    return false;
                }
            }
            if !changed {
                return true;
            }
        }
    }

    /// A candidate of each sector, from `at` on the first that goes with the rest.
    fn solve(&mut self, mut left: Vec<Vec<usize>>, at: usize) -> Option<Vec<usize>> {
        self.tried += 1;
        if self.tried > TRIED || !self.prune(&mut left) {
            return None;
        }
        if at == left.len() {
            return left.into_iter().map(|left| left.first().copied()).collect();
        }
        let choices = left[at].clone();
        choices.into_iter().find_map(|choice| {
            let mut next = left.clone();
            next[at] = vec![choice];
            self.solve(next, at + 1)
        })
    }

    /// Why nothing goes together: why each candidate of the sector of which none is left was ruled out, and then those that ruled it out.
    fn explain(&self) -> String {
        if self.tried > TRIED {
            return format!("no versions that go together were found among {TRIED} choices; name more of them");
        }
        let mut left: Vec<Vec<usize>> =
            self.candidates.iter().map(|candidates| (0..candidates.len()).collect()).collect();
        let mut reasons: Vec<Vec<(Option<usize>, String)>> = vec![Vec::new(); left.len()];
        let mut empty = None;
        // Those with a choice first: that nothing is left of them says more than that one that was asked for goes with none.
        let mut order: Vec<usize> = (0..left.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(left[at].len()));
        while empty.is_none() {
            let before: usize = left.iter().map(Vec::len).sum();
            for &at in &order {
                let ruled_out = |&candidate: &usize| self.reason(at, candidate, &left);
                let found: Vec<_> = left[at].iter().map(ruled_out).collect();
                let mut going = found.iter().map(Option::is_some);
                left[at].retain(|_| !going.next().unwrap_or(false));
                reasons[at].extend(found.into_iter().flatten());
                if left[at].is_empty() {
                    empty = Some(at);
                    break;
                }
            }
            if empty.is_none() && left.iter().map(Vec::len).sum::<usize>() == before {
                return "each two sectors have versions that go together, and no choice for all of them does".into();
            }
        }
        let mut told: Vec<usize> = empty.into_iter().collect();
        let mut lines = Vec::new();
        while let Some(&at) = told.get(lines.len()) {
            let of = &reasons[at];
            let mut text: Vec<&str> = of.iter().take(REASONS).map(|(_, reason)| reason.as_str()).collect();
            let more = format!("and so on for {} more", of.len().saturating_sub(REASONS));
            text.extend((of.len() > REASONS).then_some(more.as_str()));
            lines.push(text.join("; "));
            for other in of.iter().filter_map(|(other, _)| *other) {
                if !told.contains(&other) && !reasons[other].is_empty() {
                    told.push(other);
                }
            }
        }
        lines.join(". Besides, ")
    }

    /// Why a candidate goes with nothing that is left of some other sector, and of which.
    fn reason(&self, at: usize, candidate: usize, left: &[Vec<usize>]) -> Option<(Option<usize>, String)> {
        let name = |at: usize, candidate: usize| {
            format!("{} {}", self.sectors[at], self.candidates[at][candidate].record.number)
        };
        let own = name(at, candidate);
        if let Some((sector, needed)) = self.needs_what_is_not(at, candidate) {
            return Some((None, format!("{own} needs {sector} {needed}, and nothing was promoted in {sector}")));
        }
        let against =
            |&other: &usize| !left[other].iter().any(|&with| self.go_together((at, candidate), (other, with)));
        let other = (0..left.len()).filter(|&other| other != at).find(against)?;
        let first = *left[other].first()?;
        let (sector, only) = (&self.sectors[other], left[other].len() == 1);
        let text = match (self.lacks((at, candidate), (other, first)), self.lacks((other, first), (at, candidate))) {
            (Some((needed, have)), _) if only => {
                format!("{own} needs {sector} {needed}, which {sector} {have} does not have")
            }
            (Some((needed, _)), _) => {
                format!("{own} needs {sector} {needed}, which no version of {sector} that could go along has")
            }
            (None, Some((needed, _))) if only => {
                format!("{} needs {} {needed}, which {own} does not have", name(other, first), self.sectors[at])
            }
            _ => format!(
                "every version of {sector} that could go along needs another one of {} than {own}",
                self.sectors[at]
            ),
        };
        Some((Some(other), text))
    }
}
