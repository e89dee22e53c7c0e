//! Q2, type soundness: every value that changes has its declared type and lies in its range, and what programs recorded lately still fits.

use knhk_hot::artifact::{Artifact, Bounds, Value};
use knhk_observation::Record;
use knhk_ontology::graph::TermRef;
use knhk_ontology::vocabulary::knhk;
use knhk_ontology::{KeyTable, ValueType};

use super::{Q2, replay};
use crate::notes::Notes;
use crate::{Candidate, Limits};

pub(crate) fn types(candidate: &Candidate, keys: &KeyTable, records: &[Record], limits: &Limits, notes: &mut Notes) {
    let Some(compiled) = &candidate.compiled else {
        match candidate.snapshot.document() {
            Err(error) => notes.blocker(Q2, format!("{error}"), format!("mend {}", place(&error.path))),
            Ok(_) => {
                notes.blocker(Q2, "it does not compile into what programs read", "make it smaller: a limit is reached")
            }
        }
        return;
    };
    let mut checked = 0_u64;
    for path in candidate.paths() {
        let Some(slot) = compiled.artifact.find(&path) else { continue };
        checked += 1;
        declared(candidate, &compiled.artifact, &path, slot, notes);
        range(&compiled.artifact, &path, slot, notes);
    }
    notes.evidence("values_checked", checked);
    let newest = records.len().saturating_sub(usize::try_from(limits.replay_records).unwrap_or(usize::MAX));
    replay::replay(candidate, &compiled.artifact, keys, &records[newest..], notes);
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the document" } else { path }
}

/// The type that the parameter declares is the one that programs read.
fn declared(candidate: &Candidate, artifact: &Artifact, path: &str, slot: u32, notes: &mut Notes) {
    let (graph, space) = (candidate.snapshot.graph(), candidate.snapshot.namespace());
    let terms = graph.terms();
    let (Some(subject), Some(type_of)) = (terms.find_iri(&space.iri(path)), terms.find_iri(knhk::TYPE)) else { return };
    let is = artifact.value(slot).and_then(|value| ValueType::from_tag(value.tag()));
    for term in graph.objects(subject, type_of) {
        let TermRef::Literal { lexical, .. } = terms.get(term) else { continue };
        let declared = lexical.parse::<ValueType>();
        match (declared, is) {
            (Ok(declared), Some(is)) if declared == is => {}
            (Ok(declared), Some(is)) => {
                let what = format!("{path} is declared to be {declared}, and its value is {is}");
                notes.blocker(Q2, what, format!("give {path} a value of type {declared}"));
            }
            (Err(error), _) => notes.blocker(Q2, format!("{path}: {error}"), "name a type that there is"),
            (Ok(_), None) => {}
        }
    }
}

/// The value lies in the range that guards it.
fn range(artifact: &Artifact, path: &str, slot: u32, notes: &mut Notes) {
    let outside = match (artifact.bounds(slot), artifact.value(slot)) {
        (Some(Bounds::I64(low, high)), Some(Value::I64(value))) => {
            (value < low || value > high).then(|| format!("{value} is outside of {low} … {high}"))
        }
        (Some(Bounds::F64(low, high)), Some(Value::F64(value))) => {
            (value < low || value > high).then(|| format!("{value} is outside of {low} … {high}"))
        }
        _ => None,
    };
    if let Some(what) = outside {
        notes.blocker(Q2, format!("{path}: {what}"), format!("choose a value of {path} in its range"));
    }
}
