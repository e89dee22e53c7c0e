//! The sectors that are shipped, governed: their knowledge as the first proposal, then their doctrine and their guards.

use super::{Propose, State};
use crate::control::Content;
use crate::{Engine, Error, Status, VersionInfo};

/// Who proposes what is shipped.
const BY: &str = "knhk";

impl Engine {
    /// Has a new governed sector's shipped knowledge proposed, and puts its doctrine and its guards into force behind it.
    pub(crate) fn govern_shipped(&self, sector: &str, ontology: &str, why: &str) -> Result<VersionInfo, Error> {
        let content = Content::Document { text: ontology.into(), format: Some("turtle".into()) };
        let first = self.propose(&Propose::of(sector, content, BY, why))?;
        if first.state != State::Enacted {
            let message =
                format!("what is shipped for sector {sector} {}\n{}", first.said, super::rendered(&first.reports));
            return Err(Error::new(Status::NotAdmitted, "create", sector, message).with_reports(first.reports));
        }
        let history = self.history(sector)?;
        history.into_iter().next_back().ok_or_else(|| {
            Error::new(Status::NotReady, "create", sector, format!("nothing is current in sector {sector}"))
        })
    }
}
