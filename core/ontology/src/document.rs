//! A document as a tree in a few flat arrays: names and texts share one string, lists of one type share one vector.

use hashbrown::HashTable;
use knhk_hot::artifact::Value;

use crate::ValueType;
use crate::hash::{below, name_hash};

/// No parent: at the top.
pub(crate) const TOP: u32 = u32::MAX;

/// A piece of one of the document's arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub start: u32,
    pub len: u32,
}

impl Piece {
    pub(crate) fn of<T>(self, array: &[T]) -> &[T] {
        &array[self.start as usize..][..self.len as usize]
    }
}

/// A value, its elements in the document's arrays.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    Bool(bool),
    I64(i64),
    F64(f64),
    Str(Piece),
    Bytes(Piece),
    ListBool(Piece),
    ListI64(Piece),
    ListF64(Piece),
    ListStr(Piece),
    ListBytes(Piece),
    Map,
    /// The class's number.
    Class(u32),
}

impl Data {
    pub(crate) fn value_type(self) -> ValueType {
        match self {
            Data::Bool(_) => ValueType::Bool,
            Data::I64(_) => ValueType::I64,
            Data::F64(_) => ValueType::F64,
            Data::Str(_) => ValueType::Str,
            Data::Bytes(_) => ValueType::Bytes,
            Data::ListBool(_) => ValueType::ListBool,
            Data::ListI64(_) => ValueType::ListI64,
            Data::ListF64(_) => ValueType::ListF64,
            Data::ListStr(_) => ValueType::ListStr,
            Data::ListBytes(_) => ValueType::ListBytes,
            Data::Map => ValueType::Map,
            Data::Class(_) => ValueType::Class,
        }
    }
}

/// What a value was said beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About {
    /// Whether there is a `$value`; the node's data is the default otherwise.
    pub has_value: bool,
    pub min: Option<Data>,
    pub max: Option<Data>,
    /// A list of the value's type, or of its elements' type.
    pub allowed: Option<Data>,
    pub default: Option<Data>,
    pub unit: Option<Piece>,
    pub doc: Option<Piece>,
}

/// A value, a map or a class. Nodes lie in the order of the document, a map right before what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub name: Piece,
    pub parent: u32,
    /// Index of its [`About`], or [`TOP`].
    pub about: u32,
    pub hash: u64,
    pub data: Data,
}

/// A class, or another row of the closure: its node and its parents' numbers, in the document's order.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub node: u32,
    pub parents: Vec<u32>,
    /// Whether it is a class that `$classes` can name.
    pub own: bool,
}

/// A sector's knowledge: named values in nested maps, and classes. See [`Document::parse`] for the grammar.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) bools: Vec<bool>,
    pub(crate) integers: Vec<i64>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) about: Vec<About>,
    pub(crate) classes: Vec<Class>,
    /// A row of ancestor bits for each class.
    pub(crate) closure: Vec<u64>,
    pub(crate) index: HashTable<u32>,
}

/// A value, a map or a class of a document, with all that was said about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Leaf<'a> {
    /// Its path.
    pub path: String,
    /// Its type.
    pub value_type: ValueType,
    /// Its value: `$value`, or `$default` where there is none.
    pub value: Value<'a>,
    /// Whether there is a `$value`.
    pub has_value: bool,
    /// The smallest allowed value or element.
    pub min: Option<Value<'a>>,
    /// The largest allowed value or element.
    pub max: Option<Value<'a>>,
    /// The allowed values or elements, as a list.
    pub allowed: Option<Value<'a>>,
    /// What holds while nothing was promoted.
    pub default: Option<Value<'a>>,
    /// What it is counted in.
    pub unit: Option<&'a str>,
    /// What it is for.
    pub doc: Option<&'a str>,
}

impl Document {
    /// A document without values.
    pub fn empty() -> Document {
        Document::default()
    }

    /// Values, maps and classes together.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What is at a path.
    pub fn get(&self, path: &str) -> Option<Leaf<'_>> {
        let node = path.split('/').try_fold(TOP, |parent, name| self.child(parent, name, name_hash(name)))?;
        Some(self.leaf(node))
    }

    /// Values and classes, in the document's order.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        self.entries().filter(|leaf| leaf.value_type != ValueType::Map)
    }

    /// Values, classes and maps, in the document's order.
    pub fn entries(&self) -> impl Iterator<Item = Leaf<'_>> {
        (0..self.nodes.len() as u32).map(|node| self.leaf(node))
    }

    /// The classes with their parents, in the document's order.
    pub fn classes(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let name = |class: &Class| self.name(class.node);
        self.classes.iter().map(move |class| {
            (name(class), class.parents.iter().map(|&parent| name(&self.classes[parent as usize])).collect())
        })
    }

    /// The classes that JSON can name, with the parents that it can name: none that is below the class itself.
    pub(crate) fn own_classes(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let own = self.classes.iter().enumerate().filter(|(_, class)| class.own);
        own.map(|(number, class)| (self.name(class.node), self.own_parents(number as u32)))
    }

    /// The parents of a class that JSON can name.
    pub(crate) fn own_parents(&self, class: u32) -> Vec<&str> {
        let parents = self.classes[class as usize].parents.iter().filter(|&&parent| {
            let below = closure_row(&self.closure, self.classes.len(), parent)[class as usize / 64] >> (class % 64) & 1;
            self.classes[parent as usize].own && below == 0
        });
        parents.map(|&parent| self.name(self.classes[parent as usize].node)).collect()
    }

    pub(crate) fn name(&self, node: u32) -> &str {
        self.piece(self.nodes[node as usize].name)
    }

    pub(crate) fn piece(&self, piece: Piece) -> &str {
        &self.text[piece.start as usize..][..piece.len as usize]
    }

    pub(crate) fn child(&self, parent: u32, name: &str, hash: u64) -> Option<u32> {
        let same = |&node: &u32| self.nodes[node as usize].parent == parent && self.name(node) == name;
        self.index.find(below(hash, parent), same).copied()
    }

    pub(crate) fn path(&self, mut node: u32) -> String {
        let mut names = Vec::new();
        while node != TOP {
            names.push(self.name(node));
            node = self.nodes[node as usize].parent;
        }
        names.reverse();
        names.join("/")
    }

    pub(crate) fn about(&self, node: &Node) -> About {
        let plain = About { has_value: true, ..About::default() };
        self.about.get(node.about as usize).copied().unwrap_or(plain)
    }

    pub(crate) fn leaf(&self, number: u32) -> Leaf<'_> {
        let node = &self.nodes[number as usize];
        let about = self.about(node);
        let value = |data: Option<Data>| data.map(|data| self.value(data));
        Leaf {
            path: self.path(number),
            value_type: node.data.value_type(),
            value: self.value(node.data),
            has_value: about.has_value,
            min: value(about.min),
            max: value(about.max),
            allowed: value(about.allowed),
            default: value(about.default),
            unit: about.unit.map(|unit| self.piece(unit)),
            doc: about.doc.map(|doc| self.piece(doc)),
        }
    }

    /// What `data` stands for.
    pub(crate) fn value(&self, data: Data) -> Value<'_> {
        match data {
            Data::Bool(value) => Value::Bool(value),
            Data::I64(value) => Value::I64(value),
            Data::F64(value) => Value::F64(value),
            Data::Str(piece) => Value::Str(self.piece(piece)),
            Data::Bytes(piece) => Value::Bytes(piece.of(&self.bytes)),
            Data::ListBool(piece) => Value::ListBool(piece.of(&self.bools)),
            Data::ListI64(piece) => Value::ListI64(piece.of(&self.integers)),
            Data::ListF64(piece) => Value::ListF64(piece.of(&self.doubles)),
            Data::ListStr(piece) => {
                Value::ListStr(piece.of(&self.pieces).iter().map(|&text| self.piece(text)).collect())
            }
            Data::ListBytes(piece) => {
                Value::ListBytes(piece.of(&self.pieces).iter().map(|bytes| bytes.of(&self.bytes)).collect())
            }
            Data::Map => Value::Map,
            Data::Class(number) => Value::Class { number, ancestors: self.ancestors(number) },
        }
    }

    /// A class's ancestors, itself included, in ascending order.
    fn ancestors(&self, class: u32) -> Vec<u32> {
        members(closure_row(&self.closure, self.classes.len(), class)).collect()
    }
}

/// The row of `class` in a closure of `count` classes.
pub(crate) fn closure_row(closure: &[u64], count: usize, class: u32) -> &[u64] {
    let words = count.div_ceil(64);
    &closure[class as usize * words..][..words]
}

/// The numbers of the bits that are set.
pub(crate) fn members(row: &[u64]) -> impl Iterator<Item = u32> {
    (0..row.len() as u32 * 64).filter(|&class| row[class as usize / 64] >> (class % 64) & 1 != 0)
}

/// The same values, said the same about, in the same order. [`Document::snapshot_id`] compares without the order.
impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.nodes.len() == other.nodes.len()
            && self.entries().zip(other.entries()).all(|(mine, theirs)| mine == theirs)
            && self.classes().eq(other.classes())
    }
}
