//! A graph of components, watched: each tells its health at every poll, and the graph's dependencies explain who pulls whom down.

use std::sync::Arc;

use knhk_warm::graph::Graph;

use super::{HealthError, Monitor};

impl Monitor {
    /// Adds the components of a graph, with their dependencies and of one weight, and asks each for its health at every
    /// [`Monitor::poll`]. Those that were added to the graph since the last time are added now.
    ///
    /// # Errors
    /// [`HealthError`] when the weight is not above zero.
    pub fn watch(&self, graph: &Arc<Graph>, weight: f64) -> Result<(), HealthError> {
        for (name, needs) in graph.components() {
            let needs: Vec<&str> = needs.iter().map(|need| &**need).collect();
            match self.add(&name, weight, &needs) {
                Ok(component) => {
                    let graph = graph.clone();
                    self.check(component, Box::new(move || graph.health_of(&name)));
                }
                Err(HealthError::Taken(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
