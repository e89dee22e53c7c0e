//! Rules that are SHACL shapes: compiled in the interner of the knowledge that they judge, and asked about what a change touches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use knhk_ontology::graph::{GraphBuilder, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::{Report, Severity as Grave, Shapes};
use knhk_ontology::{Limits, Namespace, canon};

use super::case::Breach;
use super::rule::{Rule, Shape};
use crate::{Candidate, Finding, Severity};

/// Shapes of a rule for the sectors that it judged, each in the interner of that sector's knowledge.
#[derive(Debug, Default)]
pub(super) struct Cache {
    sectors: Mutex<HashMap<String, Ready>>,
}

/// A rule's shapes in a sector, with what the knowledge that changes start from breaks of them.
#[derive(Clone, Debug)]
struct Ready {
    shapes: Shapes,
    terms: Arc<Terms>,
    base: [u8; 32],
    report: Report,
}

impl Cache {
    /// What the knowledge that a change leads to breaks.
    pub(super) fn report(&self, rule: &Rule, shape: &Shape, candidate: &Candidate) -> Result<Report, String> {
        let (before, after) = (candidate.base.graph(), candidate.snapshot.graph());
        let terms = after.terms();
        if !Arc::ptr_eq(before.terms(), terms) {
            return Ok(compile(rule, shape, terms)?.validate(after));
        }
        let ready = self.sectors.lock().unwrap_or_else(PoisonError::into_inner).get(&candidate.sector).cloned();
        let base = candidate.base.id();
        let ready = match ready.filter(|ready| Arc::ptr_eq(&ready.terms, terms)) {
            Some(ready) if ready.base == base => ready,
            other => {
                let shapes = match other {
                    Some(ready) => ready.shapes,
                    None => compile(rule, shape, terms)?,
                };
                let ready = Ready { report: shapes.validate(before), terms: terms.clone(), base, shapes };
                let mut sectors = self.sectors.lock().unwrap_or_else(PoisonError::into_inner);
                sectors.insert(candidate.sector.clone(), ready.clone());
                ready
            }
        };
        Ok(ready.shapes.validate_delta(before, after, &candidate.delta, &ready.report))
    }
}

/// The results that are violations; milder ones become findings by themselves.
pub(super) fn breaches(rule: &Rule, report: &Report, findings: &mut Vec<Finding>) -> Vec<Breach> {
    const SHOWN: usize = 20;
    let mut breaches = Vec::new();
    let mut more = 0;
    for result in report.results() {
        let severity = match result.severity() {
            Grave::Info => Severity::Info,
            Grave::Warning => Severity::Warning,
            _ if breaches.len() < SHOWN => {
                breaches.push(Breach::of(result.to_string(), "change the value, or the statement, that it names"));
                continue;
            }
            _ => {
                more += 1;
                continue;
            }
        };
        if findings.len() < 1000 {
            let (item, what) = (rule.to_string(), result.to_string());
            findings.push(Finding { severity, item, what, fix: String::new() });
        }
    }
    if more > 0 || report.truncated() {
        breaches.push(Breach::of(format!("{more} more results of its shapes"), "mend the first ones"));
    }
    breaches
}

/// Whether a rule's shapes are sound, and constrain something.
pub(super) fn check(rule: &Rule, shape: &Shape) -> Result<(), String> {
    let shapes = compile(rule, shape, &Arc::new(Terms::new()))?;
    if shapes.is_empty() { Err("no shape with a target: add sh:targetClass or the like".to_owned()) } else { Ok(()) }
}

fn compile(rule: &Rule, shape: &Shape, terms: &Arc<Terms>) -> Result<Shapes, String> {
    let base = rule.sector.as_deref().map(|sector| Namespace::of(sector).prefix().to_owned()).unwrap_or_default();
    let mut limits = Limits::default();
    (limits.statements, limits.blank_node_steps) = (4096, 10_000);
    let parsed = rdf::parse(shape.turtle.as_bytes(), Format::Turtle, &base, terms, &limits);
    let triples = parsed.and_then(|triples| canon::label(triples, terms, &limits));
    let mut graph = GraphBuilder::new(terms.clone());
    for triple in triples.map_err(|error| error.to_string())? {
        graph.push(triple.subject, triple.predicate, triple.object);
    }
    Shapes::compile(&graph.finish()).map_err(|error| error.to_string())
}
