//! Proofs and differences of statements, as programs carry them.

use std::fmt;

use knhk_ontology::graph::{Delta, Triple, write_statement};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Limits, Snapshot};

use crate::{Error, Status};

/// That a version states something: it convinces whoever knows the version's content address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof(knhk_ontology::Proof);

impl From<knhk_ontology::Proof> for Proof {
    fn from(proof: knhk_ontology::Proof) -> Proof {
        Proof(proof)
    }
}

impl Proof {
    /// The bytes to hand on.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Checks a proof's bytes, made here or elsewhere. It needs no engine.
    ///
    /// # Errors
    /// `Document` for what is not one statement of N-Triples; `Unproven` when the proof does not show that the version with this content
    /// address states it.
    pub fn check(snapshot_id: &[u8; 32], proof: &[u8], statement: &str) -> Result<(), Error> {
        let line = canonical_line(statement)?;
        let shown = knhk_ontology::Proof::from_bytes(proof).is_some_and(|proof| proof.verify(snapshot_id, &line));
        if shown {
            return Ok(());
        }
        let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        let message = format!("the proof does not show that the version states {line}");
        Err(Error::new(Status::Unproven, "prove", line, message))
    }
}

/// One statement of N-Triples in its canonical form, with its line feed.
pub(crate) fn canonical_line(statement: &str) -> Result<Vec<u8>, Error> {
    let mut lines = rdf::canonical_lines(statement.as_bytes(), Format::NTriples, &Limits::default())?;
    match (lines.pop(), lines.len()) {
        (Some(line), 0) => Ok(line),
        (_, others) => {
            let count = if others == 0 { "no statement".to_owned() } else { format!("{} statements", others + 1) };
            let message = format!("{count} where one is due: write <subject> <predicate> <object> .");
            Err(Error::new(Status::Document, "prove", "", message))
        }
    }
}

/// What leads from one version to another: canonical lines of N-Triples, without their line feeds, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementDiff {
    /// Statements that are gone.
    pub removed: Vec<String>,
    /// Statements that are new.
    pub added: Vec<String>,
}

impl StatementDiff {
    pub(crate) fn between(from: &Snapshot, to: &Snapshot) -> StatementDiff {
        let delta = Delta::between(from.graph(), to.graph());
        let line = |&triple: &Triple| {
            let mut line = Vec::new();
            write_statement(to.graph().terms(), triple, &mut line);
            String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
        };
        let lines = |triples: &[Triple]| {
            let mut lines: Vec<String> = triples.iter().map(line).collect();
            lines.sort_unstable();
            lines
        };
        StatementDiff { removed: lines(delta.removed()), added: lines(delta.added()) }
    }
}

/// A line `- …` for each statement that is gone and `+ …` for each that is new, sorted by statement.
impl fmt::Display for StatementDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let removed = self.removed.iter().map(|line| (line, '-'));
        let mut lines: Vec<_> = removed.chain(self.added.iter().map(|line| (line, '+'))).collect();
        lines.sort_unstable();
        lines.into_iter().try_for_each(|(line, sign)| writeln!(f, "{sign} {line}"))
    }
}
