//! The visitors that the JSON reader drives.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Parser;
use super::literal::Literal;
use super::rules::Fields;
use crate::document::{Data, Piece, TOP};
use crate::draft::{CLASSES, Name, too_large};
use crate::error::DocumentErrorKind as Kind;

/// The document.
pub(super) struct Top<'p, 'j>(pub &'p mut Parser<'j>);

/// What a value may be.
pub(super) enum Place {
    /// Anything, named so in the parser's map.
    Named(Name),
    /// A scalar or a list.
    Field,
    /// A scalar.
    Element,
}

/// A value; gives nothing where it turned out to be a node, which is added already.
pub(super) struct Item<'p, 'j>(pub &'p mut Parser<'j>, pub Place);

/// A key, of the object of this name: where an error in the key itself is said to be.
struct KeyOf<'p, 'j>(&'p mut Parser<'j>, Option<Piece>);

enum Key {
    Name(Name),
    Special(Special),
}

/// The `$` keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Value,
    Type,
    Min,
    Max,
    Enum,
    Unit,
    Default,
    Doc,
    Bytes,
    Classes,
}

const SPECIALS: [(Special, &str); 10] = [
    (Special::Value, "$value"),
    (Special::Type, "$type"),
    (Special::Min, "$min"),
    (Special::Max, "$max"),
    (Special::Enum, "$enum"),
    (Special::Unit, "$unit"),
    (Special::Default, "$default"),
    (Special::Doc, "$doc"),
    (Special::Bytes, "$bytes"),
    (Special::Classes, CLASSES),
];

impl Special {
    fn as_str(self) -> &'static str {
        SPECIALS[self as usize].1
    }
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let parser = self.0;
        deserializer.deserialize_any(Map { parser })
    }
}

/// The top object.
struct Map<'p, 'j> {
    parser: &'p mut Parser<'j>,
}

macro_rules! not_an_object {
    ($($method:ident($type:ty)),*) => {$(
        fn $method<E: Error>(self, _: $type) -> Result<(), E> {
            Err(self.parser.refuse(Kind::NotAnObject))
        }
    )*};
}

impl<'de> Visitor<'de> for Map<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values")
    }

    not_an_object!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(self.parser.refuse(Kind::NotAnObject))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.parser.refuse(Kind::NotAnObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeyOf(self.parser, None))? {
            match key {
                Key::Name(name) => self.parser.named(name, &mut map)?,
                Key::Special(Special::Classes) => self.parser.classes(&mut map)?,
                Key::Special(special) => {
                    return Err(self.parser.refuse(Kind::Mingled { key: special.as_str().into() }));
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for KeyOf<'_, '_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf<'_, '_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        self.0.name = self.1;
        if key.starts_with('$') {
            return match SPECIALS.iter().find(|(_, name)| *name == key) {
                Some(&(special, _)) => Ok(Key::Special(special)),
                None => Err(self.0.refuse(Kind::UnknownSpecial { key: key.into() })),
            };
        }
        match self.0.draft.name(key) {
            Ok(name) => {
                self.0.name = Some(name.piece);
                Ok(Key::Name(name))
            }
            Err(kind) => Err(self.0.refuse(kind)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_> {
    type Value = Option<Literal>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Literal>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Item<'_, '_> {
    fn known<E: Error>(self, data: Result<Data, Kind>) -> Result<Option<Literal>, E> {
        data.map(|data| Some(Literal::Known(data))).map_err(|kind| self.0.refuse(kind))
    }
}

impl<'de> Visitor<'de> for Item<'_, '_> {
    type Value = Option<Literal>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<Literal>, E> {
        Ok(Some(Literal::Known(Data::Bool(value))))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Literal>, E> {
        let data = self.0.signed(value);
        self.known(data)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Literal>, E> {
        let data = self.0.unsigned(value);
        self.known(data)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<Literal>, E> {
        let data = self.0.double(value);
        self.known(data)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Literal>, E> {
        let data = self.0.draft.text(text).map(Data::Str);
        self.known(data)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Literal>, E> {
        Err(self.0.refuse(Kind::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Literal>, A::Error> {
        let parser = self.0;
        if matches!(self.1, Place::Element) {
            return Err(parser.refuse(Kind::NotScalar { found: "a list in a list" }));
        }
        let mut elements = std::mem::take(&mut parser.elements);
        elements.clear();
        while let Some(element) = list.next_element_seed(Item(parser, Place::Element))? {
            if let Some(Literal::Known(data)) = element {
                elements.push(data);
            }
            too_large("elements in a list", elements.len(), parser.draft.limits.list_len)
                .map_err(|kind| parser.refuse(kind))?;
        }
        let literal = parser.draft.list(&elements).map_err(|kind| parser.refuse(kind))?;
        parser.elements = elements;
        Ok(Some(literal))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Literal>, A::Error> {
        let parser = self.0;
        let before = (parser.parent, parser.name);
        let first = map.next_key_seed(KeyOf(parser, before.1))?;
        if let Some(Key::Special(Special::Bytes)) = first {
            parser.name = before.1;
            return parser.bytes(&mut map).map(Some);
        }
        let Place::Named(name) = self.1 else {
            parser.name = before.1;
            return Err(parser.refuse(Kind::NotScalar { found: "an object" }));
        };
        match first {
            Some(Key::Special(special)) => {
                parser.name = before.1;
                parser.fields(special, &mut map, name)?;
            }
            first => {
                parser.name = before.1;
                parser.map(first, &mut map, name)?;
            }
        }
        (parser.parent, parser.name) = before;
        Ok(None)
    }
}

impl Parser<'_> {
    /// A value after its name.
    fn named<'de, A: MapAccess<'de>>(&mut self, name: Name, map: &mut A) -> Result<(), A::Error> {
        match map.next_value_seed(Item(self, Place::Named(name)))? {
            Some(literal) => self.plain(name, literal).map_err(|kind| self.refuse(kind)),
            None => Ok(()),
        }
    }

    /// A leaf of which nothing but the value was said.
    fn plain(&mut self, name: Name, literal: Literal) -> Result<(), Kind> {
        let value_type = literal.shown()?.ok_or(Kind::EmptyList)?;
        let data = self.draft.settle(literal, value_type, "$value")?;
        self.draft.add(self.parent, name, data, None)?;
        Ok(())
    }

    /// The rest of an object of names, `first` being its first.
    fn map<'de, A: MapAccess<'de>>(&mut self, first: Option<Key>, map: &mut A, name: Name) -> Result<(), A::Error> {
        let node = self.draft.add(self.parent, name, Data::Map, None).map_err(|kind| self.refuse(kind))?;
        too_large("names on a path", self.depth + 2, self.draft.limits.depth).map_err(|kind| self.refuse(kind))?;
        (self.parent, self.name) = (node, None);
        self.depth += 1;
        let mut next = first;
        while let Some(key) = next {
            match key {
                Key::Name(name) => {
                    self.name = Some(name.piece);
                    self.named(name, map)?;
                }
                Key::Special(special) => {
                    return Err(self.refuse(Kind::Mingled { key: special.as_str().into() }));
                }
            }
            next = map.next_key_seed(KeyOf(self, None))?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// The rest of an object of fields, `first` being its first.
    fn fields<'de, A: MapAccess<'de>>(&mut self, first: Special, map: &mut A, name: Name) -> Result<(), A::Error> {
        let mut fields = Fields::default();
        let mut next = Some(Key::Special(first));
        while let Some(key) = next {
            self.name = Some(name.piece);
            let special = match key {
                Key::Special(special @ (Special::Bytes | Special::Classes)) => {
                    return Err(self.refuse(Kind::Mingled { key: special.as_str().into() }));
                }
                Key::Name(stray) => {
                    let key = self.draft.document.piece(stray.piece).to_owned();
                    return Err(self.refuse(Kind::Mingled { key }));
                }
                Key::Special(special) => special,
            };
            let literal = map.next_value_seed(Item(self, Place::Field))?;
            let literal = literal.expect("a field is never a node");
            fields.put(special.as_str(), literal, &self.draft).map_err(|kind| self.refuse(kind))?;
            next = map.next_key_seed(KeyOf(self, Some(name.piece)))?;
        }
        self.name = Some(name.piece);
        let settled = fields.settle(&mut self.draft);
        let (data, about) = settled.map_err(|kind| self.refuse(kind))?;
        self.draft.add(self.parent, name, data, about).map_err(|kind| self.refuse(kind))?;
        Ok(())
    }

    /// The rest of an object that begins with `$bytes`.
    fn bytes<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Literal, A::Error> {
        let name = self.name;
        let data = match map.next_value_seed(Item(self, Place::Element))? {
            Some(Literal::Known(Data::Str(base64))) => {
                // The text is the last one stored and is not needed any more.
                let text = self.draft.document.text.split_off(base64.start as usize);
                self.draft.bytes(&text)
            }
            _ => Err(Kind::NotText { field: "$bytes" }),
        };
        let data = data.map_err(|kind| self.refuse(kind))?;
        // Whatever the key is, it does not belong here.
        if map.next_key::<IgnoredAny>()?.is_some() {
            self.name = name;
            return Err(self.refuse(Kind::BytesNotAlone));
        }
        Ok(Literal::Known(data))
    }

    /// The classes and their parents.
    fn classes<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let name = self.draft.special_name(CLASSES);
        self.name = Some(name.piece);
        let node = self.draft.add(TOP, name, Data::Map, None).map_err(|kind| self.refuse(kind))?;
        map.next_value_seed(Classes(self, node))?;
        (self.parent, self.name) = (TOP, None);
        Ok(())
    }
}

/// What is under `$classes`.
struct Classes<'p, 'j>(&'p mut Parser<'j>, u32);

impl<'de> DeserializeSeed<'de> for Classes<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Classes<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that gives each class the list of its parents")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Classes(parser, node) = self;
        parser.parent = node;
        while let Some(key) = map.next_key_seed(KeyOf(parser, None))? {
            let name = match key {
                Key::Name(name) => name,
                Key::Special(special) => {
                    return Err(parser.refuse(Kind::Mingled { key: special.as_str().into() }));
                }
            };
            let parents = match map.next_value_seed(Item(parser, Place::Field))? {
                Some(Literal::Known(Data::ListStr(parents))) => parents,
                Some(Literal::Empty) => Piece::default(),
                _ => return Err(parser.refuse(Kind::ClassParents)),
            };
            parser.draft.add_class(node, name, parents).map_err(|kind| parser.refuse(kind))?;
        }
        Ok(())
    }
}
