//! What programs were promised.

use knhk_hot::artifact::Artifact;

use crate::ValueType;
use crate::key_table::KeyTable;

/// A key that a program holds, and that an artifact would take from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} is {was} to a program that reads it, and {}: that needs a declared major version", becomes(.is))]
#[non_exhaustive]
pub struct Incompatibility {
    /// The key's path.
    pub path: String,
    /// The key's slot.
    pub slot: u32,
    /// The type that the program holds it with.
    pub was: ValueType,
    /// The type in the artifact; none if it is dropped.
    pub is: Option<ValueType>,
}

fn becomes(is: &Option<ValueType>) -> String {
    match is {
        Some(is) => format!("would become {is}"),
        None => "would be gone".to_owned(),
    }
}

/// The keys that programs hold and that this artifact, which was compiled against the table, drops or retypes.
///
/// After a promotion with a declared major version, [`KeyTable::release`] those that were dropped and
/// [`KeyTable::mark_interned`] those that were retyped, each of which [`accept`] does.
pub fn check_compatible(artifact: &Artifact, table: &KeyTable) -> Vec<Incompatibility> {
    let judged = table.all_held().filter_map(|(slot, was)| {
        let is = artifact.tag(slot).and_then(ValueType::from_tag);
        let path = || table.path(slot).expect("a held slot was given out");
        (is != Some(was)).then(|| Incompatibility { path: path(), slot, was, is })
    });
    judged.collect()
}

/// Takes back the promises that a declared major version broke.
pub fn accept(incompatibilities: &[Incompatibility], table: &mut KeyTable) {
    for broken in incompatibilities {
        match broken.is {
            Some(is) => table.mark_interned(broken.slot, is),
            None => table.release(broken.slot),
        }
    }
}
