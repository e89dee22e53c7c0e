//! A document while it is put together: every node goes through here, so that names, duplicates and limits are checked once.

use std::collections::HashSet;

use crate::document::{About, Class, Data, Document, Node, Piece, TOP};
use crate::error::DocumentErrorKind as Kind;
use crate::hash::{below, name_hash};
use crate::{DocumentError, Limits};

/// The map that classes are in.
pub(crate) const CLASSES: &str = "$classes";

/// A checked name, stored in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub piece: Piece,
    pub hash: u64,
}

/// A document in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    pub document: Document,
    pub limits: Limits,
    /// The names of each class's parents, for classes may be spoken of before they are there.
    parents: Vec<Piece>,
}

impl Draft {
    /// A draft of a document of about `bytes` bytes of JSON.
    pub(crate) fn new(limits: &Limits, bytes: usize) -> Draft {
        let mut document = Document::empty();
        document.text.reserve(bytes / 2);
        let keys = (bytes / 24).min(limits.keys);
        document.nodes.reserve(keys);
        document.index.reserve(keys, |_| unreachable!("there is nothing to move"));
        Draft { document, limits: Limits { depth: limits.depth.min(64), ..*limits }, parents: Vec::new() }
    }

    /// Stores a name of the user's own.
    pub(crate) fn name(&mut self, name: &str) -> Result<Name, Kind> {
        if name.is_empty() {
            return Err(Kind::EmptyName);
        }
        too_large("bytes in a name", name.len(), self.limits.name_bytes)?;
        // One pass without an early way out, which compilers turn into a few vector instructions.
        let (mut slash, mut nul) = (false, false);
        for byte in name.bytes() {
            slash |= byte == b'/';
            nul |= byte == 0;
        }
        if slash {
            return Err(Kind::SlashInName { name: name.to_owned() });
        }
        if nul {
            return Err(Kind::NulInName);
        }
        Ok(self.special_name(name))
    }

    /// Stores a name that the grammar gives, or that was checked before.
    pub(crate) fn special_name(&mut self, name: &str) -> Name {
        Name { piece: self.push_text(name), hash: name_hash(name) }
    }

    /// Stores a text.
    pub(crate) fn text(&mut self, text: &str) -> Result<Piece, Kind> {
        too_large("bytes in a string", text.len(), self.limits.string_bytes)?;
        if text.as_bytes().contains(&0) {
            return Err(Kind::NulInText);
        }
        Ok(self.push_text(text))
    }

    fn push_text(&mut self, text: &str) -> Piece {
        let start = self.document.text.len() as u32;
        self.document.text.push_str(text);
        Piece { start, len: text.len() as u32 }
    }

    /// Adds a node; `about` where more than a value was said.
    pub(crate) fn add(&mut self, parent: u32, name: Name, data: Data, about: Option<About>) -> Result<u32, Kind> {
        let document = &mut self.document;
        too_large("keys", document.nodes.len() + 1, self.limits.keys)?;
        let number = document.nodes.len() as u32;
        let about = about.map_or(TOP, |about| {
            document.about.push(about);
            document.about.len() as u32 - 1
        });
        let Document { nodes, index, text, .. } = document;
        let spelt = |piece: Piece| &text.as_bytes()[piece.start as usize..][..piece.len as usize];
        let same = |&node: &u32| {
            let node = &nodes[node as usize];
            node.hash == name.hash && node.parent == parent && spelt(node.name) == spelt(name.piece)
        };
        let rehash = |&node: &u32| {
            let node = &nodes[node as usize];
            below(node.hash, node.parent)
        };
        match index.entry(below(name.hash, parent), same, rehash) {
            hashbrown::hash_table::Entry::Occupied(_) => return Err(Kind::Duplicate),
            hashbrown::hash_table::Entry::Vacant(vacant) => {
                vacant.insert(number);
            }
        }
        nodes.push(Node { name: name.piece, parent, about, hash: name.hash, data });
        Ok(number)
    }

    /// Adds a class, its parents' names being a piece of the document's pieces.
    pub(crate) fn add_class(&mut self, map: u32, name: Name, parents: Piece) -> Result<(), Kind> {
        let number = self.document.classes.len();
        too_large("classes", number + 1, self.limits.classes)?;
        let node = self.add(map, name, Data::Class(number as u32), None)?;
        self.document.classes.push(Class { node, parents: Vec::new(), own: true });
        self.parents.push(parents);
        Ok(())
    }

    /// The path of `name` below `parent`, for errors.
    pub(crate) fn path(&self, parent: u32, name: Option<Piece>) -> String {
        let mut path = self.document.path(parent);
        if let Some(name) = name {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(self.document.piece(name));
        }
        path
    }

    /// Resolves the classes' parents and hands the document over.
    pub(crate) fn finish(mut self) -> Result<Document, DocumentError> {
        if !self.parents.is_empty() {
            self.resolve_parents()?;
            self.document.closure = self.close()?;
        }
        Ok(self.document)
    }

    fn resolve_parents(&mut self) -> Result<(), DocumentError> {
        for class in 0..self.document.classes.len() {
            let node = self.document.classes[class].node;
            let map = self.document.nodes[node as usize].parent;
            let mut seen = HashSet::new();
            let mut parents = Vec::with_capacity(self.parents[class].len as usize);
            for &parent in self.parents[class].of(&self.document.pieces) {
                let name = self.document.piece(parent);
                let refuse = |kind| DocumentError { path: self.document.path(node), kind };
                let found = self.document.child(map, name, name_hash(name));
                let Some(Data::Class(number)) = found.map(|node| self.document.nodes[node as usize].data) else {
                    return Err(refuse(Kind::UnknownParent { parent: name.to_owned() }));
                };
                if !seen.insert(number) {
                    return Err(refuse(Kind::RepeatedParent { parent: name.to_owned() }));
                }
                parents.push(number);
            }
            self.document.classes[class].parents = parents;
        }
        Ok(())
    }

    /// Takes away, again and again, classes whose parents are all gone (Kahn, 1962); what stays is a cycle or below one.
    ///
    /// In that order each class's ancestors are itself and its parents' ancestors, all of which are known.
    fn close(&self) -> Result<Vec<u64>, DocumentError> {
        let classes = &self.document.classes;
        let mut missing: Vec<usize> = classes.iter().map(|class| class.parents.len()).collect();
        let mut children = vec![Vec::new(); classes.len()];
        for (number, class) in classes.iter().enumerate() {
            for &parent in &class.parents {
                children[parent as usize].push(number);
            }
        }
        let mut free: Vec<usize> = (0..classes.len()).filter(|&class| missing[class] == 0).collect();
        let words = classes.len().div_ceil(64);
        let mut closure = vec![0u64; words * classes.len()];
        while let Some(class) = free.pop() {
            closure[class * words + class / 64] |= 1 << (class % 64);
            for &parent in &classes[class].parents {
                for word in 0..words {
                    closure[class * words + word] |= closure[parent as usize * words + word];
                }
            }
            for &child in &children[class] {
                missing[child] -= 1;
                if missing[child] == 0 {
                    free.push(child);
                }
            }
        }
        // Whoever still misses a parent has such a parent itself: going up that way must come back to a class seen before.
        let Some(mut class) = missing.iter().position(|&missing| missing > 0) else { return Ok(closure) };
        let mut seen = HashSet::new();
        while seen.insert(class) {
            let stuck = classes[class].parents.iter().find(|&&parent| missing[parent as usize] > 0);
            class = *stuck.expect("a class that misses a parent has one in a cycle or below one") as usize;
        }
        Err(DocumentError { path: self.document.path(classes[class].node), kind: Kind::ClassCycle })
    }
}

pub(crate) fn too_large(what: &'static str, found: usize, limit: usize) -> Result<(), Kind> {
    if found > limit { Err(Kind::TooLarge { what, found, limit }) } else { Ok(()) }
}
