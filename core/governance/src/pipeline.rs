//! The pipeline: seven stages over one candidate, on two threads where the machine has them.
//!
//! ```text
//! performance, rollback ───────────── guards, invariants: they need what the first two measured
//! schema, doctrine, compatibility
//! ```
//!
//! A stage that panics, is stopped, or has nothing to go by refuses: no change passes because nobody looked.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use knhk_hot::Hot;
use knhk_observation::Record;
use knhk_ontology::KeyTable;

use crate::counters::{REFUSED, RUNS, STOPPED};
use crate::figures::figures;
use crate::invariant::{CrossInvariant, Other, Sectors, across, budgets, guards, order, resources, types};
use crate::mutant::{Mutant, mutated};
use crate::notes::{Notes, nanoseconds, not_judged, undecided};
use crate::stage::{Measured, Way, compatibility, performance, rollback, schema};
use crate::{Candidate, Limits, Past, Report, Stage, StageReport, Verdict, Workload, blast};

/// Judges a candidate by the organisation's rules.
pub type DoctrineJudge<'a> = &'a (dyn Fn(&Candidate) -> StageReport + Sync);

/// Judges a candidate by the boundaries, which may be about what was measured: figures by name, [`FIGURES`](crate::FIGURES) and those of workloads.
pub type GuardJudge<'a> = &'a (dyn Fn(&Candidate, &BTreeMap<String, f64>) -> StageReport + Sync);

/// What the stages look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The change.
    pub candidate: &'a Candidate,
    /// The sector's number in the cell.
    pub number: u32,
    /// The sector's key table, as it was before the candidate was compiled.
    pub keys: &'a KeyTable,
    /// The sector's history.
    pub history: &'a Past,
    /// Observations recorded lately in the sector, the newest last.
    pub records: &'a [Record],
    /// The other sectors; those that change together with this one as they would be.
    pub others: &'a [Other],
    /// What has to hold across sectors.
    pub invariants: &'a [CrossInvariant],
    /// What is measured beside the reads.
    pub workloads: &'a [Workload],
    /// The cell in which shadows are made. Nothing of it is published.
    pub hot: &'a Hot,
    /// The rules that are effective at the candidate's time.
    pub doctrine: DoctrineJudge<'a>,
    /// The boundaries, with the relaxations in force. Called once all was measured that can be.
    pub guards: GuardJudge<'a>,
    /// Whether a relaxation is in force for an item, such as `protected max_qty`.
    pub relaxed: &'a (dyn Fn(&str) -> bool + Sync),
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The sector whose change is judged.
    pub sector: &'a str,
    /// The stage that began or ended.
    pub stage: Stage,
    /// What it says; none while it is under way.
    pub ended: Option<&'a StageReport>,
}

/// Stops a run from another thread.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Not asked yet.
    pub const fn new() -> Stop {
        Stop(AtomicBool::new(false))
    }

    /// Asks: stages that have not begun do not, a measurement ends, and all of these refuse.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The order in which stages are taken that need no other: what takes longest is first.
const FIRST: [Stage; 5] = [Stage::Performance, Stage::Rollback, Stage::Schema, Stage::Doctrine, Stage::Compatibility];
/// Those that need what the first measured.
const THEN: [Stage; 2] = [Stage::Guards, Stage::Invariants];

/// Those that judge what programs would read.
const NEEDS_ARTIFACT: [Stage; 5] =
    [Stage::Doctrine, Stage::Guards, Stage::Performance, Stage::Rollback, Stage::Compatibility];

/// Has all stages judge a change. Nothing is filed, published or recorded. `progress` is called on the threads that work.
pub fn run(context: &Context<'_>, progress: &(dyn Fn(Progress<'_>) + Sync), stop: &Stop) -> Report {
    let began = Instant::now();
    let candidate = context.candidate;
    let (sector, proposal) = (&candidate.sector, &candidate.proposal);
    let _span = tracing::debug_span!("knhk.governance.run", sector, proposal).entered();
    let run = Run::new(context, progress, stop);
    // In this crate's own tests a planted fault is one thread's.
    if !cfg!(test) && std::thread::available_parallelism().is_ok_and(|threads| threads.get() > 1) {
        std::thread::scope(|scope| {
            // Without another thread it takes longer.
            _ = std::thread::Builder::new().name("knhk-stages".into()).spawn_scoped(scope, || run.work());
            run.work();
        });
    } else {
        run.work();
    }
    THEN.into_iter().for_each(|stage| run.stage(stage));
    let left_out = |stage: Stage| undecided(stage, began, "it did not run", "ask again");
    let mut done = run.done;
    let stages: Vec<StageReport> =
        Stage::ALL.map(|stage| done[stage as usize].take().unwrap_or_else(|| left_out(stage))).into();
    let verdicts = || stages.iter().map(|stage| stage.verdict);
    let verdict = match mutated(Mutant::MildestCounts) {
        true => verdicts().min().unwrap_or(Verdict::Refused),
        false => Verdict::of(verdicts()),
    };
    RUNS.add(1);
    REFUSED.add(u64::from(verdict == Verdict::Refused));
    STOPPED.add(u64::from(stop.is_asked()));
    tracing::debug!(?verdict, "judged");
    Report {
        proposal: candidate.proposal.clone(),
        sector: candidate.sector.clone(),
        verdict,
        stages,
        duration_ns: nanoseconds(began),
    }
}

struct Run<'r, 'a> {
    context: &'r Context<'a>,
    limits: Limits,
    progress: &'r (dyn Fn(Progress<'_>) + Sync),
    stop: &'r Stop,
    next: AtomicUsize,
    measured: OnceLock<Measured>,
    way: OnceLock<Way>,
    done: [OnceLock<StageReport>; 7],
}

impl<'r, 'a> Run<'r, 'a> {
    fn new(context: &'r Context<'a>, progress: &'r (dyn Fn(Progress<'_>) + Sync), stop: &'r Stop) -> Run<'r, 'a> {
        // The limits that are in force, not those that the change would bring.
        let limits = match (&context.candidate.current, &context.candidate.compiled) {
            (Some(current), _) => Limits::of(&current.artifact),
            (None, Some(first)) => Limits::of_first(&first.artifact),
            (None, None) => Limits::default(),
        };
        let (next, measured, way) = (AtomicUsize::new(0), OnceLock::new(), OnceLock::new());
        Run { context, limits, progress, stop, next, measured, way, done: Default::default() }
    }

    /// Takes stages until none is left.
    fn work(&self) {
        while let Some(&stage) = FIRST.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.stage(stage);
        }
    }

    fn stage(&self, stage: Stage) {
        let began = Instant::now();
        let sector = &self.context.candidate.sector;
        let _span = tracing::debug_span!("knhk.governance.stage", sector, stage = stage.as_str()).entered();
        let nothing_to_judge = self.context.candidate.compiled.is_none() && NEEDS_ARTIFACT.contains(&stage);
        let report = if self.stop.is_asked() && mutated(Mutant::StoppedPasses) {
            Notes::default().report(stage, began)
        } else if self.stop.is_asked() {
            undecided(stage, began, "it was stopped before it began", "ask again")
        } else if nothing_to_judge {
            // Q2 says why; the rest would only say again that there is nothing.
            not_judged(stage, began, "programs could not read it, so there is nothing to judge")
        } else {
            let judged = catch_unwind(AssertUnwindSafe(|| {
                (self.progress)(Progress { sector, stage, ended: None });
                self.judge(stage, began)
            }));
            judged.unwrap_or_else(|_| match mutated(Mutant::PanicPasses) {
                true => Notes::default().report(stage, began),
                false => undecided(stage, began, "it panicked, and decided nothing", "report this"),
            })
        };
        // Whoever only watches does not decide, either.
        _ = catch_unwind(AssertUnwindSafe(|| (self.progress)(Progress { sector, stage, ended: Some(&report) })));
        tracing::debug!(verdict = ?report.verdict, findings = report.findings.len(), "judged");
        _ = self.done[stage as usize].set(report);
    }

    fn judge(&self, stage: Stage, began: Instant) -> StageReport {
        let Context { candidate, keys, history, .. } = *self.context;
        let notes = match stage {
            Stage::Schema => schema(candidate),
            Stage::Invariants => self.invariants(),
            Stage::Doctrine => return timed((self.context.doctrine)(candidate), stage, began),
            Stage::Guards => return self.guards(began),
            Stage::Performance => {
                let (notes, measured) = performance(self.context, &self.limits, self.stop);
                measured.into_iter().for_each(|measured| _ = self.measured.set(measured));
                notes
            }
            Stage::Rollback => {
                let (notes, way) = rollback(candidate, keys, history);
                way.into_iter().for_each(|way| _ = self.way.set(way));
                notes
            }
            Stage::Compatibility => compatibility(candidate, keys),
        };
        notes.report(stage, began)
    }

    fn invariants(&self) -> Notes {
        let Context { candidate, keys, history, records, others, invariants, relaxed, .. } = *self.context;
        let (measured, way, limits) = (self.measured.get(), self.way.get(), &self.limits);
        let mut notes = Notes::default();
        order(candidate, history, &mut notes);
        types(candidate, keys, records, limits, &mut notes);
        guards(candidate, limits, relaxed, &mut notes);
        if candidate.compiled.is_none() {
            // Q2 has refused it, and there is nothing that could have been measured.
            return notes;
        }
        budgets(measured, way, limits, &mut notes);
        resources(candidate, history, measured, way, limits, &mut notes);
        across(&Sectors::new(candidate, others), invariants, &mut notes);
        notes
    }

    /// What the guards say, and the blast radius beside it.
    fn guards(&self, began: Instant) -> StageReport {
        let figures = figures(self.context.candidate, self.measured.get(), self.way.get(), self.context.history);
        let mut report = (self.context.guards)(self.context.candidate, &figures);
        let radius = blast::check(self.context.candidate, &self.limits, self.context.history);
        let radius = radius.report(Stage::Guards, began);
        report.verdict = Verdict::of([report.verdict, radius.verdict]);
        report.findings.extend(radius.findings);
        report.findings.sort_by_key(|finding| Reverse(finding.severity));
        match &mut report.evidence {
            serde_json::Value::Object(evidence) => _ = evidence.insert("blast_radius".into(), radius.evidence),
            evidence => *evidence = serde_json::json!({ "guards": evidence.take(), "blast_radius": radius.evidence }),
        }
        timed(report, Stage::Guards, began)
    }
}

/// Somebody else's report, under its stage's name and with the time that it took here.
fn timed(report: StageReport, stage: Stage, began: Instant) -> StageReport {
    StageReport { stage, duration_ns: nanoseconds(began), ..report }
}
