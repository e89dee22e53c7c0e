//! The specification of what may become of a sector by new values of its parameters: an organisation's rules, and what each stage has to say by
//! them at least. Written from the rules and not from the stages, it knows numbers and names and nothing of the implementation; the engine's tests
//! include this file as it is.
//!
//! Defence in depth means that several stages refuse the same. So each rule is told with the stage that answers for it: one that no longer
//! refuses is found although another still does.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the sector `orders` begins with. Its budgets are such that no busy machine breaks them.
pub const DOCUMENT: &str = r#"{
    "max_qty": {"$value": 1000, "$min": 1, "$max": 5000},
    "min_qty": {"$value": 10, "$min": 1, "$max": 1000},
    "band": {"$value": 0.05, "$min": 0.0, "$max": 0.5},
    "mode": {"$value": "normal", "$enum": ["normal", "auction", "halted"]},
    "active": true,
    "governance": {"max_changes": 3, "max_changes_per_hour": 8, "protected": ["governance/*"],
        "read_budget_ns": 1e9, "tail_budget_ns": 1e9, "lookup_budget_ns": 1e9, "apply_budget_ms": 1e6, "cpu_budget_ms": 1e6,
        "slowdown_percent": 1e6, "measure_ms": 60000}
}"#;

/// What the sector `risk` says.
pub const OTHER: &str = r#"{"ceiling": 1600}"#;
/// The same as a number.
const CEILING: f64 = 1600.0;

/// The organisation's rules.
pub const DOCTRINE: &str = r#"
[[rule]]
id = "small-steps"
sector = "orders"
enforcement = "hard_mandatory"
paths = ["max_qty"]
[rule.resource_limit]
of = "change_percent"
max = 40

[[rule]]
id = "in-order"
sector = "orders"
enforcement = "hard_mandatory"
paths = ["min_qty", "max_qty"]
[rule.expression]
cel = "after['min_qty'] <= after['max_qty']"

[[rule]]
id = "office-hours"
sector = "orders"
enforcement = "hard_mandatory"
paths = ["mode"]
[rule.time_window]
zone = "UTC"
from = "08:00"
to = "17:00"
"#;

/// Its boundaries.
pub const GUARDS: &str = r#"
revision = 1

[[guard]]
id = "limits"
kind = "safety_interlock"
criticality = "high"
sector = "orders"
limit = [{ paths = ["min_qty"], max = 500 }, { paths = ["band"], max_step = 0.5 }, { paths = ["active"], fixed = true }]

[[guard]]
id = "four-eyes"
kind = "approval_chain"
criticality = "medium"
sector = "orders"
chain = { paths = ["max_qty"], above = 0.25, steps = ["desk-risk"] }
"#;

/// What holds across sectors, in CEL.
pub const ACROSS: &str = r#"after["orders/max_qty"] <= after["risk/ceiling"]"#;

const DAY_NS: u64 = 86_400_000_000_000;
const HOUR_NS: u64 = DAY_NS / 24;

/// What a stage says, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Say {
    /// It refuses until somebody approves, or until a time.
    Wait,
    /// It refuses.
    Refuse,
}

/// Who answers for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Schema,
    Invariants,
    Doctrine,
    Guards,
    Compatibility,
}

/// The sector as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its values, by path.
    pub values: BTreeMap<String, Value>,
    /// When the change is asked for, in nanoseconds since 1970 (UTC).
    pub now_ns: u64,
    /// When each change of late took effect, and how many names it touched.
    pub changes: Vec<(u64, u64)>,
    /// Whether the change starts from what is current.
    pub is_current: bool,
}

impl Standing {
    /// As [`DOCUMENT`] has it.
    pub fn first(now_ns: u64) -> Standing {
        let document: Value = serde_json::from_str(DOCUMENT).expect("it is JSON");
        let value = |leaf: &Value| leaf.get("$value").unwrap_or(leaf).clone();
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        for (name, leaf) in document.as_object().expect("it is an object") {
            match leaf.as_object().filter(|leaf| !leaf.contains_key("$value")) {
                Some(map) => values.extend(map.iter().map(|(inner, leaf)| (format!("{name}/{inner}"), value(leaf)))),
                None => _ = values.insert(name.clone(), value(leaf)),
            }
        }
        Standing { values, now_ns, changes: Vec::new(), is_current: true }
    }

    /// What changes: values that are there already do not.
    pub fn changing<'p>(&self, plan: &'p BTreeMap<String, Value>) -> BTreeMap<&'p str, &'p Value> {
        let other = |(path, value): &(&String, &Value)| self.values.get(*path) != Some(*value);
        plan.iter().filter(other).map(|(path, value)| (&**path, value)).collect()
    }

    /// Takes note that a plan took effect.
    pub fn enact(&mut self, plan: &BTreeMap<String, Value>) {
        let names = self.changing(plan).len() as u64;
        self.changes.push((self.now_ns, names));
        self.values.extend(plan.iter().map(|(path, value)| (path.clone(), value.clone())));
    }

    /// Every rule that a plan breaks: the stage that answers for it, what that stage says at least, and the rule.
    pub fn broken(&self, plan: &BTreeMap<String, Value>) -> Vec<(Stage, Say, &'static str)> {
        use Say::{Refuse, Wait};
        use Stage::{Compatibility, Doctrine, Guards, Invariants, Schema};
        let mut broken = Vec::new();
        let mut must = |holds: bool, stage, say, rule| {
            if !holds {
                broken.push((stage, say, rule));
            }
        };
        must(self.is_current, Invariants, Refuse, "a change starts from what is current");
        let changing = self.changing(plan);
        let kind = |value: &Value| match value {
            Value::Number(number) if number.is_i64() => "whole",
            Value::Number(_) => "real",
            Value::String(_) => "text",
            Value::Bool(_) => "truth",
            _ => "other",
        };
        for (&path, &new) in &changing {
            if let Some(limit) = path.strip_prefix("governance/") {
                let known = matches!(limit, "max_changes" | "max_changes_per_hour");
                must(known, Schema, Refuse, "there are no limits but those that there are");
                must(!known || new.as_u64().is_some(), Schema, Refuse, "a limit is a number");
                must(!known, Invariants, Refuse, "what is protected stays as it is");
                continue;
            }
            let old = &self.values[path];
            if kind(old) != kind(new) {
                must(false, Compatibility, Refuse, "a key that programs hold keeps its type");
                let told = path != "max_qty" || new.is_number();
                must(told, Invariants, Refuse, "what holds across sectors can be told");
                continue;
            }
            let (was, is) = (old.as_f64().unwrap_or(0.0), new.as_f64().unwrap_or(0.0));
            let far = (is - was).abs();
            let within = |low: f64, high: f64| (low..=high).contains(&is);
            match path {
                "max_qty" => {
                    must(within(1.0, 5000.0), Invariants, Refuse, "max_qty is 1 to 5000");
                    must(100.0 * far <= 40.0 * was, Doctrine, Refuse, "max_qty moves by 40 % at most");
                    must(4.0 * far <= was, Guards, Wait, "more than a quarter of max_qty takes four eyes");
                    must(is <= CEILING, Invariants, Refuse, "max_qty is no more than risk allows");
                }
                "min_qty" => {
                    must(within(1.0, 1000.0), Invariants, Refuse, "min_qty is 1 to 1000");
                    must(is <= 500.0, Guards, Refuse, "min_qty is 500 at most");
                }
                "band" => {
                    must(within(0.0, 0.5), Invariants, Refuse, "band is 0 to 0.5");
                    must(far <= 0.5 * was, Guards, Refuse, "band moves by half at most");
                }
                "mode" => {
                    let known = ["normal", "auction", "halted"].iter().any(|mode| new == mode);
                    must(known, Invariants, Refuse, "mode is one of three");
                    let hour = self.now_ns % DAY_NS / HOUR_NS;
                    must((8..17).contains(&hour), Doctrine, Wait, "mode changes within office hours");
                }
                _ => must(false, Guards, Refuse, "active stays as it is"),
            }
        }
        let after = |path: &str| plan.get(path).or(self.values.get(path)).and_then(Value::as_i64);
        if changing.contains_key("min_qty") || changing.contains_key("max_qty") {
            let ordered = after("min_qty").zip(after("max_qty")).is_none_or(|(low, high)| low <= high);
            must(ordered, Doctrine, Refuse, "min_qty is no more than max_qty");
        }
        let names = changing.len() as u64;
        must(names <= 3, Guards, Refuse, "a change touches three names at most");
        let since = self.now_ns.saturating_sub(HOUR_NS);
        let lately: u64 = self.changes.iter().filter(|(time_ns, _)| *time_ns > since).map(|(_, names)| names).sum();
        must(lately + names <= 8, Guards, Refuse, "eight names change within an hour at most");
        broken
    }
}
