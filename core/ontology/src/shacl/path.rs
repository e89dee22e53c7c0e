//! Property paths: from a node to the nodes that it leads to, and back.

use hashbrown::HashSet;

use crate::graph::{Graph, Term};

/// A property path, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Predicate(Term),
    Inverse(Box<Path>),
    /// One after the other; none leads to where it began.
    Sequence(Vec<Path>),
    Alternative(Vec<Path>),
    ZeroOrMore(Box<Path>),
    OneOrMore(Box<Path>),
    ZeroOrOne(Box<Path>),
}

/// Which way a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Backward,
}

impl Way {
    fn turned(self) -> Way {
        match self {
            Way::Forward => Way::Backward,
            Way::Backward => Way::Forward,
        }
    }
}

/// A statement that a path asks for: what has this predicate, seen from a node that `prefix` leads to.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// From the focus node to the node that is asked about.
    pub(super) prefix: Path,
    /// None: any predicate.
    pub(super) predicate: Option<Term>,
    /// Forward: the node is the statement's subject.
    pub(super) way: Way,
}

impl Path {
    /// The path of no step.
    pub(super) const HERE: Path = Path::Sequence(Vec::new());

    /// The predicate, of a path that is nothing more.
    pub(super) fn as_predicate(&self) -> Option<Term> {
        match self {
            Path::Predicate(predicate) => Some(*predicate),
            _ => None,
        }
    }

    /// The nodes that it leads to from `from`, without repetition, ordered.
    pub(super) fn follow(&self, graph: &Graph, from: Term, way: Way) -> Vec<Term> {
        let mut found = Vec::new();
        self.collect(graph, from, way, &mut found);
        sort(&mut found);
        found
    }

    /// Adds the nodes that it leads to, in any order, possibly repeated.
    pub(super) fn collect(&self, graph: &Graph, from: Term, way: Way, found: &mut Vec<Term>) {
        match (self, way) {
            (Path::Predicate(predicate), Way::Forward) => found.extend(graph.objects(from, *predicate)),
            (Path::Predicate(predicate), Way::Backward) => found.extend(graph.subjects(*predicate, from)),
            (Path::Inverse(path), _) => path.collect(graph, from, way.turned(), found),
            (Path::Sequence(steps), Way::Forward) => chain(steps.iter(), graph, from, way, found),
            (Path::Sequence(steps), Way::Backward) => chain(steps.iter().rev(), graph, from, way, found),
            (Path::Alternative(paths), _) => paths.iter().for_each(|path| path.collect(graph, from, way, found)),
            (Path::ZeroOrMore(path), _) => path.closure(graph, from, way, true, found),
            (Path::OneOrMore(path), _) => path.closure(graph, from, way, false, found),
            (Path::ZeroOrOne(path), _) => {
                found.push(from);
                path.collect(graph, from, way, found);
            }
        }
    }

    /// All that repeating the path leads to, `from` included only where it is reached or `reflexive`.
    fn closure(&self, graph: &Graph, from: Term, way: Way, reflexive: bool, found: &mut Vec<Term>) {
        let mut seen = HashSet::new();
        if reflexive {
            seen.insert(from);
        }
        let mut open = vec![from];
        let mut reached = Vec::new();
        while let Some(node) = open.pop() {
            self.collect(graph, node, way, &mut reached);
            open.extend(reached.drain(..).filter(|&next| seen.insert(next)));
        }
        found.extend(seen);
    }

    /// The statements that following the path from a node asks for.
    pub(super) fn lookups(&self, found: &mut Vec<Lookup>) {
        self.lookups_after(&Path::HERE, Way::Forward, found);
    }

    fn lookups_after(&self, prefix: &Path, way: Way, found: &mut Vec<Lookup>) {
        match self {
            Path::Predicate(predicate) => {
                found.push(Lookup { prefix: prefix.clone(), predicate: Some(*predicate), way });
            }
            Path::Inverse(path) => path.lookups_after(prefix, way.turned(), found),
            Path::Sequence(steps) => {
                let mut prefix = prefix.clone();
                let mut step = |path: &Path| {
                    path.lookups_after(&prefix, way, found);
                    prefix = then(&prefix, path.clone(), way);
                };
                match way {
                    Way::Forward => steps.iter().for_each(&mut step),
                    Way::Backward => steps.iter().rev().for_each(&mut step),
                }
            }
            Path::Alternative(paths) => paths.iter().for_each(|path| path.lookups_after(prefix, way, found)),
            Path::ZeroOrMore(path) | Path::OneOrMore(path) => {
                let prefix = then(prefix, Path::ZeroOrMore(path.clone()), way);
                path.lookups_after(&prefix, way, found);
            }
            Path::ZeroOrOne(path) => path.lookups_after(prefix, way, found),
        }
    }
}

/// Follows one path after the other.
fn chain<'a>(steps: impl Iterator<Item = &'a Path>, graph: &Graph, from: Term, way: Way, found: &mut Vec<Term>) {
    let mut here = vec![from];
    let mut next = Vec::new();
    for step in steps {
        here.iter().for_each(|&node| step.collect(graph, node, way, &mut next));
        std::mem::swap(&mut here, &mut next);
        next.clear();
        sort(&mut here);
    }
    found.extend(here);
}

/// The first path, then the second as it is followed that way.
fn then(first: &Path, second: Path, way: Way) -> Path {
    let second = if way == Way::Backward { Path::Inverse(Box::new(second)) } else { second };
    match first {
        Path::Sequence(steps) if steps.is_empty() => second,
        Path::Sequence(steps) => Path::Sequence([steps.as_slice(), &[second]].concat()),
        _ => Path::Sequence(vec![first.clone(), second]),
    }
}

fn sort(nodes: &mut Vec<Term>) {
    if nodes.len() > 1 {
        nodes.sort_unstable();
        nodes.dedup();
    }
}
