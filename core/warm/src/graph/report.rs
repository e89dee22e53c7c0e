//! How a start or a shutdown went, in a form that a person can read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They begin.
    Start,
    /// They take nothing more, and finish what they have.
    Drain,
    /// They end.
    Stop,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Start => "start",
            Phase::Drain => "drain",
            Phase::Stop => "stop",
        })
    }
}

/// How a component fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked to.
    Done {
        /// In how long.
        took: Duration,
    },
    /// It said why not.
    Failed {
        /// Why.
        why: String,
    },
    /// It did not return in time.
    Stuck {
        /// From what.
        phase: Phase,
    },
    /// It was not started, because what it needs was not.
    Skipped {
        /// That.
        needs: Arc<str>,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Done { took } => write!(f, "took {:.3} s", took.as_secs_f64()),
            Outcome::Failed { why } => write!(f, "failed: {why}"),
            Outcome::Stuck { phase } => write!(f, "did not return from {phase}"),
            Outcome::Skipped { needs } => write!(f, "was not started, because {needs} was not"),
        }
    }
}

/// How a start or a shutdown went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How long it took.
    pub took: Duration,
    /// Each component that had a part, in the order in which they were added.
    pub all: Vec<(Arc<str>, Outcome)>,
}

impl Report {
    /// Whether every component did what it was asked to.
    pub fn all_well(&self) -> bool {
        self.failing().next().is_none()
    }

    /// The components that did not return.
    pub fn stuck(&self) -> impl Iterator<Item = &Arc<str>> {
        self.all.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Stuck { .. })).map(|(name, _)| name)
    }

    fn failing(&self) -> impl Iterator<Item = &(Arc<str>, Outcome)> {
        self.all.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Done { .. }))
    }

    /// This phase and the next one of the same components. Of a component the worse outcome is told: that it never stopped before that
    /// it failed, that before anything else.
    pub(super) fn followed_by(self, next: Report) -> Report {
        let all = self.all.into_iter().zip(next.all).map(|((name, first), (_, second))| {
            let outcome = match (first, second) {
                (Outcome::Done { took: first }, Outcome::Done { took }) => Outcome::Done { took: first + took },
                (_, second @ Outcome::Stuck { .. }) => second,
                (Outcome::Done { .. }, second) => second,
                (first, _) => first,
            };
            (name, outcome)
        });
        Report { took: self.took + next.took, all: all.collect() }
    }
}

impl fmt::Display for Report {
    /// The whole first, then each component that did not do what it was asked to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failing = self.failing().count();
        let (well, all, took) = (self.all.len() - failing, self.all.len(), self.took.as_secs_f64());
        write!(f, "{well} of {all} components did in {took:.3} s")?;
        self.failing().try_for_each(|(name, outcome)| write!(f, "\n  {name} {outcome}"))
    }
}

/// Some components could not be started; what had started was stopped again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not every component could be started, so those that were are stopped again: {started}")]
pub struct StartError {
    /// How the start went.
    pub started: Report,
    /// How stopping those that had started went.
    pub stopped: Report,
}
