//! Loading a version: what is stored, checked against the receipt's signature and the content address.
//!
//! A content address is of the core ontology, too. A version keeps the root of the core that it was made with and is checked against that
//! one; where this library ships another, its statements are read over this one's, and its address stays what was signed.

use std::sync::LazyLock;

use knhk_ledger::{Evidence, Hash, KeyRing, Outcome, Statement, leaf_hash};
use knhk_ontology::{Core, Snapshot, address_of};
use knhk_store::{Receipt, VersionRecord};

use crate::counters::{DAMAGED, LOADED, OTHER_CORE};
use crate::{History, VersionError};

impl History {
    /// The content of a version, verified: its receipt is signed by the key that was the log's then and states this version with this
    /// content, and the content has the address. What it has in common with `near`, another snapshot of the sector, is kept once, and it is
    /// over the same core. Gives the receipt, too.
    ///
    /// # Errors
    /// [`VersionError::Damaged`] for what is not as it was signed; [`VersionError::OtherCore`] for what was made with another core and does
    /// not conform to this one.
    pub fn load(&self, record: &VersionRecord, near: &Snapshot) -> Result<(Snapshot, Receipt), VersionError> {
        let loaded = self.receipt_of(record).and_then(|receipt| Ok((self.content(record, near)?, receipt)));
        match &loaded {
            Ok(_) => LOADED.add(1),
            Err(VersionError::Damaged { .. }) => {
                DAMAGED.add(1);
                self.damaged().insert(record.snapshot);
            }
            Err(VersionError::OtherCore { .. }) => OTHER_CORE.add(1),
            Err(_) => {}
        }
        loaded
    }

    /// The receipt that stands for a version, verified.
    ///
    /// # Errors
    /// [`VersionError::Damaged`] where none does.
    pub fn receipt_of(&self, record: &VersionRecord) -> Result<Receipt, VersionError> {
        let damaged = |why: &str| damaged(record, why);
        let number = record.receipt.ok_or_else(|| damaged("no receipt stands for it"))?;
        let receipt = self.store().receipt(number)?.ok_or_else(|| damaged("its receipt is missing"))?;
        let keys = self.ledger.keys()?;
        let statement = verified(&receipt, &keys).map_err(|why| damaged(&why))?;
        let stated = Stated::by(&statement).ok_or_else(|| damaged("its receipt is one of something else"))?;
        let same = statement.claims.sector.as_deref() == Some(&record.sector)
            && stated.version == record.number
            && stated.snapshot == record.snapshot
            && stated.rollback_of == record.rollback_of
            && stated.epoch == record.epoch
            && stated.lineage_of(record)
            && (stated.by, stated.why) == (&record.by, &record.why);
        if same { Ok(receipt) } else { Err(damaged("its receipt states another version")) }
    }

    fn content(&self, record: &VersionRecord, near: &Snapshot) -> Result<Snapshot, VersionError> {
        let damaged = |why: String| damaged(record, &why);
        let lines = self.lines(record)?;
        let (made, here) = (core_of(record), near.over());
        if made == here {
            let snapshot = near.of_lines(&lines).map_err(|error| damaged(error.to_string()))?;
            return if snapshot.id() == record.snapshot { Ok(snapshot) } else { Err(damaged(UNLIKE.into())) };
        }
        check_address(record, &lines)?;
        let refused = |why: String| VersionError::OtherCore {
            sector: record.sector.clone(),
            number: record.number,
            made: short(&made),
            here: short(&here),
            why,
        };
        let snapshot = near.made_under(made, &lines).map_err(|error| refused(error.to_string()))?;
        if !snapshot.report().conforms() {
            return Err(refused(snapshot.report().to_string()));
        }
        tracing::info!(
            sector = record.sector,
            version = record.number,
            made = short(&made),
            here = short(&here),
            "a version was made with another core ontology and conforms to this one"
        );
        Ok(snapshot)
    }

    /// Looks whether a version is there to go back to, without reading its content: its receipt, as [`History::receipt_of`] does, and that
    /// content is stored under its address.
    ///
    /// # Errors
    /// [`VersionError::Damaged`] for what is not as it was signed.
    pub fn look(&self, record: &VersionRecord) -> Result<(), VersionError> {
        self.receipt_of(record)?;
        let stored = self.store().snapshot_depth(&record.snapshot)?;
        stored.map(drop).ok_or_else(|| damaged(record, "its content is missing"))
    }

    /// Checks a version without reading what it says: its receipt, as [`History::receipt_of`] does, and that its statements have the
    /// address.
    ///
    /// # Errors
    /// [`VersionError::Damaged`] for what is not as it was signed.
    pub fn check(&self, record: &VersionRecord) -> Result<(), VersionError> {
        self.receipt_of(record)?;
        self.checked_lines(record).map(drop)
    }

    /// A version's statements, sorted lines that have its address.
    pub(crate) fn checked_lines(&self, record: &VersionRecord) -> Result<Vec<u8>, VersionError> {
        let lines = self.lines(record)?;
        check_address(record, &lines)?;
        Ok(lines)
    }

    /// A version's statements as they are stored.
    fn lines(&self, record: &VersionRecord) -> Result<Vec<u8>, VersionError> {
        match self.store().snapshot(&record.snapshot) {
            Ok(Some(lines)) => Ok(lines),
            Ok(None) => Err(damaged(record, "its content is missing")),
            Err(knhk_store::StoreError::Corrupt { what }) => Err(damaged(record, &what)),
            Err(error) => Err(error.into()),
        }
    }
}

const UNLIKE: &str = "its content does not match its content address";

/// The root of the core that a version was made with.
pub(crate) fn core_of(record: &VersionRecord) -> Hash {
    record.core.unwrap_or(Core::FIRST_ROOT)
}

/// Whether a version was made with another core than this library's.
pub(crate) fn is_of_other_core(record: &VersionRecord) -> bool {
    static HERE: LazyLock<Hash> = LazyLock::new(|| Core::shipped().root());
    core_of(record) != *HERE
}

fn check_address(record: &VersionRecord, lines: &[u8]) -> Result<(), VersionError> {
    if address_of(&core_of(record), lines) == record.snapshot { Ok(()) } else { Err(damaged(record, UNLIKE)) }
}

/// The beginning of a root, for people.
fn short(root: &Hash) -> String {
    crate::reference::hex(root)[..12].to_owned()
}

fn damaged(record: &VersionRecord, why: &str) -> VersionError {
    VersionError::Damaged { sector: record.sector.clone(), number: record.number, why: why.into() }
}

/// A stored receipt's statement, which is the log's at its place.
pub(crate) fn verified(receipt: &Receipt, keys: &KeyRing) -> Result<Statement, String> {
    if leaf_hash(&receipt.statement) != receipt.leaf {
        return Err("its receipt was changed".into());
    }
    let statement = Statement::decode(&receipt.statement).map_err(|error| format!("its receipt: {error}"))?;
    if statement.claims.number != receipt.number || statement.claims.log != keys.root().origin() {
        return Err("its receipt is another's".into());
    }
    statement.verify(&keys.at(receipt.number)).map_err(|error| format!("its receipt: {error}"))?;
    Ok(statement)
}

/// What a receipt says of a version that became current.
pub(crate) struct Stated<'s> {
    pub(crate) version: u64,
    pub(crate) snapshot: Hash,
    pub(crate) rollback_of: Option<u64>,
    pub(crate) parents: &'s Vec<u64>,
    pub(crate) depends: &'s Vec<String>,
    pub(crate) major: Option<bool>,
    pub(crate) epoch: u64,
    pub(crate) by: &'s String,
    pub(crate) why: &'s String,
}

impl Stated<'_> {
    /// Whether it states what a version came from and needs; a receipt from before that was stated is held to nothing of it.
    fn lineage_of(&self, record: &VersionRecord) -> bool {
        let needs = || crate::commit::stated(&record.depends);
        self.major
            .is_none_or(|major| major == record.major && *self.parents == record.parents && *self.depends == needs())
    }

    /// None: it is about something else, or about a version that was refused.
    pub(crate) fn by(statement: &Statement) -> Option<Stated<'_>> {
        if statement.claims.outcome != Outcome::Approved {
            return None;
        }
        match &statement.claims.evidence {
            Evidence::SnapshotPromoted {
                version,
                snapshot: Some(snapshot),
                parents,
                depends,
                major,
                epoch,
                by,
                why,
                ..
            } => Some(Stated {
                version: *version,
                snapshot: *snapshot,
                rollback_of: None,
                parents,
                depends,
                major: *major,
                epoch: *epoch,
                by,
                why,
            }),
            Evidence::RollbackExecuted {
                version,
                rollback_of,
                snapshot: Some(snapshot),
                parents,
                depends,
                major,
                epoch,
                by,
                why,
                ..
            } => Some(Stated {
                version: *version,
                snapshot: *snapshot,
                rollback_of: Some(*rollback_of),
                parents,
                depends,
                major: *major,
                epoch: *epoch,
                by,
                why,
            }),
            _ => None,
        }
    }
}
