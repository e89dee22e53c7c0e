//! The trait that every store implements.

use std::ops::Range;
use std::path::Path;

use crossbeam_channel::Receiver;

use crate::{
    Batch, Checkpoint, Hash, Item, PublicKey, Receipt, ReceiptQuery, Rule, SectorRecord, Segment, SegmentQuery,
    StoreError, Tag, VersionRecord,
};

/// How far a long operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages done.
    pub done: u64,
    /// Pages in all, as far as known now.
    pub total: u64,
}

/// A batch on its way to the disk.
#[derive(Debug)]
pub struct Pending(State);

#[derive(Debug)]
enum State {
    Known(Result<(), StoreError>),
    Waiting(Receiver<Result<(), StoreError>>),
}

impl Pending {
    pub(crate) fn known(outcome: Result<(), StoreError>) -> Pending {
        Pending(State::Known(outcome))
    }

    pub(crate) fn waiting(receiver: Receiver<Result<(), StoreError>>) -> Pending {
        Pending(State::Waiting(receiver))
    }

    /// Waits until the batch is durable.
    ///
    /// # Errors
    /// Why it was refused. Dropping it instead leaves the batch on its way.
    pub fn wait(self) -> Result<(), StoreError> {
        match self.0 {
            State::Known(outcome) => outcome,
            State::Waiting(receiver) => receiver.recv().unwrap_or(Err(StoreError::Closed)),
        }
    }
}

/// Keeps what the engine must not lose. Any thread may call; readers see whole batches only, and each batch as soon as it is
/// acknowledged. Every method fails with [`StoreError::Io`] or [`StoreError::Corrupt`] when the store cannot be read.
pub trait Store: Send + Sync {
    /// Hands in a batch without waiting. Batches are applied in the order in which they were handed in; many may share one flush.
    ///
    /// # Errors
    /// When nothing can be handed in any more; a refusal of the batch itself comes from [`Pending::wait`].
    fn submit(&self, batch: Batch) -> Result<Pending, StoreError>;

    /// Hands in a batch and waits until it is durable.
    ///
    /// # Errors
    /// Why it was refused; nothing changed then.
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.submit(batch)?.wait()
    }

    /// How many receipts the log has.
    fn log_size(&self) -> Result<u64, StoreError>;

    /// The receipt at a place of the log.
    fn receipt(&self, number: u64) -> Result<Option<Receipt>, StoreError>;

    /// The receipt of this name.
    fn receipt_by_id(&self, id: &str) -> Result<Option<Receipt>, StoreError> {
        let Some(number) = Receipt::place(id) else { return Ok(None) };
        Ok(self.receipt(number)?.filter(|receipt| receipt.id == id))
    }

    /// The receipts that a query asks for, in order.
    fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<Receipt>, StoreError>;

    /// The log's nodes of one level, in order: level 0 are the receipts' leaves, others those that were stored. It ends early where
    /// one is missing.
    fn log_nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// The newest checkpoint that covers at most `size` receipts.
    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, StoreError>;

    /// Checkpoints that cover at least `from` receipts, smallest first, at most 1,000.
    fn checkpoints(&self, from: u64) -> Result<Vec<Checkpoint>, StoreError>;

    /// A snapshot's canonical statements, one a line, sorted bytewise.
    fn snapshot(&self, id: &Hash) -> Result<Option<Vec<u8>>, StoreError>;

    /// How many changes stand between a snapshot and the last one that is stored whole; none: it is not stored. It costs as many
    /// reads, so store one whole now and then; [`Snapshot::MAX_DEPTH`](crate::Snapshot::MAX_DEPTH) is the limit.
    fn snapshot_depth(&self, id: &Hash) -> Result<Option<u64>, StoreError>;

    /// Snapshots that no version has and that none that is stored stands on.
    fn loose_snapshots(&self) -> Result<Vec<Hash>, StoreError>;

    /// The sectors, by number.
    fn sectors(&self) -> Result<Vec<SectorRecord>, StoreError>;

    /// Versions of a sector with a number below `before` (none: all), newest first, at most `limit`.
    fn versions(&self, sector: &str, before: Option<u64>, limit: usize) -> Result<Vec<VersionRecord>, StoreError>;

    /// A version of a sector.
    fn version(&self, sector: &str, number: u64) -> Result<Option<VersionRecord>, StoreError>;

    /// The version that was current at a moment: of those recorded until then the one with the greatest number.
    fn version_at(&self, sector: &str, time_ns: u64) -> Result<Option<VersionRecord>, StoreError>;

    /// A sector's tags, by name.
    fn tags(&self, sector: &str) -> Result<Vec<Tag>, StoreError>;

    /// The newest revision of each doctrine rule, removed ones too, by name.
    fn rules(&self) -> Result<Vec<Rule>, StoreError>;

    /// Every revision of a doctrine rule, oldest first.
    fn rule_history(&self, id: &str) -> Result<Vec<Rule>, StoreError>;

    /// The newest revision of each item of a kind: those about `sector` (none: all of them), without settled ones where `open_only`; by the
    /// time of that revision, then by id.
    fn items(&self, kind: &str, sector: Option<&str>, open_only: bool) -> Result<Vec<Item>, StoreError>;

    /// The same, the newest items first, at most `limit`: by their ids, of which the longer is the greater (`l-10` comes after `l-9`), and those
    /// below `before` alone (none: all).
    fn newest_items(
        &self,
        kind: &str,
        sector: Option<&str>,
        open_only: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError>;

    /// The newest revision of an item.
    fn item(&self, kind: &str, id: &str) -> Result<Option<Item>, StoreError>;

    /// Every revision of an item, oldest first.
    fn item_history(&self, kind: &str, id: &str) -> Result<Vec<Item>, StoreError>;

    /// How many observation segments there are, dropped ones too.
    fn segment_count(&self) -> Result<u64, StoreError>;

    /// A segment with its observations.
    fn segment(&self, number: u64) -> Result<Option<Segment>, StoreError>;

    /// The segments that a query asks for, in order, without their observations.
    fn segments(&self, query: &SegmentQuery) -> Result<Vec<Segment>, StoreError>;

    /// The lines of a sector's key table from `from` on, in order.
    fn key_lines(&self, sector: &str, from: u64) -> Result<Vec<String>, StoreError>;

    /// The public keys, in order.
    fn public_keys(&self) -> Result<Vec<PublicKey>, StoreError>;

    /// The numbers of a name's states, in order, and whether each stands alone.
    fn states(&self, name: &str) -> Result<Vec<(u64, bool)>, StoreError>;

    /// What a state says.
    fn state(&self, name: &str, number: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// A setting's value.
    fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Writes a consistent copy as of now to a new file, while changes go on. `progress` is told how far it is and stops it by
    /// returning false.
    ///
    /// # Errors
    /// When the file exists, cannot be written, the caller stopped it, or this store has no backup of its own.
    fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> Result<(), StoreError>;

    /// Writes out what was handed in and takes nothing more.
    ///
    /// # Errors
    /// When the store could not be closed in order; what was acknowledged is durable all the same.
    fn close(&self) -> Result<(), StoreError>;
}
