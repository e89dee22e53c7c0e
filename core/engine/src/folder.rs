//! An engine's folder: what survives the process.
//!
//! ```text
//! emergency                       rollbacks that took effect while nothing else could be written
//! engine.lock                     locked while an engine has the folder open
//! control                         the socket of an engine that takes commands
//! sectors/<name>/sector.json      kind, and the sector's number
//! sectors/<name>/keys.jsonl       the key table, append-only: a line gives a slot its name and type
//! sectors/<name>/declared.json    the declared defaults
//! sectors/<name>/versions/<n>     a version: a line of JSON about it, then its statements as sorted canonical N-Triples
//! ```
//!
//! A file appears whole or not at all: it is written beside its place, flushed, renamed, and the folder flushed. A version's
//! statements must have the content address in its first line; a version that has not is reported and passed over. Versions of format 1 hold
//! a JSON document in place of statements, and that document's address.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot};
use knhk_promotion::{Origin, SectorKind, Version};
use serde_json::{Value, json};

use crate::emergency::{Emergency, Intent};
use crate::{Error, Status, version_file};

/// The format of the files, raised when a reader of today could not read them.
const FORMAT: u64 = 1;

/// How often a still picture is taken anew because the live engine's newest version changed meanwhile.
const ATTEMPTS: usize = 100;

pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    pub(crate) emergency: Emergency,
    /// Opened beside a live engine: nothing is locked, written or mended.
    read_only: bool,
    lock: Mutex<Option<File>>,
    /// Keys already written, by sector.
    written: Mutex<HashMap<String, usize>>,
}

/// A sector as it was found.
pub(crate) struct Stored {
    /// What was known before the first version.
    pub(crate) empty: Arc<Snapshot>,
    pub(crate) kind: SectorKind,
    pub(crate) keys: KeyTable,
    pub(crate) declared: Option<Document>,
    pub(crate) versions: Vec<Version>,
    /// The next version's number: beyond every file found, whole or not.
    pub(crate) next: u64,
    /// What could not be used, for people.
    pub(crate) damaged: Vec<String>,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Folder, Error> {
        fs::create_dir_all(root.join("sectors")).map_err(|e| failed(root, "cannot be made", &e))?;
        let path = root.join("engine.lock");
        let lock = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let lock = lock.map_err(|e| failed(&path, "cannot be opened", &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "{} is open in another engine; close that one, or attach to it read-only instead",
                    root.display()
                );
                return Err(Error::new(Status::Busy, "open", root.display().to_string(), message));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&path, "cannot be locked", &e)),
        }
        let path = root.join("emergency");
        let emergency = Emergency::open(&path).map_err(|e| failed(&path, "cannot be written", &e))?;
        let lock = Mutex::new(Some(lock));
        Ok(Folder { root: root.into(), emergency, read_only: false, lock, written: Mutex::default() })
    }

    /// Opens a folder that another engine may have open and be changing.
    pub(crate) fn open_read_only(root: &Path) -> Result<Folder, Error> {
        if !root.join("sectors").is_dir() {
            let message = format!("{} is not an engine's folder: there is no sectors/ in it", root.display());
            return Err(Error::new(Status::NotFound, "open", root.display().to_string(), message));
        }
        let path = root.join("emergency");
        let emergency = Emergency::open_read_only(&path).map_err(|e| failed(&path, "cannot be read", &e))?;
        Ok(Folder { root: root.into(), emergency, read_only: true, lock: Mutex::default(), written: Mutex::default() })
    }

    fn writable(&self) -> io::Result<()> {
        let refusal = || io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the folder was opened read-only");
        if self.read_only { Err(refusal()) } else { Ok(()) }
    }

    /// Lets another engine open the folder.
    pub(crate) fn release(&self) {
        if let Some(file) = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Said and not left to the descriptor's end: a forked child holds the same lock by its copy.
            _ = file.unlock();
        }
    }

    fn sector(&self, name: &str) -> PathBuf {
        self.root.join("sectors").join(name)
    }

    /// Makes a sector's folder; one that exists is left as it is.
    pub(crate) fn create_sector(&self, name: &str, number: usize, kind: SectorKind) -> Result<(), Error> {
        let folder = self.sector(name);
        if folder.join("sector.json").exists() {
            return Ok(());
        }
        let about = json!({"format": FORMAT, "kind": kind.as_str(), "number": number}).to_string();
        self.writable()
            .and_then(|()| fs::create_dir_all(folder.join("versions")))
            .and_then(|()| write_whole(&folder.join("sector.json"), about.as_bytes()))
            .and_then(|()| File::open(self.root.join("sectors"))?.sync_all())
            .map_err(|e| failed(&folder, "cannot be written", &e))
    }

    /// Every sector with its newest `depth` whole versions, in the order of the sectors' numbers.
    pub(crate) fn sectors(&self, limits: &Limits, depth: usize) -> Result<Vec<Stored>, Error> {
        // Beside a live engine the listing may hold what is gone when it is read, or lack what came just before what it holds.
        let mut found = self.look(limits, depth);
        for attempt in 1..ATTEMPTS {
            match &found {
                Err(error) if self.read_only && error.status() == Status::Busy => {}
                Err(error) if self.read_only && error.status() == Status::Corrupt && attempt < 3 => {}
                _ => break,
            }
            found = self.look(limits, depth);
        }
        found
    }

    fn look(&self, limits: &Limits, depth: usize) -> Result<Vec<Stored>, Error> {
        let root = self.root.join("sectors");
        let mut found = Vec::new();
        for entry in fs::read_dir(&root).map_err(|e| failed(&root, "cannot be read", &e))? {
            let path = entry.map_err(|e| failed(&root, "cannot be read", &e))?.path();
            let about = path.join("sector.json");
            // A crash between making the folder and describing it leaves nothing that was acknowledged.
            if !about.exists() {
                continue;
            }
            let text = fs::read_to_string(&about).map_err(|e| failed(&about, "cannot be read", &e))?;
            let parsed: Option<Value> = serde_json::from_str(&text).ok();
            let number = parsed.as_ref().and_then(|v| v["number"].as_u64());
            let kind = parsed.as_ref().and_then(|v| v["kind"].as_str()).and_then(SectorKind::from_name);
            let format = parsed.as_ref().and_then(|v| v["format"].as_u64());
            let (Some(number), Some(kind), Some(FORMAT)) = (number, kind, format) else {
                return Err(corrupt(&about, "does not describe a sector that this version can open"));
            };
            let name = entry_name(&path);
            found.push((number, self.load(name, number, kind, limits, depth)?));
        }
        found.sort_by_key(|(number, _)| *number);
        if found.iter().enumerate().any(|(place, (number, _))| place as u64 != *number) {
            return Err(corrupt(
                &root,
                "lacks a sector: the sectors' numbers have a gap; restore the folder from a backup",
            ));
        }
        Ok(found.into_iter().map(|(_, stored)| stored).collect())
    }

    fn load(
        &self,
        name: String,
        number: u64,
        kind: SectorKind,
        limits: &Limits,
        depth: usize,
    ) -> Result<Stored, Error> {
        let sector = usize::try_from(number).unwrap_or(usize::MAX);
        let folder = self.sector(&name);
        let mut damaged = Vec::new();
        let mut keys = self.load_keys(&name)?;
        let empty = Arc::new(Snapshot::empty(&name, &Core::shipped(), limits));
        let declared = match fs::read(folder.join("declared.json")) {
            Ok(text) => Some(Document::parse(&text, limits).map_err(|e| {
                corrupt(&folder.join("declared.json"), &format!("is damaged ({e}); remove it or restore it"))
            })?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(failed(&folder, "cannot be read", &e)),
        };
        let directory = folder.join("versions");
        let mut numbers: Vec<u64> = fs::read_dir(&directory)
            .map_err(|e| failed(&directory, "cannot be read", &e))?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let mut versions: Vec<Version> = Vec::new();
        // The newest first: those at the other end may be pruned at any moment.
        for number in numbers.iter().rev() {
            if versions.len() == depth.max(1) {
                break;
            }
            let path = directory.join(file_name(*number));
            match version_file::load(&path, *number, versions.last(), &empty, limits, &mut keys) {
                Ok(version) => versions.push(version),
                Err(_) if self.read_only && !path.exists() => break,
                Err(why) => {
                    damaged.push(format!("sector {name}: version {number} is damaged and was passed over: {why}"))
                }
            }
        }
        versions.reverse();
        for at in 1..versions.len() {
            versions[at].before = Some(versions[at - 1].snapshot.clone());
        }
        if let (Some(newest), None) = (numbers.last(), versions.last()) {
            if damaged.is_empty() {
                let message = format!("{} changes faster than it can be read; try again", directory.display());
                return Err(Error::new(Status::Busy, "open", name, message));
            }
            let message = format!("holds no whole version up to {newest}; restore the folder from a backup");
            return Err(corrupt(&directory, &message));
        }
        let mut next = numbers.last().map_or(1, |newest| newest + 1);
        let path = self.root.join("emergency");
        let intent = self.emergency.intent(sector).map_err(|e| failed(&path, "cannot be read", &e))?;
        if let Some(intent) = intent.filter(|intent| intent.version >= next) {
            next = intent.version + 1;
            let path = directory.join(file_name(intent.rollback_of));
            let target = versions.iter().find(|version| version.number == intent.rollback_of).cloned();
            match target.map_or_else(
                || version_file::load(&path, intent.rollback_of, versions.last(), &empty, limits, &mut keys),
                Ok,
            ) {
                Ok(target) => {
                    let before = versions.last().map(|before| before.snapshot.clone());
                    versions.push(rolled_back(&target, before, &intent));
                }
                Err(_) => damaged.push(format!(
                    "sector {name}: an emergency rollback to version {} is not honoured: that version is gone",
                    intent.rollback_of
                )),
            }
        }
        Ok(Stored { empty, kind, keys, declared, versions, next, damaged })
    }

    fn load_keys(&self, name: &str) -> Result<KeyTable, Error> {
        let path = self.sector(name).join("keys.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(KeyTable::new()),
            Err(e) => return Err(failed(&path, "cannot be read", &e)),
        };
        // A crash may leave a last line without its end; its keys were not acknowledged.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        if whole.len() < text.len() && !self.read_only {
            let cut = OpenOptions::new().write(true).open(&path).and_then(|f| f.set_len(whole.len() as u64));
            cut.map_err(|e| failed(&path, "cannot be mended", &e))?;
        }
        let mut keys = KeyTable::new();
        keys.replay(whole.lines()).map_err(|e| corrupt(&path, &format!("is damaged: {e}")))?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), keys.line_count());
        Ok(keys)
    }
}

impl Folder {
    /// Appends the keys that are not written yet.
    pub(crate) fn keys(&self, sector: &str, table: &KeyTable) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let known = written.get(sector).copied().unwrap_or(0);
        if known == table.line_count() {
            return Ok(());
        }
        self.writable()?;
        let path = self.sector(sector).join("keys.jsonl");
        let fresh = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let before = file.metadata()?.len();
        let lines: String = table.lines_from(known).flat_map(|line| [line, "\n".into()]).collect();
        let appended = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = appended {
            // Half a line must not stand before the next attempt's lines.
            file.set_len(before)?;
            return Err(error);
        }
        if fresh {
            File::open(self.sector(sector))?.sync_all()?;
        }
        written.insert(sector.into(), table.line_count());
        Ok(())
    }

    pub(crate) fn version(&self, sector: &str, version: &Version) -> io::Result<()> {
        self.writable()?;
        write_whole(
            &self.sector(sector).join("versions").join(file_name(version.number)),
            &version_file::bytes(version),
        )
    }

    pub(crate) fn declared(&self, sector: &str, declared: &Document) -> io::Result<()> {
        self.writable()?;
        write_whole(&self.sector(sector).join("declared.json"), declared.to_json().as_bytes())
    }

    pub(crate) fn prune(&self, sector: &str, version: u64) {
        if self.read_only {
            return;
        }
        let path = self.sector(sector).join("versions").join(file_name(version));
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a version beyond the history's depth could not be removed");
        }
    }
}

/// The version that an emergency rollback made current without being able to record it.
fn rolled_back(target: &Version, before: Option<Arc<Snapshot>>, intent: &Intent) -> Version {
    let why = "emergency rollback, recorded by its intent alone".into();
    Version {
        number: intent.version,
        origin: Origin { why, ..Origin::default() },
        rollback_of: Some(intent.rollback_of),
        before,
        ..target.clone()
    }
}

/// Writes a file so that it is there whole or not at all, and stays after a crash.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    if let Err(error) = write() {
        _ = fs::remove_file(&beside);
        return Err(error);
    }
    let folder = path.parent().ok_or_else(|| io::Error::other("the file has no folder"))?;
    File::open(folder)?.sync_all().inspect_err(|_| {
        // It will be reported as not written, so it must not come back.
        _ = fs::remove_file(path);
    })
}

fn file_name(version: u64) -> String {
    format!("{version:020}")
}

fn entry_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let path = path.display().to_string();
    let message = format!("{path} {what}: {error}");
    Error::new(Status::Io, "open", path, message)
}

fn corrupt(path: &Path, what: &str) -> Error {
    let path = path.display().to_string();
    let message = format!("{path} {what}");
    Error::new(Status::Corrupt, "open", path, message)
}
