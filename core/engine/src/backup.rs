//! Backup of a folder's store while the engine goes on, and restoring one.

use std::path::Path;
use std::sync::Arc;

use knhk_ledger::{Evidence, Ledger, LedgerError, Statement, Tampering, TrustRoot};
use knhk_store::{Progress, SqliteStore, Store, StoreError};
use knhk_version::History;

use crate::folder::{STORE, failed};
use crate::receipts::{self, stopped};
use crate::{Engine, Error, Status, Verified, VerifyOptions, VerifyProgress, trust};

impl Engine {
    /// Writes a consistent copy of the store as of now to a new file, while changes go on. The signing key is not in it: keep a copy of that
    /// elsewhere. `progress` is told how far it is and stops it by returning false.
    ///
    /// # Errors
    /// `AlreadyExists` when the file exists, `Io` when it cannot be written, `Timeout` when it was stopped, `NotFound` without a ledger,
    /// `InvalidArgument` for an engine in memory.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> Result<(), Error> {
        self.checked()?;
        match self.durable()?.store().backup(to, progress) {
            Err(StoreError::Stopped) => Err(stopped()),
            done => Ok(done?),
        }
    }
}

/// What a restore trusts.
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    /// The trust root that the backup's log must begin at; without one it is believed.
    pub trust_root: Option<String>,
    /// A checkpoint that the backup's log must contain: finds one that is older, or forked.
    pub checkpoint: Option<String>,
}

/// Makes a folder of a backup: verifies every receipt, every version and every page of the copy, and gives it its place only then. The folder
/// must not have a store; the signing key is to be put into it, or handed in at open.
///
/// # Errors
/// `AlreadyExists`, `Tampered`, `Corrupt`, `Io`; `Unproven` for a checkpoint that is not the log's; `Timeout` when `progress` stopped it. The
/// folder has no store then.
pub fn restore(
    from: &Path,
    folder: &Path,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(VerifyProgress) -> bool,
) -> Result<Verified, Error> {
    if !from.is_file() {
        let message = format!("{} is no file: name a backup", from.display());
        return Err(Error::new(Status::NotFound, "restore", from.display().to_string(), message));
    }
    let place = folder.join(STORE);
    if place.exists() {
        return Err(StoreError::Exists { path: place }.into());
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, "cannot be made", &error))?;
    let mut outcome = None;
    let placed = knhk_store::restore(from, &place, &mut |copy| {
        let verified = check(copy, options, progress).and_then(|(verified, root)| {
            trust::keep_root(folder, &root)?;
            Ok(verified)
        });
        let refused = if verified.is_ok() { Ok(()) } else { Err(StoreError::Stopped) };
        outcome = Some(verified);
        refused
    });
    match (placed, outcome) {
        (Ok(()), Some(Ok(verified))) => {
            trust::name_root(folder)?;
            Ok(verified)
        }
        (_, Some(Err(error))) => Err(error),
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => unreachable!("a restored store was checked"),
    }
}

fn check(
    copy: &SqliteStore,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(VerifyProgress) -> bool,
) -> Result<(Verified, TrustRoot), Error> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_read_only(copy.path())?);
    let root = match &options.trust_root {
        Some(stated) => stated.parse()?,
        None => stated_root(&*store)?,
    };
    let ledger = Ledger::open(store, &root, None, options.checkpoint.as_deref())?;
    let options = VerifyOptions { checkpoint: options.checkpoint.clone(), ..VerifyOptions::default() };
    let verified = receipts::verify(&History::new(Arc::new(ledger)), &options, progress)?;
    Ok((verified, root))
}

/// The trust root that a log states of itself.
fn stated_root(store: &dyn Store) -> Result<TrustRoot, Error> {
    let first = store.receipt(0)?.ok_or(LedgerError::from(Tampering::Gap { number: 0 }))?;
    let claims = Statement::decode(&first.statement)?.claims;
    match claims.evidence {
        Evidence::LedgerCreated { key } => Ok(TrustRoot::new(&claims.log, knhk_ledger::PublicKey::from_bytes(&key)?)?),
        _ => Err(LedgerError::from(Tampering::Root { what: "its first receipt does not name its key".into() }).into()),
    }
}
