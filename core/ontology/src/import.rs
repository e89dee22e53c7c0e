//! A document from an artifact: what can still be told when there is nothing but the image.

use knhk_hot::artifact::{Artifact, Bounds, Value};

use crate::document::{About, Data, Document, Piece, TOP};
use crate::draft::{CLASSES, Draft, too_large};
use crate::error::DocumentErrorKind as Kind;
use crate::{DocumentError, Limits};

impl Document {
    /// The document that an artifact holds: names, values, ranges and classes. An image carries no units, enumerations, defaults or
    /// descriptions, so these are missing; slots without a name are left out.
    pub fn from_artifact(artifact: &Artifact, limits: &Limits) -> Result<Document, DocumentError> {
        let mut import = Import { artifact, draft: Draft::new(limits, artifact.bytes() / 4), children: Vec::new() };
        import.children = vec![Vec::new(); artifact.slots() as usize + 1];
        for slot in artifact.named() {
            let (parent, _) = artifact.name(slot).expect("named slots have a name");
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
        if let Value::Class { number, ancestors } = value {
            let parents = self.parents(slot, number, &ancestors)?;
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

    /// The nearest ancestors: those that are not an ancestor's ancestor.
    fn parents(&mut self, slot: u32, number: u32, ancestors: &[u32]) -> Result<Piece, Kind> {
        let (map, _) = self.artifact.name(slot).expect("named slots have a name");
        let siblings = &self.children_of(map);
        let mut above = Vec::new();
        for &sibling in siblings {
            if let Some(Value::Class { number: other, ancestors: theirs }) = self.artifact.value(sibling)
                && other != number
                && ancestors.contains(&other)
            {
                above.push((sibling, other, theirs));
            }
        }
        let near = above.iter().filter(|(_, class, _)| {
            !above.iter().any(|(_, between, theirs)| between != class && theirs.contains(class))
        });
        let mut pieces = Vec::new();
        for &(sibling, ..) in near {
            let (_, name) = self.artifact.name(sibling).expect("named slots have a name");
            pieces.push(self.draft.text(name)?);
        }
        Ok(self.draft.pieces(&pieces))
    }

    fn children_of(&self, map: Option<u32>) -> Vec<u32> {
        let inside = |&slot: &u32| self.artifact.name(slot).is_some_and(|(parent, _)| parent == map);
        self.artifact.named().filter(inside).collect()
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

    fn raw_bytes(&mut self, bytes: &[u8]) -> Result<Piece, Kind> {
        too_large("bytes in a value", bytes.len(), self.limits.string_bytes)?;
        let start = self.document.bytes.len() as u32;
        self.document.bytes.extend_from_slice(bytes);
        Ok(Piece { start, len: bytes.len() as u32 })
    }

    fn pieces(&mut self, pieces: &[Piece]) -> Piece {
        let start = self.document.pieces.len() as u32;
        self.document.pieces.extend_from_slice(pieces);
        Piece { start, len: pieces.len() as u32 }
    }
}
