//! What becomes of proposals when an engine is opened.

use super::book::PROPOSAL;
use super::life::Filed;
use super::{EnactedVersion, Proposed};
use crate::control::VersionEntry;
use crate::{Engine, Error};

impl Engine {
    /// Finds the proposals that became current and could not be noted as such, and has the others carried on with.
    pub(crate) fn recover_governance(&self) -> Result<(), Error> {
        if self.recording().is_err() {
            // In memory without a ledger, or read-only: nothing was proposed, or nothing is decided.
            return Ok(());
        }
        self.recover_canaries()?;
        self.recover_probations()?;
        let mut due = !self.all::<super::Schedule>(super::book::SCHEDULE, true)?.is_empty();
        for filed in self.all::<Filed>(PROPOSAL, true)? {
            let versions = filed.proposal.changes.iter().map(|change| self.led_to(change, &filed.proposal.receipts));
            match versions.collect::<Result<Option<Vec<_>>, Error>>()? {
                Some(versions) => _ = self.enacted(filed, versions, None)?,
                None => due |= filed.proposal.due_ns().is_some(),
            }
        }
        if due {
            self.look_after();
        }
        Ok(())
    }

    /// The version that a change became: the one whose receipt names one of these, which validated it.
    fn led_to(&self, change: &Proposed, receipts: &[String]) -> Result<Option<EnactedVersion>, Error> {
        let versions = self.history(&change.sector)?;
        for version in versions.iter().rev().take_while(|version| version.version > change.base_version) {
            let Some(id) = &version.receipt else { continue };
            if self.receipt(id)?.links.iter().any(|link| receipts.contains(link)) {
                let version = VersionEntry::from(version);
                return Ok(Some(EnactedVersion { sector: change.sector.clone(), version }));
            }
        }
        Ok(None)
    }
}
