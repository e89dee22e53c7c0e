//! SHACL Core (<https://www.w3.org/TR/shacl/>): the shapes of a graph compiled into flat checks, and reports of what breaks them.
//!
//! Choices where the specification leaves one:
//! * Shapes that refer to themselves are refused, with the circle. Every ill-formed shape is an error, used or not, and so is every
//!   construct that is not SHACL Core and might constrain (`sh:sparql`, `sh:js`, a component declared in the graph, a name in SHACL's
//!   namespace that nobody knows): what cannot be checked must not look as if it held. Rules (`sh:rule`, `sh:values`) are kept and listed, not run.
//! * A data graph is what it says: nothing is entailed but `rdfs:subClassOf`, and `owl:Class` counts as a subclass of `rdfs:Class`, so that
//!   a shape that is an `owl:Class` is its own target.
//! * Literals of every datatype that RDF 1.1 recognises must be well-formed to have that datatype, and comparisons go beyond
//!   SPARQL's operators to XML Schema's order of dates, clock times and durations. What has no order (a time with a zone and one without, less than
//!   14 hours apart) breaks the constraint.
//! * `true` is the term that switches `sh:closed`, `sh:uniqueLang`, `sh:deactivated` and `sh:qualifiedValueShapesDisjoint` on, as the W3C's tests have it.
//!
//! ```
//! # use std::sync::Arc;
//! # use knhk_ontology::{graph::{GraphBuilder, Terms}, shacl::Shapes};
//! let terms = Arc::new(Terms::new());
//! let sh = |name: &str| terms.iri(&format!("http://www.w3.org/ns/shacl#{name}"));
//! let (max_qty, value) = (terms.iri("urn:knhk:orders:max_qty"), terms.iri("urn:knhk:core:value"));
//! let (shape, property) = (terms.iri("urn:knhk:orders:MaxQty"), terms.blank("p"));
//! let mut shapes = GraphBuilder::new(terms.clone());
//! shapes.push(shape, sh("targetNode"), max_qty);
//! shapes.push(shape, sh("property"), property);
//! shapes.push(property, sh("path"), value);
//! shapes.push(property, sh("maxInclusive"), terms.literal("5000", "http://www.w3.org/2001/XMLSchema#integer"));
//! let shapes = Shapes::compile(&shapes.finish())?;
//! let mut data = GraphBuilder::new(terms.clone());
//! data.push(max_qty, value, terms.literal("9000", "http://www.w3.org/2001/XMLSchema#integer"));
//! let report = shapes.validate(&data.finish());
//! assert!(!report.conforms());
//! assert_eq!(report.to_string(), "max_qty: 9000 is above the maximum 5000 (shape MaxQty)\n");
//! # Ok::<(), knhk_ontology::shacl::ShapesError>(())
//! ```

mod check;
mod classes;
mod compile;
mod constraint;
mod constraints;
mod datatype;
mod error;
mod incremental;
mod names;
mod path;
mod pattern;
mod readable;
mod report;
mod report_graph;
mod validate;
mod value;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

pub use constraint::Component;
pub use error::{Problem, ProblemKind, ShapesError};
pub use report::{Report, Severity, ValidationResult};

use crate::aside::Aside;
use crate::counters;
use crate::graph::{Delta, Graph, Term, TermRef, Terms};
use constraint::{Root, Shape};
use incremental::Dependencies;
use names::{NAMESPACE, Names};
use validate::Group;

/// The shapes of a graph, compiled. Cloning is cheap; it can be used from many threads at once.
#[derive(Clone, Debug)]
pub struct Shapes {
    compiled: Arc<Compiled>,
}

/// A rule that a shape carries. Rules derive statements; they constrain nothing, and are not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The shape.
    pub shape: Term,
    /// The rule.
    pub rule: Term,
}

#[derive(Debug)]
struct Compiled {
    terms: Arc<Terms>,
    names: Names,
    /// Ordered by name.
    shapes: Vec<Shape>,
    roots: Vec<Root>,
    /// By class number.
    classes: Vec<Term>,
    rules: Vec<Rule>,
    /// The nodes whose statements were read: shapes, lists, paths.
    consulted: HashSet<Term>,
    /// The classes whose instances are shapes, or classes.
    kinds: HashSet<Term>,
    dependencies: Dependencies,
    /// In the order of the first root of each.
    groups: Vec<Group>,
}

impl Compiled {
    #[expect(clippy::too_many_arguments, reason = "the parts of one struct, at its one place of making")]
    fn new(
        terms: Arc<Terms>,
        names: Names,
        shapes: Vec<Shape>,
        roots: Vec<Root>,
        classes: Vec<Term>,
        rules: Vec<Rule>,
        consulted: HashSet<Term>,
        kinds: HashSet<Term>,
    ) -> Compiled {
        let dependencies = Dependencies::new(&shapes, &roots, &names);
        let groups = Group::all(&shapes, &roots);
        Compiled { terms, names, shapes, roots, classes, rules, consulted, kinds, dependencies, groups }
    }
}

impl Shapes {
    /// Compiles the shapes of a graph. Where any is ill-formed or not SHACL Core, none is: the error lists every problem.
    pub fn compile(graph: &Graph) -> Result<Shapes, ShapesError> {
        let _span = tracing::debug_span!("knhk.ontology.compile", statements = graph.len()).entered();
        let compiled = compile::compile(graph);
        match &compiled {
            Ok(_) => counters::COMPILED.add(1),
            Err(error) => {
                counters::ILL_FORMED.add(1);
                tracing::debug!(problems = error.problems().len(), "the shapes were refused");
            }
        }
        compiled.map(|compiled| Shapes { compiled: Arc::new(compiled) })
    }

    /// How many shapes there are, those inside others included.
    pub fn len(&self) -> usize {
        self.compiled.shapes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.compiled.shapes.is_empty()
    }

    /// The IRIs of the shapes that have one, ordered.
    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.compiled.shapes.iter().filter_map(|shape| match self.compiled.terms.get(shape.node) {
            TermRef::Iri(iri) => Some(iri),
            _ => None,
        })
    }

    /// The rules that shapes carry (`sh:rule`, `sh:values`), ordered by shape. They are not run.
    pub fn rules(&self) -> &[Rule] {
        &self.compiled.rules
    }

    /// Whether a change of the graph that the shapes were compiled from may change the shapes, so that they have to be compiled anew.
    /// It never misses such a change; a few changes that it reports turn out to change nothing.
    pub fn touched_by(&self, delta: &Delta) -> bool {
        let Compiled { terms, names, consulted, kinds, .. } = &*self.compiled;
        let mut predicates = HashMap::new();
        let mut is_shacl = |predicate| {
            *predicates.entry(predicate).or_insert_with(|| match terms.get(predicate) {
                TermRef::Iri(iri) => iri.starts_with(NAMESPACE),
                _ => false,
            })
        };
        delta.removed().iter().chain(delta.added()).any(|statement| {
            if statement.predicate == names.rdf_type {
                kinds.contains(&statement.object)
            } else if statement.predicate == names.first || statement.predicate == names.rest {
                consulted.contains(&statement.subject)
            } else if statement.predicate == names.sub_class_of {
                kinds.contains(&statement.object)
            } else {
                is_shacl(statement.predicate)
            }
        })
    }

    /// What of a data graph breaks the shapes.
    ///
    /// # Panics
    /// Where `data` has another interner than the graph of the shapes: its terms would mean something else.
    pub fn validate(&self, data: &Graph) -> Report {
        self.check_interner(data);
        validate::validate(&self.compiled, data, None)
    }

    /// The same as [`validate`](Shapes::validate) gives, while another thread may take part of the work. Where it does not come, or stops on
    /// the way, this one does all of it.
    ///
    /// # Panics
    /// As `validate` does.
    pub fn validate_with(&self, data: &Graph, aside: &dyn Aside) -> Report {
        self.check_interner(data);
        validate::validate(&self.compiled, data, Some(aside))
    }

    /// What of a data graph breaks the shapes, after a change, from what broke them before it: the same results as [`validate`](Shapes::validate)
    /// gives for `after`, at a cost that follows the change and the number of results that stand, not the size of the graph.
    ///
    /// `delta` leads from `before` to `after`, and `prior` is these shapes' report on `before`. It validates everything where the change
    /// touches `rdfs:subClassOf`, and where `prior` is another compilation's.
    ///
    /// # Panics
    /// As `validate` does.
    pub fn validate_delta(&self, before: &Graph, after: &Graph, delta: &Delta, prior: &Report) -> Report {
        self.check_interner(before);
        self.check_interner(after);
        incremental::validate(&self.compiled, before, after, delta, prior)
    }

    /// Whether the report on a data graph stays as it is, whatever the objects of a predicate are: no shape that is about anything there
    /// looks at them.
    ///
    /// # Panics
    /// As `validate` does.
    pub fn is_idle(&self, data: &Graph, predicate: Term) -> bool {
        self.check_interner(data);
        incremental::is_idle(&self.compiled, data, predicate)
    }

    fn check_interner(&self, data: &Graph) {
        assert!(Arc::ptr_eq(&self.compiled.terms, data.terms()), "shapes and data share one interner");
    }
}
