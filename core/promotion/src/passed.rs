//! The proof that a change of a governed sector passed its validation.

use knhk_governance::Stage;
use knhk_ledger::{Claims, Evidence, Hash, KeyRing, Outcome, Statement};

use crate::PromotionError;

/// Proof that one particular change of a sector passed all seven stages: what it started from, what it leads to, and the receipt that says so.
/// Only [`Passed::from_receipt`] makes one, and a promotion uses it up.
#[derive(Debug)]
pub struct Passed {
    sector: String,
    before: Option<Hash>,
    snapshot: Hash,
    receipt: String,
}

impl Passed {
    /// Reads the receipt of a validation: a statement signed by the log's own key, approved, with each of the stages `passed`.
    ///
    /// # Errors
    /// [`PromotionError::NotPassed`] for any other statement.
    pub fn from_receipt(statement: &[u8], keys: &KeyRing) -> Result<Passed, PromotionError> {
        let refuse =
            |sector: Option<String>, why: String| PromotionError::NotPassed { sector: sector.unwrap_or_default(), why };
        let signed = Statement::decode(statement)
            .and_then(|statement| statement.verify(&keys.at(statement.claims.number)).map(|()| statement.claims));
        let claims = signed.map_err(|error| refuse(None, format!("is not the log's: {error}")))?;
        let receipt = claims.id();
        let Claims { log, sector, outcome, evidence, .. } = claims;
        if log != keys.root().origin() {
            return Err(refuse(sector, format!("is of the log {log}")));
        }
        let Evidence::ValidationExecuted { snapshot, before, stages, .. } = evidence else {
            return Err(refuse(sector, "states something else".into()));
        };
        if outcome != Outcome::Approved {
            return Err(refuse(sector, format!("says that it was {}", outcome.as_str())));
        }
        let passed = |stage: &Stage| stages.iter().any(|said| *said == format!("{}: passed", stage.as_str()));
        if let Some(missing) = Stage::ALL.iter().find(|stage| !passed(stage)) {
            return Err(refuse(sector, format!("does not say that the stage {} passed", missing.as_str())));
        }
        match sector {
            Some(sector) => Ok(Passed { sector, before, snapshot, receipt }),
            None => Err(refuse(None, "names no sector".into())),
        }
    }

    /// Uses it up for a change of a sector; gives the receipt's id.
    pub(crate) fn spent_on(self, sector: &str, before: Option<Hash>, snapshot: Hash) -> Result<String, PromotionError> {
        let stale = |why| Err(PromotionError::Stale { sector: sector.into(), why });
        match () {
            () if self.sector != sector => Err(PromotionError::NotPassed {
                sector: sector.into(),
                why: format!("is about sector {}", self.sector),
            }),
            () if self.before != before => stale("another version became current"),
            () if self.snapshot != snapshot => stale("what it leads to is another content"),
            () => Ok(self.receipt),
        }
    }
}
