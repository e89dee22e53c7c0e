//! What became of what was done: outcomes, success rates, a corpus of examples, and what refusals teach.
//!
//! [`Knowledge`] is a value: whoever keeps it stores it as JSON, and it is exported and imported as that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Pattern;
use crate::plan::{Example, Plan};

/// Examples that are kept for each watch, and refusals that are told.
const KEPT: usize = 50;
const TOLD: usize = 10;

/// How a plan ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Promoted, and its probation ended clean.
    Kept,
    /// Promoted, and taken back; why.
    RolledBack(String),
    /// Refused by the pipeline: the items that it broke, each with what was wrong.
    Refused(Vec<(String, String)>),
}

/// How often plans of one kind did well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Plans that were kept.
    pub kept: u64,
    /// Plans that were rolled back.
    pub rolled_back: u64,
    /// Plans that were refused.
    pub refused: u64,
}

/// All that was learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// By sector and watch, such as `orders/RejectSpike`.
    watches: BTreeMap<String, Watch>,
    /// By proposer, such as `rule` or `model`.
    proposers: BTreeMap<String, Tally>,
    /// By the reason's first word, which for a rule is its name.
    rules: BTreeMap<String, Tally>,
    /// How often an item refused plans, and what it said last.
    refusals: BTreeMap<String, (u64, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Watch {
    tally: Tally,
    /// Oldest first.
    examples: Vec<Example>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::RolledBack(_) => self.rolled_back += 1,
            Outcome::Refused(_) => self.refused += 1,
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.kept + self.rolled_back + self.refused
    }

    /// The share that was kept; none of none.
    pub fn rate(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.kept as f64 / self.count() as f64)
    }

    /// What the share is at least, with 97.5 % confidence (Wilson 1927): few plans that all did well say little. 0 of none.
    pub fn at_least(&self) -> f64 {
        let (count, z) = (self.count() as f64, 1.959_963_985);
        let Some(rate) = self.rate() else { return 0.0 };
        let middle = rate + z * z / (2.0 * count);
        let reach = z * (rate * (1.0 - rate) / count + z * z / (4.0 * count * count)).sqrt();
        ((middle - reach) / (1.0 + z * z / count)).max(0.0)
    }

    fn join(&mut self, other: Tally) {
        self.kept += other.kept;
        self.rolled_back += other.rolled_back;
        self.refused += other.refused;
    }
}

impl Knowledge {
    /// Takes up how a plan ended.
    pub fn learn(&mut self, pattern: &Pattern, proposer: &str, plan: &Plan, outcome: &Outcome) {
        self.proposers.entry(proposer.into()).or_default().add(outcome);
        if let Some((rule, _)) = plan.why.split_once(':').filter(|_| proposer == "rule") {
            self.rules.entry(rule.into()).or_default().add(outcome);
        }
        let told = match outcome {
            Outcome::Kept => "kept".into(),
            Outcome::RolledBack(why) => format!("rolled back: {why}"),
            Outcome::Refused(items) => {
                for (item, what) in items {
                    let refusal = self.refusals.entry(item.clone()).or_default();
                    *refusal = (refusal.0 + 1, what.clone());
                }
                let items: Vec<_> = items.iter().map(|(item, what)| format!("{item}: {what}")).collect();
                format!("refused: {}", items.join("; "))
            }
        };
        let watch = self.watches.entry(format!("{}/{}", pattern.sector, pattern.watch)).or_default();
        watch.tally.add(outcome);
        watch.examples.push(Example { pattern: pattern.clone(), plan: plan.clone(), outcome: told });
        if watch.examples.len() > KEPT {
            watch.examples.remove(0);
        }
    }

    /// How plans about a watch's patterns did.
    pub fn of_watch(&self, sector: &str, watch: &str) -> Tally {
        self.watch(sector, watch).map(|watch| watch.tally).unwrap_or_default()
    }

    fn watch(&self, sector: &str, watch: &str) -> Option<&Watch> {
        self.watches.get(&format!("{sector}/{watch}"))
    }

    /// How a proposer's plans did.
    pub fn of_proposer(&self, proposer: &str) -> Tally {
        self.proposers.get(proposer).copied().unwrap_or_default()
    }

    /// How a rule's plans did.
    pub fn of_rule(&self, rule: &str) -> Tally {
        self.rules.get(rule).copied().unwrap_or_default()
    }

    /// Examples to show with a question: of the same watch, the newest that were kept, and the newest that were not, so that both are seen.
    pub fn examples(&self, sector: &str, watch: &str, most: usize) -> Vec<Example> {
        let Some(watch) = self.watch(sector, watch) else { return Vec::new() };
        let newest =
            |kept: bool| watch.examples.iter().rev().filter(move |example| (example.outcome == "kept") == kept);
        let (good, bad): (Vec<_>, Vec<_>) = (newest(true).take(most).collect(), newest(false).take(most).collect());
        let bad_share = bad.len().min((most / 2).max(most.saturating_sub(good.len())));
        let good = good.into_iter().take(most - bad_share);
        good.chain(bad.into_iter().take(bad_share)).cloned().collect()
    }

    /// Whether the newest plan about a watch's patterns was the same, and was refused, less than `within_ns` before this pattern.
    pub fn was_refused_last(&self, pattern: &Pattern, plan: &Plan, within_ns: u64) -> bool {
        let newest = self.watch(&pattern.sector, &pattern.watch).and_then(|watch| watch.examples.last());
        newest.is_some_and(|newest| {
            newest.outcome.starts_with("refused")
                && newest.plan.changes == plan.changes
                && pattern.to_ns < newest.pattern.to_ns.saturating_add(within_ns)
        })
    }

    /// All of it for people and programs: tallies by watch, proposer and rule, each with its rate and what that is at least, and what refused
    /// most often. With a sector: its watches alone.
    pub fn summary(&self, sector: Option<&str>) -> Value {
        let told = |tally: &Tally| {
            let Tally { kept, rolled_back, refused } = *tally;
            let (rate, at_least) = (tally.rate(), tally.at_least());
            json!({"kept": kept, "rolled_back": rolled_back, "refused": refused, "rate": rate, "at_least": at_least})
        };
        let all = |tallies: &BTreeMap<String, Tally>| -> Value {
            tallies.iter().map(|(name, tally)| (name.clone(), told(tally))).collect::<Map<_, _>>().into()
        };
        let of = |name: &str| sector.is_none_or(|sector| name.split_once('/').is_some_and(|(of, _)| of == sector));
        let watches = self.watches.iter().filter(|(name, _)| of(name));
        let watches: Map<_, _> = watches.map(|(name, watch)| (name.clone(), told(&watch.tally))).collect();
        json!({
            "watches": watches,
            "proposers": all(&self.proposers),
            "rules": all(&self.rules),
            "refusals": self.refusals(),
        })
    }

    /// How many plans it is of.
    pub fn count(&self) -> u64 {
        self.watches.values().map(|watch| watch.tally.count()).sum()
    }

    /// What refused plans most often, a sentence each: what a prompt warns of.
    pub fn refusals(&self) -> Vec<String> {
        let mut refusals: Vec<_> = self.refusals.iter().collect();
        refusals.sort_by_key(|(_, refusal)| std::cmp::Reverse(refusal.0));
        refusals.into_iter().take(TOLD).map(|(item, (times, what))| format!("{item} ({times} times): {what}")).collect()
    }

    /// Adds what another one learned; its examples count as older than the ones that are here.
    pub fn import(&mut self, other: Knowledge) {
        for (name, tally) in other.proposers {
            self.proposers.entry(name).or_default().join(tally);
        }
        for (name, tally) in other.rules {
            self.rules.entry(name).or_default().join(tally);
        }
        for (item, (times, what)) in other.refusals {
            let refusal = self.refusals.entry(item).or_insert((0, what));
            refusal.0 += times;
        }
        for (name, mut theirs) in other.watches {
            let watch = self.watches.entry(name).or_default();
            watch.tally.join(theirs.tally);
            theirs.examples.append(&mut watch.examples);
            watch.examples = theirs.examples.split_off(theirs.examples.len().saturating_sub(KEPT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Setting;

    fn pattern(watch: &str) -> Pattern {
        Pattern {
            watch: watch.into(),
            sector: "orders".into(),
            detector: "cusum".into(),
            concerns: None,
            confidence: 0.99,
            observed: 2.0,
            expected: 1.0,
            from_ns: 0,
            to_ns: 1,
            evidence: vec![],
            observations: vec![],
            forecast: None,
        }
    }

    fn plan(value: i64) -> Plan {
        Plan {
            changes: vec![Setting { path: "max_qty".into(), value: json!(value) }],
            why: "lower: because".into(),
            confidence: 0.9,
        }
    }

    #[test]
    fn rates_examples_and_refusals_survive_export_and_import() {
        let mut knowledge = Knowledge::default();
        let refused = Outcome::Refused(vec![("rule orders/four-eyes".into(), "one more signature".into())]);
        for value in 0..80 {
            let outcome = match value % 4 {
                0 => refused.clone(),
                1 => Outcome::RolledBack("the error share rose".into()),
                _ => Outcome::Kept,
            };
            knowledge.learn(&pattern("Spike"), "rule", &plan(value), &outcome);
        }
        let tally = knowledge.of_watch("orders", "Spike");
        assert_eq!((tally.kept, tally.rolled_back, tally.refused), (40, 20, 20));
        assert_eq!((knowledge.of_proposer("rule"), knowledge.of_rule("lower")), (tally, tally));
        assert_eq!(knowledge.refusals(), ["rule orders/four-eyes (20 times): one more signature"]);
        let examples = knowledge.examples("orders", "Spike", 4);
        let outcomes: Vec<_> = examples.iter().map(|example| example.outcome.split(':').next().unwrap()).collect();
        assert_eq!(outcomes, ["kept", "kept", "rolled back", "refused"]);
        assert_eq!(examples[0].plan, plan(79), "the newest");
        assert!(!knowledge.was_refused_last(&pattern("Spike"), &plan(79), 5), "it was kept");
        knowledge.learn(&pattern("Spike"), "rule", &plan(80), &refused);
        assert!(knowledge.was_refused_last(&pattern("Spike"), &plan(80), 5));
        assert!(!knowledge.was_refused_last(&pattern("Spike"), &plan(81), 5));
        let summary = knowledge.summary(Some("orders"));
        assert_eq!(summary["watches"]["orders/Spike"]["kept"], 40);
        assert_eq!((summary["rules"]["lower"]["refused"].clone(), knowledge.count()), (json!(21), 81));
        assert_eq!(knowledge.summary(Some("other"))["watches"], json!({}));

        let text = serde_json::to_string(&knowledge).unwrap();
        let read: Knowledge = serde_json::from_str(&text).unwrap();
        assert_eq!(read, knowledge);
        let mut other = Knowledge::default();
        other.learn(&pattern("Spike"), "model", &plan(1000), &Outcome::Kept);
        other.import(read);
        assert_eq!(other.of_watch("orders", "Spike").count(), 82);
        assert_eq!(other.of_proposer("rule"), knowledge.of_proposer("rule"));
        assert_eq!(
            other.examples("orders", "Spike", 1)[0].plan,
            plan(1000),
            "what is here is newer than what was imported"
        );
    }

    #[test]
    fn few_successes_promise_little() {
        let tally = |kept, refused| Tally { kept, rolled_back: 0, refused };
        assert_eq!((Tally::default().rate(), Tally::default().at_least()), (None, 0.0));
        // Wilson's interval of 9 of 10 begins at 0.596 (Newcombe 1998 gives the formula, R's prop.test the figure).
        assert!((tally(9, 1).at_least() - 0.595_85).abs() < 1e-4, "{}", tally(9, 1).at_least());
        assert!(tally(1, 0).at_least() < 0.25 && tally(100, 0).at_least() > 0.96);
    }
}
