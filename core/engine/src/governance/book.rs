//! What governance keeps: items in the store, each revision together with the receipts of what made it.

use knhk_ledger::{Appended, Entry, Evidence, Outcome};
use knhk_store::{Batch, Item, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable::Durable;
use crate::{Engine, Error, Status};

/// A kind of item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    /// Its name in the store.
    pub name: &'static str,
    /// What its ids begin with, before their number; empty where people name the items.
    pub prefix: &'static str,
}

pub(crate) const PROPOSAL: Kind = Kind { name: "proposal", prefix: "p-" };
pub(crate) const RELAXATION: Kind = Kind { name: "relaxation", prefix: "r-" };
pub(crate) const SHADOW: Kind = Kind { name: "shadow", prefix: "s-" };
pub(crate) const VIOLATION: Kind = Kind { name: "violation", prefix: "v-" };
/// A change of the approvers or of the guards.
pub(crate) const CHANGE: Kind = Kind { name: "change", prefix: "c-" };
/// The approvers in force: one item.
pub(crate) const APPROVERS: Kind = Kind { name: "approvers", prefix: "" };
/// The guards in force: one item.
pub(crate) const GUARDS: Kind = Kind { name: "guards", prefix: "" };

pub(crate) const CANARY: Kind = Kind { name: "canary", prefix: "k-" };
pub(crate) const SCHEDULE: Kind = Kind { name: "schedule", prefix: "t-" };
pub(crate) const PROBATION: Kind = Kind { name: "probation", prefix: "b-" };
pub(crate) const CYCLE: Kind = Kind { name: "cycle", prefix: "l-" };
pub(crate) const PATTERN: Kind = Kind { name: "pattern", prefix: "f-" };

/// An item that is to be kept.
pub(crate) struct Kept<'k> {
    pub kind: Kind,
    pub id: &'k str,
    /// The sector that it is about, the same in every revision; none: several, or all.
    pub sector: Option<&'k str>,
    /// Whether something can still come of it.
    pub open: bool,
}

/// An item as it was found.
pub(crate) struct Found<T> {
    pub revision: u64,
    pub body: T,
}

/// A receipt's entry.
pub(crate) fn entry(time_ns: u64, sector: Option<&str>, outcome: Outcome, evidence: Evidence) -> Entry {
    Entry { time_ns, sector: sector.map(str::to_owned), outcome, evidence, links: Vec::new() }
}

/// A body as it is stored.
pub(crate) fn serialized<T: Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).expect("what governance keeps has text for keys and no number that JSON lacks")
}

impl Engine {
    /// What makes the engine durable, where it may be written.
    pub(crate) fn recording(&self) -> Result<&Durable, Error> {
        self.checked()?;
        let durable = self.durable()?;
        durable.writable().map_err(|error| Error::new(Status::Io, "govern", "", error.to_string()))?;
        Ok(durable)
    }

    /// Keeps the next revision of items together with receipts, all or nothing. `items` is told the receipts and gives each item's body; of
    /// several, the last receipt is the items' own.
    pub(crate) fn keep<'k>(
        &self,
        entries: Vec<Entry>,
        items: impl FnOnce(&[Appended]) -> Vec<(Kept<'k>, Vec<u8>)>,
    ) -> Result<Vec<Appended>, Error> {
        self.keep_with(entries, items, Vec::new())
    }

    /// [`Engine::keep`], with other changes of the store besides.
    pub(crate) fn keep_with<'k>(
        &self,
        entries: Vec<Entry>,
        items: impl FnOnce(&[Appended]) -> Vec<(Kept<'k>, Vec<u8>)>,
        besides: Vec<Write>,
    ) -> Result<Vec<Appended>, Error> {
        let (durable, time_ns) = (self.recording()?, self.now_ns());
        let (store, mut failed) = (durable.store(), None);
        let with = |appended: &[Appended]| {
            let mut batch = Batch::new();
            besides.into_iter().for_each(|write| _ = batch.push(write));
            for (kept, body) in items(appended) {
                match store.item(kept.kind.name, kept.id) {
                    Ok(before) => {
                        _ = batch.push(Write::Item(Item {
                            kind: kept.kind.name.into(),
                            id: kept.id.into(),
                            revision: before.map_or(0, |before| before.revision) + 1,
                            sector: kept.sector.map(str::to_owned),
                            time_ns,
                            open: kept.open,
                            body,
                            receipt: appended.last().map(|last| last.number),
                        }))
                    }
                    Err(error) => failed = Some(error),
                }
            }
            batch
        };
        let appended = durable.history.ledger().append_with(entries, with);
        match failed {
            // Receipts without their items say no more than happened: somebody tried.
            Some(error) => Err(error.into()),
            None => Ok(appended?),
        }
    }

    /// The newest revision of an item.
    pub(crate) fn find<T: DeserializeOwned>(&self, kind: Kind, id: &str) -> Result<Found<T>, Error> {
        self.not_forked()?;
        let found = self.durable()?.store().item(kind.name, id)?.ok_or_else(|| {
            let message = format!("there is no {} {id:?}", kind.name);
            Error::new(Status::NotFound, "govern", id, message)
        })?;
        Ok(Found { revision: found.revision, body: read(&found)? })
    }

    /// The newest revision of each item of a kind, by time.
    pub(crate) fn all<T: DeserializeOwned>(&self, kind: Kind, open_only: bool) -> Result<Vec<T>, Error> {
        self.not_forked()?;
        self.durable()?.store().items(kind.name, None, open_only)?.iter().map(read).collect()
    }

    /// The next item's id.
    pub(crate) fn next_id(&self, kind: Kind) -> Result<String, Error> {
        let mut numbers = self.inner.governance.numbers();
        let last = match numbers.get(kind.name).copied() {
            Some(last) => last,
            None => {
                let items = self.durable()?.store().items(kind.name, None, false)?;
                let number = |item: &Item| item.id.strip_prefix(kind.prefix)?.parse::<u64>().ok();
                items.iter().filter_map(number).max().unwrap_or(0)
            }
        };
        numbers.insert(kind.name, last + 1);
        Ok(format!("{}{}", kind.prefix, last + 1))
    }
}

pub(crate) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_slice(&item.body).map_err(|error| {
        let message = format!(
            "{} {} cannot be read ({error}): a newer library wrote it, or the store is damaged",
            item.kind, item.id
        );
        Error::new(Status::Corrupt, "govern", item.id.clone(), message)
    })
}
