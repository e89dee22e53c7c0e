//! A change on its way.

use std::sync::Arc;

use knhk_hot::artifact::Artifact;
use knhk_ontology::graph::{Delta, Term, TermRef, Triple};
use knhk_ontology::vocabulary::knhk;
use knhk_ontology::{
    Alone, Compiled, Difference, Document, DocumentError, KeyTable, Snapshot, SnapshotError, compile_change, diff,
};
use sha2::{Digest, Sha256};

/// A change of one sector on its way: what it is, who asks for it, and what it would make of the sector. Immutable.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The proposal that it belongs to, such as `p-19`; empty for a mere question.
    pub proposal: String,
    /// The sector.
    pub sector: String,
    /// The version that it starts from; 0: nothing was promoted yet.
    pub base_version: u64,
    /// The knowledge that it starts from.
    pub base: Arc<Snapshot>,
    /// What programs read of that; none before the first promotion.
    pub current: Option<Arc<Compiled>>,
    /// What it removes and adds.
    pub delta: Arc<Delta>,
    /// SHA-256 over the delta's canonical form, which approvals are about.
    pub digest: [u8; 32],
    /// The knowledge that it would lead to.
    pub snapshot: Arc<Snapshot>,
    /// What programs would read of that; none where it does not compile.
    pub compiled: Option<Arc<Compiled>>,
    /// What would change, path by path.
    pub differences: Vec<Difference>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// How sure the proposer is, 0 to 1; none for a person.
    pub confidence: Option<f64>,
    /// Whether it is declared incompatible with what programs hold.
    pub major: bool,
    /// The decision's time, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// When it is to take effect, where that is not at once.
    pub effective_ns: Option<u64>,
}

/// Who asks for a change, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The proposal; empty for a mere question.
    pub proposal: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// How sure the proposer is, 0 to 1; none for a person.
    pub confidence: Option<f64>,
    /// Whether it is declared incompatible with what programs hold.
    pub major: bool,
    /// The decision's time, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// When it is to take effect, where that is not at once.
    pub effective_ns: Option<u64>,
}

impl Candidate {
    /// Carries a change out in the shadow: applies it copy-on-write and compiles what results against a copy of `keys`. What it starts from
    /// stays as it is. What does not compile is a candidate all the same, which the stages refuse with the reason.
    ///
    /// # Errors
    /// A change that no sector may make, or ill-formed shapes: there is nothing then that could be judged.
    pub fn prepare(
        asked: Asked,
        base_version: u64,
        base: Arc<Snapshot>,
        current: Option<Arc<Compiled>>,
        delta: Arc<Delta>,
        keys: &KeyTable,
    ) -> Result<Candidate, SnapshotError> {
        let revised = current.as_ref().and_then(|current| base.revise(current, &delta, &Alone)?.ok());
        let (snapshot, compiled) = match revised {
            Some((snapshot, compiled)) => (snapshot, Some(compiled)),
            None => {
                let snapshot = base.apply(&delta)?;
                let compiled = compile_change(&base, current.as_deref(), &delta, &snapshot, &mut keys.clone()).ok();
                (snapshot, compiled)
            }
        };
        let differences = match snapshot.differences_by(&base, &delta).filter(|_| current.is_some()) {
            Some(differences) => differences,
            None => differences(&base, &snapshot, current.is_some()),
        };
        let Asked { proposal, by, why, confidence, major, time_ns, effective_ns } = asked;
        Ok(Candidate {
            proposal,
            sector: base.namespace().sector().to_owned(),
            base_version,
            digest: digest(&base, &delta),
            base,
            current,
            delta,
            snapshot: Arc::new(snapshot),
            compiled: compiled.map(Arc::new),
            differences: differences.unwrap_or_default(),
            by,
            why,
            confidence,
            major,
            time_ns,
            effective_ns,
        })
    }

    /// How many names the change is about.
    pub fn touched(&self) -> usize {
        self.subjects().len()
    }

    /// Whether it gives values to names that had one, of the types that they had, and nothing else.
    pub(crate) fn changes_only_values(&self) -> bool {
        let Some(value) = self.base.graph().terms().find_iri(knhk::VALUE) else { return false };
        let (removed, added) = (self.delta.removed(), self.delta.added());
        let pairs = removed.len() == added.len()
            && removed
                .iter()
                .zip(added)
                .all(|(old, new)| old.subject == new.subject && old.predicate == value && new.predicate == value);
        let (Some(current), Some(compiled)) = (&self.current, &self.compiled) else { return false };
        pairs
            && self.paths().all(|path| {
                let tag = |artifact: &Artifact| Some(artifact.value(artifact.find(&path)?)?.tag());
                let (old, new) = (tag(&current.artifact), tag(&compiled.artifact));
                old.is_some() && old == new
            })
    }

    /// The paths of the sector's names that the change is about.
    pub(crate) fn paths(&self) -> impl Iterator<Item = String> {
        let (terms, space) = (self.base.graph().terms(), self.base.namespace());
        self.subjects().into_iter().filter_map(move |subject| match terms.get(subject) {
            TermRef::Iri(iri) => space.path(iri),
            _ => None,
        })
    }

    /// The way back, in the terms of what it leads to.
    pub(crate) fn inverse(&self) -> Delta {
        let (from, to) = (self.base.graph().terms(), self.snapshot.graph().terms());
        if Arc::ptr_eq(from, to) {
            return self.delta.inverse();
        }
        // Applying it moved the graph into an interner of its own.
        let moved = |triples: &[Triple]| {
            let term = |term| to.import(&from.get(term));
            let triple = |one: &Triple| Triple {
                subject: term(one.subject),
                predicate: term(one.predicate),
                object: term(one.object),
            };
            triples.iter().map(triple).collect()
        };
        Delta::new(self.snapshot.graph(), moved(self.delta.added()), moved(self.delta.removed()))
    }

    /// A term of the change in what it leads to; none where nothing is said with it there.
    pub(crate) fn after(&self, term: Term) -> Option<Term> {
        let (from, to) = (self.base.graph().terms(), self.snapshot.graph().terms());
        if Arc::ptr_eq(from, to) { Some(term) } else { to.find(&from.get(term)) }
    }

    /// The subjects that the change is about, in order, as what it starts from numbers them.
    pub(crate) fn subjects(&self) -> Vec<Term> {
        let both = self.delta.removed().iter().chain(self.delta.added());
        let mut subjects: Vec<Term> = both.map(|triple| triple.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }
}

fn differences(base: &Snapshot, snapshot: &Snapshot, promoted: bool) -> Result<Vec<Difference>, DocumentError> {
    let after = snapshot.document().map_err(Clone::clone)?;
    let nothing = Document::empty();
    let before = if promoted { base.document().unwrap_or(&nothing) } else { &nothing };
    Ok(diff(before, after))
}

/// SHA-256 over `knhk delta 1`, NUL, and the change's lines as [`Delta::display`] writes them.
fn digest(base: &Snapshot, delta: &Delta) -> [u8; 32] {
    let lines = delta.display(base.graph().terms()).to_string();
    Sha256::new_with_prefix(b"knhk delta 1\0").chain_update(lines).finalize().into()
}
