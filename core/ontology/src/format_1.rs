//! The content address that versions had in folders of format 1, before there was a graph: to tell whether such a file is whole.

use knhk_hot::artifact::Value;
use sha2::{Digest, Sha256};

use crate::document::{Data, Document, TOP};

impl Document {
    /// The content address of format 1: SHA-256 over the document's canonical statements.
    ///
    /// There is one statement for each value, map and class: the number of the statement of the map that it is in (all ones at the top),
    /// its name, its type, its value and each thing said about it, every part of variable size after its length as 32 bits, little-endian.
    /// Statements are sorted by path, name by name and bytewise, and numbered in that order, so that the order of the document does not matter.
    /// The order of a list does.
    pub fn format_1_id(&self) -> [u8; 32] {
        let mut statements = Statements { document: self, out: Vec::with_capacity(64 * self.len() + 64), written: 0 };
        statements.out.extend_from_slice(b"knhk snapshot 1\0");
        let children = Children::of(self);
        statements.below(&children, TOP, TOP);
        Sha256::digest(&statements.out).into()
    }
}

/// The nodes of each map, sorted by name.
struct Children {
    /// Nodes grouped by map.
    nodes: Vec<u32>,
    /// Where the group of node `n` begins, at `n + 1`; the top's at 0.
    starts: Vec<u32>,
}

impl Children {
    fn of(document: &Document) -> Children {
        let group = |parent: u32| if parent == TOP { 0 } else { parent as usize + 1 };
        let mut starts = vec![0u32; document.len() + 2];
        for node in &document.nodes {
            starts[group(node.parent) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut nodes = vec![0; document.len()];
        let mut filled = starts.clone();
        for (number, node) in document.nodes.iter().enumerate() {
            let at = &mut filled[group(node.parent)];
            nodes[*at as usize] = number as u32;
            *at += 1;
        }
        let mut keyed = Vec::new();
        for range in starts.windows(2).filter(|range| range[1] - range[0] > 1) {
            sort_by_name(document, &mut nodes[range[0] as usize..range[1] as usize], &mut keyed);
        }
        Children { nodes, starts }
    }

    fn below(&self, parent: u32) -> &[u32] {
        let group = if parent == TOP { 0 } else { parent as usize + 1 };
        &self.nodes[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// Sorts siblings by name. Names of one map often share a beginning, so what is compared first is the eight bytes behind it.
fn sort_by_name(document: &Document, nodes: &mut [u32], keyed: &mut Vec<(u64, u32)>) {
    if nodes.is_sorted_by(|&left, &right| document.name(left) < document.name(right)) {
        return;
    }
    let name = |node: u32| document.name(node).as_bytes();
    let first = name(nodes[0]);
    let shared = nodes.iter().fold(first.len(), |shared, &node| {
        first[..shared].iter().zip(name(node)).take_while(|(left, right)| left == right).count()
    });
    keyed.clear();
    keyed.extend(nodes.iter().map(|&node| {
        let rest = &name(node)[shared..];
        let mut key = [0; 8];
        let len = rest.len().min(8);
        key[..len].copy_from_slice(&rest[..len]);
        (u64::from_be_bytes(key), node)
    }));
    keyed.sort_unstable_by(|left, right| left.0.cmp(&right.0).then_with(|| name(left.1).cmp(name(right.1))));
    for (node, &(_, sorted)) in nodes.iter_mut().zip(keyed.iter()) {
        *node = sorted;
    }
}

struct Statements<'d> {
    document: &'d Document,
    out: Vec<u8>,
    written: u32,
}

impl Statements<'_> {
    /// The statements of what is in a map, after the map's own, whose number is `number`. As deep as documents are: 64 at most.
    fn below(&mut self, children: &Children, map: u32, number: u32) {
        for &child in children.below(map) {
            let node = &self.document.nodes[child as usize];
            let own = self.written;
            self.written += 1;
            let mut head = [0; 8];
            head[..4].copy_from_slice(&number.to_le_bytes());
            head[4..].copy_from_slice(&node.name.len.to_le_bytes());
            self.out.extend_from_slice(&head);
            self.out.extend_from_slice(self.document.piece(node.name).as_bytes());
            match (node.data, node.about) {
                // Most statements end so: the same bytes as below, written at once.
                (Data::I64(value), TOP) => self.plain_number(node.data, value as u64),
                (Data::F64(value), TOP) => self.plain_number(node.data, value.to_bits()),
                (data, about) => {
                    self.data(data);
                    if about != TOP {
                        self.about(&self.document.about[about as usize]);
                    }
                    self.out.push(0);
                }
            }
            if let Data::Map = node.data {
                self.below(children, child, own);
            }
        }
    }

    fn plain_number(&mut self, data: Data, bits: u64) {
        let mut bytes = [0; 10];
        bytes[0] = data.value_type().tag() as u8;
        bytes[1..9].copy_from_slice(&bits.to_le_bytes());
        self.out.extend_from_slice(&bytes);
    }

    fn about(&mut self, about: &crate::document::About) {
        if !about.has_value {
            self.out.push(1);
        }
        for (mark, data) in [(2, about.min), (3, about.max), (4, about.allowed), (5, about.default)] {
            if let Some(data) = data {
                self.out.push(mark);
                self.data(data);
            }
        }
        for (mark, piece) in [(6, about.unit), (7, about.doc)] {
            if let Some(piece) = piece {
                self.out.push(mark);
                self.sized(self.document.piece(piece).as_bytes());
            }
        }
    }

    fn data(&mut self, data: Data) {
        self.out.push(data.value_type().tag() as u8);
        let document = self.document;
        match data {
            Data::Bool(value) => self.out.push(value.into()),
            Data::I64(value) => self.out.extend_from_slice(&value.to_le_bytes()),
            Data::F64(value) => self.out.extend_from_slice(&value.to_bits().to_le_bytes()),
            Data::Str(text) => self.sized(document.piece(text).as_bytes()),
            Data::Map => {}
            Data::Class(number) => {
                let classes = &document.classes;
                let parents = classes[number as usize].parents.iter();
                let mut names: Vec<&str> =
                    parents.map(|&parent| document.name(classes[parent as usize].node)).collect();
                names.sort_unstable();
                self.many(&names, |out, name| out.sized(name.as_bytes()));
            }
            data => match document.value(data) {
                Value::Bytes(bytes) => self.sized(bytes),
                Value::ListBool(list) => self.many(list, |out, &item| out.out.push(item.into())),
                Value::ListI64(list) => self.many(list, |out, item| out.out.extend_from_slice(&item.to_le_bytes())),
                Value::ListF64(list) => {
                    self.many(list, |out, item| out.out.extend_from_slice(&item.to_bits().to_le_bytes()));
                }
                Value::ListStr(list) => self.many(&list, |out, item| out.sized(item.as_bytes())),
                Value::ListBytes(list) => self.many(&list, |out, item| out.sized(item)),
                _ => unreachable!("every other type was written above"),
            },
        }
    }

    fn many<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.word(items.len() as u32);
        for item in items {
            write(self, item);
        }
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u32);
        self.out.extend_from_slice(bytes);
    }

    fn word(&mut self, word: u32) {
        self.out.extend_from_slice(&word.to_le_bytes());
    }
}
