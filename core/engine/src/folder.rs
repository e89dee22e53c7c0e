//! An engine's folder: what survives the process.
//!
//! ```text
//! emergency                       rollbacks that took effect while nothing else could be written
//! engine.lock                     locked while an engine has the folder open
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

use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};
use knhk_promotion::{Origin, SectorKind, Version};
use serde_json::{Value, json};

use crate::emergency::{Emergency, Intent};
use crate::{Error, Status};

/// The format of the files, raised when a reader of today could not read them.
const FORMAT: u64 = 1;
/// The format of versions that hold statements.
const STATEMENTS: u64 = 2;

pub(crate) struct Folder {
    root: PathBuf,
    pub(crate) emergency: Emergency,
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
        Ok(Folder { root: root.into(), emergency, lock: Mutex::new(Some(lock)), written: Mutex::default() })
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
        fs::create_dir_all(folder.join("versions"))
            .and_then(|()| write_whole(&folder.join("sector.json"), about.as_bytes()))
            .and_then(|()| File::open(self.root.join("sectors"))?.sync_all())
            .map_err(|e| failed(&folder, "cannot be written", &e))
    }

    /// Every sector with its newest `depth` whole versions, in the order of the sectors' numbers.
    pub(crate) fn sectors(&self, limits: &Limits, depth: usize) -> Result<Vec<Stored>, Error> {
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
        for number in numbers.iter().skip(numbers.len().saturating_sub(depth)) {
            let path = directory.join(file_name(*number));
            match load_version(&path, *number, versions.last(), &empty, limits, &mut keys) {
                Ok(mut version) => {
                    version.before = versions.last().map(|before| before.snapshot.clone());
                    versions.push(version);
                }
                Err(why) => {
                    damaged.push(format!("sector {name}: version {number} is damaged and was passed over: {why}"))
                }
            }
        }
        if let (Some(newest), None) = (numbers.last(), versions.last()) {
            let message = format!("holds no whole version up to {newest}; restore the folder from a backup");
            return Err(corrupt(&directory, &message));
        }
        let mut next = numbers.last().map_or(1, |newest| newest + 1);
        let path = self.root.join("emergency");
        let intent = self.emergency.intent(sector).map_err(|e| failed(&path, "cannot be read", &e))?;
        if let Some(intent) = intent.filter(|intent| intent.version >= next) {
            next = intent.version + 1;
            match versions.iter().find(|version| version.number == intent.rollback_of) {
                Some(target) => {
                    let before = versions.last().map(|before| before.snapshot.clone());
                    versions.push(rolled_back(target, before, &intent));
                }
                None => damaged.push(format!(
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
        if whole.len() < text.len() {
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
        let about = json!({
            "format": STATEMENTS,
            "version": version.number,
            "snapshot_id": hex(&version.snapshot_id),
            "epoch": version.epoch,
            "time_ns": version.time_ns,
            "by": version.origin.by,
            "why": version.origin.why,
            "major": version.origin.major,
            "rollback_of": version.rollback_of,
        });
        let mut text = format!("{about}\n").into_bytes();
        text.extend(version.snapshot.own_lines());
        write_whole(&self.sector(sector).join("versions").join(file_name(version.number)), &text)
    }

    pub(crate) fn declared(&self, sector: &str, declared: &Document) -> io::Result<()> {
        write_whole(&self.sector(sector).join("declared.json"), declared.to_json().as_bytes())
    }

    pub(crate) fn prune(&self, sector: &str, version: u64) {
        let path = self.sector(sector).join("versions").join(file_name(version));
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a version beyond the history's depth could not be removed");
        }
    }
}

fn load_version(
    path: &Path,
    number: u64,
    before: Option<&Version>,
    empty: &Arc<Snapshot>,
    limits: &Limits,
    keys: &mut KeyTable,
) -> Result<Version, String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (about, content) = text.split_once('\n').ok_or("it has no content")?;
    let about: Value = serde_json::from_str(about).map_err(|e| e.to_string())?;
    // What two versions have in common is stored once.
    let base = before.map_or(empty, |before| &before.snapshot);
    let (snapshot, stated) = if about["format"].as_u64() == Some(STATEMENTS) {
        let snapshot = base.of_lines(content.as_bytes()).map_err(|e| e.to_string())?;
        let id = snapshot.id();
        (snapshot, id)
    } else {
        let document = Document::parse(content.as_bytes(), limits).map_err(|e| e.to_string())?;
        let change = empty.change_to(&document).map_err(|e| e.to_string())?;
        (empty.apply(&change).map_err(|e| e.to_string())?, document.format_1_id())
    };
    if about["snapshot_id"].as_str() != Some(&hex(&stated)) || about["version"].as_u64() != Some(number) {
        return Err("its content does not match its content address".into());
    }
    let compiled =
        compile_snapshot(&snapshot, keys, before.map(|before| &**before.artifact())).map_err(|e| e.to_string())?;
    let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
    Ok(Version {
        number,
        snapshot_id: snapshot.id(),
        epoch: about["epoch"].as_u64().unwrap_or(0),
        time_ns: about["time_ns"].as_u64().unwrap_or(0),
        origin: Origin { by: text("by"), why: text("why"), major: about["major"].as_bool().unwrap_or(false) },
        rollback_of: about["rollback_of"].as_u64(),
        before: None,
        phases: Default::default(),
        snapshot: Arc::new(snapshot),
        compiled: Arc::new(compiled),
    })
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

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
