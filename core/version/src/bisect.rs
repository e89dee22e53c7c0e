//! Bisect: the first version that is bad, found by asking about the one in the middle, again and again.
//!
//! A [`Bisect`] is the state of the search: it says which version to try next and takes what was found. It can be kept as JSON and gone on
//! with later. [`History::bisect`] drives it by a predicate; whoever runs a command gives its exit code to [`Trial::of_exit_code`].

use serde::{Deserialize, Serialize};

use crate::lineage::{Change, Walk};
use crate::{History, VersionError};

/// Versions read at once.
const PAGE: usize = 256;

/// What trying a version showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trial {
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It cannot be told.
    Skip,
}

impl Trial {
    /// What a command's exit code says: 0 good, 125 cannot be told, any other up to 127 bad; none for what is above, with which a shell tells
    /// that the command was killed.
    pub fn of_exit_code(code: i32) -> Option<Trial> {
        match code {
            0 => Some(Trial::Good),
            125 => Some(Trial::Skip),
            1..=127 => Some(Trial::Bad),
            _ => None,
        }
    }
}

/// A search for the first bad version of a sector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bisect {
    /// The sector.
    pub sector: String,
    /// The newest version that is known to be good.
    pub good: u64,
    /// The oldest version that is known to be bad.
    pub bad: u64,
    /// The retained versions between, ascending.
    between: Vec<u64>,
    /// Those of them that could not be told.
    skipped: Vec<u64>,
}

/// Where a search stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This version is to be tried; so many more steps are left, at most, where each can be told.
    Try {
        /// The version.
        version: u64,
        /// How many tries are left, this one included.
        left: u32,
    },
    /// The first bad version is this one.
    Found(u64),
    /// The first bad version is one of these, ascending: the others could not be told.
    OneOf(Vec<u64>),
}

/// The first bad version, and who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Culprit {
    /// The version, by whom, when, why, and under which receipt.
    pub change: Change,
    /// The newest good version before it.
    pub good: u64,
    /// Versions between that it may be as well, since they could not be told.
    pub or: Vec<u64>,
    /// Versions between `good` and it that are not retained, the first and the last: it may be one of them.
    pub lost: Option<(u64, u64)>,
}

/// `first bad version: 7 by ops-2 (desk asked), receipt …`
impl std::fmt::Display for Culprit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "first bad: {}, receipt {}; {} is good", self.change, self.change.receipt, self.good)?;
        if !self.or.is_empty() {
            let or: Vec<String> = self.or.iter().map(u64::to_string).collect();
            write!(f, "; or one of {}, which could not be told", or.join(", "))?;
        }
        match self.lost {
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, "; or {first}, which is not retained"),
            Some((first, last)) => write!(f, "; or one of {first} to {last}, which are not retained"),
        }
    }
}

impl Bisect {
    /// Which version to try next, or what was found.
    pub fn step(&self) -> Step {
        let open: Vec<u64> = self.between.iter().copied().filter(|version| !self.skipped.contains(version)).collect();
        if let Some(&version) = open.get(open.len() / 2) {
            return Step::Try { version, left: usize::BITS - open.len().leading_zeros() };
        }
        if self.between.is_empty() {
            return Step::Found(self.bad);
        }
        Step::OneOf(self.between.iter().copied().chain([self.bad]).collect())
    }

    /// Takes what trying a version showed.
    ///
    /// # Errors
    /// [`VersionError::Bisect`] for a version that is not between the good one and the bad one.
    pub fn take(&mut self, version: u64, trial: Trial) -> Result<(), VersionError> {
        let Bisect { sector, good, bad, .. } = self;
        let Ok(at) = self.between.binary_search(&version) else {
            let what = format!("version {version} is not between {good}, which is good, and {bad}, which is bad");
            return Err(VersionError::Bisect { sector: sector.clone(), what });
        };
        match trial {
            Trial::Good => {
                self.good = version;
                self.between.drain(..=at);
            }
            Trial::Bad => {
                self.bad = version;
                self.between.truncate(at);
            }
            Trial::Skip if !self.skipped.contains(&version) => self.skipped.push(version),
            Trial::Skip => {}
        }
        self.skipped.retain(|skipped| self.between.contains(skipped));
        Ok(())
    }
}

impl History {
    /// Begins a search for the first bad version after a good one.
    ///
    /// # Errors
    /// [`VersionError::Bisect`] where the bad one does not come after the good one; [`VersionError::Unknown`] where one is not retained.
    pub fn begin_bisect(&self, sector: &str, good: u64, bad: u64) -> Result<Bisect, VersionError> {
        let (good, bad) = (self.version(sector, good)?.number, self.version(sector, bad)?.number);
        if good >= bad {
            let what = format!(
                "the good version is {good} and the bad one {bad}: a search goes from a good one to a later bad one; to find what mended \
                 something, call what was broken good"
            );
            return Err(VersionError::Bisect { sector: sector.into(), what });
        }
        let mut between = Vec::new();
        let mut before = Some(bad);
        'pages: loop {
            let page = self.store().versions(sector, before, PAGE)?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            for version in &page {
                if version.number <= good {
                    break 'pages;
                }
                between.push(version.number);
            }
        }
        between.reverse();
        Ok(Bisect { sector: sector.into(), good, bad, between, skipped: Vec::new() })
    }

    /// Searches for the first bad version by a predicate, in about log2 of the number of versions steps.
    ///
    /// # Errors
    /// As [`History::begin_bisect`] and [`History::culprit`]; whatever the predicate says.
    pub fn bisect<E: From<VersionError>>(
        &self,
        sector: &str,
        good: u64,
        bad: u64,
        is_bad: &mut dyn FnMut(u64) -> Result<Trial, E>,
    ) -> Result<Culprit, E> {
        let mut bisect = self.begin_bisect(sector, good, bad)?;
        while let Step::Try { version, .. } = bisect.step() {
            bisect.take(version, is_bad(version)?)?;
        }
        Ok(self.culprit(&bisect)?)
    }

    /// What a search found, with who made it.
    ///
    /// # Errors
    /// [`VersionError::Bisect`] where it is not at its end; [`VersionError::Damaged`] where the version is not as it was signed.
    pub fn culprit(&self, bisect: &Bisect) -> Result<Culprit, VersionError> {
        let or = match bisect.step() {
            Step::Try { version, .. } => {
                let what = format!("the search is not at its end: try version {version}");
                return Err(VersionError::Bisect { sector: bisect.sector.clone(), what });
            }
            Step::Found(_) => Vec::new(),
            Step::OneOf(_) => bisect.between.clone(),
        };
        let Bisect { sector, good, bad, .. } = bisect;
        let first = or.first().copied().unwrap_or(*bad);
        let lost = (first > good + 1).then(|| (good + 1, first - 1));
        Ok(Culprit { change: Walk::new(self, sector).change(*bad)?, good: *good, or, lost })
    }
}
