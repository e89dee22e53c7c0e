//! How the loop is set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, Status};

/// How the loop goes round; each part has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The sectors that it looks after; empty: each that declares watches.
    pub sectors: Vec<String>,
    /// Milliseconds between two turns, 10 to 3,600,000; 0: a turn comes only when somebody asks for it.
    pub every_ms: u64,
    /// Changes of one sector that it proposes within an hour, at most.
    pub changes_per_hour: u32,
    /// By which share of what it is a number may move at once, above 0.
    pub step: f64,
    /// Seconds after the end of a cycle in which its watch begins no other.
    pub cooldown_s: u32,
    /// A plan that moves a value by more than this share is filed and waits for a person; so does one that changes what is no number. None:
    /// nothing waits for that.
    pub confirm_above: Option<f64>,
    /// Who is asked for a plan, in this order: `rule`, `search`, `model`, and callbacks by their names. Whoever is not there is passed over.
    pub proposers: Vec<String>,
    /// How long a callback may take, in milliseconds, 1 to 600,000.
    pub deadline_ms: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sectors: Vec::new(),
            every_ms: 1000,
            changes_per_hour: 12,
            step: 0.5,
            cooldown_s: 10,
            confirm_above: None,
            proposers: ["rule", "search", "model"].map(String::from).into(),
            deadline_ms: 5000,
        }
    }
}

impl Settings {
    /// Refuses what cannot be.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |item: &str, why: String| Err(Error::new(Status::InvalidArgument, "loop", item, why));
        if self.every_ms != 0 && !(10..=3_600_000).contains(&self.every_ms) {
            return wrong("every_ms", format!("a turn comes every 10 to 3,600,000 ms, not every {}", self.every_ms));
        }
        if !(1..=600_000).contains(&self.deadline_ms) {
            return wrong("deadline_ms", format!("a callback has 1 to 600,000 ms, not {}", self.deadline_ms));
        }
        if !(self.step.is_finite() && self.step > 0.0) {
            return wrong("step", format!("a step is a share above 0, such as 0.5, and {} is none", self.step));
        }
        if let Some(above) = self.confirm_above.filter(|above| !(above.is_finite() && *above >= 0.0)) {
            return wrong("confirm_above", format!("a share is 0 or more, such as 0.25, and {above} is not"));
        }
        if let Some(name) = self.proposers.iter().find(|name| !is_name(name)) {
            return wrong("proposers", format!("{name:?} names no proposer: use letters, digits, `-`, `_` and `.`"));
        }
        Ok(())
    }

    pub(super) fn period(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// Whether a callback may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(known)
}
