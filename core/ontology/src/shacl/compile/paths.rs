//! Reading property paths: <https://www.w3.org/TR/shacl/#property-paths>.

use super::super::path::Path;
use super::{Compiler, PATH_DEPTH};
use crate::graph::Term;

/// A path made of another.
type Operator = fn(Box<Path>) -> Path;

impl Compiler<'_> {
    /// The path that a node stands for; else what is wrong with it.
    pub(super) fn path(&mut self, node: Term) -> Result<Path, String> {
        self.path_at(node, 0)
    }

    fn path_at(&mut self, node: Term, depth: usize) -> Result<Path, String> {
        if node.is_iri() && node != self.names.nil {
            return Ok(Path::Predicate(node));
        }
        let text = self.describe(node);
        if !node.is_blank() {
            return Err(format!("{text} is not a path"));
        }
        if depth == PATH_DEPTH {
            return Err(format!("the path {text} refers to itself, or is deeper than {PATH_DEPTH} paths"));
        }
        self.consulted.insert(node);
        // A list is a sequence, whatever else is said of its head: so the W3C's tests path-strange-001 and -002.
        if self.graph.objects(node, self.names.first).next().is_some() {
            return Ok(Path::Sequence(self.paths(node, depth)?));
        }
        let names = self.names.clone();
        let operators: [(Term, Operator); 4] = [
            (names.inverse_path, Path::Inverse),
            (names.zero_or_more_path, Path::ZeroOrMore),
            (names.one_or_more_path, Path::OneOrMore),
            (names.zero_or_one_path, Path::ZeroOrOne),
        ];
        let mut found = Vec::new();
        for (predicate, operator) in operators {
            for inner in self.graph.objects(node, predicate) {
                found.push((Some(operator), inner));
            }
        }
        found.extend(self.graph.objects(node, names.alternative_path).map(|list| (None, list)));
        match found[..] {
            [(Some(operator), inner)] => Ok(operator(Box::new(self.path_at(inner, depth + 1)?))),
            [(None, list)] => Ok(Path::Alternative(self.paths(list, depth)?)),
            [] => Err(format!("{text} is not a path")),
            _ => Err(format!("{text} is more than one path")),
        }
    }

    /// The members of a list as paths.
    fn paths(&mut self, list: Term, depth: usize) -> Result<Vec<Path>, String> {
        let members = self.list(list)?;
        if members.len() < 2 {
            return Err(format!("the path {} has fewer than two members", self.describe(list)));
        }
        members.into_iter().map(|member| self.path_at(member, depth + 1)).collect()
    }
}
