//! Validating a change: which targets' results may differ, and those alone anew.
//!
//! What a shape says about a node depends on the statements that checking it looks up, and on what other shapes say about the nodes
//! that those statements lead to. Take a target whose results differ between two graphs, and of the look-ups of its check the
//! first that answers differently: all before it answer alike, so the way from the target to the node that is asked about is the
//! same in both graphs, and following it backwards in the graph afterwards finds the target. So each changed statement is taken to each look-up
//! that it answers, the look-up's way is followed back to focus nodes, and from a shape that is asked by other shapes on to theirs, but
//! only where its verdict about the node differs (or, for `sh:property`, which passes results on, where either verdict is bad).

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::Compiled;
use super::check::{Checker, Focus};
use super::classes::Classes;
use super::constraint::{Constraint, Root, Shape, ShapeId, Target};
use super::names::Names;
use super::path::{Lookup, Path, Way};
use super::report::{Entry, Report};
use super::validate::Found;
use crate::counters;
use crate::graph::{Delta, Graph, Term, Triple};

/// Who depends on what.
#[derive(Debug)]
pub(super) struct Dependencies {
    by_predicate: HashMap<Term, Vec<Dependency>>,
    /// Those of closed shapes, which look at every predicate.
    any_predicate: Vec<Dependency>,
    /// By shape: the shapes that ask it about the nodes that their path leads to.
    parents: Vec<Vec<Parent>>,
    /// By shape: its place among the roots.
    roots: Vec<Option<u32>>,
}

/// A shape that looks something up.
#[derive(Debug)]
struct Dependency {
    shape: ShapeId,
    /// From the shape's focus node to the node that is asked about.
    prefix: Path,
    way: Way,
}

/// A shape that asks another.
#[derive(Debug)]
struct Parent {
    shape: ShapeId,
    /// Only the verdict counts, not the results.
    verdict_only: bool,
}

impl Dependencies {
    pub(super) fn new(shapes: &[Shape], roots: &[Root], names: &Names) -> Dependencies {
        let parents = shapes.iter().map(|_| Vec::new()).collect();
        let mut all = Dependencies {
            by_predicate: HashMap::new(),
            any_predicate: Vec::new(),
            parents,
            roots: vec![None; shapes.len()],
        };
        for (shape, id) in shapes.iter().zip(0..) {
            let mut lookups = Vec::new();
            if let Some(path) = &shape.path
                && !(shape.constraints.is_empty() && shape.direct.is_empty())
            {
                path.lookups(&mut lookups);
            }
            for constraint in &shape.constraints {
                constraint_lookups(shape, constraint, names, &mut lookups);
                for reference in constraint.references() {
                    let parent = Parent { shape: id, verdict_only: reference.verdict_only };
                    all.parents[reference.shape as usize].push(parent);
                }
            }
            for &(_, property) in &shape.direct {
                all.parents[property as usize].push(Parent { shape: id, verdict_only: false });
            }
            lookups.into_iter().for_each(|lookup| all.add(id, lookup));
        }
        for (root, number) in roots.iter().zip(0..) {
            all.roots[root.shape as usize] = Some(number);
            for target in &root.targets {
                let (predicate, way) = match *target {
                    Target::Node(_) => continue,
                    Target::Class(_) => (names.rdf_type, Way::Forward),
                    Target::SubjectsOf(predicate) => (predicate, Way::Forward),
                    Target::ObjectsOf(predicate) => (predicate, Way::Backward),
                };
                all.add(root.shape, Lookup { prefix: Path::HERE, predicate: Some(predicate), way });
            }
        }
        all
    }

    fn add(&mut self, shape: ShapeId, lookup: Lookup) {
        let Lookup { prefix, predicate, way } = lookup;
        let dependents = match predicate {
            Some(predicate) => self.by_predicate.entry(predicate).or_default(),
            None => &mut self.any_predicate,
        };
        let known = |it: &Dependency| it.shape == shape && it.way == way && it.prefix == prefix;
        if !dependents.iter().any(known) {
            dependents.push(Dependency { shape, prefix, way });
        }
    }
}

/// What a constraint looks up besides the shape's path.
fn constraint_lookups(shape: &Shape, constraint: &Constraint, names: &Names, lookups: &mut Vec<Lookup>) {
    let of_values = || shape.path.clone().unwrap_or(Path::HERE);
    let (prefix, predicate) = match constraint {
        Constraint::Class(_) => (of_values(), Some(names.rdf_type)),
        Constraint::Closed(_) => (of_values(), None),
        Constraint::Equals(other)
        | Constraint::Disjoint(other)
        | Constraint::LessThan(other)
        | Constraint::LessThanOrEquals(other) => (Path::HERE, Some(*other)),
        _ => return,
    };
    lookups.push(Lookup { prefix, predicate, way: Way::Forward });
}

/// Whether no shape that has focus nodes depends on a predicate, and none would get any by it.
pub(super) fn is_idle(shapes: &Arc<Compiled>, data: &Graph, predicate: Term) -> bool {
    let Dependencies { by_predicate, any_predicate, parents, roots } = &shapes.dependencies;
    let asking = by_predicate.get(&predicate).into_iter().flatten().chain(any_predicate);
    let mut pending: Vec<ShapeId> = asking.map(|dependency| dependency.shape).collect();
    let mut seen: HashSet<ShapeId> = pending.iter().copied().collect();
    let classes = Classes::new(data, &shapes.names, &shapes.classes);
    let by = |target: &Target| matches!(*target, Target::SubjectsOf(of) | Target::ObjectsOf(of) if of == predicate);
    while let Some(shape) = pending.pop() {
        if let Some(root) = roots[shape as usize].map(|number| &shapes.roots[number as usize])
            && (root.targets.iter().any(by)
                || !super::validate::focus_nodes(shapes, &classes, data, &root.targets).is_empty())
        {
            return false;
        }
        pending.extend(parents[shape as usize].iter().map(|parent| parent.shape).filter(|&parent| seen.insert(parent)));
    }
    true
}

/// The report on `after`, from the report on `before`.
pub(super) fn validate(shapes: &Arc<Compiled>, before: &Graph, after: &Graph, delta: &Delta, prior: &Report) -> Report {
    let changes = || delta.removed().iter().chain(delta.added());
    let hierarchy = !shapes.classes.is_empty() && changes().any(|it| it.predicate == shapes.names.sub_class_of);
    if hierarchy || prior.truncated || !Arc::ptr_eq(shapes, &prior.shapes) {
        return super::validate::validate(shapes, after, None);
    }
    let _span = tracing::debug_span!("knhk.ontology.validate", changes = delta.len()).entered();
    counters::REVALIDATED.add(1);
    let mut affected = Affected::new(shapes, &prior.classes, before, after);
    changes().for_each(|&statement| affected.statement(statement));
    let mut targets = affected.finish();
    targets.sort_unstable();
    if targets.is_empty() {
        return prior.clone();
    }
    let mut found = Found::default();
    let mut checker = Checker::of_some(shapes, &prior.classes, after);
    for &(number, focus) in &targets {
        let root = &shapes.roots[number as usize];
        if checker.is_target(root, focus) && found.begin(&mut checker, number, Focus::new(focus)).is_break() {
            break;
        }
    }
    counters::CHECKED.add(targets.len());
    counters::RESULTS.add(found.entries.len());
    let entries = merge(&prior.entries, &targets, found.entries);
    if found.truncated || entries.len() > Report::MOST_RESULTS {
        return super::validate::validate(shapes, after, None);
    }
    Report { shapes: shapes.clone(), classes: prior.classes.clone(), entries: Arc::new(entries), truncated: false }
}

/// The earlier entries without those of the targets, with the new ones in their places. All are ordered by target.
fn merge(prior: &[Entry], targets: &[(u32, Term)], new: Vec<Entry>) -> Vec<Entry> {
    let key = |entry: &Entry| (entry.root, entry.root_focus);
    let mut entries = Vec::with_capacity(prior.len() + new.len());
    let (mut prior, mut new) = (prior, new.as_slice());
    for &target in targets {
        let standing = prior.partition_point(|entry| key(entry) < target);
        entries.extend_from_slice(&prior[..standing]);
        prior = &prior[standing..];
        let replaced = prior.iter().take_while(|entry| key(entry) == target).count();
        prior = &prior[replaced..];
        let found = new.iter().take_while(|entry| key(entry) == target).count();
        entries.extend_from_slice(&new[..found]);
        new = &new[found..];
    }
    entries.extend_from_slice(prior);
    entries
}

/// The focus nodes of shapes that a change may concern.
struct Affected<'a> {
    shapes: &'a Compiled,
    after_graph: &'a Graph,
    before: Checker<'a>,
    after: Checker<'a>,
    seen: HashSet<(ShapeId, Term)>,
    open: Vec<(ShapeId, Term)>,
    targets: Vec<(u32, Term)>,
}

impl<'a> Affected<'a> {
    fn new(shapes: &'a Compiled, classes: &'a Classes, before: &'a Graph, after: &'a Graph) -> Affected<'a> {
        Affected {
            shapes,
            after_graph: after,
            before: Checker::of_some(shapes, classes, before),
            after: Checker::of_some(shapes, classes, after),
            seen: HashSet::new(),
            open: Vec::new(),
            targets: Vec::new(),
        }
    }

    fn statement(&mut self, statement: Triple) {
        let dependencies = &self.shapes.dependencies;
        let of_predicate = dependencies.by_predicate.get(&statement.predicate);
        for dependency in of_predicate.into_iter().flatten().chain(&dependencies.any_predicate) {
            let node = match dependency.way {
                Way::Forward => statement.subject,
                Way::Backward => statement.object,
            };
            self.reach(dependency.shape, &dependency.prefix, node);
        }
    }

    /// The shape may say something else about the nodes from which a path leads to `node`.
    fn reach(&mut self, shape: ShapeId, path: &Path, node: Term) {
        for focus in path.follow(self.after_graph, node, Way::Backward) {
            if self.seen.insert((shape, focus)) {
                self.open.push((shape, focus));
            }
        }
    }

    fn finish(mut self) -> Vec<(u32, Term)> {
        let dependencies = &self.shapes.dependencies;
        while let Some((shape, focus)) = self.open.pop() {
            self.targets.extend(dependencies.roots[shape as usize].map(|root| (root, focus)));
            let parents = &dependencies.parents[shape as usize];
            if parents.is_empty() {
                continue;
            }
            let was = self.before.conforms(shape, Focus::new(focus));
            let is = self.after.conforms(shape, Focus::new(focus));
            for parent in parents {
                if was && is || parent.verdict_only && was == is {
                    continue;
                }
                let path = self.shapes.shapes[parent.shape as usize].path.as_ref();
                self.reach(parent.shape, path.unwrap_or(&Path::HERE), focus);
            }
        }
        self.targets
    }
}
