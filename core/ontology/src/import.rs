//! A document from an artifact: what can still be told when there is nothing but the image.

use knhk_hot::artifact::{Artifact, Bounds, Value};

use crate::document::{About, Data, Document, Piece, TOP, closure_row, members};
use crate::draft::{CLASSES, Draft, too_large};
use crate::error::DocumentErrorKind as Kind;
use crate::{DocumentError, Limits};

impl Document {
    /// The document that an artifact holds: names, values, ranges and classes. An image carries no units, enumerations, defaults or
    /// descriptions, so these are missing; slots without a name are left out.
    pub fn from_artifact(artifact: &Artifact, limits: &Limits) -> Result<Document, DocumentError> {
        let count = artifact.classes() as usize;
        let too_many = |kind| DocumentError { path: CLASSES.to_owned(), kind };
        too_large("classes", count, limits.classes).map_err(too_many)?;
        let mut import = Import {
            artifact,
            draft: Draft::new(limits, artifact.bytes() / 4),
            children: vec![Vec::new(); artifact.slots() as usize + 1],
            classes: vec![None; count],
            closure: vec![0; count * count.div_ceil(64)],
        };
        for slot in artifact.named() {
            let (parent, _) = artifact.name(slot).expect("named slots have a name");
            if let Some(Value::Class { number, ancestors }) = artifact.value(slot) {
                import.classes[number as usize] = Some(slot);
                for ancestor in ancestors {
                    import.closure[number as usize * count.div_ceil(64) + ancestor as usize / 64] |=
                        1 << (ancestor % 64);
                }
            }
            import.children[parent.map_or(0, |parent| parent as usize + 1)].push(slot);
        }
        let top = std::mem::take(&mut import.children[0]);
        import.map(&top, TOP, 1)?;
        import.draft.finish()
    }
}

struct Import<'a> {
    artifact: &'a Artifact,
    draft: Draft,
    /// The slots in each map; those at the top first.
    children: Vec<Vec<u32>>,
    /// The slot of each class that has a name.
    classes: Vec<Option<u32>>,
    /// A row of ancestor bits for each class.
    closure: Vec<u64>,
}

impl Import<'_> {
    /// Adds what is in a map. As deep as artifacts are: 64 at most.
    fn map(&mut self, slots: &[u32], parent: u32, depth: usize) -> Result<(), DocumentError> {
        for &slot in slots {
            let refuse = |kind| DocumentError { path: self.artifact.path(slot).unwrap_or_default(), kind };
            too_large("names on a path", depth, self.draft.limits.depth).map_err(refuse)?;
            if let Some(map) = self.one(slot, parent).map_err(refuse)? {
                let inside = std::mem::take(&mut self.children[slot as usize + 1]);
                self.map(&inside, map, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Adds one slot; gives its node if it is a map.
    fn one(&mut self, slot: u32, parent: u32) -> Result<Option<u32>, Kind> {
        let (_, leaf) = self.artifact.name(slot).expect("named slots have a name");
        let Some(value) = self.artifact.value(slot) else { return Ok(None) };
        let in_classes = parent != TOP && self.draft.document.path(parent) == CLASSES;
        if in_classes != matches!(value, Value::Class { .. }) {
            return Err(Kind::Mingled { key: leaf.to_owned() });
        }
        let special = leaf.starts_with('$');
        if special && !(leaf == CLASSES && parent == TOP && value == Value::Map) {
            return Err(Kind::UnknownSpecial { key: leaf.to_owned() });
        }
        let name = if special { self.draft.special_name(leaf) } else { self.draft.name(leaf)? };
        if let Value::Class { number, .. } = value {
            let parents = self.parents(number)?;
            self.draft.add_class(parent, name, parents)?;
            return Ok(None);
        }
        let data = self.draft.store(value)?;
        let bound = |data| About { has_value: true, min: Some(data), ..About::default() };
        let about = self.artifact.bounds(slot).map(|bounds| match bounds {
            Bounds::I64(low, high) => About {
                max: (high != i64::MAX).then_some(Data::I64(high)),
                min: (low != i64::MIN).then_some(Data::I64(low)),
                ..bound(data)
            },
            Bounds::F64(low, high) => About {
                max: high.is_finite().then_some(Data::F64(high)),
                min: low.is_finite().then_some(Data::F64(low)),
                ..bound(data)
            },
        });
        let node = self.draft.add(parent, name, data, about)?;
        Ok(matches!(data, Data::Map).then_some(node))
    }

    /// The nearest ancestors: those that are no ancestor's ancestor.
    fn parents(&mut self, class: u32) -> Result<Piece, Kind> {
        let count = self.classes.len();
        let own = closure_row(&self.closure, count, class);
        let mut near = own.to_vec();
        near[class as usize / 64] &= !(1 << (class % 64));
        for ancestor in members(own).filter(|&ancestor| ancestor != class) {
            let above = closure_row(&self.closure, count, ancestor);
            if above[class as usize / 64] >> (class % 64) & 1 != 0 {
                return Err(Kind::ClassCycle);
            }
            for (word, above) in above.iter().enumerate() {
                let itself = if word == ancestor as usize / 64 { 1 << (ancestor % 64) } else { 0 };
                near[word] &= !above | itself;
            }
        }
        let mut pieces = Vec::new();
        for parent in members(&near) {
            let name = self.classes[parent as usize].and_then(|slot| self.artifact.name(slot));
            let (_, name) = name.ok_or_else(|| Kind::UnknownParent { parent: format!("class number {parent}") })?;
            pieces.push(self.draft.text(name)?);
        }
        Ok(self.draft.pieces(&pieces))
    }
}

impl Draft {
    /// Stores a value of an artifact.
    fn store(&mut self, value: Value<'_>) -> Result<Data, Kind> {
        let document = &mut self.document;
        macro_rules! list {
            ($array:ident, $list:ident, $items:expr) => {{
                too_large("elements in a list", $items.len(), self.limits.list_len)?;
                let start = document.$array.len() as u32;
                document.$array.extend_from_slice($items);
                Data::$list(Piece { start, len: $items.len() as u32 })
            }};
        }
        Ok(match value {
            Value::Bool(value) => Data::Bool(value),
            Value::I64(value) => Data::I64(value),
            Value::F64(value) => Data::F64(value),
            Value::Str(text) => Data::Str(self.text(text)?),
            Value::Bytes(bytes) => Data::Bytes(self.raw_bytes(bytes)?),
            Value::ListBool(items) => list!(bools, ListBool, items),
            Value::ListI64(items) => list!(integers, ListI64, items),
            Value::ListF64(items) => list!(doubles, ListF64, items),
            Value::ListStr(items) => {
                too_large("elements in a list", items.len(), self.limits.list_len)?;
                let pieces = items.iter().map(|text| self.text(text)).collect::<Result<Vec<_>, _>>()?;
                Data::ListStr(self.pieces(&pieces))
            }
            Value::ListBytes(items) => {
                too_large("elements in a list", items.len(), self.limits.list_len)?;
                let pieces = items.iter().map(|bytes| self.raw_bytes(bytes)).collect::<Result<Vec<_>, _>>()?;
                Data::ListBytes(self.pieces(&pieces))
            }
            _ => Data::Map,
        })
    }

    pub(crate) fn pieces(&mut self, pieces: &[Piece]) -> Piece {
        let start = self.document.pieces.len() as u32;
        self.document.pieces.extend_from_slice(pieces);
        Piece { start, len: pieces.len() as u32 }
    }
}
