//! What versions need of other sectors, looked at where they are committed: none becomes current without what it needs, and none takes away
//! what another sector's newest version needs.

use std::collections::{BTreeMap, BTreeSet};

use knhk_store::VersionRecord;

use crate::dependencies::Search;
use crate::{History, NewVersion, VersionError};

/// What the newest version of each sector needs, where it needs anything.
pub(crate) type Needing = BTreeMap<String, Vec<(String, u64)>>;

impl History {
    /// What each of several versions needs: what is said, or else what the version that it brings back needs, or the one before it.
    pub(crate) fn needs_of(&self, versions: &[NewVersion<'_>]) -> Result<Vec<Vec<(String, u64)>>, VersionError> {
        let mut needs: Vec<Vec<(String, u64)>> = Vec::with_capacity(versions.len());
        for version in versions {
            let from = version.rollback_of.or(version.parent);
            let is_from = |other: &NewVersion<'_>| other.sector == version.sector && Some(other.number) == from;
            let of_batch = versions[..needs.len()].iter().position(is_from);
            let mut own = match (version.depends.filter(|_| version.rollback_of.is_none()), of_batch, from) {
                (Some(depends), _, _) => depends.to_vec(),
                (None, Some(at), _) => needs[at].clone(),
                (None, None, Some(from)) => {
                    self.store().version(version.sector, from)?.map(|record| record.depends).unwrap_or_default()
                }
                (None, None, None) => Vec::new(),
            };
            own.retain(|(sector, _)| sector != version.sector);
            own.sort_unstable();
            needs.push(own);
        }
        Ok(needs)
    }

    /// Refuses versions that do not go with the other sectors' newest ones; gives what the newest ones need once these are committed.
    pub(crate) fn check_needs(&self, new: Vec<VersionRecord>, emergency: bool) -> Result<Needing, VersionError> {
        let known = self.needing().clone();
        let mut needing = match known {
            Some(needing) => needing,
            None => self.read_needing()?,
        };
        let newest: BTreeMap<&str, &VersionRecord> = new.iter().map(|record| (&*record.sector, record)).collect();
        for (sector, record) in &newest {
            match record.depends.is_empty() {
                true => _ = needing.remove(*sector),
                false => _ = needing.insert((*sector).into(), record.depends.clone()),
            }
        }
        let moves = |sector: &str| newest.contains_key(sector);
        let mut involved: BTreeSet<&str> = BTreeSet::new();
        for (sector, needs) in &needing {
            if moves(sector) || needs.iter().any(|(other, _)| moves(other)) {
                involved.insert(sector);
                involved.extend(needs.iter().map(|(other, _)| &**other));
            }
        }
        let mut search = Search::default();
        for sector in involved {
            let record = match newest.get(sector) {
                Some(record) => Some((*record).clone()),
                None => self.store().versions(sector, None, 1)?.pop(),
            };
            if let Some(record) = record {
                search.add(sector, vec![record], &new, self)?;
            }
        }
        match search.choose() {
            Err(clash) if emergency => tracing::warn!(%clash, "an emergency goes on"),
            chosen => _ = chosen?,
        }
        Ok(needing)
    }

    fn read_needing(&self) -> Result<Needing, VersionError> {
        let mut needing = Needing::new();
        for sector in self.store().sectors()? {
            let newest = self.store().versions(&sector.name, None, 1)?.pop();
            let newest = newest.filter(|newest| !newest.depends.is_empty());
            needing.extend(newest.map(|newest| (sector.name, newest.depends)));
        }
        Ok(needing)
    }
}
