//! What readers would lose or see changed: keys, types, ranges, classes.

use std::collections::BTreeSet;

use knhk_hot::artifact::{Artifact, Bounds, Value};
use knhk_ontology::{KeyTable, ValueType, check_compatible};

use crate::Candidate;
use crate::mutant::{Mutant, mutated};
use crate::notes::Notes;

const MAJOR: &str = "keep it, or declare a major version and tell those who read it";

pub(crate) fn compatibility(candidate: &Candidate, keys: &KeyTable) -> Notes {
    let mut notes = Notes::default();
    let (Some(current), Some(compiled)) = (&candidate.current, &candidate.compiled) else {
        if candidate.compiled.is_none() {
            notes.blocker(
                "artifact",
                "it does not compile: nothing can be said of what readers would see",
                "see invariant Q2",
            );
        }
        // Readers have no promise yet but those of keys that they hold.
        if let Some(compiled) = &candidate.compiled {
            held(candidate, &check_compatible(&compiled.artifact, keys), &mut notes);
        }
        return notes;
    };
    // A change of values alone leaves every name and every type.
    if candidate.changes_only_values() {
        notes.evidence("changes", "values alone");
        return notes;
    }
    held(candidate, &check_compatible(&compiled.artifact, keys), &mut notes);
    let (old, new) = (&*current.artifact, &*compiled.artifact);
    for difference in &candidate.differences {
        let Some(slot) = old.find(&difference.path) else { continue };
        seen(candidate, &difference.path, (old, slot), (new, new.find(&difference.path)), keys, &mut notes);
    }
    notes
}

/// Keys that programs hold, and would lose or have to read otherwise.
fn held(candidate: &Candidate, broken: &[knhk_ontology::Incompatibility], notes: &mut Notes) {
    notes.evidence("broken", broken.len());
    for broken in broken {
        let item = format!("parameter {}", broken.path);
        if candidate.major || mutated(Mutant::RetypedHeld) {
            notes.warning(item, broken.to_string(), "it is declared");
        } else {
            notes.blocker(item, broken.to_string(), MAJOR);
        }
    }
}

/// What changes at one path that no program holds with a promise, or beside what was promised.
fn seen(
    candidate: &Candidate,
    path: &str,
    (old, slot): (&Artifact, u32),
    (new, now): (&Artifact, Option<u32>),
    keys: &KeyTable,
    notes: &mut Notes,
) {
    let Some(was) = old.value(slot) else { return };
    let held = keys.get(path).and_then(|slot| keys.held(slot)).is_some();
    let item = format!("parameter {path}");
    let Some((now, is)) = now.and_then(|slot| Some((slot, new.value(slot)?))) else {
        if !held {
            notes.warning(item, format!("{path} would be gone; no program holds it now"), "");
        }
        return;
    };
    let (before, after) = (ValueType::from_tag(was.tag()), ValueType::from_tag(is.tag()));
    if before != after {
        if let (Some(before), Some(after), false) = (before, after, held) {
            notes.warning(
                item,
                format!("{path} would become {after} where it is {before}; no program holds it now"),
                "",
            );
        }
        return;
    }
    if let (Value::Class { ancestors: was, .. }, Value::Class { ancestors: is, .. }) = (&was, &is) {
        let after = class_names(new, is);
        let lost: Vec<String> = class_names(old, was).difference(&after).cloned().collect();
        if !lost.is_empty() {
            let what = format!("{path} would no longer be a {}", lost.join(", "));
            let item = format!("class {path}");
            match held && !candidate.major {
                true => notes.blocker(item, what, MAJOR),
                false => notes.warning(item, what, ""),
            }
        }
    }
    if narrower(old.bounds(slot), new.bounds(now)) {
        notes
            .info(item, format!("the range of {path} narrows: values that programs find in it today may fall outside"));
    }
}

/// The paths of classes by their numbers.
fn class_names(artifact: &Artifact, numbers: &[u32]) -> BTreeSet<String> {
    let named = artifact.entries().filter(|entry| match entry.value {
        Value::Class { number, .. } => numbers.binary_search(&number).is_ok(),
        _ => false,
    });
    named.map(|entry| entry.path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

fn narrower(old: Option<Bounds>, new: Option<Bounds>) -> bool {
    match (old, new) {
        (Some(Bounds::I64(low, high)), Some(Bounds::I64(now_low, now_high))) => now_low > low || now_high < high,
        (Some(Bounds::F64(low, high)), Some(Bounds::F64(now_low, now_high))) => now_low > low || now_high < high,
        (None, Some(_)) => true,
        _ => false,
    }
}
