//! Doctrine: an organisation's rules for changes, and what they say of one.
//!
//! A [`Rule`] is plain data, written as TOML or JSON by people and kept as canonical JSON. Its [`RuleRevision`]s are only ever added, with two
//! times each, so that the doctrine of any moment can be asked for as it was known at any other. [`Doctrine`] is the rules that hold at one
//! moment, compiled and indexed, which judge a [`Candidate`](crate::Candidate).
//!
//! ```
//! use knhk_governance::doctrine::{self, Doctrine, Rule};
//!
//! let rule = Rule::from_toml(r#"
//!     [[rule]]
//!     id = "four-eyes"
//!     sector = "orders"
//!     enforcement = "hard_mandatory"
//!     paths = ["limits"]
//!     [rule.approval_chain]
//!     above_percent = 25.0
//!     steps = [{ groups = ["desk-risk"], quorum = 1 }]
//! "#)?;
//! let revisions = vec![doctrine::revise(&[], rule, false, 1_000, "ops-1", "ticket 880")];
//! let doctrine = Doctrine::at(&revisions, 2_000, 2_000);
//! assert_eq!(doctrine.rules().map(|rule| rule.name()).collect::<Vec<_>>(), ["orders/four-eyes"]);
//! # Ok::<(), doctrine::RuleError>(())
//! ```

mod case;
mod chain;
mod check;
mod compiled;
mod conflict;
mod cost;
mod duties;
mod error;
mod expression;
mod form;
mod judge;
mod limit;
mod limits;
mod paths;
mod revision;
mod rule;
mod shape;
mod touched;
mod turtle;
mod violation;
mod window;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use crate::number::Number;
pub use case::{Callbacks, Facts, VARIABLES};
pub use error::{Conflict, RuleError};
pub use expression::{Expression, ExpressionError, FUNCTIONS, Scope};
pub use form::{rules_from_toml, rules_to_toml};
pub use revision::{RuleRevision, expired, load, remove, revise, rollback, rules_at};
pub use rule::{
    ApprovalChain, Callback, Condition, Enforcement, Kind, Quantity, ResourceLimit, Rule, SegregationOfDuties, Shape,
    Step, TimeWindow,
};
pub(crate) use touched::json_of;
pub use turtle::rules as rules_from_turtle;
pub use violation::{Violation, violations};

use compiled::Compiled;
use paths::Index;
use revision::Timeline;

/// The rules that hold at one moment, as they were known at another: compiled, and found by sector and path. Any thread may ask it.
#[derive(Debug)]
pub struct Doctrine {
    /// By name.
    rules: Vec<Compiled>,
    /// Of each sector that has rules of its own.
    sectors: HashMap<String, Index>,
    /// Those of every sector.
    everywhere: Index,
    /// What is known over all of valid time, which admission compares with: from, until, the rule.
    known: Vec<(u64, Option<u64>, Rule)>,
    valid_ns: u64,
    holds_until: Option<u64>,
    hash: OnceLock<[u8; 32]>,
}

impl Doctrine {
    /// The rules that hold at `valid_ns`, as known at `decided_ns`. For changes, both are now. A rule that was admitted and can no longer be
    /// judged (a time zone that the database dropped) breaks every change that it is about, and says so.
    pub fn at(revisions: &[RuleRevision], valid_ns: u64, decided_ns: u64) -> Doctrine {
        let timelines = Timeline::all(revisions, decided_ns);
        let known = timelines.iter().flat_map(|(_, timeline)| timeline.holding());
        let known = known.map(|(from, until, revision)| (from, until, revision.rule.clone())).collect();
        let holding = timelines.iter().filter_map(|(_, timeline)| timeline.at(valid_ns));
        let rules: Vec<Compiled> = holding.map(|revision| Compiled::new(revision.rule.clone())).collect();
        let (mut sectors, mut everywhere) = (HashMap::<String, Index>::new(), Index::default());
        for (number, Compiled { rule, .. }) in rules.iter().enumerate() {
            let index = match &rule.sector {
                Some(sector) => sectors.entry(sector.clone()).or_default(),
                None => &mut everywhere,
            };
            index.add(number as u32, &rule.paths);
        }
        let holds_until = timelines.iter().filter_map(|(_, timeline)| timeline.changes_after(valid_ns)).min();
        Doctrine { rules, sectors, everywhere, known, valid_ns, holds_until, hash: OnceLock::new() }
    }

    /// The rules, by name.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|compiled| &compiled.rule)
    }

    /// The moment whose rules these are, in nanoseconds since 1970 (UTC).
    pub fn valid_ns(&self) -> u64 {
        self.valid_ns
    }

    /// Until when these are the rules, if nothing else is decided; none: no end is known.
    pub fn holds_until(&self) -> Option<u64> {
        self.holds_until
    }

    /// The content hash: `SHA-256("knhk doctrine 1\n" || each rule's canonical JSON and a line feed, by name)`.
    pub fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| {
            let mut text = String::from("knhk doctrine 1\n");
            for rule in self.rules() {
                text.push_str(&rule.to_json());
                text.push('\n');
            }
            form::sha256(text.as_bytes())
        })
    }

    /// Whether a new rule can stand beside those that are known, at each moment of its valid time. These contradict each other, where both are
    /// mandatory, about one sector, about a path in common and valid at a moment in common:
    /// * two limits of one quantity between which no number lies;
    /// * two time windows that are never open at once, looked at for 400 days;
    /// * an approval chain in which who proposes counts, and a segregation of duties that forbids them to approve;
    /// * two rules of one name, enforced or not: that is a revision, for which [`Doctrine::admit_revision`] is.
    ///
    /// Whether conditions, shapes and callbacks contradict each other is not decided: they are judged one by one.
    ///
    /// # Errors
    /// The first contradiction, with both rules and the way out.
    pub fn admit(&self, rule: &Rule) -> Result<(), Conflict> {
        conflict::admit(&self.known, rule, false)
    }

    /// [`Doctrine::admit`] of a revision of a rule that is there: it takes its place from its `from_ns` on.
    ///
    /// # Errors
    /// As `admit`, but for the rule itself.
    pub fn admit_revision(&self, rule: &Rule) -> Result<(), Conflict> {
        conflict::admit(&self.known, rule, true)
    }
}
