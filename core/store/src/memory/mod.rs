//! A store that keeps nothing beyond the process.

mod tables;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::tables::{Tables, of, of_item};
use crate::snapshot::apply;
use crate::validate::validate;
use crate::{
    Batch, Checkpoint, Hash, Item, Pending, Progress, PublicKey, Receipt, ReceiptQuery, Rule, SectorRecord, Segment,
    SegmentQuery, Snapshot, Store, StoreError, Tag, VersionRecord,
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

    fn loose_snapshots(&self) -> Result<Vec<Hash>, StoreError> {
        let open = self.lock();
        let ids = open.tables.snapshots.rows.keys().copied();
        Ok(ids.filter(|id| !open.tables.is_needed(id)).collect())
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

    fn items(&self, kind: &str, sector: Option<&str>, open_only: bool) -> Result<Vec<Item>, StoreError> {
        let open = self.lock();
        let mut newest: BTreeMap<&str, &Item> = BTreeMap::new();
        for ((of, id, _), item) in &open.tables.items.rows {
            if of == kind {
                newest.insert(id, item);
            }
        }
        let asked = |item: &&Item| (sector.is_none() || item.sector.as_deref() == sector) && (item.open || !open_only);
        let mut items: Vec<Item> = newest.into_values().filter(asked).cloned().collect();
        items.sort_by_key(|item| item.time_ns);
        Ok(items)
    }

    fn newest_items(
        &self,
        kind: &str,
        sector: Option<&str>,
        open_only: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let place = |id: &str| (id.len(), id.to_owned());
        let mut items = self.items(kind, sector, open_only)?;
        items.retain(|item| before.is_none_or(|before| place(&item.id) < place(before)));
        items.sort_by_key(|item| std::cmp::Reverse(place(&item.id)));
        items.truncate(limit);
        Ok(items)
    }

    fn item(&self, kind: &str, id: &str) -> Result<Option<Item>, StoreError> {
        Ok(self.lock().tables.items.last(of_item(kind, id)).map(|(_, item)| item.clone()))
    }

    fn item_history(&self, kind: &str, id: &str) -> Result<Vec<Item>, StoreError> {
        Ok(self.lock().tables.items.rows.range(of_item(kind, id)).map(|(_, item)| item.clone()).collect())
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

    fn states(&self, name: &str) -> Result<Vec<(u64, bool)>, StoreError> {
        let open = self.lock();
        Ok(open.tables.states.rows.range(of(name)).map(|((_, number), state)| (*number, state.whole)).collect())
    }

    fn state(&self, name: &str, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().tables.states.rows.get(&(name.to_owned(), number)).map(|state| state.content.clone()))
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
