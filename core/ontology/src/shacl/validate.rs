//! Validating a whole graph, and where results go.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

use super::Compiled;
use super::check::{Checker, Focus, WALKED, walk};
use super::classes::{Classes, Instances};
use super::constraint::{Component, Root, Shape, ShapeId, Target};
use super::report::{Entry, Report};
use crate::aside::Aside;
use crate::counters;
use crate::graph::{Graph, Row, Term, row_to};

/// Shapes with the same targets: one look at a focus node serves them all.
#[derive(Debug)]
pub(super) struct Group {
    targets: Vec<Target>,
    roots: Vec<u32>,
    /// What of their roots is not in `direct`.
    others: Vec<u32>,
    /// The property shapes of their roots whose path is one predicate, ordered by it.
    direct: Vec<(Term, (u32, ShapeId))>,
}

impl Group {
    /// In the order of the first root of each.
    pub(super) fn all(shapes: &[Shape], roots: &[Root]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut places = HashMap::new();
        for (root, number) in roots.iter().zip(0..) {
            let place = *places.entry(root.targets.as_slice()).or_insert(groups.len());
            if place == groups.len() {
                let targets = root.targets.clone();
                groups.push(Group { targets, roots: Vec::new(), others: Vec::new(), direct: Vec::new() });
            }
            let group = &mut groups[place];
            group.roots.push(number);
            let shape = &shapes[root.shape as usize];
            if shape.path.is_some() {
                group.others.push(number);
                continue;
            }
            group.others.extend((!shape.constraints.is_empty()).then_some(number));
            group.direct.extend(shape.direct.iter().map(|&(predicate, property)| (predicate, (number, property))));
        }
        groups.iter_mut().for_each(|group| group.direct.sort_unstable());
        groups
    }
}

/// The whole data graph against all shapes.
pub(super) fn validate(shapes: &Arc<Compiled>, data: &Graph, aside: Option<&dyn Aside>) -> Report {
    let _span = tracing::debug_span!("knhk.ontology.validate", statements = data.len()).entered();
    let classes = Classes::new(data, &shapes.names, &shapes.classes);
    let work = Work::new(shapes, data, &classes);
    let checked = work.focus.iter().map(|&(_, group)| shapes.groups[group as usize].roots.len()).sum();
    let (mut entries, truncated) = match aside {
        Some(aside) if work.focus.len() >= SHARED => {
            let shared = Arc::new(Shared::new(work));
            shared.results(aside).map_or_else(|| shared.work.alone(), |entries| (entries, false))
        }
        _ => work.alone(),
    };
    entries.sort_by_key(|entry| (entry.root, entry.root_focus));
    counters::VALIDATED.add(1);
    counters::CHECKED.add(checked);
    counters::RESULTS.add(entries.len());
    tracing::debug!(checked, results = entries.len(), truncated, "validated");
    Report { shapes: shapes.clone(), entries: Arc::new(entries), truncated, classes }
}

/// Focus nodes that are taken at once.
const FEW: usize = 32;

/// Focus nodes that are worth waking another thread for.
const SHARED: usize = 256;

/// Focus nodes to be checked, a few after the other, by whoever is free.
struct Work {
    shapes: Arc<Compiled>,
    data: Graph,
    classes: Classes,
    /// By class.
    instances: Vec<Instances>,
    /// Focus nodes with their groups, in the order of the statements about them.
    focus: Vec<(Term, u32)>,
}

/// What two threads share.
struct Shared {
    work: Work,
    /// The next unit that nobody took.
    next: AtomicUsize,
    /// Results so far, to stop where there are too many.
    count: AtomicUsize,
    /// What was found, by unit.
    found: Vec<OnceLock<Vec<Entry>>>,
}

impl Work {
    fn new(shapes: &Arc<Compiled>, data: &Graph, classes: &Classes) -> Work {
        let mut focus = Vec::new();
        for (group, number) in shapes.groups.iter().zip(0..) {
            let nodes = focus_nodes(shapes, classes, data, &group.targets);
            focus.extend(nodes.into_iter().map(|node| (node, number)));
        }
        in_order(&mut focus);
        Work {
            focus,
            instances: shapes.classes.iter().map(|_| Instances::default()).collect(),
            shapes: shapes.clone(),
            data: data.clone(),
            classes: classes.clone(),
        }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::of_all(&self.shapes, &self.classes, &self.data, &self.instances)
    }

    /// The results in order, and whether there were more than are reported.
    fn alone(&self) -> (Vec<Entry>, bool) {
        let mut checker = self.checker();
        let mut found = Found::default();
        _ = self.check(&self.focus, &mut checker, &mut found);
        (found.entries, found.truncated)
    }

    /// Checks some of the focus nodes.
    fn check(&self, focus: &[(Term, u32)], checker: &mut Checker<'_>, found: &mut Found) -> ControlFlow<()> {
        let mut subjects = self.data.subjects_in_order();
        let mut room = checker.room();
        let mut outcome = Continue(());
        for same in focus.chunk_by(|a, b| a.0 == b.0) {
            let node = same[0].0;
            let statements = subjects.about(node, WALKED, &mut room);
            let focus = Focus { node, statements };
            outcome = same.iter().try_for_each(|&(_, group)| {
                let group = &self.shapes.groups[group as usize];
                match statements {
                    Some(statements) => found.begin_group(checker, group, focus, statements),
                    None => group.roots.iter().try_for_each(|&root| found.begin(checker, root, focus)),
                }
            });
            if outcome.is_break() {
                break;
            }
        }
        checker.give_back(room);
        outcome
    }
}

impl Shared {
    fn new(work: Work) -> Shared {
        let found = work.focus.chunks(FEW).map(|_| OnceLock::new()).collect();
        Shared { work, next: AtomicUsize::new(0), count: AtomicUsize::new(0), found }
    }

    /// The results in order. None where there are as many as are reported, or more: which of them these are must not depend on who was faster.
    fn results(self: &Arc<Self>, aside: &dyn Aside) -> Option<Vec<Entry>> {
        let helper = self.clone();
        aside.submit(Box::new(move || helper.take(&mut helper.work.checker())));
        let mut checker = self.work.checker();
        self.take(&mut checker);
        // What the other thread took and has not finished: it may sleep, and this one need not wait for it.
        for unit in 0..self.found.len() {
            if self.found[unit].get().is_none() {
                self.check_unit(unit, &mut checker);
            }
        }
        let found = || self.found.iter().filter_map(OnceLock::get);
        let count: usize = found().map(Vec::len).sum();
        (count < Report::MOST_RESULTS).then(|| found().flatten().copied().collect())
    }

    /// Takes one unit after the other until none is left.
    fn take(&self, checker: &mut Checker<'_>) {
        loop {
            let unit = self.next.fetch_add(1, Relaxed);
            if unit >= self.found.len() {
                return;
            }
            self.check_unit(unit, checker);
        }
    }

    fn check_unit(&self, unit: usize, checker: &mut Checker<'_>) {
        if self.count.load(Relaxed) >= Report::MOST_RESULTS {
            return;
        }
        let mut found = Found::default();
        let focus = self.work.focus.chunks(FEW).nth(unit).expect("each unit is some focus nodes");
        _ = self.work.check(focus, checker, &mut found);
        let count = found.entries.len();
        if self.found[unit].set(found.entries).is_ok() {
            self.count.fetch_add(count, Relaxed);
        }
    }
}

/// Orders focus nodes. Within the places that they take in the interner, counting is quicker than comparing.
fn in_order(focus: &mut Vec<(Term, u32)>) {
    let places = || focus.iter().map(|(node, _)| node.place());
    let most = places().try_fold(0, |most, place| Some(most.max(place?)));
    let Some(most) = most.filter(|&most| most < SPARSE * focus.len()) else {
        // They are some sorted runs, which a stable sort merges.
        return focus.sort();
    };
    let mut starts = vec![0; most + 2];
    places().flatten().for_each(|place| starts[place + 1] += 1);
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut ordered = focus.clone();
    for (&it, place) in focus.iter().zip(places().flatten()) {
        ordered[starts[place]] = it;
        starts[place] += 1;
    }
    *focus = ordered;
}

/// Places for each focus node up to which counting is quicker.
const SPARSE: usize = 16;

/// The nodes that targets name, without repetition, ordered.
pub(super) fn focus_nodes(shapes: &Compiled, classes: &Classes, data: &Graph, targets: &[Target]) -> Vec<Term> {
    let mut nodes = Vec::new();
    for target in targets {
        match *target {
            Target::Node(node) => nodes.push(node),
            Target::Class(class) => {
                let classes = classes.closure(class).iter();
                nodes.extend(classes.flat_map(|&class| data.subjects(shapes.names.rdf_type, class)));
            }
            Target::SubjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(_, node)| node)),
            Target::ObjectsOf(predicate) => nodes.extend(data.with_predicate(predicate).map(|(node, _)| node)),
        }
    }
    super::check::sort(&mut nodes);
    nodes
}

/// Where results go. It breaks off the check that found them when it wants no more.
pub(super) trait Sink {
    fn result(&mut self, result: Finding) -> ControlFlow<()>;
}

/// A result before it is known where validation began.
pub(super) struct Finding {
    pub(super) shape: ShapeId,
    pub(super) component: Component,
    pub(super) focus: Term,
    pub(super) value: Option<Term>,
    pub(super) detail: Option<Term>,
}

/// Only whether there is any.
pub(super) struct Any;

impl Sink for Any {
    fn result(&mut self, _: Finding) -> ControlFlow<()> {
        Break(())
    }
}

/// All results, up to the limit.
#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    pub(super) truncated: bool,
    root: Option<(u32, Term)>,
}

impl Found {
    /// Checks one target of one root.
    pub(super) fn begin(&mut self, checker: &mut Checker<'_>, root: u32, focus: Focus<'_>) -> ControlFlow<()> {
        self.root = Some((root, focus.node));
        checker.check(checker.shapes.roots[root as usize].shape, focus, self)
    }

    /// Checks one target of all roots of a group.
    fn begin_group(
        &mut self,
        checker: &mut Checker<'_>,
        group: &Group,
        focus: Focus<'_>,
        statements: &[Row],
    ) -> ControlFlow<()> {
        let shapes = checker.shapes;
        for &root in &group.others {
            self.root = Some((root, focus.node));
            let id = shapes.roots[root as usize].shape;
            match shapes.shapes[id as usize].path {
                Some(_) => checker.check(id, focus, self)?,
                None => checker.check_constraints(id, focus, &[row_to(focus.node)], self)?,
            }
        }
        walk(&group.direct, statements, |(root, property), values| {
            self.root = Some((root, focus.node));
            checker.check_direct_property(property, focus, values, self)
        })
    }
}

impl Sink for Found {
    fn result(&mut self, result: Finding) -> ControlFlow<()> {
        if self.entries.len() == Report::MOST_RESULTS {
            self.truncated = true;
            return Break(());
        }
        let (root, root_focus) = self.root.expect("a root begins before it finds anything");
        let Finding { shape, component, focus, value, detail } = result;
        self.entries.push(Entry { root, root_focus, shape, component, focus, value, detail });
        Continue(())
    }
}
