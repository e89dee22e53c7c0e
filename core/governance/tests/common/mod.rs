//! A sector with one version, and candidates made of it.
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use knhk_governance::{
    Asked, Candidate, Context, CrossInvariant, Finding, Other, Past, PastVersion, Progress, Report, Stage, StageReport,
    Stop, Verdict, Workload, run,
};
use knhk_hot::Hot;
use knhk_observation::Record;
use knhk_ontology::graph::Delta;
use knhk_ontology::{Compiled, Core, Document, KeyTable, Limits, Snapshot, compile_snapshot, rdf};

pub const NOW: u64 = 1_790_000_000_000_000_000;

pub const LIMITS: &str =
    r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}, "venues": ["XPAR", "XLON"]}"#;

/// The same document with one value, or more, in another place.
pub fn with(more: &str) -> String {
    format!(
        r#"{{"max_qty": {{"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}}, "venues": ["XPAR", "XLON"], {more}}}"#
    )
}

/// A sector whose version 1 is current.
pub struct Sector {
    pub snapshot: Arc<Snapshot>,
    pub compiled: Arc<Compiled>,
    pub keys: KeyTable,
    pub past: Past,
    pub records: Vec<Record>,
    pub others: Vec<Other>,
    pub invariants: Vec<CrossInvariant>,
    pub workloads: Vec<Workload>,
    pub relaxed: Vec<String>,
    pub hot: Hot,
}

impl Sector {
    pub fn new(json: &str) -> Sector {
        Sector::named("orders", json, "")
    }

    /// A document, and what Turtle says beside it.
    pub fn named(name: &str, json: &str, turtle: &str) -> Sector {
        let limits = Limits::default();
        let empty = Snapshot::empty(name, &Core::shipped(), &limits);
        let document = Document::parse(json, &limits).expect("the document is sound");
        let snapshot = empty.apply(&empty.change_to(&document).expect("it is empty")).expect("its names are its own");
        let snapshot = match turtle {
            "" => snapshot,
            turtle => snapshot.apply(&adding(&snapshot, turtle)).expect("its names are its own"),
        };
        let mut keys = KeyTable::new();
        let compiled = compile_snapshot(&snapshot, &mut keys, None).expect("it compiles");
        let version = PastVersion { number: 1, parents: Vec::new(), epoch: 3, time_ns: NOW - 1_000_000_000 };
        let past = Past { versions: vec![version], next_number: 2, next_epoch: 4, ..Past::default() };
        Sector {
            snapshot: Arc::new(snapshot),
            compiled: Arc::new(compiled),
            keys,
            past,
            records: Vec::new(),
            others: Vec::new(),
            invariants: Vec::new(),
            workloads: Vec::new(),
            relaxed: Vec::new(),
            hot: Hot::new(Default::default()).expect("there is memory"),
        }
    }

    pub fn asked() -> Asked {
        Asked { by: "ops-1".into(), why: "the desk asked".into(), time_ns: NOW, ..Asked::default() }
    }

    /// The candidate of another document.
    pub fn to(&self, json: &str) -> Candidate {
        let document = Document::parse(json, &Limits::default()).expect("the document is sound");
        self.by(self.snapshot.change_to(&document).expect("what is current is sound"))
    }

    /// The candidate of a change.
    pub fn by(&self, delta: Delta) -> Candidate {
        let current = Some(self.compiled.clone());
        Candidate::prepare(Sector::asked(), 1, self.snapshot.clone(), current, Arc::new(delta), &self.keys)
            .expect("the change is the sector's own affair")
    }

    /// The candidate that removes and adds lines of Turtle.
    pub fn changed(&self, removed: &str, added: &str) -> Candidate {
        let triples = |turtle: &str| parsed(&self.snapshot, turtle);
        self.by(Delta::new(self.snapshot.graph(), triples(removed), triples(added)))
    }

    pub fn run(&self, candidate: &Candidate) -> Report {
        self.run_with(candidate, &passes, &silent, &Stop::new())
    }

    pub fn run_with(
        &self,
        candidate: &Candidate,
        doctrine: &(dyn Fn(&Candidate) -> StageReport + Sync),
        guards: &(dyn Fn(&Candidate, &BTreeMap<String, f64>) -> StageReport + Sync),
        stop: &Stop,
    ) -> Report {
        self.run_watched(candidate, doctrine, guards, &|_| {}, stop)
    }

    pub fn run_watched(
        &self,
        candidate: &Candidate,
        doctrine: &(dyn Fn(&Candidate) -> StageReport + Sync),
        guards: &(dyn Fn(&Candidate, &BTreeMap<String, f64>) -> StageReport + Sync),
        progress: &(dyn Fn(Progress<'_>) + Sync),
        stop: &Stop,
    ) -> Report {
        let relaxed = |item: &str| self.relaxed.iter().any(|relaxed| relaxed == item);
        let context = Context {
            candidate,
            number: 0,
            keys: &self.keys,
            history: &self.past,
            records: &self.records,
            others: &self.others,
            invariants: &self.invariants,
            workloads: &self.workloads,
            hot: &self.hot,
            doctrine,
            guards,
            relaxed: &relaxed,
        };
        run(&context, progress, stop)
    }
}

/// A judge that has nothing to say.
pub fn passes(_: &Candidate) -> StageReport {
    judged(Verdict::Passed, Vec::new())
}

/// Guards that have nothing to say.
pub fn silent(candidate: &Candidate, _: &BTreeMap<String, f64>) -> StageReport {
    passes(candidate)
}

pub fn judged(verdict: Verdict, findings: Vec<Finding>) -> StageReport {
    let evidence = serde_json::json!({});
    StageReport { stage: Stage::Doctrine, verdict, findings, needs: Vec::new(), evidence, duration_ns: 0 }
}

pub fn parsed(snapshot: &Snapshot, turtle: &str) -> Vec<knhk_ontology::graph::Triple> {
    let head = format!(
        "@prefix : <{}> . @prefix knhk: <urn:knhk:core:> . @prefix sh: <http://www.w3.org/ns/shacl#> . \
         @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . \
         @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n",
        snapshot.namespace().prefix()
    );
    let (terms, limits) = (snapshot.graph().terms(), Limits::default());
    rdf::parse((head + turtle).as_bytes(), rdf::Format::Turtle, "", terms, &limits).expect("the Turtle is sound")
}

pub fn adding(snapshot: &Snapshot, turtle: &str) -> Delta {
    Delta::new(snapshot.graph(), Vec::new(), parsed(snapshot, turtle))
}

/// The stage that speaks of an item, and what it says.
pub fn found<'r>(report: &'r Report, item: &str) -> Option<(Stage, &'r Finding)> {
    let all = report.stages.iter().flat_map(|stage| stage.findings.iter().map(|finding| (stage.stage, finding)));
    all.into_iter().find(|(_, finding)| finding.item == item)
}

/// That the run was refused by this stage, for this item, with a message that says this.
pub fn refuses(report: &Report, stage: Stage, item: &str, says: &str) {
    let text = knhk_governance::render(report);
    assert_eq!(report.verdict, Verdict::Refused, "{text}");
    let of = report.stages.iter().find(|one| one.stage == stage).expect("all stages are there");
    assert_eq!(of.verdict, Verdict::Refused, "{text}");
    let said = of.findings.iter().any(|one| one.item == item && one.what.contains(says));
    assert!(said, "{item} should say {says:?}:\n{text}");
}

pub fn passed(report: &Report) {
    assert_eq!(report.verdict, Verdict::Passed, "{}", knhk_governance::render(report));
}
