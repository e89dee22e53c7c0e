//! What both sides of a merge changed differently.

use knhk_ontology::graph::{Term, Triple};
use serde::Serialize;

use crate::lineage::Change;

/// Something that both sides changed differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What: a path such as `limits/max_qty`, or an IRI.
    pub item: String,
    /// How, in a sentence.
    pub what: String,
    /// Its statements before, as lines of N-Triples.
    pub base: Vec<String>,
    /// Its statements on this side.
    pub ours: Vec<String>,
    /// Its statements on the other side.
    pub theirs: Vec<String>,
    /// The version that changed it last on this side, where it is one.
    pub ours_by: Option<Change>,
    /// The version that changed it last on the other side, where it is one.
    pub theirs_by: Option<Change>,
    /// How the lines of what was changed begin.
    #[serde(skip)]
    pub(super) prefixes: Vec<Vec<u8>>,
    /// What it is about, in the merge's own interner; none where it is about no name.
    #[serde(skip)]
    pub(super) about: Option<About>,
}

/// A subject, and which of its properties; none: all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) subject: Term,
    pub(super) group: Option<Vec<Term>>,
}

impl About {
    pub(super) fn covers(&self, triple: &Triple) -> bool {
        triple.subject == self.subject && self.group.as_ref().is_none_or(|group| group.contains(&triple.predicate))
    }
}

/// `max_qty: both sides changed it (ours: version 7 by ops-2; theirs: version 5 by desk)`, and the statements below it.
impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.item, self.what)?;
        for (side, lines, by) in [
            ("before", &self.base, &None),
            ("ours", &self.ours, &self.ours_by),
            ("theirs", &self.theirs, &self.theirs_by),
        ] {
            let by = by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
            write!(f, "\n  {side}{by}:")?;
            if lines.is_empty() {
                f.write_str(" nothing")?;
            }
            lines.iter().try_for_each(|line| write!(f, "\n    {line}"))?;
        }
        Ok(())
    }
}

impl Conflict {
    /// One that is about no name.
    pub(super) fn nowhere() -> Conflict {
        Conflict {
            item: String::new(),
            what: String::new(),
            base: Vec::new(),
            ours: Vec::new(),
            theirs: Vec::new(),
            ours_by: None,
            theirs_by: None,
            prefixes: Vec::new(),
            about: None,
        }
    }
}

/// Whether two descriptions of one subject have a property in common.
pub(super) fn overlap(one: &About, other: &About) -> bool {
    match (&one.group, &other.group) {
        (Some(one), Some(other)) => one.iter().any(|predicate| other.contains(predicate)),
        _ => true,
    }
}
