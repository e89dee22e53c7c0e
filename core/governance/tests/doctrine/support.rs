//! A sector, changes of it, and rules from TOML.

use std::sync::Arc;

use knhk_governance::approval::Approved;
use knhk_governance::doctrine::{self, Doctrine, Facts, Rule, RuleRevision};
use knhk_governance::{Asked, Candidate, StageReport};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Compiled, Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};

/// 2026-03-04 10:00 UTC, a Wednesday.
pub const NOW: u64 = 1_772_618_400_000_000_000;

/// What the sector `orders` knows before each change.
pub const BASE: &str = r#"{
    "limits": {"max_qty": {"$value": 1000, "$min": 1, "$max": 100000}, "ratio": 0.5, "band": [1, 2]},
    "venues": ["XETR"], "mode": "normal"
}"#;

/// A sector with its key table.
pub struct World {
    pub base: Arc<Snapshot>,
    pub current: Arc<Compiled>,
    pub keys: KeyTable,
}

impl World {
    pub fn new() -> World {
        World::of(BASE, "")
    }

    /// Of a document and further statements.
    pub fn of(json: &str, turtle: &str) -> World {
        let empty = Snapshot::empty("orders", &Core::shipped(), &Limits::default());
        let base = after(&empty, json);
        let graph = base.graph();
        let more = rdf::parse(turtle.as_bytes(), Format::Turtle, "urn:knhk:orders:", graph.terms(), base.limits());
        let delta = knhk_ontology::graph::Delta::new(graph, vec![], more.unwrap());
        let base = Arc::new(base.apply(&delta).unwrap());
        let mut keys = KeyTable::new();
        let current = Arc::new(compile_snapshot(&base, &mut keys, None).unwrap());
        World { base, current, keys }
    }

    /// The change to a document, asked for by bob.
    pub fn change(&self, json: &str) -> Candidate {
        let document = Document::parse(json, &Limits::default()).unwrap();
        let delta = Arc::new(self.base.change_to(&document).unwrap());
        self.prepare(delta)
    }

    /// The change that states more.
    pub fn statements(&self, turtle: &str) -> Candidate {
        let graph = self.base.graph();
        let more = rdf::parse(turtle.as_bytes(), Format::Turtle, "urn:knhk:orders:", graph.terms(), self.base.limits());
        self.prepare(Arc::new(knhk_ontology::graph::Delta::new(graph, vec![], more.unwrap())))
    }

    fn prepare(&self, delta: Arc<knhk_ontology::graph::Delta>) -> Candidate {
        let asked = Asked {
            proposal: "p-1".into(),
            by: "bob".into(),
            why: "desk asked, ticket 881".into(),
            time_ns: NOW,
            ..Asked::default()
        };
        Candidate::prepare(asked, 1, self.base.clone(), Some(self.current.clone()), delta, &self.keys).unwrap()
    }

    /// The change of `max_qty` alone.
    pub fn max_qty(&self, value: i64) -> Candidate {
        self.change(&BASE.replace("1000,", &format!("{value},")))
    }
}

fn after(before: &Snapshot, json: &str) -> Snapshot {
    let document = Document::parse(json, &Limits::default()).unwrap();
    before.apply(&before.change_to(&document).unwrap()).unwrap()
}

/// A rule of sector `orders` from the rest of its TOML.
pub fn rule(id: &str, enforcement: &str, rest: &str) -> Rule {
    let text = format!("[[rule]]\nid = \"{id}\"\nsector = \"orders\"\nenforcement = \"{enforcement}\"\n{rest}");
    Rule::from_toml(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

pub fn revisions(rules: Vec<Rule>) -> Vec<RuleRevision> {
    let mut all = Vec::new();
    for rule in rules {
        let revision = doctrine::revise(&all, rule, false, NOW - 1, "ops-1", "because");
        all.push(revision);
    }
    all
}

pub fn doctrine_of(rules: Vec<Rule>) -> Doctrine {
    Doctrine::at(&revisions(rules), NOW, NOW)
}

pub fn approved(by: &str, groups: &[&str]) -> Approved {
    Approved {
        by: by.into(),
        groups: groups.iter().map(|group| group.to_string()).collect(),
        time_ns: NOW - 1,
        expires_ns: u64::MAX,
        overrides: Vec::new(),
    }
}

/// Who is in which groups.
pub fn groups_of(by: &str) -> Vec<String> {
    let groups: &[&str] = match by {
        "bob" => &["desk"],
        "ada" => &["desk-risk"],
        "eve" => &["head-of-desk", "desk-risk"],
        _ => &[],
    };
    groups.iter().map(|group| group.to_string()).collect()
}

pub fn judge(doctrine: &Doctrine, candidate: &Candidate, approvals: &[Approved]) -> StageReport {
    judge_with(doctrine, candidate, approvals, 0, NOW)
}

pub fn judge_with(
    doctrine: &Doctrine,
    candidate: &Candidate,
    approvals: &[Approved],
    changes_last_hour: u64,
    now_ns: u64,
) -> StageReport {
    let callbacks = |name: &str, _: &Rule, candidate: &Candidate| match name {
        "even" => {
            let artifact = &candidate.compiled.as_ref()?.artifact;
            let value = artifact.value(artifact.find("limits/max_qty")?)?;
            Some(match value {
                knhk_hot::artifact::Value::I64(value) if value % 2 != 0 => {
                    Err(format!("limits/max_qty = {value} is odd"))
                }
                _ => Ok(()),
            })
        }
        "faulty" => panic!("as planned"),
        _ => None,
    };
    let facts = Facts { candidate, groups_of: &groups_of, approvals, now_ns, changes_last_hour, callbacks: &callbacks };
    doctrine.judge(&facts)
}

/// The findings as lines.
pub fn lines(report: &StageReport) -> Vec<String> {
    report.findings.iter().map(|finding| format!("{}: {}; {}", finding.item, finding.what, finding.fix)).collect()
}
