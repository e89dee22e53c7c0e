//! The history of sectors: log, tags, references to versions, retention.

use knhk_store::Tag;
use knhk_version::{LogEntry, VersionError};

use crate::{Engine, Error};

/// Which part of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only versions with a smaller number.
    pub before: Option<u64>,
    /// How many at most; none: 100.
    pub limit: Option<usize>,
}

/// A name for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagInfo {
    /// The name.
    pub name: String,
    /// The version.
    pub version: u64,
    /// When it was set, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who set it.
    pub by: String,
}

/// Entries of a log, unless a query says otherwise.
const ENTRIES: usize = 100;

impl Engine {
    /// The versions of a sector, newest first, with their tags and receipts. What retention removed is told by its receipts; in memory
    /// without a signer there is no more than the history.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector, `Io` when the store cannot be read.
    pub fn log(&self, sector: &str, query: &LogQuery) -> Result<Vec<LogEntry>, Error> {
        let name = self.sector(sector)?.name().to_owned();
        let limit = query.limit.unwrap_or(ENTRIES);
        let in_memory = self.history(&name)?;
        let of_memory = |version: crate::VersionInfo| LogEntry {
            version: version.version,
            snapshot_id: version.snapshot_id,
            parents: version.parent.into_iter().collect(),
            epoch: version.epoch,
            time_ns: version.time_ns,
            by: version.origin.by,
            why: version.origin.why,
            major: version.origin.major,
            rollback_of: version.rollback_of,
            receipt: version.receipt,
            other_core: false,
            tags: Vec::new(),
            retained: true,
        };
        let mut entries = match &self.inner.journal.durable {
            Some(durable) => durable.history.log(&name, query.before, limit)?,
            None => Vec::new(),
        };
        // Besides, what is current and could not be recorded yet.
        let newest = entries.first().map_or(0, |entry| entry.version);
        let is_new = |version: &crate::VersionInfo| {
            version.version > newest && query.before.is_none_or(|before| version.version < before)
        };
        let mut new: Vec<_> = in_memory.into_iter().rev().filter(is_new).map(of_memory).collect();
        new.append(&mut entries);
        new.truncate(limit);
        Ok(new)
    }

    /// The number of the version that is meant: `12`, `current`, `~3` (3 before the current one), a tag, 6 or more hexadecimal digits of a
    /// content address, a moment (`2026-11-01T09:00:00Z`, or the date alone), or `@2h` for two hours ago.
    ///
    /// # Errors
    /// `InvalidArgument` for what is none and for what may be several, which the message lists; `NotFound` where there is none.
    pub fn resolve(&self, sector: &str, reference: &str) -> Result<u64, Error> {
        let sector = self.sector(sector)?;
        let (current, in_memory) = {
            let state = sector.lock()?;
            let number = |version: &std::sync::Arc<knhk_promotion::Version>| version.number;
            (state.current().map(number), reference.parse().ok().and_then(|n| state.version(n)).map(number))
        };
        match (in_memory, &self.inner.journal.durable) {
            (Some(number), _) => Ok(number),
            (None, Some(durable)) => Ok(durable.history.resolve(sector.name(), reference, current, self.now_ns())?),
            (None, None) => self.resolve_in_memory(sector.name(), reference),
        }
    }

    /// Without a store the history is all there is, and it has no tags.
    fn resolve_in_memory(&self, sector: &str, reference: &str) -> Result<u64, Error> {
        use knhk_version::Reference;
        let history = self.history(sector)?;
        let at = |moment| history.iter().rev().find(|version| version.time_ns <= moment).map(|version| version.version);
        let found = match Reference::parse(reference)? {
            Reference::Number(_) if reference.len() < 6 => None,
            Reference::Back(back) => {
                let back = usize::try_from(back).unwrap_or(usize::MAX);
                history.iter().rev().nth(back).map(|version| version.version)
            }
            Reference::Moment(moment) => at(moment),
            Reference::Ago(ago) => at(self.now_ns().saturating_sub(u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX))),
            Reference::Number(_) | Reference::Name(_) => {
                let versions = history.iter().rev().map(|version| (version.version, version.snapshot_id));
                return Ok(knhk_version::named(sector, reference, None, versions)?);
            }
        };
        found.ok_or_else(|| {
            VersionError::Unknown { sector: sector.into(), what: format!("{reference} is not among its versions") }
                .into()
        })
    }

    /// Sets a tag to the version that a reference means, moving it if it is there; gives the version's number. A tag is 1 to 64 characters
    /// of letters, digits, `.`, `_`, `-` and `/`, and begins with a letter.
    ///
    /// # Errors
    /// As [`Engine::resolve`]; `NotFound` without a ledger; `Io` when it cannot be stored.
    pub fn tag(&self, sector: &str, name: &str, reference: &str, by: &str) -> Result<u64, Error> {
        self.checked()?;
        let version = self.resolve(sector, reference)?;
        let tag = Tag { sector: sector.into(), name: name.into(), version, time_ns: self.now_ns(), by: by.into() };
        self.durable()?.history.tag(tag)?;
        Ok(version)
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// `NotFound` where there is none; `Io` when it cannot be stored.
    pub fn untag(&self, sector: &str, name: &str, by: &str) -> Result<(), Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        self.durable()?.history.untag(sector.name(), name, by, self.now_ns())?;
        Ok(())
    }

    /// A sector's tags, by name; without a ledger there are none.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector; `Io` when the store cannot be read.
    pub fn tags(&self, sector: &str) -> Result<Vec<TagInfo>, Error> {
        let sector = self.sector(sector)?;
        let Some(durable) = &self.inner.journal.durable else { return Ok(Vec::new()) };
        let info = |Tag { name, version, time_ns, by, .. }| TagInfo { name, version, time_ns, by };
        Ok(durable.history.tags(sector.name())?.into_iter().map(info).collect())
    }

    /// Removes now what the option `retention` does not keep of every sector; gives how many versions. The current version and tagged ones
    /// stay, and all receipts.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when it cannot be stored.
    pub fn prune(&self) -> Result<u64, Error> {
        self.checked()?;
        let durable = self.durable()?;
        let sectors = self.sectors()?;
        let mut removed = 0;
        for sector in sectors {
            let keep = Some(sector.version).filter(|version| *version > 0);
            let pruned = durable.history.prune(&sector.name, &self.inner.retention, keep, self.now_ns());
            removed += pruned?.len() as u64;
        }
        Ok(removed)
    }
}
