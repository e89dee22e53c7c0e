//! The verbs about a live program: what it says of itself, and what is switched by hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_engine::Engine;
use knhk_resilience::Policy;
use knhk_resilience::breaker::{self, Breaker};
use knhk_resilience::checkpoint::{Callbacks, Checkpoints, Settings};
use knhk_resilience::degrade::{Degradation, Level, Thresholds};
use knhk_resilience::health::{self, Monitor};
use knhk_resilience::limit::Bulkhead;
use knhk_resilience::pipeline::{Pipeline, Policies};
use knhk_warm::executor::{Settings as Threads, Task, TaskSettings};
use knhk_warm::{Executor, Step, SystemClock};
use serde_json::json;

use crate::scratch::Scratch;

/// A program with a policy of most kinds, tasks, and a component whose state is a count that each save raises.
pub struct Program {
    _executor: Executor,
    _task: Task,
    _checkpoints: Arc<Checkpoints>,
}

impl Program {
    pub fn new(engine: &Engine) -> Program {
        let scope = engine.scope();
        let breaker = Arc::new(Breaker::new("payments", breaker::Settings::default(), &scope).unwrap());
        engine.add_policy("payments", Policy::Breaker(breaker), None).unwrap();
        let inner = Arc::new(Breaker::new("search", breaker::Settings::default(), &scope).unwrap());
        let bulkhead = Arc::new(Bulkhead::new(7, &scope).unwrap());
        let parts = Policies { breaker: Some(inner), bulkhead: Some(bulkhead), ..Policies::default() };
        engine.add_policy("search", Policy::Pipeline(Arc::new(Pipeline::new(parts, &scope))), None).unwrap();
        let after = Duration::from_secs(1);
        let thresholds = Thresholds { enter: 0.8, leave: 0.6, enter_after: after, leave_after: after };
        let level = |name: &str, off: &str| Level { name: name.into(), thresholds, off: vec![off.into()] };
        let levels = vec![level("brownout", "suggestions"), level("essentials", "search")];
        let degradation = Arc::new(Degradation::new("shop", levels, &scope).unwrap());
        engine.add_policy("shop", Policy::Degradation(degradation), None).unwrap();
        let monitor = Arc::new(Monitor::new("all", health::Settings::default(), &scope).unwrap());
        let db = monitor.add("db", 1.0, &[]).unwrap();
        let web = monitor.add("web", 3.0, &["db"]).unwrap();
        monitor.report(db, 0.0);
        monitor.report(web, 0.8);
        engine.add_policy("all", Policy::Health(monitor), None).unwrap();

        let threads = Threads { threads: 1, ..Threads::default() };
        let executor = Executor::new(threads, Arc::new(SystemClock)).unwrap();
        let strict = TaskSettings { budget: Duration::ZERO, ..TaskSettings::default() };
        let task = executor.task("compact", strict, |_| Step::Done);
        let ticket = task.submit(0).unwrap();
        ticket.wait(Duration::from_secs(60));
        engine.add_executor("warm", &executor).unwrap();

        let count = Arc::new(Mutex::new(0u64));
        let (saved, loaded) = (count.clone(), count);
        let component = Callbacks {
            freeze: None,
            thaw: None,
            save: Box::new(move |to| {
                let mut count = saved.lock().unwrap();
                *count += 1;
                to.write_all(&count.to_le_bytes()).map_err(|error| error.to_string())
            }),
            load: Box::new(move |from| {
                *loaded.lock().unwrap() = u64::from_le_bytes(from.try_into().map_err(|_| "a count has 8 bytes")?);
                Ok(())
            }),
        };
        let checkpoints = engine.checkpoints("book", Settings::default()).unwrap();
        checkpoints.add("count", Arc::new(component)).unwrap();
        Program { _executor: executor, _task: task, _checkpoints: checkpoints }
    }
}

#[test]
fn breakers_are_shown_and_switched_by_hand() {
    let scratch = Scratch::new("breakers");
    let live = scratch.live("program");
    let said = scratch.says(&["breakers"]);
    assert!(said.starts_with("payments         breaker   closed"), "{said}");
    assert!(said.contains("search/breaker"), "{said}");
    let opened = scratch.says(&["breakers", "search/breaker", "--open", "--why", "asked for"]);
    assert!(opened.contains("forced open"), "{opened}");
    let states = |scratch: &Scratch| -> Vec<(String, String)> {
        let all = scratch.json(&["breakers"]);
        let each = |policy: &serde_json::Value| {
            (policy["name"].as_str().unwrap().into(), policy["state"].as_str().unwrap().into())
        };
        all["policies"].as_array().unwrap().iter().map(each).collect()
    };
    let of = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(states(&scratch), [of("payments", "closed"), of("search/breaker", "forced open")]);
    scratch.says(&["breakers", "search/breaker", "--close"]);
    scratch.says(&["breakers", "payments", "--disable"]);
    assert_eq!(states(&scratch), [of("payments", "disabled"), of("search/breaker", "closed")]);
    let unknown = scratch.fails(&["breakers", "nobody", "--open"], 3);
    assert!(unknown.contains("there is no policy \"nobody\"; there are payments, search, "), "{unknown}");
    scratch.fails(&["breakers", "shop"], 1);
    let transitions = scratch.json(&["receipts", "--kind", "circuit breaker transition"]);
    assert!(transitions["receipts"].is_array());
    live.end();
}

#[test]
fn limits_and_degradations_are_shown_and_a_level_is_held() {
    let scratch = Scratch::new("limits");
    let live = scratch.live("program");
    let limits = scratch.json(&["limits"]);
    assert_eq!(limits["policies"][0]["name"], "search/bulkhead");
    assert_eq!(limits["policies"][0]["figures"], json!({"taken": 0.0, "limit": 7.0}));
    let said = scratch.says(&["degrade"]);
    assert!(
        said.contains("full service") && said.contains("1 brownout, from 0.8 to below 0.6: off suggestions"),
        "{said}"
    );
    for (level, state) in
        [("brownout", "brownout"), ("2", "essentials"), ("0", "full service"), ("auto", "full service")]
    {
        let held = scratch.json(&["degrade", "shop", level, "--by", "ops-2"]);
        assert_eq!(held["state"], state);
    }
    let refused = scratch.fails(&["degrade", "shop", "3"], 2);
    assert!(refused.contains("auto, 0 for full service, or a level: brownout (1), essentials (2)"), "{refused}");
    let not = scratch.fails(&["degrade", "search/bulkhead", "1"], 2);
    assert!(not.contains("retune it by a promotion"), "{not}");
    live.end();
}

#[test]
fn health_names_what_explains_the_rest() {
    let scratch = Scratch::new("health");
    let live = scratch.live("program");
    let report = scratch.json(&["health"]);
    let all = &report["monitors"][0];
    assert_eq!((&all["name"], &all["system"]), (&json!("all"), &json!("degraded")));
    let names: Vec<&str> = all["components"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["db", "web"], "causes come first");
    let said = scratch.says(&["health", "all"]);
    assert!(said.starts_with("all   degraded   60.0 % available\n  db    unhealthy   health 0.00\n"), "{said}");
    assert!(said.contains("web   degraded   health 0.80, because of db"), "{said}");
    scratch.fails(&["health", "none"], 3);
    live.end();
}

#[test]
fn tasks_show_who_overruns() {
    let scratch = Scratch::new("tasks");
    let live = scratch.live("program");
    let tasks = scratch.json(&["tasks"]);
    let warm = &tasks["executors"][0];
    assert_eq!((&warm["name"], &warm["waiting"]), (&json!("warm"), &json!([0, 0, 0, 0, 0])));
    assert_eq!((&warm["tasks"][0]["runs"], &warm["tasks"][0]["overruns"]), (&json!(1), &json!(1)));
    let said = scratch.says(&["tasks"]);
    assert!(said.contains("compact   normal") && said.contains("1 of 1 slices over 0.0 µs"), "{said}");
    live.end();
}

#[test]
fn checkpoints_of_components_are_taken_listed_and_restored() {
    let scratch = Scratch::new("components");
    let live = scratch.live("program");
    assert_eq!(scratch.json(&["checkpoint", "--components", "book"])["number"], 1);
    let full = scratch.json(&["checkpoint", "--components", "book", "--full"]);
    assert_eq!((&full["number"], &full["full"], &full["state_bytes"]), (&json!(2), &json!(true), &json!(8)));
    let kept = scratch.json(&["checkpoint", "--components"]);
    let book = &kept["checkpoints"][0];
    assert_eq!((&book["name"], &book["components"]), (&json!("book"), &json!(["count"])));
    assert_eq!(book["kept"].as_array().unwrap().len(), 2);
    assert!(scratch.says(&["checkpoint", "--components"]).contains("2  full   "));
    let restored = scratch.json(&["restore", "--components", "book"]);
    assert_eq!((&restored["number"], &restored["digest"]), (&json!(2), &full["digest"]));
    let said = scratch.says(&["restore", "--components", "book"]);
    assert_eq!(said, "book is as at checkpoint 2, taken just now\n");
    let unknown = scratch.fails(&["checkpoint", "--components", "nothing"], 3);
    assert!(unknown.contains("it has book"), "{unknown}");
    let kinds = scratch.json(&["receipts", "--kind", "checkpoint taken"]);
    assert_eq!(kinds["receipts"].as_array().map(|all| !all.is_empty()), Some(true));
    live.end();
    let dead = scratch.fails(&["checkpoint", "--components", "book"], 3);
    assert!(dead.contains("no live engine takes commands"), "{dead}");
    scratch.fails(&["health"], 3);
    assert!(scratch.says(&["checkpoint"]).lines().count() >= 3, "a checkpoint of the log is what it was");
}

#[test]
fn watching_shows_it_again() {
    use std::io::{BufRead, BufReader};
    let scratch = Scratch::new("watching");
    let live = scratch.live("program");
    let mut watching =
        scratch.command(&["breakers", "payments", "--watch"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("closed"));
    scratch.says(&["breakers", "payments", "--open"]);
    assert!(lines.any(|line| line.unwrap().contains("forced open")), "what changed is shown");
    drop(lines);
    // Nobody reads any more.
    assert!(watching.wait().unwrap().success());
    live.end();
}
