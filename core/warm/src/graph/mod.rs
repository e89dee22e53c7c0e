//! Components that stand on each other: started and stopped in order, ended in time, and whose ill health explains that of others.
//!
//! What a component needs is started before it and stopped after it; what does not depend on each other starts and stops side by side.
//! A dependency that would close a cycle is refused, with its path named.
//!
//! A shutdown has two phases, each with its own time: all components drain (they take nothing more, and finish what they have), then all
//! stop. A component that does not return keeps nobody waiting for ever: of the time that is left when its turn comes it has one part in
//! as many as the longest chain of components behind it is long, itself included. Then those behind it have their turn all the same, and at the
//! end of the phase those that have not returned are named, and their threads left to themselves.

mod health;
mod order;
mod phase;
mod report;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use health::ComponentHealth;
pub use order::path;
pub use report::{Outcome, Phase, Report, StartError};

use crate::clock::Clock;

/// A part of a program that starts and stops. Its methods are called on threads of their own; after a phase that it did not return from
/// the next one calls it while the call before still runs.
pub trait Component: Send + Sync {
    /// Begins its work. What it needs has begun.
    ///
    /// # Errors
    /// Why it cannot, in words for people.
    fn start(&self) -> Result<(), String> {
        Ok(())
    }

    /// Takes nothing more, and returns when it is done with what it has. What depends on it has drained, or was given up.
    ///
    /// # Errors
    /// What was lost, in words for people.
    fn drain(&self) -> Result<(), String> {
        Ok(())
    }

    /// Ends. What depends on it has ended, or was given up.
    ///
    /// # Errors
    /// What went wrong, in words for people.
    fn stop(&self) -> Result<(), String> {
        Ok(())
    }

    /// How well it is, from 0 to 1.
    fn health(&self) -> f64 {
        1.0
    }
}

/// Why a component or a dependency was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// There is one of that name.
    #[error("there is a component \"{0}\" already")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no component \"{0}\"; add it before what depends on it")]
    Unknown(String),
    /// A component would depend on itself.
    #[error("the dependencies would be a cycle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// Components are added and connected while nothing runs.
    #[error("\"{0}\" is running; shut the graph down before changing what it depends on")]
    Running(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Running,
}

struct Node {
    name: Arc<str>,
    component: Arc<dyn Component>,
    needs: Vec<usize>,
    state: State,
}

/// How long the phases of a shutdown may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To drain. 10 s.
    pub drain: Duration,
    /// To stop. 5 s.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { drain: Duration::from_secs(10), stop: Duration::from_secs(5) }
    }
}

/// Components and what they depend on.
pub struct Graph {
    nodes: Mutex<Vec<Node>>,
    /// Held while the components start or stop.
    changing: Mutex<()>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.nodes();
        let names =
            nodes.iter().map(|node| (&node.name, node.needs.iter().map(|need| &nodes[*need].name).collect::<Vec<_>>()));
        f.debug_map().entries(names).finish()
    }
}

impl Graph {
    /// No component yet.
    pub fn new(clock: Arc<dyn Clock>) -> Graph {
        Graph { nodes: Mutex::default(), changing: Mutex::default(), clock }
    }

    fn nodes(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a component that depends on others, which were added before. It is not started.
    ///
    /// # Errors
    /// [`GraphError`]: the name is taken, or a dependency is unknown.
    pub fn add(&self, name: &str, component: Arc<dyn Component>, needs: &[&str]) -> Result<(), GraphError> {
        let mut nodes = self.nodes();
        if find(&nodes, name).is_ok() {
            return Err(GraphError::Taken(name.into()));
        }
        let mut known = needs.iter().map(|need| find(&nodes, need)).collect::<Result<Vec<usize>, _>>()?;
        known.sort_unstable();
        known.dedup();
        nodes.push(Node { name: name.into(), component, needs: known, state: State::Idle });
        Ok(())
    }

    /// Says that a component depends on another.
    ///
    /// # Errors
    /// [`GraphError`]: one is unknown, the first one is running, or the dependencies would be a cycle, whose path is named.
    pub fn depend(&self, name: &str, on: &str) -> Result<(), GraphError> {
        let mut nodes = self.nodes();
        let (from, to) = (find(&nodes, name)?, find(&nodes, on)?);
        if nodes[from].state == State::Running {
            return Err(GraphError::Running(name.into()));
        }
        if let Some(path) = path(nodes.len(), to, from, |at| &nodes[at].needs) {
            let names = std::iter::once(from).chain(path).map(|at| nodes[at].name.to_string());
            return Err(GraphError::Cycle(names.collect()));
        }
        if !nodes[from].needs.contains(&to) {
            nodes[from].needs.push(to);
        }
        Ok(())
    }

    /// The components by name, each after what it needs, with what that is.
    pub fn components(&self) -> Vec<(Arc<str>, Vec<Arc<str>>)> {
        let nodes = self.nodes();
        let needs = |at: usize| nodes[at].needs.iter().map(|need| nodes[*need].name.clone()).collect();
        order::order(nodes.len(), |at| &nodes[at].needs)
            .into_iter()
            .map(|at| (nodes[at].name.clone(), needs(at)))
            .collect()
    }

    /// Starts what does not run, in order, within `patience`.
    ///
    /// # Errors
    /// [`StartError`] when one fails or does not return in time: what needs it is not started, and what did start by then is stopped
    /// again, within as long.
    pub fn start(&self, patience: Duration) -> Result<Report, StartError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let report = self.phase(Phase::Start, State::Idle, patience);
        if report.all_well() {
            return Ok(report);
        }
        let stopped = self.phase(Phase::Stop, State::Running, patience);
        Err(StartError { started: report, stopped })
    }

    /// Drains, then stops what runs, in order, and tells who did not.
    pub fn shutdown(&self, patience: Patience) -> Report {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let drained = self.phase(Phase::Drain, State::Running, patience.drain);
        let stopped = self.phase(Phase::Stop, State::Running, patience.stop);
        let report = drained.followed_by(stopped);
        if !report.all_well() {
            tracing::warn!(name: "knhk.warm.shutdown", "{report}");
        }
        report
    }

    /// One phase of all components that are in a state.
    fn phase(&self, phase: Phase, of: State, patience: Duration) -> Report {
        let members: Vec<phase::Member> = {
            let nodes = self.nodes();
            let all = 0..nodes.len();
            let after = |at: usize| -> Vec<usize> {
                match phase {
                    Phase::Start => nodes[at].needs.clone(),
                    Phase::Drain | Phase::Stop => {
                        all.clone().filter(|other| nodes[*other].needs.contains(&at)).collect()
                    }
                }
            };
            let member = |at: usize| {
                let part = (nodes[at].state == of).then(|| nodes[at].component.clone());
                phase::Member { name: nodes[at].name.clone(), component: part, after: after(at) }
            };
            all.clone().map(member).collect()
        };
        let report = phase::run(phase, &members, patience, &*self.clock);
        let mut nodes = self.nodes();
        for (node, (member, (_, outcome))) in nodes.iter_mut().zip(members.iter().zip(&report.all)) {
            match (phase, outcome) {
                _ if member.component.is_none() => {}
                // One that is late to start may have started after all, and is stopped.
                (Phase::Start, Outcome::Done { .. } | Outcome::Stuck { .. }) => node.state = State::Running,
                // One that could not be stopped is given up.
                (Phase::Stop, _) => node.state = State::Idle,
                _ => {}
            }
        }
        Report {
            all: report.all.into_iter().zip(&members).filter(|(_, m)| m.component.is_some()).map(|(o, _)| o).collect(),
            ..report
        }
    }
}

fn find(nodes: &[Node], name: &str) -> Result<usize, GraphError> {
    nodes.iter().position(|node| &*node.name == name).ok_or_else(|| GraphError::Unknown(name.into()))
}
