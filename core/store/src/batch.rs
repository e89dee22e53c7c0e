//! A batch: changes that become durable together or not at all.

use crate::{
    Checkpoint, Hash, Item, KeyLine, LogNode, PublicKey, Receipt, Rule, SectorRecord, Segment, Setting, Snapshot,
    State, Tag, VersionRecord,
};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Write {
    /// Appends a receipt; its number must be the log's size.
    Receipt(Receipt),
    /// Adds a subtree's root of the Merkle log.
    LogNode(LogNode),
    /// Adds a snapshot; one that is there already stays as it is.
    Snapshot(Snapshot),
    /// Stores a snapshot whole, also in place of one that is there and damaged. What stands on it is relative to its content, which is
    /// the same.
    MendSnapshot {
        /// The content address.
        id: Hash,
        /// Its canonical statements, one a line, sorted bytewise, each with its newline.
        statements: Vec<u8>,
    },
    /// Adds a sector; its number must be the number of sectors.
    Sector(SectorRecord),
    /// Adds a version; its number must be greater than its sector's newest.
    Version(VersionRecord),
    /// Removes a version that retention no longer holds and, where nothing else needs it, its snapshot. The newest version of a
    /// sector and one that is tagged stay.
    PruneVersion {
        /// The sector.
        sector: String,
        /// The version.
        number: u64,
    },
    /// Sets a tag, moving it if it is there.
    Tag(Tag),
    /// Removes a tag.
    Untag {
        /// The sector.
        sector: String,
        /// The tag.
        name: String,
    },
    /// Adds a revision of a doctrine rule; it must be the next one.
    Rule(Rule),
    /// Adds a revision of an item; it must be the next one, about the same sector.
    Item(Item),
    /// Adds an observation segment; its number must be the number of segments.
    Segment(Segment),
    /// Drops a segment's observations; its count, root and receipt stay.
    PruneSegment(u64),
    /// Adds a checkpoint of the log; one of the same size is replaced.
    Checkpoint(Checkpoint),
    /// Appends a line to a sector's key table.
    KeyLine(KeyLine),
    /// Adds a public key; its number must be the number of keys.
    PublicKey(PublicKey),
    /// Adds a checkpoint of a program's components; its number must be greater than the newest of its name.
    State(State),
    /// Removes those with smaller numbers.
    DropStates {
        /// Whose.
        name: String,
        /// The first that stays.
        before: u64,
    },
    /// Sets or removes a setting.
    Setting(Setting),
}

/// Changes that become durable together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    writes: Vec<Write>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Adds a change; they are applied in this order.
    pub fn push(&mut self, write: Write) -> &mut Batch {
        self.writes.push(write);
        self
    }

    /// [`Batch::push`], for building in one expression.
    #[must_use]
    pub fn with(mut self, write: Write) -> Batch {
        self.writes.push(write);
        self
    }

    /// Adds the changes of another batch behind these.
    pub fn extend(&mut self, other: Batch) -> &mut Batch {
        self.writes.extend(other.writes);
        self
    }

    /// The changes, in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub(crate) fn into_writes(self) -> impl Iterator<Item = Write> {
        self.writes.into_iter()
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

impl FromIterator<Write> for Batch {
    fn from_iter<I: IntoIterator<Item = Write>>(writes: I) -> Batch {
        Batch { writes: writes.into_iter().collect() }
    }
}
