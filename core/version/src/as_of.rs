//! The sectors as they were: which version of each was current then.

use knhk_store::VersionRecord;

use crate::{History, VersionError};

/// A moment in the engine's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// By the clock that was recorded: nanoseconds since 1970 (UTC).
    Moment(u64),
    /// Right after a version of a sector became current.
    Version {
        /// The sector.
        sector: String,
        /// The version's number.
        number: u64,
    },
}

/// Versions read at once.
const PAGE: usize = 64;

impl History {
    /// The version of each sector, by the sector's number, that was current then; none: nothing was promoted yet.
    ///
    /// # Errors
    /// [`VersionError::Unknown`] where the version is not retained, or retention removed what was current then.
    pub fn as_of(&self, as_of: &AsOf) -> Result<Vec<Option<VersionRecord>>, VersionError> {
        let epoch = match as_of {
            AsOf::Moment(_) => None,
            AsOf::Version { sector, number } => Some(self.version(sector, *number)?.epoch),
        };
        let mut found = Vec::new();
        for sector in self.store().sectors()? {
            let version = match (as_of, epoch) {
                (AsOf::Moment(moment), _) => self.version_at(&sector.name, *moment)?,
                (AsOf::Version { .. }, epoch) => self.version_in(&sector.name, epoch.unwrap_or(0))?,
            };
            let number = version.as_ref().map_or(0, |version| version.number);
            self.check_then(&sector.name, number, as_of, epoch)?;
            found.push(version);
        }
        Ok(found)
    }

    /// The version of a sector that was current in a generation.
    fn version_in(&self, sector: &str, epoch: u64) -> Result<Option<VersionRecord>, VersionError> {
        let mut before = None;
        loop {
            let page = self.store().versions(sector, before, PAGE)?;
            let Some(last) = page.last() else { return Ok(None) };
            before = Some(last.number);
            if let Some(found) = page.into_iter().find(|version| version.epoch <= epoch) {
                return Ok(Some(found));
            }
        }
    }

    /// Refuses to pass off an older version as the one of then, where that one was removed.
    fn check_then(&self, sector: &str, found: u64, as_of: &AsOf, epoch: Option<u64>) -> Result<(), VersionError> {
        // Numbers without a gap: none was removed in between.
        let next = self.next(sector, found)?;
        if next.is_none_or(|next| next == found + 1) {
            return Ok(());
        }
        let mut missing = None;
        self.each_stated(sector, &mut |receipt, statement| {
            let Some(stated) = crate::load::Stated::by(statement) else { return true };
            let then = match (as_of, epoch) {
                (AsOf::Moment(moment), _) => receipt.time_ns <= *moment,
                (AsOf::Version { .. }, epoch) => stated.epoch <= epoch.unwrap_or(0),
            };
            if then && stated.version > found {
                missing = missing.max(Some(stated.version));
            }
            stated.version > found
        })?;
        match missing {
            None => Ok(()),
            Some(version) => Err(VersionError::Unknown {
                sector: sector.into(),
                what: format!("version {version} was current then, and retention removed it"),
            }),
        }
    }

    /// The retained version after a number.
    fn next(&self, sector: &str, number: u64) -> Result<Option<u64>, VersionError> {
        let (mut before, mut next) = (None, None);
        loop {
            let page = self.store().versions(sector, before, PAGE)?;
            for version in &page {
                if version.number <= number {
                    return Ok(next);
                }
                next = Some(version.number);
            }
            match page.last() {
                Some(last) => before = Some(last.number),
                None => return Ok(next),
            }
        }
    }
}
