//! A monitor over a graph of components.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_resilience::health::{Settings, State, System};
use knhk_resilience::{ManualClock, Monitor, Scope};
use knhk_warm::graph::{Component, Graph, Patience};

#[derive(Default)]
struct Part {
    ill: AtomicBool,
    stopped: Mutex<bool>,
}

impl Component for Part {
    fn stop(&self) -> Result<(), String> {
        *self.stopped.lock().unwrap() = true;
        Ok(())
    }

    fn health(&self) -> f64 {
        if self.ill.load(SeqCst) { 0.2 } else { 1.0 }
    }
}

#[test]
fn a_graph_s_components_tell_their_health_and_explain_each_other() {
    let clock = Arc::new(ManualClock::new(1));
    let graph = Arc::new(Graph::new(clock.clone()));
    let parts: [Arc<Part>; 3] = Default::default();
    graph.add("store", parts[0].clone(), &[]).unwrap();
    graph.add("ledger", parts[1].clone(), &["store"]).unwrap();
    graph.start(Duration::from_secs(60)).unwrap();
    let monitor = Monitor::new("all", Settings::default(), &Scope::new(clock)).unwrap();
    monitor.watch(&graph, 1.0).unwrap();
    assert_eq!(monitor.poll().system, System::Running);

    parts[0].ill.store(true, SeqCst);
    parts[1].ill.store(true, SeqCst);
    let report = monitor.poll();
    assert_eq!((report.system, report.components[1].state), (System::Critical, State::Unhealthy));
    assert_eq!(report.components[1].explained_by, ["store".into()]);

    // What was added later is watched from the next time on.
    graph.add("net", parts[2].clone(), &["ledger"]).unwrap();
    monitor.watch(&graph, 1.0).unwrap();
    assert_eq!(monitor.poll().components.len(), 3);
    assert!(monitor.watch(&graph, 0.0).is_err());
    graph.shutdown(Patience::default());
    assert!(*parts[0].stopped.lock().unwrap() && !*parts[2].stopped.lock().unwrap());
    assert_eq!(monitor.poll().availability, 0.0, "what does not run is not well");
}
