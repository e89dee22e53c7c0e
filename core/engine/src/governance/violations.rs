//! Violations: which rule was broken, by whom, and when.

use knhk_governance::Stage;
use knhk_governance::doctrine::{Violation, violations};

use super::Proposal;
use super::book::{Kept, VIOLATION, serialized};
use super::candidate::Prepared;
use crate::{Engine, Error};

impl Engine {
    /// What broke rules of the doctrine so far, oldest first: of a sector, or of all.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn violations(&self, sector: Option<&str>) -> Result<Vec<Violation>, Error> {
        let mut all = self.all::<Violation>(VIOLATION, false)?;
        all.retain(|one| sector.is_none_or(|sector| one.sector == sector));
        Ok(all)
    }

    /// Keeps what a run found broken, once for each rule and proposal. Under the governance lock.
    pub(super) fn track_violations(&self, proposal: &Proposal, prepared: &[Prepared]) -> Result<(), Error> {
        let mut found = Vec::new();
        for (report, one) in proposal.reports.iter().zip(prepared) {
            let doctrine = report.stages.iter().filter(|stage| stage.stage == Stage::Doctrine);
            found.extend(doctrine.flat_map(|stage| violations(stage, &one.candidate, self.now_ns())));
        }
        if found.is_empty() {
            return Ok(());
        }
        let known = self.violations(None)?;
        found.retain(|new| {
            let same = |old: &Violation| {
                (&old.rule, &old.proposal, &old.sector, old.overridden)
                    == (&new.rule, &new.proposal, &new.sector, new.overridden)
            };
            !known.iter().any(same)
        });
        let ids = found.iter().map(|_| self.next_id(VIOLATION)).collect::<Result<Vec<_>, Error>>()?;
        self.keep(Vec::new(), |_| {
            let kept = ids.iter().zip(&found).map(|(id, violation)| {
                let sector = Some(violation.sector.as_str());
                (Kept { kind: VIOLATION, id, sector, open: false }, serialized(violation))
            });
            kept.collect()
        })?;
        Ok(())
    }
}
