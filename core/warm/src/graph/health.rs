//! Health along the dependencies: a component is at most as well as what it needs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Component, Graph, State, order};

/// A component's health.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentHealth {
    /// The component.
    pub name: Arc<str>,
    /// What it says of itself, from 0 to 1; 0 for one that does not run, that panics when asked, or that says what is no number.
    pub own: f64,
    /// The least of its own health and of what it needs, directly or not.
    pub effective: f64,
    /// The components that pull it down: those of that least health that need nothing which is as ill. Empty where it is its own.
    pub because_of: Vec<Arc<str>>,
}

impl Graph {
    /// The health of each component, in the order in which they were added. They are asked on the calling thread.
    pub fn health(&self) -> Vec<ComponentHealth> {
        // Whoever is asked may ask this graph.
        let (asked, needs): (Vec<_>, Vec<Vec<usize>>) = {
            let nodes = self.nodes();
            let part = |node: &super::Node| (node.state == State::Running).then(|| node.component.clone());
            nodes.iter().map(|node| ((node.name.clone(), part(node)), node.needs.clone())).unzip()
        };
        let own: Vec<f64> = asked.iter().map(|(_, component)| component.as_deref().map_or(0.0, own)).collect();
        let mut effective = own.clone();
        let mut causes: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
        for at in order::order(own.len(), |at| &needs[at]) {
            let least = needs[at].iter().map(|need| effective[*need]).fold(f64::INFINITY, f64::min);
            if least >= own[at] {
                continue;
            }
            effective[at] = least;
            for need in needs[at].iter().filter(|need| effective[**need] == least) {
                let of_need = if causes[*need].is_empty() { vec![*need] } else { causes[*need].clone() };
                causes[at].extend(of_need);
            }
            causes[at].sort_unstable();
            causes[at].dedup();
        }
        let name = |at: &usize| asked[*at].0.clone();
        let health = |at: usize| ComponentHealth {
            name: name(&at),
            own: own[at],
            effective: effective[at],
            because_of: causes[at].iter().map(name).collect(),
        };
        (0..own.len()).map(health).collect()
    }

    /// What a component says of itself, from 0 to 1; 0 for one that does not run or is not there.
    pub fn health_of(&self, name: &str) -> f64 {
        let component = {
            let nodes = self.nodes();
            let node = nodes.iter().find(|node| &*node.name == name);
            node.filter(|node| node.state == State::Running).map(|node| node.component.clone())
        };
        component.as_deref().map_or(0.0, own)
    }
}

fn own(component: &dyn Component) -> f64 {
    let health = catch_unwind(AssertUnwindSafe(|| component.health())).unwrap_or(0.0);
    if health.is_nan() { 0.0 } else { health.clamp(0.0, 1.0) }
}
