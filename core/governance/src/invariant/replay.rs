//! Q2, replayed: what programs recorded lately, held against the observation kinds that the candidate declares.
//!
//! A record that fits what the current kinds say and does not fit the candidate's is a violation: the change would make what programs do
//! today wrong. One that fits neither is none of the change's doing.

use std::collections::HashMap;

use knhk_hot::artifact::Artifact;
use knhk_observation::{Kind, Record, Schema};
use knhk_ontology::KeyTable;

use super::Q2;
use crate::Candidate;
use crate::notes::Notes;

/// Records that say the same of the schema: one key, one type, one outcome.
#[derive(Clone, Copy)]
struct Alike {
    count: u64,
    min: f64,
    max: f64,
}

pub(super) fn replay(
    candidate: &Candidate,
    artifact: &Artifact,
    keys: &KeyTable,
    records: &[Record],
    notes: &mut Notes,
) {
    notes.evidence("observations_replayed", records.len());
    if records.is_empty() {
        return;
    }
    let mut groups: HashMap<(u32, u8, u32), Alike> = HashMap::new();
    for record in records {
        let number = record.number().unwrap_or(f64::NAN);
        let none = Alike { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY };
        let group = groups.entry((record.slot, record.tag, record.outcome)).or_insert(none);
        // A value that is no number is in no range, and leaves both as they are.
        (group.count, group.min, group.max) = (group.count + 1, group.min.min(number), group.max.max(number));
    }
    let (old, new) = (Schema::of(&candidate.base), Schema::of(&candidate.snapshot));
    let mut groups: Vec<((u32, u8, u32), Alike)> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(group, _)| *group);
    for ((slot, tag, outcome), alike) in groups {
        let Some(path) = keys.path(slot) else { continue };
        let count = alike.count;
        if artifact.value(slot).is_none()
            && candidate.base.document().is_ok_and(|document| document.get(&path).is_some())
        {
            let what = format!("programs recorded {count} observations under {path}, which would be gone");
            match candidate.major {
                true => notes.warning(Q2, what, "it is declared"),
                false => notes.blocker(Q2, what, format!("keep {path}, or declare a major version")),
            }
            continue;
        }
        let wrong = |schema: &Schema| match kind(schema, &path, outcome) {
            Some(kind) => violation(kind, tag, alike),
            None => None,
        };
        let (was, is) = (kind(&old, &path, outcome), kind(&new, &path, outcome));
        match (was, is, wrong(&new)) {
            (Some(was), None, _) => {
                let what = format!("{count} recorded observations are of kind {}, which would be gone", was.name);
                notes.blocker(Q2, what, format!("keep {}, or stop recording it first", was.name));
            }
            (_, Some(is), Some(what)) if wrong(&old).is_none() => {
                let what = format!("{count} recorded observations of kind {} under {path}: {what}", is.name);
                notes.blocker(Q2, what, format!("widen {}, or change what programs record first", is.name));
            }
            (_, Some(is), Some(what)) => {
                let what = format!(
                    "recorded observations of kind {} under {path} fit neither before nor after: {what}",
                    is.name
                );
                notes.info(Q2, what);
            }
            _ => {}
        }
    }
}

/// The kind of what is recorded under a key with an outcome: the one with that code, else the one without.
fn kind<'s>(schema: &'s Schema, path: &str, outcome: u32) -> Option<&'s Kind> {
    let of_key = || schema.kinds.iter().filter(|kind| kind.key.as_deref() == Some(path));
    of_key().find(|kind| kind.code == Some(outcome)).or_else(|| of_key().find(|kind| kind.code.is_none()))
}

fn violation(kind: &Kind, tag: u8, alike: Alike) -> Option<String> {
    if !kind.value_type.admits(tag) {
        return Some(format!("their values are not of type {}", kind.value_type.as_str()));
    }
    if alike.min > alike.max {
        return None;
    }
    match (kind.min, kind.max) {
        (Some(min), _) if alike.min < min => Some(format!("{} is below {min}, the smallest to be expected", alike.min)),
        (_, Some(max)) if alike.max > max => Some(format!("{} is above {max}, the largest to be expected", alike.max)),
        _ => None,
    }
}
