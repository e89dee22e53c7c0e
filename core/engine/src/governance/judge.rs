//! Has the stages judge candidates: gathers what they look at.

use std::collections::BTreeMap;

use knhk_governance::approval::{Approved, Relaxation};
use knhk_governance::doctrine::Facts;
use knhk_governance::guard::Standing;
use knhk_governance::{
    Candidate, Context, Limits, Lost, Other, Past, PastChange, PastVersion, Progress, Report, Sectors, Stop, run,
};
use knhk_observation::ObservationError;
use knhk_promotion::Sector;
use knhk_version::VersionError;

use super::book::RELAXATION;
use super::candidate::Prepared;
use crate::{Engine, Error, SegmentQuery};

/// The hour that limits speak of, in nanoseconds.
const HOUR_NS: u64 = 3600 * 1_000_000_000;

/// Segments that are looked through at a time for a sector's observations, and how often: a sector that observes seldom among others that do
/// often is not looked for without end.
const WINDOW: u64 = 64;
const WINDOWS: usize = 4;

/// Who watches a run, and may stop it from another thread, or from `progress`.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// Called as stages begin and end, on the threads that work.
    pub progress: &'w (dyn Fn(Progress<'_>) + Sync),
    /// Stops it.
    pub stop: &'w Stop,
}

impl Watch<'_> {
    /// Nobody watches, and nobody stops it.
    pub fn nobody() -> Watch<'static> {
        static NEVER: Stop = Stop::new();
        Watch { progress: &|_| {}, stop: &NEVER }
    }
}

impl Engine {
    /// What the stages say of each candidate. Nothing is locked meanwhile.
    pub(super) fn judged_by_stages(
        &self,
        prepared: &[Prepared],
        approvals: &[Approved],
        watch: Watch<'_>,
    ) -> Result<Vec<Report>, Error> {
        let doctrine = self.doctrine_now()?;
        let recorded = self.durable().is_ok();
        let approvers = if recorded { self.approvers()? } else { None };
        let guards = if recorded { self.guards()? } else { Default::default() };
        let relaxations = if recorded { self.all::<Relaxation>(RELAXATION, true)? } else { Vec::new() };
        let now_ns = self.now_ns();
        let hooks = self.inner.governance.hooks();
        let groups_of = |name: &str| approvers.as_ref().map_or_else(Vec::new, |set| set.groups_of(name));
        let mut reports = Vec::with_capacity(prepared.len());
        for one in prepared {
            let candidate = &one.candidate;
            let history = Past { lost: self.lost(candidate)?, ..self.past(&one.sector)? };
            let limits =
                candidate.current.as_ref().map_or_else(Limits::default, |current| Limits::of(&current.artifact));
            let records = self.lately_observed(&candidate.sector, limits.replay_records)?;
            let others = self.others(prepared, candidate)?;
            let callback = |name: &str, rule: &_, candidate: &Candidate| {
                Some(hooks.rules.get(name)?(rule, &Sectors::new(candidate, &others)))
            };
            let within = |change: &&PastChange| change.time_ns > now_ns.saturating_sub(HOUR_NS);
            let changes_last_hour = history.changes.iter().filter(within).count() as u64;
            let judge_doctrine = |candidate: &Candidate| {
                doctrine.judge(&Facts {
                    candidate,
                    groups_of: &groups_of,
                    approvals,
                    now_ns,
                    changes_last_hour,
                    callbacks: &callback,
                })
            };
            let judge_guards = |candidate: &Candidate, figures: &BTreeMap<String, f64>| {
                let standing =
                    Standing { approvers: approvers.as_ref(), approvals, relaxations: &relaxations, figures };
                guards.judge(candidate, &standing, now_ns)
            };
            let nothing = BTreeMap::new();
            let relaxed = |item: &str| {
                let path = item.strip_prefix("protected ").unwrap_or(item);
                let standing =
                    Standing { approvers: approvers.as_ref(), approvals, relaxations: &relaxations, figures: &nothing };
                guards.gives_way(path, candidate, &standing, now_ns)
            };
            let context = Context {
                candidate,
                number: one.sector.number() as u32,
                keys: &one.keys,
                history: &history,
                records: &records,
                others: &others,
                invariants: &hooks.invariants,
                workloads: hooks.workloads.get(&candidate.sector).map_or(&[][..], |own| own),
                hot: &self.inner.hot,
                doctrine: &judge_doctrine,
                guards: &judge_guards,
                relaxed: &relaxed,
            };
            reports.push(run(&context, watch.progress, watch.stop));
        }
        Ok(reports)
    }

    /// What the sector's history tells the stages.
    fn past(&self, sector: &Sector) -> Result<Past, Error> {
        let state = sector.lock()?;
        let versions = state.versions.iter().map(|version| PastVersion {
            number: version.number,
            parents: version.parent.into_iter().collect(),
            epoch: version.epoch,
            time_ns: version.time_ns,
        });
        let changes = self.inner.governance.lately(sector.name(), &state, self.now_ns().saturating_sub(HOUR_NS));
        Ok(Past {
            versions: versions.collect(),
            next_number: state.next_number(),
            next_epoch: self.inner.hot.epoch() + 1,
            memory_bytes: state.versions.iter().map(|version| version.artifact().image().len() as u64).sum(),
            changes,
            lost: None,
        })
    }

    /// Why the version that a candidate starts from would not be there to go back to, after a restart, too.
    fn lost(&self, candidate: &Candidate) -> Result<Option<Lost>, Error> {
        let (sector, number) = (&candidate.sector, candidate.base_version);
        let Ok(durable) = self.durable() else { return Ok(None) };
        // Before the first version there is nothing; one that is owed is recorded before the next.
        if number == 0 || durable.recorded(sector, number) != number {
            return Ok(None);
        }
        let kept = durable.history.version(sector, number).and_then(|record| durable.history.look(&record));
        let mend = || {
            format!(
                "go back to version {number}, which records it anew as the next one, or restore the store from a backup"
            )
        };
        let lost = match kept {
            Err(error @ (VersionError::Unknown { .. } | VersionError::Damaged { .. })) => {
                Some((format!("the version that it leads to cannot be brought back: {error}"), mend()))
            }
            Err(error) => return Err(error.into()),
            Ok(()) if self.inner.retention.keeps_the_one_before() => None,
            Ok(()) if durable.history.tags(sector)?.iter().any(|tag| tag.version == number) => None,
            Ok(()) => Some((
                format!(
                    "version {number}, which it leads to, is removed once this one is current: retention keeps 1 version"
                ),
                format!("keep 2 versions or more, or set a tag to version {number}, which keeps it"),
            )),
        };
        Ok(lost.map(|(what, fix)| Lost { what, fix }))
    }

    /// The newest observations that were kept of a sector, the newest last.
    fn lately_observed(&self, sector: &str, most: u64) -> Result<Vec<knhk_observation::Record>, Error> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut records = Vec::new();
        let Ok(durable) = self.durable() else { return Ok(records) };
        let mut from = durable.store().segment_count()?;
        for _ in 0..WINDOWS {
            let before = from;
            from = before.saturating_sub(WINDOW);
            let query = SegmentQuery { from, sector: Some(sector.into()), held: true, ..SegmentQuery::default() };
            for segment in self.segments(&query)?.iter().rev().filter(|segment| segment.number < before) {
                let mut older = match knhk_observation::records(&**durable.store(), segment.number) {
                    Ok(older) => older,
                    // Retention was quicker.
                    Err(ObservationError::NotFound { .. } | ObservationError::Dropped { .. }) => continue,
                    Err(error) => return Err(error.into()),
                };
                older.append(&mut records);
                records = older;
                if records.len() >= most {
                    records.drain(..records.len() - most);
                    return Ok(records);
                }
            }
            if from == 0 {
                break;
            }
        }
        Ok(records)
    }

    /// The other sectors: those that change together with this one as they would be.
    fn others(&self, prepared: &[Prepared], candidate: &Candidate) -> Result<Vec<Other>, Error> {
        let together = prepared.iter().map(|one| &one.candidate).filter(|one| one.sector != candidate.sector);
        let together = together.map(|Candidate { sector, snapshot, compiled, .. }| Other {
            sector: sector.clone(),
            snapshot: snapshot.clone(),
            compiled: compiled.clone(),
        });
        let mut others: Vec<Other> = together.collect();
        others.extend(self.standing_beside(|sector| prepared.iter().any(|one| one.candidate.sector == sector))?);
        Ok(others)
    }

    /// The sectors as they are, but those that something else stands for.
    pub(super) fn standing_beside(&self, but: impl Fn(&str) -> bool) -> Result<Vec<Other>, Error> {
        let mut others = Vec::new();
        for info in self.sectors()?.iter().filter(|info| !but(&info.name)) {
            let sector = self.sector(&info.name)?;
            let state = sector.lock()?;
            if let Some(current) = state.current() {
                let (snapshot, compiled) = (current.snapshot.clone(), Some(current.compiled.clone()));
                others.push(Other { sector: info.name.clone(), snapshot, compiled });
            }
        }
        Ok(others)
    }
}
