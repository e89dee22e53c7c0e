//! Whom the log trusts and who signs: the folder's trust root and signing key, made with the log and checked at every open.
//!
//! A file has its name once the log stands on it: before that it is called `….new`, so that a log that was taken away is told from one that
//! was never finished.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use knhk_ledger::{Ledger, Signer, Tampering, TrustRoot};
use knhk_store::Store;

use crate::folder::failed;
use crate::{Error, Options, Status};

const ROOT: &str = "trust-root";
const KEY: &str = "signing.key";

/// Opens a folder's log, or begins one.
pub(crate) fn open(folder: &Path, store: &Arc<dyn Store>, options: &Options, now_ns: u64) -> Result<Ledger, Error> {
    let stated = options.trust_root.as_deref().map(str::parse::<TrustRoot>).transpose()?;
    let (path, fresh) = (folder.join(ROOT), new(folder, ROOT));
    let kept = read_root(&path)?;
    if store.log_size()? == 0 {
        if kept.is_some() {
            let what = format!("{} is there and the log is empty: restore the store from a backup", path.display());
            return Err(knhk_ledger::LedgerError::from(Tampering::Root { what }).into());
        }
        return begin(folder, store, options, stated, now_ns);
    }
    let (root, is_fresh) = match (kept, stated) {
        (Some(kept), Some(stated)) if kept != stated => return Err(other_root(&kept, &stated)),
        (Some(kept), _) => (kept, false),
        // The log was begun, and the crash came before its trust root had its name.
        (None, stated) => match (read_root(&fresh)?, stated) {
            (Some(kept), Some(stated)) if kept != stated => return Err(other_root(&kept, &stated)),
            (Some(kept), _) => (kept, true),
            (None, Some(stated)) => (stated, false),
            (None, None) => {
                let what = format!("{} is missing: put it back, or state the trust root when opening", path.display());
                return Err(knhk_ledger::LedgerError::from(Tampering::Root { what }).into());
            }
        },
    };
    let signer = match &options.signer {
        Some(signer) => signer.clone(),
        None => key(folder, &**store)?,
    };
    let ledger = Ledger::open(store.clone(), &root, Some(signer), options.checkpoint.as_deref())?;
    if is_fresh {
        name(&fresh, &path)?;
    }
    Ok(ledger)
}

/// Opens a folder's log beside the engine that may have it open, to read.
pub(crate) fn open_read_only(folder: &Path, store: &Arc<dyn Store>, options: &Options) -> Result<Ledger, Error> {
    let stated = options.trust_root.as_deref().map(str::parse::<TrustRoot>).transpose()?;
    let kept = match read_root(&folder.join(ROOT))? {
        Some(kept) => Some(kept),
        None => read_root(&new(folder, ROOT))?,
    };
    let root = match (kept, stated) {
        (Some(kept), Some(stated)) if kept != stated => return Err(other_root(&kept, &stated)),
        (Some(root), _) | (None, Some(root)) => root,
        (None, None) => {
            let what = format!("{} is missing: put it back, or state the trust root", folder.join(ROOT).display());
            return Err(knhk_ledger::LedgerError::from(Tampering::Root { what }).into());
        }
    };
    Ok(Ledger::open(store.clone(), &root, None, options.checkpoint.as_deref())?)
}

/// Begins a log in memory.
pub(crate) fn in_memory(
    store: Arc<dyn Store>,
    signer: &Signer,
    options: &Options,
    now_ns: u64,
) -> Result<Ledger, Error> {
    let stated = options.trust_root.as_deref().map(str::parse::<TrustRoot>).transpose()?;
    let root = root_of(signer, stated)?;
    Ok(Ledger::create(store, root.origin(), signer.clone(), now_ns)?.0)
}

fn begin(
    folder: &Path,
    store: &Arc<dyn Store>,
    options: &Options,
    stated: Option<TrustRoot>,
    now_ns: u64,
) -> Result<Ledger, Error> {
    let signer = match &options.signer {
        Some(signer) => signer.clone(),
        None => first_key(folder)?,
    };
    let root = root_of(&signer, stated)?;
    keep_root(folder, &root)?;
    let (ledger, _) = Ledger::create(store.clone(), root.origin(), signer, now_ns)?;
    name_root(folder)?;
    Ok(ledger)
}

/// Writes down the trust root of a log that is about to have its place.
pub(crate) fn keep_root(folder: &Path, root: &TrustRoot) -> Result<(), Error> {
    let fresh = new(folder, ROOT);
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(format!("{root}\n").as_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| failed(&fresh, "cannot be written", &e))?;
    sync(folder)
}

/// Gives it its name, once the log is there.
pub(crate) fn name_root(folder: &Path) -> Result<(), Error> {
    name(&new(folder, ROOT), &folder.join(ROOT))
}

/// The trust root of a log that a key begins: the one that was stated, or one that is named after the key.
fn root_of(signer: &Signer, stated: Option<TrustRoot>) -> Result<TrustRoot, Error> {
    let Some(stated) = stated else {
        let id: String = signer.public().id().iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(TrustRoot::new(&format!("knhk/{id}"), signer.public())?);
    };
    if stated.key() == signer.public() {
        return Ok(stated);
    }
    let message =
        "the stated trust root names another key than the one that signs: a new log begins with the key that it trusts";
    Err(Error::new(Status::InvalidArgument, "open", stated.to_string(), message))
}

fn other_root(kept: &TrustRoot, stated: &TrustRoot) -> Error {
    let message =
        format!("the folder's log begins at {kept}, and {stated} was stated: this is not the log that you trust");
    Error::new(Status::Tampered, "open", stated.to_string(), message)
}

fn read_root(path: &Path) -> Result<Option<TrustRoot>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim_end().parse().map_err(|error| {
            Error::new(Status::Tampered, "open", path.display().to_string(), format!("{}: {error}", path.display()))
        })?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "cannot be read", &error)),
    }
}

/// The key of a log that is about to begin.
fn first_key(folder: &Path) -> Result<Signer, Error> {
    let path = folder.join(KEY);
    if path.exists() {
        return Ok(Signer::load(&path)?);
    }
    let signer = Signer::generate()?;
    let fresh = new(folder, KEY);
    // One that a crash left half-written: nothing was ever signed with it.
    _ = fs::remove_file(&fresh);
    signer.save(&fresh)?;
    name(&fresh, &path)?;
    Ok(signer)
}

/// The key that a log's newest rotation names, of those that the folder has.
fn key(folder: &Path, store: &dyn Store) -> Result<Signer, Error> {
    let (path, fresh) = (folder.join(KEY), new(folder, KEY));
    let newest = store.public_keys()?.pop().map(|key| key.key);
    let is_newest = |signer: &Signer| Some(signer.public().to_bytes()) == newest;
    let kept = if path.exists() { Some(Signer::load(&path)?) } else { None };
    if let Some(kept) = kept.as_ref().filter(|kept| is_newest(kept)) {
        return Ok(kept.clone());
    }
    // The rotation was durable, and the crash came before its key had its name.
    if fresh.exists() {
        let signer = Signer::load(&fresh)?;
        if is_newest(&signer) {
            name(&fresh, &path)?;
            return Ok(signer);
        }
    }
    let what = if kept.is_some() { "is not the log's newest key" } else { "is missing" };
    let message =
        format!("{} {what}: put that one back, or open the engine with the signer that has the key", path.display());
    Err(Error::new(Status::KeyFile, "open", path.display().to_string(), message))
}

/// The key that is to take over, on the disk before anything is signed with it.
pub(crate) fn next_key(folder: &Path) -> Result<Signer, Error> {
    let fresh = new(folder, KEY);
    // One of an earlier attempt, of which only opening again tells whether it is the log's: it stays the next one.
    if fresh.exists() {
        return Ok(Signer::load(&fresh)?);
    }
    let signer = Signer::generate()?;
    let path = folder.join(format!("{KEY}.writing"));
    _ = fs::remove_file(&path);
    signer.save(&path)?;
    name(&path, &fresh)?;
    Ok(signer)
}

/// Gives the key that took over its name; the old one's secret is gone with it.
pub(crate) fn rotated(folder: &Path) -> Result<(), Error> {
    name(&new(folder, KEY), &folder.join(KEY))
}

/// Removes the folder's keys: from here on the caller signs.
pub(crate) fn forget_key(folder: &Path) -> Result<(), Error> {
    for path in [folder.join(KEY), new(folder, KEY)] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&path, "cannot be removed", &error));
            }
            _ => {}
        }
    }
    sync(folder)
}

fn new(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.new"))
}

fn name(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|e| failed(to, "cannot be written", &e))?;
    sync(to.parent().unwrap_or(Path::new(".")))
}

fn sync(folder: &Path) -> Result<(), Error> {
    let synced = OpenOptions::new().read(true).open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| failed(folder, "cannot be flushed", &e))
}
