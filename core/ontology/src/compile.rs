//! The projection of a document into the artifact that inline code reads.

use knhk_hot::artifact::{Artifact, ArtifactError, Builder, Limits};

use crate::document::{About, Data, Document, TOP};
use crate::key_table::{KeyTable, KeyTableError, Plan};

/// Why no artifact was made. The key table is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The key table has no room.
    #[error(transparent)]
    KeyTable(#[from] KeyTableError),
    /// The artifact cannot be built.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A slot of a foreign image has no name.
    #[error("slot {slot} of the image has no name, so that no key could lead to it: compile the image from a document")]
    Nameless {
        /// The slot.
        slot: u32,
    },
}

/// Compiles a document into an artifact, and gives its new names their slots.
///
/// With `defaults_only` only `$default` values are present, as before a sector's first promotion; every name gets its slot all the same.
/// The document is valid by construction, so that what can fail here is the size alone.
pub fn compile(document: &Document, table: &mut KeyTable, defaults_only: bool) -> Result<Artifact, CompileError> {
    project(document, table, defaults_only, None)
}

/// [`compile`] for a document that takes the place of another: where both have the same names, as most changes leave them, the
/// index is taken over from `before`'s artifact.
pub fn compile_after(document: &Document, table: &mut KeyTable, before: &Artifact) -> Result<Artifact, CompileError> {
    project(document, table, false, Some(before))
}

fn project(
    document: &Document,
    table: &mut KeyTable,
    defaults_only: bool,
    before: Option<&Artifact>,
) -> Result<Artifact, CompileError> {
    let mut plan = Plan::new(table);
    let mut slots: Vec<u32> = Vec::with_capacity(document.nodes.len());
    for node in &document.nodes {
        let parent = if node.parent == TOP { TOP } else { slots[node.parent as usize] };
        let name = document.piece(node.name);
        slots.push(plan.slot(table, parent, name, node.hash, node.data.value_type()));
    }
    table.check_room(&plan)?;
    let mut builder = Builder::with_limits(plan.slots(), Limits::default());
    let plan = plan.seal(table);
    builder.key_table(plan.id);
    builder.snapshot_id(document.snapshot_id());
    // The same key table gives the same names the same slots, so as many names, all of them known, are the same names.
    let before = before.filter(|before| {
        before.key_table() == plan.id
            && before.names() as usize == slots.len()
            && slots.iter().all(|&slot| before.is_named(slot))
    });
    if let Some(before) = before {
        builder.names_of(before);
    }
    for (node, &slot) in document.nodes.iter().zip(&slots) {
        let about = document.about.get(node.about as usize);
        let data = match (defaults_only, node.data) {
            (false, data) | (true, data @ (Data::Map | Data::Class(_))) => data,
            (true, _) => match about.and_then(|about| about.default) {
                Some(default) => default,
                None => continue,
            },
        };
        builder.set(slot, document.value(data));
        if let Some(about) = about {
            guard(&mut builder, slot, data, about);
        }
        if before.is_none() {
            let parent = if node.parent == TOP { None } else { Some(slots[node.parent as usize]) };
            builder.name(parent, document.piece(node.name), slot);
        }
    }
    let artifact = builder.finish()?;
    table.commit(plan);
    Ok(artifact)
}

fn guard(builder: &mut Builder, slot: u32, data: Data, about: &About) {
    match (data, about.min, about.max) {
        (_, None, None) => {}
        (Data::I64(_), min, max) => {
            let bound = |data, open| if let Some(Data::I64(bound)) = data { bound } else { open };
            builder.range_i64(slot, bound(min, i64::MIN), bound(max, i64::MAX));
        }
        (Data::F64(_), min, max) => {
            let bound = |data, open| if let Some(Data::F64(bound)) = data { bound } else { open };
            builder.range_f64(slot, bound(min, f64::NEG_INFINITY), bound(max, f64::INFINITY));
        }
        // A list has no guard range: its elements were checked when the document was read.
        _ => {}
    }
}

/// Moves a foreign image to this table's slots: by name, so that the image may come from another engine.
pub fn link(artifact: &Artifact, table: &mut KeyTable) -> Result<Artifact, CompileError> {
    let mut slots = vec![None; artifact.slots() as usize];
    let mut plan = Plan::new(table);
    let named: Vec<u32> = artifact.named().collect();
    for &old in &named {
        let (parent, name) = artifact.name(old).expect("named slots have a name");
        let parent = match parent {
            Some(parent) => slots[parent as usize].expect("a map is named before what is in it"),
            None => TOP,
        };
        let value_type = artifact.value(old).and_then(|value| crate::ValueType::from_tag(value.tag()));
        let Some(value_type) = value_type else { continue };
        slots[old as usize] = Some(plan.slot(table, parent, name, crate::hash::name_hash(name), value_type));
    }
    table.check_room(&plan)?;
    let mut builder = Builder::with_limits(plan.slots(), Limits::default());
    let plan = plan.seal(table);
    builder.key_table(plan.id);
    builder.snapshot_id(artifact.snapshot_id());
    for old in 0..artifact.slots() {
        let Some(value) = artifact.value(old) else { continue };
        let slot = slots[old as usize].ok_or(CompileError::Nameless { slot: old })?;
        builder.set(slot, value);
        match artifact.bounds(old) {
            Some(knhk_hot::artifact::Bounds::I64(low, high)) => drop(builder.range_i64(slot, low, high)),
            Some(knhk_hot::artifact::Bounds::F64(low, high)) => drop(builder.range_f64(slot, low, high)),
            None => {}
        }
    }
    for &old in &named {
        let Some(slot) = slots[old as usize] else { continue };
        let (parent, name) = artifact.name(old).expect("named slots have a name");
        builder.name(parent.and_then(|parent| slots[parent as usize]), name, slot);
    }
    let linked = builder.finish()?;
    table.commit(plan);
    Ok(linked)
}
