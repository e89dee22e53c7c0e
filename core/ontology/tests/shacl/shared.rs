//! Validating while another thread takes part of the work gives what validating alone gives, whatever that thread does.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use knhk_ontology::graph::{Graph, Terms};
use knhk_ontology::shacl::{Report, Shapes};
use knhk_ontology::{Alone, Aside};

use crate::support::graph;

type Job = Box<dyn FnOnce() + Send>;

/// Does every job before its owner goes on.
struct AtOnce;

impl Aside for AtOnce {
    fn submit(&self, job: Job) {
        job();
    }
}

/// Keeps every job for later.
#[derive(Default)]
struct Late(Mutex<Vec<Job>>);

impl Aside for Late {
    fn submit(&self, job: Job) {
        self.0.lock().unwrap().push(job);
    }
}

/// Begins every job on a thread of its own, while its owner works.
struct Beside;

impl Aside for Beside {
    fn submit(&self, job: Job) {
        std::thread::spawn(job);
    }
}

/// So many nodes with a number each, of which every seventh is too large and every fifth has a second one; and the shapes for them.
fn numbers(count: usize) -> (Shapes, Graph) {
    let terms = Arc::new(Terms::new());
    let shapes = "ex:Numbers a sh:NodeShape ; sh:targetClass ex:Number ; sh:property [ sh:path ex:is ; sh:maxInclusive 100 ; sh:maxCount 1 ] .
        ex:Named a sh:NodeShape ; sh:targetSubjectsOf ex:is ; sh:not [ sh:path ex:next ; sh:class ex:Large ] ; sh:pattern '[1-9]$' .";
    let mut data = String::new();
    for at in 0..count {
        let number = if at % 7 == 0 { 1000 + at } else { at % 100 };
        let second = if at % 5 == 0 { ", 7" } else { "" };
        let class = if at % 11 == 0 { ", ex:Large" } else { "" };
        writeln!(data, "ex:n{at} a ex:Number{class} ; ex:is {number}{second} ; ex:next ex:n{} .", (at + 1) % count)
            .unwrap();
    }
    (Shapes::compile(&graph(&terms, shapes)).unwrap(), graph(&terms, &data))
}

fn results(report: &Report) -> Vec<String> {
    let full = |result: knhk_ontology::shacl::ValidationResult<'_>| {
        format!("{:?} {:?} {:?} {}", result.focus_term(), result.value_term(), result.constraint(), result.message())
    };
    report.results().map(full).collect()
}

#[test]
fn the_other_thread_changes_nothing() {
    let (shapes, data) = numbers(2000);
    let alone = shapes.validate(&data);
    assert!(alone.len() > 500, "{}", alone.len());
    let late = Late::default();
    for aside in [&Alone as &dyn Aside, &AtOnce, &late, &Beside] {
        let shared = shapes.validate_with(&data, aside);
        assert_eq!(results(&shared), results(&alone));
        assert!(!shared.truncated());
    }
    // It comes when all is done, and after what it would have read is gone.
    drop((shapes, data));
    let jobs = std::mem::take(&mut *late.0.lock().unwrap());
    assert_eq!(jobs.len(), 1, "so much work is offered");
    jobs.into_iter().for_each(|job| job());
}

#[test]
fn little_work_is_not_offered() {
    let (shapes, data) = numbers(20);
    let late = Late::default();
    assert_eq!(results(&shapes.validate_with(&data, &late)), results(&shapes.validate(&data)));
    assert!(late.0.lock().unwrap().is_empty());
}

#[test]
fn of_too_many_results_the_same_are_reported() {
    let terms = Arc::new(Terms::new());
    let shapes = "ex:Pairs a sh:PropertyShape ; sh:targetSubjectsOf ex:a ; sh:path ex:a ; sh:lessThan ex:b .";
    let shapes = Shapes::compile(&graph(&terms, shapes)).unwrap();
    let list = |base: usize| (0..1001).map(|at| (base + at).to_string()).collect::<Vec<_>>().join(", ");
    let mut data = format!("ex:many ex:a {} ; ex:b {} .\n", list(5000), list(1000));
    (0..400).for_each(|at| writeln!(data, "ex:n{at} ex:a 2 ; ex:b 1 .").unwrap());
    let data = graph(&terms, &data);
    let alone = shapes.validate(&data);
    assert!(alone.truncated());
    assert_eq!(alone.len(), Report::MOST_RESULTS);
    let terms = |report: &Report| report.results().map(|it| (it.focus_term(), it.value_term())).collect::<Vec<_>>();
    let shared = shapes.validate_with(&data, &Beside);
    assert!(shared.truncated());
    assert!(terms(&shared) == terms(&alone));
}
