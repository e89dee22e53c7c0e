//! Why a graph's shapes cannot be compiled.

use std::fmt;

/// The shapes of a graph are not well-formed, or ask for what this validator cannot check. Nothing is validated with them, since a
/// constraint that is passed over would look like one that is met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ShapesError {
    problems: Vec<Problem>,
}

impl ShapesError {
    pub(super) fn new(mut problems: Vec<Problem>) -> ShapesError {
        problems.sort_by(|a, b| (&a.shape, &a.reason).cmp(&(&b.shape, &b.reason)));
        problems.dedup();
        ShapesError { problems }
    }

    /// Everything that was found wrong, ordered by shape; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ShapesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The shape: an IRI in angle brackets, or a blank node with where it is used.
    pub shape: String,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The reason, naming the property and the value.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shape {}: {}", self.shape, self.reason)
    }
}

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The shape breaks a syntax rule of SHACL.
    IllFormed,
    /// The shape is not SHACL Core, so that it cannot be checked here.
    Unsupported,
    /// The shape refers to itself, which SHACL leaves without a meaning.
    Recursive,
    /// The shape exceeds a limit.
    Limit,
}
