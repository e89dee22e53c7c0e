//! An engine with a governed sector, a clock that the test sets, and approvers with their keys.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_engine::control::Content;
use knhk_engine::governance::{Proposal, Propose, Report, Stage};
use knhk_engine::{Engine, Error, Options, ReaderOptions, ReceiptInfo, ReceiptQuery, SectorKind, Signer};
use knhk_warm::ManualClock;
use serde_json::{Value, json};
use tempfile::TempDir;

/// When the worlds begin: 2036-11-18 12:26:40 UTC, a Tuesday: after whatever the machine's clock shows.
pub const BEGIN_NS: u64 = 2_110_624_000 * SECOND;
pub const SECOND: u64 = 1_000_000_000;
pub const HOUR: u64 = 3600 * SECOND;

/// What the sector `orders` begins with. Its limits keep a slow machine from being what is refused.
pub const FIRST: &str = r#"{
    "governance": {"slowdown_percent": 200.0, "measure_ms": 60000.0, "tail_budget_ns": 1e9, "read_budget_ns": 1e9,
        "lookup_budget_ns": 1e9, "apply_budget_ms": 1e6, "cpu_budget_ms": 1e6},
    "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"},
    "price_band": {"$value": 0.05, "$min": 0.0, "$max": 0.5},
    "venues": ["XETR", "XLON"],
    "active": true
}"#;

pub struct World {
    pub engine: Option<Engine>,
    pub clock: Arc<ManualClock>,
    folder: TempDir,
}

impl World {
    /// With the sector `orders`, in which nothing is current.
    pub fn empty() -> World {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(BEGIN_NS)));
        let mut world = World { engine: None, clock, folder };
        world.reopen();
        world.engine().create_sector("orders", SectorKind::Governed).unwrap();
        world
    }

    /// With what [`FIRST`] says in the sector `orders`.
    pub fn new() -> World {
        let world = World::empty();
        let first = world.propose("orders", document(FIRST));
        assert_eq!(first.state.as_str(), "enacted", "{}", told(&first.reports));
        world
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub fn location(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub fn options(&self) -> Options {
        let mut options = Options::default();
        options.time = Some(self.clock.clone());
        options
    }

    /// Closes the engine and opens it again.
    pub fn reopen(&mut self) {
        drop(self.engine.take());
        self.engine = Some(Engine::open(self.location(), self.options()).unwrap());
    }

    pub fn propose(&self, sector: &str, content: Content) -> Proposal {
        self.engine().propose(&Propose::of(sector, content, "ops-1", "the test asks")).unwrap()
    }

    /// Moves the clock, and does what is due then.
    pub fn pass(&self, ns: u64) {
        self.clock.advance(Duration::from_nanos(ns));
        self.engine().settle_due().unwrap();
    }

    pub fn read(&self, path: &str) -> i64 {
        let key = self.engine().key::<i64>("orders", path).unwrap();
        let reader = self.engine().register_reader(ReaderOptions::default()).unwrap();
        key.get(&reader.view(), -1)
    }

    pub fn read_f64(&self, path: &str) -> f64 {
        let key = self.engine().key::<f64>("orders", path).unwrap();
        let reader = self.engine().register_reader(ReaderOptions::default()).unwrap();
        key.get(&reader.view(), -1.0)
    }

    pub fn receipts(&self, kind: &str) -> Vec<ReceiptInfo> {
        let all = self.engine().receipts(&ReceiptQuery::default()).unwrap();
        all.into_iter().filter(|receipt| receipt.kind == kind).collect()
    }

    pub fn govern(&self, verb: &str, request: Value) -> Value {
        self.engine().govern(verb, request).unwrap_or_else(|error| panic!("{verb}: {error}"))
    }

    /// Puts approvers into force: each with the key whose seed is their place from 1, and with their groups.
    pub fn approvers(&self, members: &[(&str, &[&str])], threshold: u32) {
        let member = |(at, (name, groups)): (usize, &(&str, &[&str]))| json!({ "name": name, "key": hex(&signer(at as u8 + 1).public().to_bytes()), "groups": groups });
        let members: Vec<Value> = members.iter().enumerate().map(member).collect();
        let set = json!({ "revision": 1, "threshold": threshold, "approver": members });
        let change = self.govern("change_approvers", json!({ "approvers": set, "by": "ops-1", "why": "the first" }));
        for seed in 1..=threshold {
            self.approve("approvers", change["id"].as_str().unwrap(), seed as u8).unwrap();
        }
        assert!(self.engine().approvers().unwrap().is_some());
    }

    /// Has the approver whose key has this seed approve something.
    pub fn approve(&self, kind: &str, id: &str, seed: u8) -> Result<Value, Error> {
        self.approve_over(kind, id, seed, &[])
    }

    pub fn approve_over(&self, kind: &str, id: &str, seed: u8, overrides: &[&str]) -> Result<Value, Error> {
        let approval = self.sign(kind, id, seed, overrides)?;
        self.engine().govern("approve", json!({ "approval": approval }))
    }

    pub fn sign(&self, kind: &str, id: &str, seed: u8, overrides: &[&str]) -> Result<String, Error> {
        let request = json!({ "kind": kind, "id": id, "overrides": overrides });
        let request = self.engine().govern("approval_request", request)?;
        let sign = json!({ "payload": request["payload"], "key": STANDARD.encode([seed; 32]) });
        let signed = knhk_engine::governance::offline("sign_approval", sign)?;
        Ok(signed["approval"].as_str().unwrap().to_owned())
    }
}

pub fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32])
}

pub fn document(json: &str) -> Content {
    Content::Document { text: json.into(), format: None }
}

pub fn values(values: &[(&str, &str)]) -> Content {
    Content::Values(values.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect())
}

pub fn told(reports: &[Report]) -> String {
    knhk_engine::governance::rendered(reports)
}

/// What a stage found, each as `item: what`.
pub fn findings(reports: &[Report], stage: Stage) -> Vec<String> {
    let stages = reports.iter().flat_map(|report| &report.stages).filter(|one| one.stage == stage);
    stages.flat_map(|one| &one.findings).map(|one| format!("{}: {}", one.item, one.what)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
