//! Q3, guard preservation: nothing protected is removed or weakened unless a relaxation is in force, and reads stay within their steps.

use knhk_hot::artifact::Artifact;
use knhk_hot::layout::Tag;
use knhk_ontology::graph::{Graph, Term, TermRef, Triple};
use knhk_ontology::vocabulary::{knhk, rdfs};

use super::Q3;
use crate::limits::MAP;
use crate::mutant::{Mutant, mutated};
use crate::names::name;
use crate::notes::Notes;
use crate::{Candidate, Limits};

const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";
const MESSAGE: &str = "http://www.w3.org/ns/shacl#message";
const DEACTIVATED: &str = "http://www.w3.org/ns/shacl#deactivated";
const SEVERITY: &str = "http://www.w3.org/ns/shacl#severity";

/// What people read alone: it protects nothing.
const TEXTS: [&str; 5] = [rdfs::COMMENT, LABEL, MESSAGE, knhk::DOC, knhk::UNIT];
/// How deep unnamed nodes of a shape are followed up to the name that they belong to.
const DEPTH: usize = 16;

pub(crate) fn guards(candidate: &Candidate, limits: &Limits, relaxed: &dyn Fn(&str) -> bool, notes: &mut Notes) {
    let mut weakened = Vec::new();
    protected_names(candidate, limits, &mut weakened);
    let graph = candidate.base.graph();
    for removed in candidate.delta.removed() {
        weakened.extend(weakening(candidate, limits, graph, *removed, false));
    }
    for added in candidate.delta.added() {
        weakened.extend(weakening(candidate, limits, graph, *added, true));
    }
    weakened.dedup();
    if mutated(Mutant::ProtectedChanges) {
        weakened.clear();
    }
    notes.evidence("protected_touched", weakened.len());
    for (name, what) in weakened {
        let item = format!("protected {name}");
        if relaxed(&item) || relaxed(&name) {
            notes.info(Q3, format!("{name}: {what}; a relaxation is in force"));
        } else {
            notes.blocker(
                Q3,
                format!("{name} is protected: {what}"),
                format!("leave it, or ask for a relaxation of {item:?}"),
            );
        }
    }
    steps(candidate, limits, notes);
}

/// Names that are protected now and would not be any more.
fn protected_names(candidate: &Candidate, limits: &Limits, weakened: &mut Vec<(String, String)>) {
    let Some(compiled) = &candidate.compiled else { return };
    let after = Limits::of(&compiled.artifact);
    for name in limits.protected.iter().filter(|name| !after.protected.contains(name)) {
        weakened.push((format!("{MAP}/protected"), format!("{name} would be protected no longer")));
    }
}

/// What one statement, removed or added, takes from a protected name.
fn weakening(
    candidate: &Candidate,
    limits: &Limits,
    graph: &Graph,
    triple: Triple,
    added: bool,
) -> Option<(String, String)> {
    let owner = owner(candidate, graph, triple.subject)?;
    if !limits.protects(&owner) || owner == "governance/protected" {
        return None;
    }
    let terms = graph.terms();
    let TermRef::Iri(predicate) = terms.get(triple.predicate) else { return None };
    if TEXTS.contains(&predicate) {
        return None;
    }
    // What takes the place of a removed object of the same property, and the other way round.
    let others = if added { candidate.delta.removed() } else { candidate.delta.added() };
    let other = others.iter().find(|other| (other.subject, other.predicate) == (triple.subject, triple.predicate));
    let number = |term: Term| number(graph, term);
    let what = match (predicate, added) {
        (DEACTIVATED | SEVERITY, true) => format!("{} would be set", name(&candidate.base, triple.predicate)),
        (_, true) => return None,
        (knhk::VALUE, false) if other.is_some() && !owner.starts_with("governance/") => return None,
        (knhk::VALUE, false) if other.is_some() => "its value would change".to_owned(),
        (knhk::MIN | knhk::MAX, false) => {
            let (was, is) = (number(triple.object), other.and_then(|other| number(other.object)));
            let lower = predicate == knhk::MIN;
            match (was, is) {
                (Some(was), Some(is)) if (lower && is >= was) || (!lower && is <= was) => return None,
                (_, Some(is)) => format!("its range would widen to {is}"),
                (_, None) => format!("its {} would be gone", if lower { "minimum" } else { "maximum" }),
            }
        }
        (_, false) => {
            let (is, object) = (name(&candidate.base, triple.predicate), name(&candidate.base, triple.object));
            format!("{is} {object} would be gone")
        }
    };
    Some((owner, what))
}

/// The name that a subject is, or that it belongs to where it has none: a node of a shape written in brackets.
fn owner(candidate: &Candidate, graph: &Graph, subject: Term) -> Option<String> {
    let mut term = subject;
    for _ in 0..DEPTH {
        match graph.terms().get(term) {
            TermRef::Iri(iri) if !iri.starts_with(knhk::SKOLEM) => return Some(name(&candidate.base, term)),
            _ => term = graph.with_object(term).next()?.0,
        }
    }
    None
}

fn number(graph: &Graph, term: Term) -> Option<f64> {
    match graph.terms().get(term) {
        TermRef::Literal { lexical, .. } => lexical.parse().ok(),
        _ => None,
    }
}

/// Counts the loads that reading each changed key takes, each dependent on the one before.
fn steps(candidate: &Candidate, limits: &Limits, notes: &mut Notes) {
    let Some(compiled) = &candidate.compiled else { return };
    let artifact = &compiled.artifact;
    let mut most = 0;
    for path in candidate.paths() {
        let Some(slot) = artifact.find(&path) else { continue };
        let Some(taken) = dependent_loads(artifact, slot) else { continue };
        most = most.max(taken);
        if taken > limits.read_steps {
            let what = format!("reading {path} takes {taken} dependent steps; {} are allowed", limits.read_steps);
            notes.blocker(Q3, what, format!("give {path} a type that takes fewer: a number takes 3, a text 4, a list of texts 5, and look-up by name 3 more"));
        }
    }
    notes.evidence("dependent_steps", most);
}

/// Loads from a view's beginning to the value's last byte, each of which needs what the one before brought: the root, the descriptor, the
/// slot, then what the slot points to. In a map programs also come by a text, which takes the artifact's header, a bucket and the name's
/// record between descriptor and slot.
fn dependent_loads(artifact: &Artifact, slot: u32) -> Option<u64> {
    let behind = match artifact.value(slot)?.tag() {
        Tag::Absent | Tag::Map => return None,
        Tag::Bool | Tag::I64 | Tag::F64 => 0,
        // The row of ancestor bits; its place and the other class's number come at the same time.
        Tag::Str | Tag::Bytes | Tag::ListBool | Tag::ListI64 | Tag::ListF64 | Tag::Class => 1,
        // The element's span, and then its bytes.
        Tag::ListStr | Tag::ListBytes => 2,
    };
    let by_name = if artifact.name(slot)?.0.is_some() { 3 } else { 0 };
    Some(3 + by_name + behind)
}
