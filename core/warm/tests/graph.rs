//! The component graph: order, cycles, failing starts, a shutdown that ends at its deadline, health that explains itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use knhk_warm::graph::{Component, Graph, GraphError, Outcome, Patience, Phase, Report};
use knhk_warm::{ManualClock, SystemClock};

/// What happened, in order, and what each component does instead of returning well.
#[derive(Default)]
struct Log {
    calls: Mutex<Vec<String>>,
    behaves: Mutex<BTreeMap<String, &'static str>>,
    released: (Mutex<bool>, Condvar),
}

struct Part {
    name: String,
    log: Arc<Log>,
}

impl Part {
    fn call(&self, what: &str) -> Result<(), String> {
        self.log.calls.lock().unwrap().push(format!("{what} {}", self.name));
        let behaves = self.log.behaves.lock().unwrap().get(&format!("{what} {}", self.name)).copied();
        match behaves {
            None => Ok(()),
            Some("panic") => panic!("planted"),
            Some("hang") => {
                let (released, changed) = &self.log.released;
                drop(changed.wait_while(released.lock().unwrap(), |released| !*released).unwrap());
                Ok(())
            }
            Some(why) => Err(why.into()),
        }
    }
}

impl Component for Part {
    fn start(&self) -> Result<(), String> {
        self.call("start")
    }

    fn drain(&self) -> Result<(), String> {
        self.call("drain")
    }

    fn stop(&self) -> Result<(), String> {
        self.call("stop")
    }

    fn health(&self) -> f64 {
        let behaves = self.log.behaves.lock().unwrap().get(&format!("health {}", self.name)).copied();
        match behaves {
            Some("panic") => panic!("planted"),
            Some(health) => health.parse().unwrap(),
            None => 1.0,
        }
    }
}

impl Log {
    fn add(self: &Arc<Log>, graph: &Graph, name: &str, needs: &[&str]) {
        let part = Part { name: name.into(), log: self.clone() };
        graph.add(name, Arc::new(part), needs).unwrap();
    }

    fn plant(&self, call: &str, behaves: &'static str) {
        self.behaves.lock().unwrap().insert(call.into(), behaves);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn release(&self) {
        *self.released.0.lock().unwrap() = true;
        self.released.1.notify_all();
    }
}

/// store <- ledger <- engine -> net.
fn small(clock: Arc<ManualClock>) -> (Graph, Arc<Log>) {
    let (graph, log) = (Graph::new(clock), Arc::new(Log::default()));
    log.add(&graph, "store", &[]);
    log.add(&graph, "ledger", &["store"]);
    log.add(&graph, "net", &[]);
    log.add(&graph, "engine", &["ledger", "net"]);
    (graph, log)
}

fn stuck(report: &Report) -> Vec<&str> {
    report.stuck().map(|name| &**name).collect()
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn starts_after_what_it_needs_and_stops_before_it() {
    let (graph, log) = small(Arc::default());
    assert!(graph.start(MINUTE).unwrap().all_well());
    let calls = log.taken();
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    assert!(at("start store") < at("start ledger") && at("start ledger") < at("start engine"), "{calls:?}");
    assert!(at("start net") < at("start engine"), "{calls:?}");
    assert_eq!(graph.start(MINUTE).unwrap().all, [], "what runs is not started again");
    assert_eq!(graph.depend("store", "net"), Err(GraphError::Running("store".into())));

    let report = graph.shutdown(Patience::default());
    assert!(report.all_well() && report.all.len() == 4, "{report}");
    let calls = log.taken();
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    for phase in ["drain", "stop"] {
        let at = |name: &str| at(&format!("{phase} {name}"));
        assert!(at("engine") < at("ledger") && at("ledger") < at("store") && at("engine") < at("net"), "{calls:?}");
    }
    assert!(calls[..4].iter().all(|call| call.starts_with("drain")), "all drain before one stops: {calls:?}");
    assert_eq!(graph.shutdown(Patience::default()).all, [], "what does not run is not stopped");
}

#[test]
fn a_cycle_is_refused_with_its_path() {
    let (graph, _) = small(Arc::default());
    let refused = graph.depend("store", "engine").unwrap_err();
    assert_eq!(refused.to_string(), "the dependencies would be a cycle: store -> engine -> ledger -> store");
    assert_eq!(graph.depend("net", "net").unwrap_err(), GraphError::Cycle(vec!["net".into(), "net".into()]));
    graph.depend("net", "store").unwrap();
    let names: Vec<String> = graph.components().into_iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["store", "ledger", "net", "engine"]);
    let part = || Arc::new(Part { name: String::new(), log: Arc::default() });
    assert_eq!(graph.add("net", part(), &[]), Err(GraphError::Taken("net".into())));
    assert_eq!(graph.add("new", part(), &["nett"]), Err(GraphError::Unknown("nett".into())));
}

#[test]
fn a_start_that_fails_leaves_nothing_running() {
    for (plants, why) in [("no disk", "ledger failed: no disk"), ("panic", "ledger failed: it panicked")] {
        let (graph, log) = small(Arc::default());
        log.plant("start ledger", plants);
        let error = graph.start(MINUTE).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains(why) && message.contains("engine was not started, because ledger was not"),
            "{message}"
        );
        let calls = log.taken();
        assert!(calls.contains(&"stop store".to_owned()) && calls.contains(&"stop net".to_owned()), "{calls:?}");
        assert!(!calls.iter().any(|call| call.contains("engine") || *call == "stop ledger"), "{calls:?}");
        assert_eq!(graph.shutdown(Patience::default()).all, []);
        // It can be started once the cause is gone.
        log.behaves.lock().unwrap().clear();
        assert!(graph.start(MINUTE).unwrap().all_well());
    }
}

#[test]
fn a_shutdown_of_fifty_ends_at_its_deadline_and_names_the_stuck() {
    let clock = Arc::new(ManualClock::new(1));
    let (graph, log) = (Graph::new(clock.clone()), Arc::new(Log::default()));
    // Ten chains of five: each next one needs the one before.
    for chain in 0..10 {
        for link in 0..5 {
            let needs = (link > 0).then(|| format!("c{chain}l{}", link - 1));
            log.add(&graph, &format!("c{chain}l{link}"), needs.as_deref().as_slice());
        }
    }
    graph.start(MINUTE).unwrap();
    log.taken();
    for member in ["c0l4", "c3l2", "c7l0"] {
        log.plant(&format!("stop {member}"), "hang");
    }
    log.plant("drain c5l1", "hang");
    log.plant("stop c9l3", "the disk is full");
    let patience = Patience { drain: Duration::from_secs(16), stop: Duration::from_secs(16) };
    let ending = std::thread::spawn(move || graph.shutdown(patience));
    // A clock twenty times as fast: what returns at once has time to, however loaded the machine is.
    while !ending.is_finished() {
        clock.advance(Duration::from_millis(10));
        std::thread::sleep(Duration::from_micros(500));
    }
    let report = ending.join().unwrap();
    assert!(report.took >= Duration::from_secs(32), "both phases had a member that did not return: {report}");
    assert_eq!(stuck(&report), ["c0l4", "c3l2", "c5l1", "c7l0"]);
    let of = |name: &str| &report.all.iter().find(|(other, _)| &**other == name).unwrap().1;
    assert_eq!(*of("c5l1"), Outcome::Stuck { phase: Phase::Drain });
    assert_eq!(*of("c0l4"), Outcome::Stuck { phase: Phase::Stop });
    assert_eq!(*of("c9l3"), Outcome::Failed { why: "the disk is full".into() });
    let text = report.to_string();
    assert!(
        text.starts_with("45 of 50 components did in ") && text.contains("\n  c5l1 did not return from drain"),
        "{text}"
    );
    // Those behind a stuck one had their turn all the same.
    let calls = log.taken();
    assert_eq!(calls.iter().filter(|call| call.starts_with("drain")).count(), 50, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with("stop")).count(), 50, "{calls:?}");
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    assert!((0..10).all(|c| (1..5).all(|l| at(&format!("stop c{c}l{l}")) < at(&format!("stop c{c}l{}", l - 1)))));
    log.release();
}

#[test]
fn one_that_comes_late_but_within_the_phase_is_not_stuck() {
    let clock = Arc::new(ManualClock::new(1));
    let (graph, log) = small(clock.clone());
    graph.start(MINUTE).unwrap();
    log.taken();
    log.plant("stop engine", "hang");
    let patience = Patience { drain: MINUTE, stop: MINUTE };
    let ending = std::thread::spawn(move || graph.shutdown(patience));
    // Half of its time: it is given up, and the others have their turn.
    while !log.calls.lock().unwrap().contains(&"stop engine".to_owned()) {
        std::thread::yield_now();
    }
    clock.advance(Duration::from_secs(30));
    while !log.calls.lock().unwrap().contains(&"stop store".to_owned()) {
        std::thread::yield_now();
    }
    log.release();
    let report = ending.join().unwrap();
    assert!(report.all_well(), "{report}");
}

#[test]
fn a_component_is_at_most_as_well_as_what_it_needs() {
    let (graph, log) = small(Arc::default());
    let all = |graph: &Graph| graph.health().into_iter().map(|h| (h.own, h.effective)).collect::<Vec<_>>();
    assert_eq!(all(&graph), [(0.0, 0.0); 4], "nothing runs");
    graph.start(MINUTE).unwrap();
    log.plant("health store", "0.4");
    log.plant("health net", "0.7");
    log.plant("health ledger", "0.9");
    assert_eq!(all(&graph), [(0.4, 0.4), (0.9, 0.4), (0.7, 0.7), (1.0, 0.4)]);
    let names = |at: usize| graph.health()[at].because_of.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!((names(3), names(1), names(0)), (vec!["store".to_owned()], vec!["store".to_owned()], vec![]));
    log.plant("health net", "0.4");
    assert_eq!(names(3), ["store", "net"]);
    log.plant("health engine", "panic");
    assert_eq!((all(&graph)[3], names(3)), ((0.0, 0.0), vec![]));
    log.plant("health net", "NaN");
    assert_eq!((graph.health_of("net"), graph.health_of("nobody"), graph.health_of("store")), (0.0, 0.0, 0.4));
}

#[test]
fn the_system_s_clock_ends_a_shutdown_too() {
    let (graph, log) = (Graph::new(Arc::new(SystemClock)), Arc::new(Log::default()));
    log.add(&graph, "stuck", &[]);
    graph.start(MINUTE).unwrap();
    log.plant("stop stuck", "hang");
    let report = graph.shutdown(Patience { drain: MINUTE, stop: Duration::from_millis(30) });
    assert_eq!(stuck(&report), ["stuck"]);
    log.release();
}
