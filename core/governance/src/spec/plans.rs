//! Generated plans, told to the specification of values and to the stages: none passes that the specification refuses, and the stage that
//! answers for a rule says so itself.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use knhk_hot::Hot;
use knhk_ontology::graph::{Delta, Triple};
use knhk_ontology::vocabulary::{knhk, xsd};
use knhk_ontology::{Compiled, Core, Document, KeyTable, Limits, Snapshot, ValueType, compile_snapshot};
use serde_json::{Value, json};

use super::people::Dice;
use super::values::{self, ACROSS, DOCTRINE, DOCUMENT, GUARDS, OTHER, Say, Standing};
use crate::doctrine::{self, Doctrine, Facts, Rule, RuleRevision, rules_from_toml};
use crate::guard::{self, Guards};
use crate::{
    Asked, Candidate, Context, CrossInvariant, Other, Past, PastChange, PastVersion, Report, Severity, Stage,
    StageReport, Stop, Verdict, run,
};

const MINUTE: u64 = 60_000_000_000;
/// 2026-03-04 06:00 UTC, a Wednesday.
const START: u64 = 1_772_604_000_000_000_000;

/// The sector on both sides.
pub(super) struct World {
    dice: Dice,
    standing: Standing,
    snapshot: Arc<Snapshot>,
    compiled: Arc<Compiled>,
    keys: KeyTable,
    past: Past,
    other: Other,
    doctrine: Doctrine,
    guards: Guards,
    invariants: Vec<CrossInvariant>,
    hot: Hot,
    pub(super) passed: u64,
}

/// What is not as it should be about how a plan is run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mishap {
    None,
    /// The change starts from a version before the current one.
    Late,
    /// It would take effect before it was asked for.
    Early,
    /// The doctrine's judge panics.
    Panics,
    /// The run is stopped.
    Stopped,
}

fn first(sector: &str, document: &str) -> (Arc<Snapshot>, Arc<Compiled>, KeyTable) {
    let empty = Snapshot::empty(sector, &Core::shipped(), &Limits::default());
    let document = Document::parse(document, &Limits::default()).expect("the document is sound");
    let snapshot = empty.apply(&empty.change_to(&document).expect("it is empty")).expect("its names are its own");
    let mut keys = KeyTable::new();
    let compiled = compile_snapshot(&snapshot, &mut keys, None).expect("it compiles");
    (Arc::new(snapshot), Arc::new(compiled), keys)
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let (snapshot, compiled, mut keys) = first("orders", DOCUMENT);
        let held = [
            ("max_qty", ValueType::I64),
            ("min_qty", ValueType::I64),
            ("band", ValueType::F64),
            ("mode", ValueType::Str),
            ("active", ValueType::Bool),
        ];
        for (path, value_type) in held {
            keys.mark_interned(keys.get(path).expect("it is in the document"), value_type);
        }
        let (other, other_compiled, _) = first("risk", OTHER);
        let version = PastVersion { number: 1, parents: Vec::new(), epoch: 3, time_ns: START - MINUTE };
        let mut revisions: Vec<RuleRevision> = Vec::new();
        for rule in rules_from_toml(DOCTRINE).expect("the rules can be") {
            revisions.push(doctrine::revise(&revisions, rule, false, START - MINUTE, "ops-1", "the test"));
        }
        World {
            dice: Dice(seed),
            standing: Standing::first(START),
            snapshot,
            compiled,
            keys,
            past: Past { versions: vec![version], next_number: 2, next_epoch: 4, ..Past::default() },
            other: Other { sector: "risk".into(), snapshot: other, compiled: Some(other_compiled) },
            doctrine: Doctrine::at(&revisions, START, START),
            guards: Guards::from_toml(GUARDS).expect("the guards can be"),
            invariants: vec![CrossInvariant::of_condition("ceiling", Severity::Blocker, ACROSS).expect("it can be")],
            hot: Hot::new(Default::default()).expect("there is memory"),
            passed: 0,
        }
    }

    /// Tries a plan on both sides; says where a stage lets through what it must not.
    pub(super) fn act(&mut self) -> Result<(), String> {
        self.standing.now_ns += self.dice.of(&[1, 5, 20, 61]) * MINUTE;
        let plan = self.plan();
        let mishap = match self.dice.throw(40) {
            0 | 1 => Mishap::Late,
            2 => Mishap::Early,
            3 => Mishap::Panics,
            4 => Mishap::Stopped,
            _ => Mishap::None,
        };
        if self.standing.changing(&plan).is_empty() {
            return Ok(());
        }
        let Some(candidate) = self.candidate(&plan, mishap) else { return Ok(()) };
        self.standing.is_current = mishap != Mishap::Late;
        let report = self.run(&candidate, mishap);
        self.compare(&plan, mishap, candidate.compiled.is_some(), &report)
            .map_err(|why| format!("{plan:?}, {mishap:?}: {why}"))?;
        if report.verdict == Verdict::Passed {
            self.enact(&plan, candidate);
        }
        Ok(())
    }

    fn plan(&mut self) -> BTreeMap<String, Value> {
        let dice = &mut self.dice;
        let paths =
            ["max_qty", "max_qty", "max_qty", "min_qty", "band", "band", "mode", "active", "governance/max_changes"];
        let count = if dice.one_in(8) { 4 + dice.throw(2) } else { 1 + dice.throw(2) };
        let mut plan = BTreeMap::new();
        for _ in 0..count {
            let mut path = dice.of(&paths);
            let rare = dice.one_in(12);
            if rare {
                path = dice.of(&["governance/max_changes_per_hour", "governance/max_chnges", path]);
            }
            let now = self.standing.values.get(path).and_then(Value::as_f64).unwrap_or(8.0);
            // Exactly what may be, one more, one less, and far off.
            let share = dice.of(&[0.25, 0.4, 0.5, 0.1, 2.0, 0.2]) * if dice.one_in(2) { 1.0 } else { -1.0 };
            let whole = match dice.throw(4) {
                0 => dice.of(&[0, 1, 5000, 5001, 500, 501, 1000, 1600, 1601, -3]),
                _ => (now * (1.0 + share)) as i64 + dice.of(&[0, 0, 1, -1]),
            };
            let value = match path {
                _ if dice.one_in(25) => dice.of(&[json!("x"), json!(1.5), json!(7), json!(true)]),
                "band" if dice.one_in(6) => dice.of(&[json!(0.0), json!(0.5), json!(0.500001), json!(-0.1)]),
                "band" => json!(now * (1.0 + share)),
                "mode" => dice.of(&[json!("normal"), json!("auction"), json!("halted"), json!("closed")]),
                "active" => json!(dice.one_in(2)),
                _ => json!(whole),
            };
            plan.insert(path.to_owned(), value);
        }
        plan
    }

    /// What the plan makes of the sector; none where it is no change of it at all.
    fn candidate(&self, plan: &BTreeMap<String, Value>, mishap: Mishap) -> Option<Candidate> {
        let graph = self.snapshot.graph();
        let (terms, value) = (graph.terms(), graph.terms().iri(knhk::VALUE));
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for (path, new) in self.standing.changing(plan) {
            let subject = terms.iri(&self.snapshot.namespace().iri(path));
            let old = graph.about(subject).filter(|(predicate, _)| *predicate == value);
            removed.extend(old.map(|(predicate, object)| Triple { subject, predicate, object }));
            let object = match new {
                Value::String(text) => terms.literal(text, xsd::STRING),
                Value::Bool(truth) => terms.literal(&truth.to_string(), xsd::BOOLEAN),
                Value::Number(number) if number.is_f64() => {
                    terms.literal(&format!("{:e}", number.as_f64()?), xsd::DOUBLE)
                }
                number => terms.literal(&number.to_string(), xsd::INTEGER),
            };
            added.push(Triple { subject, predicate: value, object });
        }
        let delta = Arc::new(Delta::new(graph, removed, added));
        let now_ns = self.standing.now_ns;
        let effective_ns = (mishap == Mishap::Early).then_some(now_ns - 1);
        let asked = Asked { by: "loop/model".into(), time_ns: now_ns, effective_ns, ..Asked::default() };
        let number = self.past.versions.last().map_or(0, |newest| newest.number);
        let base = if mishap == Mishap::Late { number - 1 } else { number };
        let current = Some(self.compiled.clone());
        Candidate::prepare(asked, base, self.snapshot.clone(), current, delta, &self.keys).ok()
    }

    fn run(&self, candidate: &Candidate, mishap: Mishap) -> Report {
        let now_ns = self.standing.now_ns;
        let callbacks = |_: &str, _: &Rule, _: &Candidate| None;
        let doctrine = |candidate: &Candidate| -> StageReport {
            assert!(mishap != Mishap::Panics, "as planned");
            let groups_of = |_: &str| Vec::new();
            let facts = Facts {
                candidate,
                groups_of: &groups_of,
                approvals: &[],
                now_ns,
                changes_last_hour: 0,
                callbacks: &callbacks,
            };
            self.doctrine.judge(&facts)
        };
        let guards = |candidate: &Candidate, figures: &BTreeMap<String, f64>| {
            let standing = guard::Standing { approvers: None, approvals: &[], relaxations: &[], figures };
            self.guards.judge(candidate, &standing, now_ns)
        };
        let stop = Stop::new();
        if mishap == Mishap::Stopped {
            stop.ask();
        }
        let context = Context {
            candidate,
            number: 0,
            keys: &self.keys,
            history: &self.past,
            records: &[],
            others: std::slice::from_ref(&self.other),
            invariants: &self.invariants,
            workloads: &[],
            hot: &self.hot,
            doctrine: &doctrine,
            guards: &guards,
            relaxed: &|_| false,
        };
        run(&context, &|_| {}, &stop)
    }

    fn compare(
        &mut self,
        plan: &BTreeMap<String, Value>,
        mishap: Mishap,
        readable: bool,
        report: &Report,
    ) -> Result<(), String> {
        let mut due: Vec<(Stage, Verdict, &str)> = Vec::new();
        for (stage, say, rule) in self.standing.broken(plan) {
            let stage = match stage {
                values::Stage::Schema => Stage::Schema,
                values::Stage::Invariants => Stage::Invariants,
                values::Stage::Doctrine => Stage::Doctrine,
                values::Stage::Guards => Stage::Guards,
                values::Stage::Compatibility => Stage::Compatibility,
            };
            let verdict = if say == Say::Wait { Verdict::Waiting } else { Verdict::Refused };
            due.push((stage, verdict, rule));
        }
        if !readable {
            // One stage answers for all rules: the others have nothing to look at.
            due = vec![(Stage::Invariants, Verdict::Refused, "what programs could not read is refused")];
        }
        match mishap {
            Mishap::Early => {
                due.push((Stage::Invariants, Verdict::Refused, "nothing takes effect before it is asked for"))
            }
            Mishap::Panics if readable => due.push((Stage::Doctrine, Verdict::Refused, "a stage that panics refuses")),
            Mishap::Stopped => due.extend(Stage::ALL.map(|stage| (stage, Verdict::Refused, "a stopped stage refuses"))),
            Mishap::Panics | Mishap::None | Mishap::Late => {}
        }
        for (stage, verdict, rule) in due {
            let of = report.stages.iter().find(|one| one.stage == stage).ok_or("a stage is missing")?;
            for said in [of.verdict, report.verdict] {
                // What was not judged did not pass; the report as a whole says so.
                if said < verdict && said != Verdict::NotJudged {
                    return Err(format!("{rule}: {stage:?} said {said:?}, and {verdict:?} was due"));
                }
            }
        }
        Ok(())
    }

    fn enact(&mut self, plan: &BTreeMap<String, Value>, candidate: Candidate) {
        self.passed += 1;
        let (number, epoch, time_ns) = (self.past.next_number, self.past.next_epoch, self.standing.now_ns);
        self.past.versions.push(PastVersion { number, parents: vec![number - 1], epoch, time_ns });
        self.past.versions.drain(..self.past.versions.len().saturating_sub(64));
        self.past.changes.push(PastChange { time_ns, names: candidate.touched() as u64 });
        (self.past.next_number, self.past.next_epoch) = (number + 1, epoch + 1);
        self.standing.enact(plan);
        self.snapshot = candidate.snapshot;
        self.compiled = candidate.compiled.expect("what does not compile is refused");
    }
}

/// Tries so many plans of a seed; says where the two sides differ.
pub(super) fn play(seed: u64, plans: usize) -> Result<u64, String> {
    let mut world = World::new(seed);
    for number in 0..plans {
        // A planted fault may panic instead.
        let acted = catch_unwind(AssertUnwindSafe(|| world.act())).unwrap_or_else(|_| Err("it panicked".into()));
        acted.map_err(|why| format!("world {seed}, plan {number}: {why}"))?;
    }
    Ok(world.passed)
}

#[test]
fn no_stage_lets_through_what_the_specification_refuses() {
    let passed: u64 = (0..10).map(|seed| play(seed, 100).unwrap_or_else(|why| panic!("{why}"))).sum();
    println!("{passed} of 1000 plans passed");
    assert!(passed > 50, "{passed}");
}
