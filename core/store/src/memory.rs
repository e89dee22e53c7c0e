//! A store that keeps nothing beyond the process.

use std::collections::BTreeMap;
use std::ops::{Range, RangeBounds, RangeInclusive};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::snapshot::apply;
use crate::validate::{in_order, validate};
use crate::{
    Batch, Checkpoint, Hash, Pending, Progress, PublicKey, Receipt, ReceiptQuery, Rule, SectorRecord, Segment,
    SegmentQuery, Snapshot, Store, StoreError, Tag, VersionRecord, Write,
};

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    closed: bool,
    tables: Tables,
}

/// A table whose changes can be undone.
struct Table<K, V> {
    rows: BTreeMap<K, V>,
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

    fn last(&self, range: impl RangeBounds<K>) -> Option<(&K, &V)> {
        self.rows.range(range).next_back()
    }
}

#[derive(Default)]
struct Tables {
    receipts: Table<u64, Receipt>,
    ids: Table<String, u64>,
    nodes: Table<(u8, u64), Hash>,
    snapshots: Table<Hash, (u64, Snapshot)>,
    sectors: Table<String, SectorRecord>,
    versions: Table<(String, u64), VersionRecord>,
    tags: Table<(String, String), Tag>,
    rules: Table<(String, u64), Rule>,
    segments: Table<u64, Segment>,
    checkpoints: Table<u64, Checkpoint>,
    key_lines: Table<(String, u64), String>,
    public_keys: Table<u64, PublicKey>,
    settings: Table<String, String>,
}

/// The keys of a sector, or of a rule.
fn of(name: &str) -> RangeInclusive<(String, u64)> {
    (name.into(), 0)..=(name.into(), u64::MAX)
}

impl Tables {
    fn end(&mut self, keep: bool) {
        self.receipts.end(keep);
        self.ids.end(keep);
        self.nodes.end(keep);
        self.snapshots.end(keep);
        self.sectors.end(keep);
        self.versions.end(keep);
        self.tags.end(keep);
        self.rules.end(keep);
        self.segments.end(keep);
        self.checkpoints.end(keep);
        self.key_lines.end(keep);
        self.public_keys.end(keep);
        self.settings.end(keep);
    }

    fn log_size(&self) -> u64 {
        self.receipts.rows.len() as u64
    }

    fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Receipt(receipt) => {
                in_order("receipt", receipt.number, self.log_size())?;
                if self.ids.rows.contains_key(&receipt.id) {
                    return Err(StoreError::conflict(format!("receipt id {} is taken", receipt.id)));
                }
                self.ids.set(receipt.id.clone(), receipt.number);
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
        self.versions.set((sector.clone(), *number), version);
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
        let mut needless = self.versions.rows.get(&key).map(|version| version.snapshot);
        self.versions.remove(key);
        while let Some(id) = needless {
            let needed = self.versions.rows.values().any(|version| version.snapshot == id)
                || self.snapshots.rows.values().any(|(_, snapshot)| snapshot.base == Some(id));
            if needed {
                break;
            }
            needless = self.snapshots.rows.get(&id).and_then(|(_, snapshot)| snapshot.base);
            self.snapshots.remove(id);
        }
        Ok(())
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

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // A batch is undone as a whole or kept as a whole; a panic in between is undone by the next caller.
        let mut open = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        open.tables.end(false);
        open
    }
}

impl Store for MemoryStore {
    fn submit(&self, batch: Batch) -> Result<Pending, StoreError> {
        let mut open = self.lock();
        if open.closed {
            return Err(StoreError::Closed);
        }
        let outcome =
            validate(&batch).and_then(|()| batch.into_writes().try_for_each(|write| open.tables.apply(write)));
        open.tables.end(outcome.is_ok());
        Ok(Pending::known(outcome))
    }

    fn log_size(&self) -> Result<u64, StoreError> {
        Ok(self.lock().tables.log_size())
    }

    fn receipt(&self, number: u64) -> Result<Option<Receipt>, StoreError> {
        Ok(self.lock().tables.receipts.rows.get(&number).cloned())
    }

    fn receipt_by_id(&self, id: &str) -> Result<Option<Receipt>, StoreError> {
        let open = self.lock();
        let number = open.tables.ids.rows.get(id);
        Ok(number.and_then(|number| open.tables.receipts.rows.get(number)).cloned())
    }

    fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<Receipt>, StoreError> {
        let open = self.lock();
        let to = query.to.unwrap_or(u64::MAX);
        if to <= query.from {
            return Ok(Vec::new());
        }
        let asked = |receipt: &&Receipt| {
            (query.sector.is_none() || query.sector == receipt.sector)
                && query.kind.as_ref().is_none_or(|kind| *kind == receipt.kind)
        };
        let rows = open.tables.receipts.rows.range(query.from..to).map(|(_, receipt)| receipt).filter(asked);
        let limit = query.limit.unwrap_or(ReceiptQuery::DEFAULT_LIMIT);
        if query.newest_first {
            return Ok(rows.rev().take(limit).cloned().collect());
        }
        Ok(rows.take(limit).cloned().collect())
    }

    fn log_nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        let tables = &self.lock().tables;
        let node = |position| match level {
            0 => tables.receipts.rows.get(&position).map(|receipt| receipt.leaf),
            level => tables.nodes.rows.get(&(level, position)).copied(),
        };
        Ok(positions.map_while(node).collect())
    }

    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.lock().tables.checkpoints.last(..=size).map(|(_, checkpoint)| checkpoint.clone()))
    }

    fn checkpoints(&self, from: u64) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(self.lock().tables.checkpoints.rows.range(from..).map(|(_, row)| row.clone()).take(1000).collect())
    }

    fn snapshot(&self, id: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = &self.lock().tables;
        let mut chain = Vec::new();
        let mut next = tables.snapshots.rows.get(id);
        while let Some((_, snapshot)) = next {
            chain.push(snapshot);
            next = snapshot.base.and_then(|base| tables.snapshots.rows.get(&base));
        }
        let apply = |statements: Vec<u8>, snapshot: &&Snapshot| apply(&statements, &snapshot.removed, &snapshot.added);
        if chain.is_empty() { Ok(None) } else { chain.iter().rev().try_fold(Vec::new(), apply).map(Some) }
    }

    fn snapshot_depth(&self, id: &Hash) -> Result<Option<u64>, StoreError> {
        Ok(self.lock().tables.snapshots.rows.get(id).map(|(depth, _)| *depth))
    }

    fn sectors(&self) -> Result<Vec<SectorRecord>, StoreError> {
        let mut sectors: Vec<_> = self.lock().tables.sectors.rows.values().cloned().collect();
        sectors.sort_by_key(|sector| sector.number);
        Ok(sectors)
    }

    fn versions(&self, sector: &str, before: Option<u64>, limit: usize) -> Result<Vec<VersionRecord>, StoreError> {
        let open = self.lock();
        let before = before.unwrap_or(u64::MAX);
        let rows = open.tables.versions.rows.range((sector.to_owned(), 0)..(sector.to_owned(), before));
        Ok(rows.rev().map(|(_, version)| version.clone()).take(limit).collect())
    }

    fn version(&self, sector: &str, number: u64) -> Result<Option<VersionRecord>, StoreError> {
        Ok(self.lock().tables.versions.rows.get(&(sector.to_owned(), number)).cloned())
    }

    fn version_at(&self, sector: &str, time_ns: u64) -> Result<Option<VersionRecord>, StoreError> {
        let open = self.lock();
        let mut newest_first = open.tables.versions.rows.range(of(sector)).rev().map(|(_, version)| version);
        Ok(newest_first.find(|version| version.time_ns <= time_ns).cloned())
    }

    fn tags(&self, sector: &str) -> Result<Vec<Tag>, StoreError> {
        Ok(self.lock().tables.tags.rows.values().filter(|tag| tag.sector == sector).cloned().collect())
    }

    fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        let open = self.lock();
        let mut newest: BTreeMap<&str, &Rule> = BTreeMap::new();
        for rule in open.tables.rules.rows.values() {
            newest.insert(&rule.id, rule);
        }
        Ok(newest.into_values().cloned().collect())
    }

    fn rule_history(&self, id: &str) -> Result<Vec<Rule>, StoreError> {
        Ok(self.lock().tables.rules.rows.range(of(id)).map(|(_, rule)| rule.clone()).collect())
    }

    fn segment_count(&self) -> Result<u64, StoreError> {
        Ok(self.lock().tables.segments.rows.len() as u64)
    }

    fn segment(&self, number: u64) -> Result<Option<Segment>, StoreError> {
        Ok(self.lock().tables.segments.rows.get(&number).cloned())
    }

    fn segments(&self, query: &SegmentQuery) -> Result<Vec<Segment>, StoreError> {
        let open = self.lock();
        let asked = |segment: &&Segment| {
            query.sector.as_ref().is_none_or(|sector| *sector == segment.sector)
                && query.since_ns.is_none_or(|since| segment.last_ns >= since)
                && query.before_ns.is_none_or(|before| segment.first_ns < before)
                && (!query.held || segment.content.is_some())
        };
        let rows = open.tables.segments.rows.range(query.from..).map(|(_, segment)| segment).filter(asked);
        let limit = query.limit.unwrap_or(SegmentQuery::DEFAULT_LIMIT);
        Ok(rows.take(limit).map(|segment| Segment { content: None, ..segment.clone() }).collect())
    }

    fn key_lines(&self, sector: &str, from: u64) -> Result<Vec<String>, StoreError> {
        let open = self.lock();
        let rows = open.tables.key_lines.rows.range((sector.to_owned(), from)..=(sector.to_owned(), u64::MAX));
        Ok(rows.map(|(_, line)| line.clone()).collect())
    }

    fn public_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
        Ok(self.lock().tables.public_keys.rows.values().cloned().collect())
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.lock().tables.settings.rows.get(name).cloned())
    }

    fn backup(&self, _: &Path, _: &mut dyn FnMut(Progress) -> bool) -> Result<(), StoreError> {
        Err(StoreError::Unsupported { what: "backup", way_out: "it keeps nothing; open an engine on a folder" })
    }

    fn close(&self) -> Result<(), StoreError> {
        self.lock().closed = true;
        Ok(())
    }
}
