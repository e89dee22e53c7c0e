//! The projection of a change: what the change leaves alone is taken over from the artifact before, so that nothing but what it touches is
//! read from the graph anew.
//!
//! That takes a change of parameters, beside which anything may change that programs do not read. Names have one IRI each, so that a name is
//! touched where its subject is; whether a new one fits in is told by the names that the artifact has. Every other change, and whatever
//! does not fit, goes the way of [`compile_snapshot`], which also says what is wrong.

use std::sync::Arc;

use knhk_hot::artifact::{Artifact, Bounds, Builder, Limits};
use knhk_hot::layout::Tag;

use crate::compile::{entry, show};
use crate::counters;
use crate::document::{Data, TOP};
use crate::graph::{Delta, Triple};
use crate::key_table::{KeyTable, Plan};
use crate::parameters::Compiled;
use crate::partial::{is_of_parameter, subjects};
use crate::view::View;
use crate::{CompileError, Snapshot, ValueType, compile_snapshot};

/// Compiles what a change made of a snapshot: what [`compile_snapshot`] makes of `after`, without reading the whole graph where the change is
/// of parameters. `compiled` is what `base` compiled to, if it did.
///
/// # Errors
/// As [`compile_snapshot`].
pub fn compile_change(
    base: &Snapshot,
    compiled: Option<&Compiled>,
    delta: &Delta,
    after: &Snapshot,
    table: &mut KeyTable,
) -> Result<Compiled, CompileError> {
    match compiled.and_then(|compiled| recompiled((base, compiled), delta, after, table)) {
        Some(compiled) => compiled,
        None => compile_snapshot(after, table, compiled.map(|compiled| &*compiled.artifact)),
    }
}

fn recompiled(
    (base, compiled): (&Snapshot, &Compiled),
    delta: &Delta,
    after: &Snapshot,
    table: &mut KeyTable,
) -> Option<Result<Compiled, CompileError>> {
    let (before, words) = (&*compiled.artifact, after.words());
    let both = || delta.removed().iter().chain(delta.added());
    let passed_over = |triple: &Triple| !words.is_of_parameter(triple.predicate) && !words.is_read(triple);
    if !Arc::ptr_eq(base.graph().terms(), after.graph().terms())
        || before.snapshot_id() != base.id()
        || !both().all(|triple| is_of_parameter(triple, words) || passed_over(triple))
    {
        return None;
    }
    let subjects = subjects(both().filter(|triple| words.is_of_parameter(triple.predicate)));
    let (old, new) = (base.view_of(&subjects)?.ok()?, after.view_of(&subjects)?.ok()?);
    if [&old, &new].into_iter().any(|view| stated(view).any(|node| !is_parameter(view, node))) {
        return None;
    }
    let mut names = Names { before, fates: vec![Fate::Kept; before.slots() as usize] };
    for node in stated(&old) {
        names.fates[before.find(&old.document.path(node as u32))? as usize] = Fate::Gone;
    }
    let mut plan = Plan::new(table);
    let slots = names.place(&new, table, &mut plan)?;
    names.empty_maps(&new, &slots, after);
    let mut count = slots.iter().filter(|&&slot| !before.is_named(slot)).count();
    for (slot, fate) in names.staying() {
        let (parent, name) = before.name(slot)?;
        if !table.is(slot, parent, name) {
            return None;
        }
        if let Fate::Kept = fate {
            plan.retype(table, slot, before.tag(slot).and_then(ValueType::from_tag)?);
        }
        count += 1;
    }
    if count > after.limits().keys {
        return None;
    }
    if let Err(full) = table.check_room(&plan) {
        return Some(Err(full.into()));
    }
    let mut builder = Builder::with_limits(plan.slots(), Limits::default());
    let plan = plan.seal(table);
    builder.key_table(plan.id).snapshot_id(after.id());
    names.show(&new, &slots, before.key_table() == plan.id, &mut builder);
    let artifact = match builder.finish() {
        Ok(artifact) => Arc::new(artifact),
        Err(error) => return Some(Err(error.into())),
    };
    table.commit(plan);
    counters::RECOMPILED.add(1);
    let entries = stated(&new).filter_map(|node| entry(&new, node, slots[node])).collect();
    let parameters = compiled.parameters.with(&subjects, entries, after.graph(), words);
    Some(Ok(Compiled { artifact, parameters }))
}

/// The nodes that statements made, and not the names below them.
fn stated(view: &View) -> impl Iterator<Item = usize> {
    (0..view.subjects.len()).filter(|&node| view.subjects[node].is_some())
}

fn is_parameter(view: &View, node: usize) -> bool {
    !matches!(view.document.nodes[node].data, Data::Map | Data::Class(_))
}

/// The names of the artifact before, and what becomes of each.
struct Names<'a> {
    before: &'a Artifact,
    /// By slot.
    fates: Vec<Fate>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays as it is.
    Kept,
    /// It holds what this node of the change says.
    Node(u32),
    Gone,
}

impl Names<'_> {
    /// The slots of what the change says, whose own names are gone until here. None where it does not fit in with the names that stay.
    fn place<'n>(&mut self, new: &'n View, table: &KeyTable, plan: &mut Plan<'n>) -> Option<Vec<u32>> {
        let document = &new.document;
        let mut slots: Vec<u32> = Vec::with_capacity(document.nodes.len());
        for (number, node) in document.nodes.iter().enumerate() {
            let parent = if node.parent == TOP { TOP } else { slots[node.parent as usize] };
            let slot = plan.slot(table, parent, document.piece(node.name), node.hash, node.data.value_type());
            slots.push(slot);
            if !self.before.is_named(slot) {
                continue;
            }
            let fate = &mut self.fates[slot as usize];
            match (node.data, *fate) {
                (Data::Map, Fate::Kept) if self.before.tag(slot) == Some(Tag::Map) => {}
                (Data::Map, _) | (_, Fate::Kept | Fate::Node(_)) => return None,
                (_, Fate::Gone) => *fate = Fate::Node(number as u32),
            }
        }
        Some(slots)
    }

    /// Has the maps go that nothing is in any more, unless it is stated that they are there.
    fn empty_maps(&mut self, new: &View, slots: &[u32], after: &Snapshot) {
        let before = self.before;
        let parent = |slot: u32| before.name(slot).and_then(|(parent, _)| parent);
        let gone: Vec<u32> = before.named().filter(|&slot| self.fates[slot as usize] == Fate::Gone).collect();
        if gone.is_empty() {
            return;
        }
        let mut members = vec![0_u32; self.fates.len()];
        let staying = self.staying().filter_map(|(slot, _)| parent(slot));
        let fresh =
            new.document.nodes.iter().zip(slots).filter(|&(node, &slot)| node.parent != TOP && !before.is_named(slot));
        let fresh = fresh.map(|(node, _)| slots[node.parent as usize]);
        for map in staying.chain(fresh) {
            // A new map is not among them.
            members.get_mut(map as usize).into_iter().for_each(|members| *members += 1);
        }
        let stated = |map: u32| {
            let path = before.path(map).unwrap_or_default();
            let subject = after.graph().terms().find_iri(&after.namespace().iri(&path));
            let (predicate, object) = (after.words().is, after.words().map);
            subject.is_some_and(|subject| after.graph().contains(Triple { subject, predicate, object }))
        };
        for mut slot in gone {
            while let Some(map) = parent(slot)
                && members[map as usize] == 0
                && self.fates[map as usize] != Fate::Gone
                && !stated(map)
            {
                self.fates[map as usize] = Fate::Gone;
                if let Some(above) = parent(map) {
                    members[above as usize] -= 1;
                }
                slot = map;
            }
        }
    }

    /// The slots whose names stay, each after the map that it is in.
    fn staying(&self) -> impl Iterator<Item = (u32, Fate)> {
        let fates = self.before.named().map(|slot| (slot, self.fates[slot as usize]));
        fates.filter(|(_, fate)| *fate != Fate::Gone)
    }

    /// Says what each slot holds and what it is called. `known`: the key table is that of the artifact before.
    fn show(&self, new: &View, slots: &[u32], known: bool, builder: &mut Builder) {
        let (before, document) = (self.before, &new.document);
        let same = known
            && self.staying().count() == before.names() as usize
            && slots.iter().all(|&slot| before.is_named(slot));
        if same {
            builder.names_of(before);
        }
        for (slot, fate) in self.staying() {
            match fate {
                Fate::Node(node) => {
                    let node = &document.nodes[node as usize];
                    show(builder, document, node, node.data, slot);
                }
                _ => keep(builder, before, slot),
            }
            if !same && let Some((parent, name)) = before.name(slot) {
                builder.name(parent, name, slot);
            }
        }
        for (node, &slot) in document.nodes.iter().zip(slots).filter(|&(_, &slot)| !before.is_named(slot)) {
            let parent = if node.parent == TOP { None } else { Some(slots[node.parent as usize]) };
            show(builder, document, node, node.data, slot);
            builder.name(parent, document.piece(node.name), slot);
        }
    }
}

/// Says again what a slot holds, and what guards it.
fn keep(builder: &mut Builder, before: &Artifact, slot: u32) {
    let Some(value) = before.value(slot) else { return };
    builder.set(slot, value);
    match before.bounds(slot) {
        Some(Bounds::I64(low, high)) => _ = builder.range_i64(slot, low, high),
        Some(Bounds::F64(low, high)) => _ = builder.range_f64(slot, low, high),
        None => {}
    }
}
