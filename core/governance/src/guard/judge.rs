//! What the guards say of a change.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Instant;

use knhk_ontology::Document;

use super::{Guard, Guards};
use crate::approval::{Approved, Approvers, Relaxation, State};
use crate::counters::{GUARDS_CROSSED, GUARDS_RELAXED};
use crate::text::{listed, moment};
use crate::{Candidate, Finding, Need, Severity, Stage, StageReport, Verdict};

/// What stands beside a change when it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Who may approve; none: nobody yet, and no guard gives way.
    pub approvers: Option<&'a Approvers>,
    /// The approvals of the change that count.
    pub approvals: &'a [Approved],
    /// The relaxations: which are in force is looked at here.
    pub relaxations: &'a [Relaxation],
    /// The figures that were measured, by name.
    pub figures: &'a BTreeMap<String, f64>,
}

/// A boundary that is crossed.
pub(super) struct Crossing {
    /// What, in a sentence.
    pub what: String,
    /// What to do, without asking for a relaxation.
    pub fix: String,
    /// What it lacks, where it can still come.
    pub need: Option<Need>,
}

impl Crossing {
    pub(super) fn new(what: impl Into<String>, fix: impl Into<String>) -> Crossing {
        Crossing { what: what.into(), fix: fix.into(), need: None }
    }
}

/// A change, with what several guards look at.
pub(super) struct Judged<'a> {
    pub candidate: &'a Candidate,
    pub standing: &'a Standing<'a>,
    nothing: OnceCell<Document>,
}

impl<'a> Judged<'a> {
    /// What programs read before; nothing, where that is not sound: then it never was current.
    pub(super) fn before(&self) -> &Document {
        self.candidate.base.document().unwrap_or_else(|_| self.nothing.get_or_init(Document::empty))
    }

    /// What programs would read.
    pub(super) fn after(&self) -> Result<&'a Document, Crossing> {
        self.candidate.snapshot.document().map_err(|error| {
            Crossing::new(format!("what programs would read cannot be made out: {error}"), "mend the change")
        })
    }

    /// The paths that change and that a pattern matches; those of classes and properties only where it says `$`, too.
    pub(super) fn changed<'s>(&'s self, patterns: &'s [super::Pattern]) -> impl Iterator<Item = &'a str> + 's {
        let paths = self.candidate.differences.iter().map(|difference| &*difference.path);
        paths.filter(|path| {
            patterns.iter().any(|pattern| pattern.0.starts_with('$') == path.starts_with('$') && pattern.matches(path))
        })
    }
}

impl Guards {
    /// Judges a change by every guard of its sector. A guard that is relaxed is looked at like any other, and what it finds is told without
    /// stopping the change.
    pub fn judge(&self, candidate: &Candidate, standing: &Standing<'_>, now_ns: u64) -> StageReport {
        let _span = tracing::debug_span!("knhk.governance.guards", sector = candidate.sector).entered();
        let start = Instant::now();
        let judged = Judged { candidate, standing, nothing: OnceCell::new() };
        let (mut findings, mut needs, mut relaxed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut looked, mut refused) = (0, false);
        let of = |guard: &&Guard| guard.sector.as_ref().is_none_or(|sector| *sector == candidate.sector);
        for guard in self.guards.iter().filter(of) {
            looked += 1;
            let crossings = guard.crossings(&judged);
            if crossings.is_empty() {
                continue;
            }
            let state = |relaxation: &Relaxation| standing.approvers.map(|set| relaxation.state(set, now_ns));
            let own = || standing.relaxations.iter().filter(|relaxation| relaxation.is_of(guard, candidate));
            if let Some(relaxation) = own().find(|relaxation| state(relaxation) == Some(State::InForce)) {
                GUARDS_RELAXED.add(1);
                relaxed.push(serde_json::json!({ "guard": guard.id, "relaxation": relaxation.asked.id }));
                findings.extend(
                    crossings.into_iter().map(|crossing| excused(guard, crossing, relaxation, standing, now_ns)),
                );
                continue;
            }
            GUARDS_CROSSED.add(1);
            let pending = own().find(|one| matches!(state(one), Some(State::Requested | State::Approved)));
            let pending = pending.zip(standing.approvers).map(|(one, set)| one.need(set, now_ns));
            for crossing in crossings {
                let Crossing { what, fix, need } = crossing;
                refused |= need.is_none() && pending.is_none();
                needs.extend(need);
                let out = way_out(guard, pending.as_ref());
                findings.push(Finding {
                    severity: Severity::Blocker,
                    item: guard.name(),
                    what,
                    fix: format!("{fix}, or {out}"),
                });
            }
            needs.extend(pending);
        }
        findings.sort_by_key(|finding| Reverse(finding.severity));
        let stopped = findings.iter().any(|finding| finding.severity == Severity::Blocker);
        let verdict = match (stopped, refused) {
            (_, true) => Verdict::Refused,
            (true, false) => Verdict::Waiting,
            (false, false) => Verdict::Passed,
        };
        StageReport {
            stage: Stage::Guards,
            verdict,
            findings,
            needs,
            evidence: serde_json::json!({ "guards": looked, "relaxed": relaxed }),
            duration_ns: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl Guards {
    /// Whether a parameter's protection gives way to a change: a guard that is about the parameter is relaxed for it.
    pub fn gives_way(&self, path: &str, candidate: &Candidate, standing: &Standing<'_>, now_ns: u64) -> bool {
        let in_force = |guard: &Guard| {
            let of = |relaxation: &&Relaxation| relaxation.is_of(guard, candidate);
            let state = |relaxation: &Relaxation| standing.approvers.map(|set| relaxation.state(set, now_ns));
            standing.relaxations.iter().filter(of).any(|relaxation| state(relaxation) == Some(State::InForce))
        };
        self.guards.iter().any(|guard| guard.is_about(path) && in_force(guard))
    }
}

impl Guard {
    /// Whether it names a parameter.
    fn is_about(&self, path: &str) -> bool {
        let chain = self.chain.iter().flat_map(|chain| &chain.paths);
        let limits = self.limits.iter().flat_map(|limit| &limit.paths);
        let residencies = self.residencies.iter().flat_map(|residency| &residency.paths);
        chain.chain(limits).chain(residencies).any(|pattern| pattern.matches(path))
    }

    /// The boundaries that a change crosses.
    fn crossings(&self, judged: &Judged<'_>) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        let checks = [
            self.check_chain(judged, &mut crossings),
            self.check_limits(judged, &mut crossings),
            self.check_interlocks(judged, &mut crossings),
            self.check_residency(judged, &mut crossings),
            self.check_bounds(judged, &mut crossings),
            self.check_compliance(judged, &mut crossings),
            self.check_keep(judged, &mut crossings),
        ];
        // What could not be looked at is crossed.
        crossings.extend(checks.into_iter().filter_map(Result::err));
        crossings
    }
}

fn way_out(guard: &Guard, pending: Option<&Need>) -> String {
    let Some(need) = pending else {
        return format!("ask for a relaxation: knhk relax {}", guard.id);
    };
    let missing = need.quorum.saturating_sub(need.approvals);
    let approvals = (missing > 0).then(|| format!("{missing} more approval{}", if missing == 1 { "" } else { "s" }));
    let time = need.not_before_ns.map(|ns| format!("its review time, which ends at {}", moment(ns)));
    let lacks: Vec<String> = approvals.into_iter().chain(time).collect();
    format!("wait for {}, which needs {}", need.item, listed(&lacks))
}

fn excused(
    guard: &Guard,
    crossing: Crossing,
    relaxation: &Relaxation,
    standing: &Standing<'_>,
    now_ns: u64,
) -> Finding {
    let approved = standing.approvers.map(|set| relaxation.tally.approved(set, now_ns)).unwrap_or_default();
    let by: Vec<String> = approved.into_iter().map(|approved| approved.by).collect();
    let (id, until) = (&relaxation.asked.id, moment(relaxation.asked.until_ns));
    let what = format!("{}; relaxation {id}, approved by {}, lets it pass until {until}", crossing.what, listed(&by));
    Finding { severity: Severity::Info, item: guard.name(), what, fix: String::new() }
}
