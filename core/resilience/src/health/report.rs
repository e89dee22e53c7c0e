//! A report that a person can read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{State, System};

/// A system's health at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The monitor's name.
    pub name: Arc<str>,
    /// A, from 0 to 1; 0 when nothing is watched.
    pub availability: f64,
    /// What that means.
    pub system: System,
    /// Each component, in the order in which they were added.
    pub components: Vec<ComponentReport>,
}

/// A component's health at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentReport {
    /// Its name.
    pub name: Arc<str>,
    /// Its weight.
    pub weight: f64,
    /// Its health, from 0 to 1; 0 while it is stale.
    pub health: f64,
    /// What that means.
    pub state: State,
    /// Since its last report; None when there was none.
    pub age: Option<Duration>,
    /// The failing components that it depends on and that have no such explanation themselves.
    pub explained_by: Vec<Arc<str>>,
}

impl fmt::Display for Report {
    /// The whole first, then each component that is not healthy, causes before what they explain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let healthy = self.components.iter().filter(|component| component.state == State::Healthy).count();
        let (name, system, all) = (&self.name, self.system, self.components.len());
        write!(
            f,
            "{name}: {system}, {:.1} % available; {healthy} of {all} components healthy",
            100.0 * self.availability
        )?;
        let mut failing: Vec<_> =
            self.components.iter().filter(|component| component.state != State::Healthy).collect();
        failing.sort_by_key(|component| !component.explained_by.is_empty());
        failing.into_iter().try_for_each(|component| write!(f, "\n  {component}"))
    }
}

impl fmt::Display for ComponentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.state)?;
        match (self.state, self.age) {
            (State::Stale, Some(age)) => write!(f, ", silent for {:.1} s", age.as_secs_f64())?,
            (State::Stale, None) => f.write_str(", never reported")?,
            _ => write!(f, ", health {:.2}", self.health)?,
        }
        if !self.explained_by.is_empty() {
            write!(f, ", because of {}", self.explained_by.join(", "))?;
        }
        Ok(())
    }
}
