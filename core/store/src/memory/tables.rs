//! The tables of a store in memory, and how each change is applied or undone.

use std::collections::BTreeMap;
use std::ops::{RangeBounds, RangeInclusive};

use crate::validate::in_order;
use crate::{
    Checkpoint, Hash, Item, PublicKey, Receipt, Rule, SectorRecord, Segment, Snapshot, State, StoreError, Tag,
    VersionRecord, Write,
};

/// A table whose changes can be undone.
pub(super) struct Table<K, V> {
    pub(super) rows: BTreeMap<K, V>,
    /// What was there before each change of the batch under way.
    before: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table { rows: BTreeMap::new(), before: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    fn set(&mut self, key: K, row: V) {
        let before = self.rows.insert(key.clone(), row);
        self.before.push((key, before));
    }

    fn remove(&mut self, key: K) -> Option<()> {
        let before = self.rows.remove(&key)?;
        self.before.push((key, Some(before)));
        Some(())
    }

    fn end(&mut self, keep: bool) {
        for (key, before) in self.before.drain(..).rev() {
            if keep {
                continue;
            }
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    pub(super) fn last(&self, range: impl RangeBounds<K>) -> Option<(&K, &V)> {
        self.rows.range(range).next_back()
    }
}

/// Kind, id, revision.
type ItemKey = (String, String, u64);

#[derive(Default)]
pub(super) struct Tables {
    pub(super) receipts: Table<u64, Receipt>,
    pub(super) nodes: Table<(u8, u64), Hash>,
    pub(super) snapshots: Table<Hash, (u64, Snapshot)>,
    pub(super) sectors: Table<String, SectorRecord>,
    pub(super) versions: Table<(String, u64), VersionRecord>,
    pub(super) tags: Table<(String, String), Tag>,
    pub(super) rules: Table<(String, u64), Rule>,
    pub(super) items: Table<ItemKey, Item>,
    pub(super) segments: Table<u64, Segment>,
    pub(super) checkpoints: Table<u64, Checkpoint>,
    pub(super) key_lines: Table<(String, u64), String>,
    pub(super) public_keys: Table<u64, PublicKey>,
    pub(super) states: Table<(String, u64), State>,
    pub(super) settings: Table<String, String>,
}

/// The keys of a sector, of a rule, or of a name's states.
pub(super) fn of(name: &str) -> RangeInclusive<(String, u64)> {
    (name.into(), 0)..=(name.into(), u64::MAX)
}

/// The keys of an item.
pub(super) fn of_item(kind: &str, id: &str) -> RangeInclusive<ItemKey> {
    (kind.into(), id.into(), 0)..=(kind.into(), id.into(), u64::MAX)
}

impl Tables {
    pub(super) fn end(&mut self, keep: bool) {
        self.receipts.end(keep);
        self.nodes.end(keep);
        self.snapshots.end(keep);
        self.sectors.end(keep);
        self.versions.end(keep);
        self.tags.end(keep);
        self.rules.end(keep);
        self.items.end(keep);
        self.segments.end(keep);
        self.checkpoints.end(keep);
        self.key_lines.end(keep);
        self.public_keys.end(keep);
        self.states.end(keep);
        self.settings.end(keep);
    }

    pub(super) fn log_size(&self) -> u64 {
        self.receipts.rows.len() as u64
    }

    pub(super) fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Receipt(receipt) => {
                in_order("receipt", receipt.number, self.log_size())?;
                self.receipts.set(receipt.number, receipt);
            }
            Write::LogNode(node) => {
                let key = (node.level, node.position);
                if self.nodes.rows.contains_key(&key) {
                    let what = format!("log node {} of level {} is taken", node.position, node.level);
                    return Err(StoreError::conflict(what));
                }
                self.nodes.set(key, node.hash);
            }
            Write::Snapshot(snapshot) => self.snapshot(snapshot)?,
            Write::MendSnapshot { id, statements } => {
                let base = self.snapshots.rows.get(&id).and_then(|(_, snapshot)| snapshot.base);
                self.snapshots.set(id, (0, Snapshot::whole(id, statements)));
                self.drop_needless(base);
            }
            Write::Sector(sector) => {
                in_order("sector", sector.number.into(), self.sectors.rows.len() as u64)?;
                if self.sectors.rows.contains_key(&sector.name) {
                    return Err(StoreError::conflict(format!("sector {} exists", sector.name)));
                }
                self.sectors.set(sector.name.clone(), sector);
            }
            Write::Version(version) => self.version(version)?,
            Write::PruneVersion { sector, number } => self.prune_version(&sector, number)?,
            Write::Tag(tag) => {
                self.has_version(&tag.sector, tag.version)?;
                self.tags.set((tag.sector.clone(), tag.name.clone()), tag);
            }
            Write::Untag { sector, name } => {
                let missing = || StoreError::missing(format!("tag {name} of sector {sector}"));
                self.tags.remove((sector.clone(), name.clone())).ok_or_else(missing)?;
            }
            Write::Rule(rule) => {
                let next = self.rules.last(of(&rule.id)).map_or(1, |((_, revision), _)| revision + 1);
                in_order(&format!("rule {}: revision", rule.id), rule.revision, next)?;
                self.has_receipt(rule.receipt)?;
                self.rules.set((rule.id.clone(), rule.revision), rule);
            }
            Write::Item(item) => self.item(item)?,
            Write::Segment(segment) => {
                in_order("segment", segment.number, self.segments.rows.len() as u64)?;
                self.has_sector(&segment.sector)?;
                self.has_receipt(segment.receipt)?;
                self.segments.set(segment.number, segment);
            }
            Write::PruneSegment(number) => {
                let held = self.segments.rows.get(&number).cloned();
                let segment = held.ok_or_else(|| StoreError::missing(format!("segment {number}")))?;
                self.segments.set(number, Segment { content: None, ..segment });
            }
            Write::Checkpoint(checkpoint) => {
                let size = self.log_size();
                if checkpoint.size > size {
                    let what = format!("a checkpoint covers {} receipts of {size}", checkpoint.size);
                    return Err(StoreError::conflict(what));
                }
                self.checkpoints.set(checkpoint.size, checkpoint);
            }
            Write::KeyLine(line) => {
                self.has_sector(&line.sector)?;
                let next = self.key_lines.last(of(&line.sector)).map_or(0, |((_, number), _)| number + 1);
                in_order(&format!("key line of sector {}:", line.sector), line.number, next)?;
                self.key_lines.set((line.sector, line.number), line.text);
            }
            Write::PublicKey(key) => {
                in_order("public key", key.number, self.public_keys.rows.len() as u64)?;
                if self.public_keys.rows.values().any(|other| other.id == key.id) {
                    return Err(StoreError::conflict("a public key of this id is there already"));
                }
                self.public_keys.set(key.number, key);
            }
            Write::State(state) => {
                let State { name, number, .. } = &state;
                let next = self.states.last(of(name)).map_or(0, |((_, newest), _)| newest + 1);
                if *number < next {
                    let what = format!("state {number} of {name} was handed in where {next} or more is next");
                    return Err(StoreError::conflict(what));
                }
                self.states.set((name.clone(), *number), state);
            }
            Write::DropStates { name, before } => {
                let old = self.states.rows.range((name.clone(), 0)..(name, before));
                let old: Vec<(String, u64)> = old.map(|(key, _)| key.clone()).collect();
                old.into_iter().for_each(|key| _ = self.states.remove(key));
            }
            Write::Setting(setting) => match setting.value {
                Some(value) => self.settings.set(setting.name, value),
                None => _ = self.settings.remove(setting.name),
            },
        }
        Ok(())
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), StoreError> {
        if self.snapshots.rows.contains_key(&snapshot.id) {
            return Ok(());
        }
        let depth = match &snapshot.base {
            None => 0,
            Some(base) => {
                let base = self.snapshots.rows.get(base);
                base.ok_or_else(|| StoreError::missing("the snapshot's base"))?.0 + 1
            }
        };
        if depth > Snapshot::MAX_DEPTH {
            let most = Snapshot::MAX_DEPTH;
            let what = format!("a snapshot stands on {depth} changes, and at most {most}: store it whole");
            return Err(StoreError::Limit { what });
        }
        self.snapshots.set(snapshot.id, (depth, snapshot));
        Ok(())
    }

    fn version(&mut self, version: VersionRecord) -> Result<(), StoreError> {
        let VersionRecord { sector, number, .. } = &version;
        self.has_sector(sector)?;
        let next = self.versions.last(of(sector)).map_or(0, |((_, newest), _)| newest + 1);
        if *number < next {
            let what = format!("version {number} of sector {sector} was handed in where {next} or more is next");
            return Err(StoreError::conflict(what));
        }
        if !self.snapshots.rows.contains_key(&version.snapshot) {
            return Err(StoreError::missing("the version's snapshot"));
        }
        self.has_receipt(version.receipt)?;
        version.depends.iter().try_for_each(|(sector, _)| self.has_sector(sector))?;
        self.versions.set((sector.clone(), *number), version);
        Ok(())
    }

    fn item(&mut self, item: Item) -> Result<(), StoreError> {
        let newest = self.items.last(of_item(&item.kind, &item.id)).map(|(_, newest)| newest);
        let what = format!("{} {}: revision", item.kind, item.id);
        in_order(&what, item.revision, newest.map_or(1, |newest| newest.revision + 1))?;
        if newest.is_some_and(|newest| newest.sector != item.sector) {
            return Err(StoreError::conflict(format!("{} {} is about another sector", item.kind, item.id)));
        }
        item.sector.iter().try_for_each(|sector| self.has_sector(sector))?;
        self.has_receipt(item.receipt)?;
        self.items.set((item.kind.clone(), item.id.clone(), item.revision), item);
        Ok(())
    }

    fn prune_version(&mut self, sector: &str, number: u64) -> Result<(), StoreError> {
        self.has_version(sector, number)?;
        if self.versions.last(of(sector)).is_some_and(|((_, newest), _)| *newest == number) {
            return Err(StoreError::conflict(format!("version {number} of sector {sector} is the newest and stays")));
        }
        let tagged = |tag: &&Tag| tag.sector == sector && tag.version == number;
        if let Some(tag) = self.tags.rows.values().find(tagged) {
            let what =
                format!("version {number} of sector {sector} is tagged {}; remove the tag to prune it", tag.name);
            return Err(StoreError::conflict(what));
        }
        let key = (sector.to_owned(), number);
        let snapshot = self.versions.rows.get(&key).map(|version| version.snapshot);
        self.versions.remove(key);
        self.drop_needless(snapshot);
        Ok(())
    }

    /// Whether a version has this snapshot, or another one stands on it.
    pub(super) fn is_needed(&self, id: &Hash) -> bool {
        self.versions.rows.values().any(|version| version.snapshot == *id)
            || self.snapshots.rows.values().any(|(_, snapshot)| snapshot.base == Some(*id))
    }

    /// Drops a snapshot that nothing needs, and with it the base that only it needed.
    fn drop_needless(&mut self, mut next: Option<Hash>) {
        while let Some(id) = next.filter(|id| !self.is_needed(id)) {
            next = self.snapshots.rows.get(&id).and_then(|(_, snapshot)| snapshot.base);
            self.snapshots.remove(id);
        }
    }

    fn has_sector(&self, sector: &str) -> Result<(), StoreError> {
        let found = self.sectors.rows.get(sector);
        found.map(|_| ()).ok_or_else(|| StoreError::missing(format!("sector {sector}")))
    }

    fn has_version(&self, sector: &str, number: u64) -> Result<(), StoreError> {
        let found = self.versions.rows.get(&(sector.to_owned(), number));
        found.map(|_| ()).ok_or_else(|| StoreError::missing(format!("version {number} of sector {sector}")))
    }

    fn has_receipt(&self, receipt: Option<u64>) -> Result<(), StoreError> {
        match receipt.filter(|number| *number >= self.log_size()) {
            None => Ok(()),
            Some(number) => Err(StoreError::missing(format!("receipt {number}"))),
        }
    }
}
