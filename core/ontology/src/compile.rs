//! The projection of a document into the artifact that inline code reads.

use std::sync::Arc;

use knhk_hot::artifact::{Artifact, ArtifactError, Builder, Limits};

use crate::document::{About, Data, Document, Node, TOP};
use crate::key_table::{KeyTable, KeyTableError, Plan};
use crate::parameters::{Compiled, Entry, Parameters};
use crate::view::View;
use crate::{DocumentError, Snapshot};

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
    /// What programs would read is not sound.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Compiles a document into an artifact, and gives its new names their slots.
///
/// With `defaults_only` only `$default` values are present, as before a sector's first promotion; every name gets its slot all the same.
/// The document is valid by construction, so that what can fail here is the size alone.
/// Its content address is left out: a document has none before it is in a graph.
pub fn compile(document: &Document, table: &mut KeyTable, defaults_only: bool) -> Result<Artifact, CompileError> {
    Ok(project(document, [0; 32], table, defaults_only, None)?.0)
}

/// Compiles what programs read of a snapshot. Where `before`, the artifact that it takes the place of, has the same names, as most changes
/// leave them, its index is taken over.
///
/// # Errors
/// What is not sound or does not fit; the key table is as it was.
pub fn compile_snapshot(
    snapshot: &Snapshot,
    table: &mut KeyTable,
    before: Option<&Artifact>,
) -> Result<Compiled, CompileError> {
    let view = snapshot.view().map_err(Clone::clone)?;
    let (artifact, slots) = project(&view.document, snapshot.id(), table, false, before)?;
    let entries = slots.iter().enumerate().filter_map(|(node, &slot)| entry(view, node, slot));
    let parameters = Parameters::new(entries.collect(), snapshot.graph(), snapshot.words());
    Ok(Compiled { artifact: Arc::new(artifact), parameters })
}

/// A node as a parameter whose value may change alone, where it is one.
pub(crate) fn entry(view: &View, node: usize, slot: u32) -> Option<Entry> {
    let of = &view.document.nodes[node];
    let plain = view
        .document
        .about
        .get(of.about as usize)
        .is_none_or(|about| about.has_value && about.default.is_none() && about.allowed.is_none());
    Some(Entry { subject: view.subjects[node].filter(|_| plain)?, slot, value_type: of.data.value_type() })
}

/// The artifact, and the slot of each node.
fn project(
    document: &Document,
    snapshot_id: [u8; 32],
    table: &mut KeyTable,
    defaults_only: bool,
    before: Option<&Artifact>,
) -> Result<(Artifact, Vec<u32>), CompileError> {
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
    builder.snapshot_id(snapshot_id);
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
        let data = match (defaults_only, node.data) {
            (false, data) | (true, data @ (Data::Map | Data::Class(_))) => data,
            (true, _) => match document.about.get(node.about as usize).and_then(|about| about.default) {
                Some(default) => default,
                None => continue,
            },
        };
        show(&mut builder, document, node, data, slot);
        if before.is_none() {
            let parent = if node.parent == TOP { None } else { Some(slots[node.parent as usize]) };
            builder.name(parent, document.piece(node.name), slot);
        }
    }
    let artifact = builder.finish()?;
    table.commit(plan);
    Ok((artifact, slots))
}

/// What a slot holds, and what guards it.
pub(crate) fn show(builder: &mut Builder, document: &Document, node: &Node, data: Data, slot: u32) {
    builder.set(slot, document.value(data));
    if let Some(about) = document.about.get(node.about as usize) {
        guard(builder, slot, data, about);
    }
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
