//! A report as RDF: <https://www.w3.org/TR/shacl/#validation-report>.

use std::sync::Arc;

use hashbrown::HashMap;

use super::constraint::Component;
use super::names::Names;
use super::path::Path;
use super::report::{Report, ValidationResult};
use crate::graph::{Graph, GraphBuilder, Term, TermRef, Terms};
use crate::rdf::{self, Format, RdfError};

impl Report {
    /// The report as SHACL's vocabulary states it, over any interner; one of its own keeps the data's from growing. The messages
    /// are those that shapes state. Blank nodes of the data keep their labels.
    pub fn to_graph(&self, terms: &Arc<Terms>) -> Graph {
        Writer::new(self, terms).write(self)
    }

    /// The report in a format of RDF.
    ///
    /// # Errors
    /// Of a format that cannot say it: plain JSON.
    pub fn to_rdf(&self, format: Format) -> Result<String, RdfError> {
        let graph = self.to_graph(&Arc::new(Terms::new()));
        let mut text = Vec::new();
        rdf::write(&graph, graph.iter(), format, &mut text)?;
        Ok(String::from_utf8(text).expect("RDF is written as UTF-8"))
    }
}

struct Writer<'a> {
    source: &'a Terms,
    builder: GraphBuilder,
    names: Names,
    components: HashMap<Component, Term>,
    /// What the report's own blank nodes begin with.
    prefix: String,
    paths: usize,
}

impl<'a> Writer<'a> {
    fn new(report: &'a Report, terms: &Arc<Terms>) -> Writer<'a> {
        let source = &*report.shapes.terms;
        let mut prefix = "report".to_owned();
        let mentioned = report.results().flat_map(|it| [Some(it.focus_term()), it.value_term(), Some(it.shape_term())]);
        for term in mentioned.flatten().filter(|term| term.is_blank()) {
            while matches!(source.get(term), TermRef::Blank(label) if label.starts_with(&prefix)) {
                prefix.push('x');
            }
        }
        let builder = GraphBuilder::new(terms.clone());
        Writer { source, builder, names: Names::new(terms), components: HashMap::new(), prefix, paths: 0 }
    }

    fn write(mut self, report: &'a Report) -> Graph {
        let names = self.names.clone();
        let node = self.terms().blank(&self.prefix);
        self.builder.push(node, names.rdf_type, names.validation_report);
        self.builder.push(node, names.conforms, Term::boolean(report.conforms()));
        let mut results: Vec<ValidationResult<'_>> = report.results().collect();
        results.sort_by_cached_key(|result| (result.focus(), result.to_string()));
        for (result, number) in results.into_iter().zip(1usize..) {
            let label = format!("{}-{number}", self.prefix);
            let result_node = self.terms().blank(&label);
            self.builder.push(node, names.result, result_node);
            self.write_result(result_node, result, &names);
        }
        self.builder.finish()
    }

    fn write_result(&mut self, node: Term, result: ValidationResult<'_>, names: &Names) {
        self.builder.push(node, names.rdf_type, names.validation_result);
        let component = result.constraint();
        let terms = self.builder.terms();
        let component = *self.components.entry(component).or_insert_with(|| terms.iri(component.iri()));
        self.builder.push(node, names.source_constraint_component, component);
        let mut said = vec![
            (names.focus_node, result.focus_term()),
            (names.source_shape, result.shape_term()),
            (names.result_severity, result.severity_term()),
        ];
        said.extend(result.value_term().map(|value| (names.value, value)));
        said.extend(result.source().messages.iter().map(|&message| (names.result_message, message)));
        for (predicate, object) in said {
            let object = self.import(object);
            self.builder.push(node, predicate, object);
        }
        let path = match (result.entry.component, result.entry.detail) {
            (Component::Closed, Some(predicate)) => Some(self.import(predicate)),
            _ => result.source().path.as_ref().map(|path| self.path(path)),
        };
        if let Some(path) = path {
            self.builder.push(node, names.result_path, path);
        }
    }

    fn path(&mut self, path: &Path) -> Term {
        let (operator, inner) = match path {
            Path::Predicate(predicate) => return self.import(*predicate),
            Path::Sequence(paths) => return self.list(paths),
            Path::Alternative(paths) => (self.names.alternative_path, self.list(paths)),
            Path::Inverse(path) => (self.names.inverse_path, self.path(path)),
            Path::ZeroOrMore(path) => (self.names.zero_or_more_path, self.path(path)),
            Path::OneOrMore(path) => (self.names.one_or_more_path, self.path(path)),
            Path::ZeroOrOne(path) => (self.names.zero_or_one_path, self.path(path)),
        };
        let node = self.path_node();
        self.builder.push(node, operator, inner);
        node
    }

    fn list(&mut self, paths: &[Path]) -> Term {
        let mut rest = self.names.nil;
        for path in paths.iter().rev() {
            let first = self.path(path);
            let node = self.path_node();
            self.builder.push(node, self.names.first, first);
            self.builder.push(node, self.names.rest, rest);
            rest = node;
        }
        rest
    }

    fn path_node(&mut self) -> Term {
        self.paths += 1;
        let label = format!("{}-path{}", self.prefix, self.paths);
        self.terms().blank(&label)
    }

    fn import(&self, term: Term) -> Term {
        if std::ptr::eq(self.source, Arc::as_ptr(self.builder.terms())) {
            return term;
        }
        self.builder.terms().import(&self.source.get(term))
    }

    fn terms(&self) -> &Terms {
        self.builder.terms()
    }
}
