//! The requests about a sector's history: the log, tags, retention.

use serde::{Deserialize, Serialize};

use super::{Item, Request, VersionEntry};
use crate::{Engine, Error, LogEntry, LogQuery, Status};

/// Versions of a log, unless a request says otherwise.
const ENTRIES: usize = 20;

/// Lists versions, the newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The sector; all of them, in the order in which their versions became current, if left out.
    #[serde(default)]
    pub sector: Option<String>,
    /// Only versions before the one that this means; of one sector only.
    #[serde(default)]
    pub before: Option<String>,
    /// How many at most; 20 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A version in a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Logged {
    /// The sector.
    pub sector: String,
    /// The version.
    #[serde(flatten)]
    pub entry: VersionEntry,
    /// What it changed; nothing where its content is not kept any more.
    pub changes: Vec<Item>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether its content is still kept.
    pub retained: bool,
}

/// Lists the tags of a sector.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    /// The sector.
    pub sector: String,
}

/// A tag of a sector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tagged {
    /// The sector.
    pub sector: String,
    /// The tag.
    pub name: String,
    /// The version that it names.
    pub version: u64,
    /// When it was set, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who set it.
    pub by: String,
}

/// Sets a tag, moving it if it is there, or removes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetTag {
    /// The sector.
    pub sector: String,
    /// The tag.
    pub name: String,
    /// A reference to the version; none removes the tag.
    #[serde(default)]
    pub version: Option<String>,
    /// Who.
    #[serde(default)]
    pub by: String,
}

/// Removes what the engine's retention does not keep.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prune {}

/// What was removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pruned {
    /// How many versions.
    pub versions: u64,
}

impl Request for Log {
    const METHOD: &'static str = "log";
    type Answer = Vec<Logged>;

    fn serve(self, engine: &Engine) -> Result<Vec<Logged>, Error> {
        let limit = self.limit.unwrap_or(ENTRIES);
        if let Some(sector) = &self.sector {
            let before = self.before.as_deref().map(|before| engine.resolve(sector, before)).transpose()?;
            let entries = engine.log(sector, &LogQuery { before, limit: Some(limit) })?;
            return entries.into_iter().map(|entry| logged(engine, sector, entry)).collect();
        }
        if let Some(before) = self.before {
            let message = "a version is one of a sector's: name the sector";
            return Err(Error::new(Status::InvalidArgument, "log", before, message));
        }
        let mut all: Vec<(String, LogEntry)> = Vec::new();
        for sector in engine.sectors()? {
            let entries = engine.log(&sector.name, &LogQuery { before: None, limit: Some(limit) })?;
            all.extend(entries.into_iter().map(|entry| (sector.name.clone(), entry)));
        }
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.epoch));
        all.truncate(limit);
        all.into_iter().map(|(sector, entry)| logged(engine, &sector, entry)).collect()
    }
}

impl Request for Tags {
    const METHOD: &'static str = "tags";
    type Answer = Vec<Tagged>;

    fn serve(self, engine: &Engine) -> Result<Vec<Tagged>, Error> {
        let Tags { sector } = self;
        let tags = engine.tags(&sector)?;
        let tagged = |tag: crate::TagInfo| Tagged {
            sector: sector.clone(),
            name: tag.name,
            version: tag.version,
            time_ns: tag.time_ns,
            by: tag.by,
        };
        Ok(tags.into_iter().map(tagged).collect())
    }
}

impl Request for SetTag {
    const METHOD: &'static str = "tag";
    /// The version that the tag names now; none: the tag is gone.
    type Answer = Option<VersionEntry>;

    fn serve(self, engine: &Engine) -> Result<Option<VersionEntry>, Error> {
        let SetTag { sector, name, version, by } = self;
        let Some(version) = version else {
            engine.untag(&sector, &name, &by)?;
            return Ok(None);
        };
        let number = engine.tag(&sector, &name, &version, &by)?;
        entry(engine, &sector, number).map(Some)
    }
}

impl Request for Prune {
    const METHOD: &'static str = "prune";
    type Answer = Pruned;

    fn serve(self, engine: &Engine) -> Result<Pruned, Error> {
        Ok(Pruned { versions: engine.prune()? })
    }
}

pub(super) fn logged(engine: &Engine, sector: &str, entry: LogEntry) -> Result<Logged, Error> {
    let parent = entry.parents.last().copied().unwrap_or(0);
    let changes = match engine.differences(sector, parent, entry.version) {
        Ok(changes) => changes.into_iter().map(Item::from).collect(),
        // Its content, or that of the version before, is not kept: the receipt alone tells of it.
        Err(error) if error.status() == Status::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let LogEntry { tags, retained, .. } = &entry;
    Ok(Logged { sector: sector.into(), tags: tags.clone(), retained: *retained, entry: (&entry).into(), changes })
}

/// The version of this number, retained or not.
pub(super) fn entry(engine: &Engine, sector: &str, number: u64) -> Result<VersionEntry, Error> {
    let query = LogQuery { before: number.checked_add(1), limit: Some(1) };
    let found = engine.log(sector, &query)?.into_iter().next().filter(|entry| entry.version == number);
    found.as_ref().map(VersionEntry::from).ok_or_else(|| {
        Error::new(Status::NotFound, "lookup", sector, format!("sector {sector} never had a version {number}"))
    })
}

impl From<&LogEntry> for VersionEntry {
    fn from(entry: &LogEntry) -> VersionEntry {
        VersionEntry {
            version: entry.version,
            snapshot_id: super::answers::hex(&entry.snapshot_id),
            time_ns: entry.time_ns,
            by: entry.by.clone(),
            why: entry.why.clone(),
            major: entry.major,
            rollback_of: entry.rollback_of,
            receipt: entry.receipt.clone(),
        }
    }
}
