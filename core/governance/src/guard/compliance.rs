//! Compliance rules: shapes and statements that the whole has to conform to.

use knhk_ontology::graph::{GraphBuilder, Triple, write_statement};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::{Severity, Shapes};

use super::Guard;
use super::judge::{Crossing, Judged};

/// Results of shapes that are told one by one.
const TOLD: usize = 16;

impl Guard {
    pub(super) fn check_compliance(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        let Some(rule) = &self.compliance else { return Ok(()) };
        let snapshot = &*judged.candidate.snapshot;
        let graph = snapshot.graph();
        let read = |text: &str| -> Result<Vec<Triple>, Crossing> {
            let base = snapshot.namespace().prefix();
            let read = rdf::parse(text.as_bytes(), Format::Turtle, base, graph.terms(), snapshot.limits());
            read.map_err(|error| undecided(&error.to_string()))
        };
        if !rule.shapes.is_empty() {
            // The rule's own shapes, apart from those of the sector, which a change can alter.
            let mut shapes = GraphBuilder::new(graph.terms().clone());
            read(&rule.shapes)?.into_iter().for_each(|one| shapes.push(one.subject, one.predicate, one.object));
            let shapes = Shapes::compile(&shapes.finish()).map_err(|error| undecided(&error.to_string()))?;
            let report = shapes.validate(graph);
            // What a shape calls a warning or worth knowing stops nothing.
            let broken = || report.results().filter(|result| result.severity() == Severity::Violation);
            crossings.extend(broken().take(TOLD).map(|result| Crossing::new(result.to_string(), "make it conform")));
            let more = broken().count().saturating_sub(TOLD);
            if more > 0 {
                crossings.push(Crossing::new(format!("{more} more results of its shapes"), "make them conform"));
            }
        }
        for statement in read(&rule.required)?.into_iter().filter(|&statement| !graph.contains(statement)) {
            let mut line = Vec::new();
            write_statement(graph.terms(), statement, &mut line);
            let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            crossings.push(Crossing::new(format!("{line} is required, and would not be there"), "add it"));
        }
        Ok(())
    }
}

fn undecided(why: &str) -> Crossing {
    Crossing::new(format!("the rule cannot be read: {why}"), "mend the rule")
}
