//! From a graph to compiled shapes: finding them, reading each, and seeing that they fit together.

mod discover;
mod fields;
mod graph_reading;
mod link;
mod paths;

use hashbrown::{HashMap, HashSet};

use super::Compiled;
use super::constraint::{ClassId, ShapeId};
use super::error::{Problem, ProblemKind, ShapesError};
use super::names::Names;
use crate::graph::{Graph, Term};

/// The most shapes that a graph may have.
const SHAPES: usize = 100_000;

/// How deep shapes may refer to shapes.
const SHAPE_DEPTH: usize = 64;

/// How deep paths may hold paths.
const PATH_DEPTH: usize = 32;

/// The most elements of one list.
const LIST_LEN: usize = 65_536;

/// The work of compiling one graph.
struct Compiler<'g> {
    graph: &'g Graph,
    names: Names,
    ids: HashMap<Term, ShapeId>,
    classes: Vec<Term>,
    class_ids: HashMap<Term, ClassId>,
    /// The nodes whose statements say what the shapes are: shapes, lists and paths.
    consulted: HashSet<Term>,
    problems: Vec<Problem>,
}

/// Compiles the shapes of a graph.
pub(super) fn compile(graph: &Graph) -> Result<Compiled, ShapesError> {
    let mut compiler = Compiler {
        graph,
        names: Names::new(graph.terms()),
        ids: HashMap::new(),
        classes: Vec::new(),
        class_ids: HashMap::new(),
        consulted: HashSet::new(),
        problems: Vec::new(),
    };
    let found = compiler.discover();
    if found.shapes.len() > SHAPES {
        let reason = format!("the graph has {} shapes; at most {SHAPES} are allowed", found.shapes.len());
        let problem = Problem { shape: "(all)".to_owned(), kind: ProblemKind::Limit, reason };
        return Err(ShapesError::new(vec![problem]));
    }
    compiler.ids = found.shapes.iter().zip(0..).map(|(&node, id)| (node, id)).collect();
    let mut shapes = Vec::with_capacity(found.shapes.len());
    let mut roots = Vec::new();
    for (&node, id) in found.shapes.iter().zip(0..) {
        let (shape, targets) = compiler.shape(node, &found);
        if !targets.is_empty() {
            roots.push(super::constraint::Root { shape: id, targets });
        }
        shapes.push(shape);
    }
    compiler.link(&mut shapes);
    if !compiler.problems.is_empty() {
        return Err(ShapesError::new(compiler.problems));
    }
    let Compiler { names, classes, consulted, .. } = compiler;
    Ok(Compiled::new(graph.terms().clone(), names, shapes, roots, classes, found.rules, consulted, found.kinds))
}

impl Compiler<'_> {
    fn problem(&mut self, shape: Term, kind: ProblemKind, reason: String) {
        let shape = self.describe(shape);
        self.problems.push(Problem { shape, kind, reason });
    }

    fn ill_formed(&mut self, shape: Term, reason: impl Into<String>) {
        self.problem(shape, ProblemKind::IllFormed, reason.into());
    }

    fn class(&mut self, class: Term) -> ClassId {
        let Compiler { classes, class_ids, .. } = self;
        *class_ids.entry(class).or_insert_with(|| {
            classes.push(class);
            (classes.len() - 1) as ClassId
        })
    }
}
