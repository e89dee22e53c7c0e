//! Retention: which versions are kept. Removing one takes its content away and never its receipt.

use std::collections::HashSet;
use std::time::Duration;

use knhk_ledger::{parse_ranges, ranges};
use knhk_store::{Batch, Write};

use crate::counters::PRUNED;
use crate::history::updated;
use crate::{History, VersionError};

/// How much of a sector's history is kept: what either limit asks to keep. Without limits everything is. The current version and tagged ones
/// always stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest versions.
    pub versions: Option<u64>,
    /// Versions that were current within this time.
    pub age: Option<Duration>,
}

impl Retention {
    /// Whether everything is kept.
    pub fn is_everything(&self) -> bool {
        self.versions.is_none() && self.age.is_none()
    }

    /// Whether the version before stays where a new one takes its place.
    pub fn keeps_the_one_before(&self) -> bool {
        self.is_everything() || self.versions.is_some_and(|most| most > 1) || self.age.is_some_and(|age| !age.is_zero())
    }
}

/// Versions read at once, and removed under one receipt.
const PAGE: usize = 256;
/// How the receipt of what was removed begins; behind it stand the numbers.
const CHANGE: &str = "versions pruned: ";

impl History {
    /// Removes what retention does not keep of a sector, with a receipt that names it; gives the numbers, ascending. `keep` is not removed.
    ///
    /// # Errors
    /// When it cannot be signed or stored; what was removed before stays removed.
    pub fn prune(
        &self,
        sector: &str,
        retention: &Retention,
        keep: Option<u64>,
        now_ns: u64,
    ) -> Result<Vec<u64>, VersionError> {
        if retention.is_everything() {
            return Ok(Vec::new());
        }
        let tagged: HashSet<u64> = self.store().tags(sector)?.into_iter().map(|tag| tag.version).collect();
        let since = retention.age.map(|age| now_ns.saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)));
        let mut going = Vec::new();
        let (mut before, mut seen) = (None, 0);
        // When the version after the one that is looked at took its place.
        let mut until = u64::MAX;
        loop {
            let page = self.store().versions(sector, before, PAGE)?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            for version in page {
                seen += 1;
                let among_newest = retention.versions.is_some_and(|most| seen <= most.max(1));
                let young = since.is_some_and(|since| until >= since);
                until = version.time_ns;
                let current = seen == 1 || keep == Some(version.number);
                if !(current || among_newest || young || tagged.contains(&version.number)) {
                    going.push(version.number);
                }
            }
        }
        going.reverse();
        for some in going.chunks(PAGE) {
            let entry = updated(sector, now_ns, format!("{CHANGE}{}", ranges(some)), "", "retention");
            let gone = some.iter().map(|&number| Write::PruneVersion { sector: sector.into(), number });
            self.append(entry, gone.collect::<Batch>())?;
            PRUNED.add(some.len() as u64);
        }
        Ok(going)
    }
}

/// The ranges of versions that a change of a sector removed, as its receipt says it; none: it is another change.
pub(crate) fn pruned(change: &str) -> Option<Vec<(u64, u64)>> {
    parse_ranges(change.strip_prefix(CHANGE)?)
}
