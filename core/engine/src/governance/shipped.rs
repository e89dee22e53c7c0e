//! The sectors that are shipped, governed: their knowledge as the first proposal, then their doctrine and their guards.

use knhk_governance::doctrine::rules_from_toml;
use knhk_governance::guard::Guards;
use knhk_ontology::sectors::Shipped;

use super::{Propose, State};
use crate::control::Content;
use crate::{Engine, Error, Status, VersionInfo};

/// Who proposes what is shipped.
const BY: &str = "knhk";

impl Engine {
    /// Has a new governed sector's shipped knowledge proposed, and puts its doctrine and its guards into force behind it.
    pub(crate) fn govern_shipped(&self, shipped: &Shipped, why: &str) -> Result<VersionInfo, Error> {
        let sector = shipped.name;
        let content = Content::Document { text: shipped.ontology.into(), format: Some("turtle".into()) };
        let first = self.propose(&Propose::of(sector, content, BY, why))?;
        if first.state != State::Enacted {
            let message =
                format!("what is shipped for sector {sector} {}\n{}", first.said, super::rendered(&first.reports));
            return Err(Error::new(Status::NotAdmitted, "create", sector, message).with_reports(first.reports));
        }
        self.add_rules(&rules_from_toml(shipped.doctrine)?, BY, why)?;
        let mut next = self.guards()?;
        next.revision += 1;
        next.guards.extend(Guards::from_toml(shipped.guards)?.guards);
        self.change_guards(next, BY, why)?;
        let history = self.history(sector)?;
        history.into_iter().next_back().ok_or_else(|| {
            Error::new(Status::NotReady, "create", sector, format!("nothing is current in sector {sector}"))
        })
    }
}
