//! Another core: what becomes of the sectors that stand on it.

use super::{Proposal, Propose, SectorChange};
use crate::control::Content;
use crate::{Engine, Error};

impl Engine {
    /// Proposes, of each sector whose current version was made with another core ontology than this engine's, the same statements over this
    /// one: all of them as one change, which becomes current in all of them at once. None where there is no such sector.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn recompose(&self, by: &str, why: &str) -> Result<Option<Proposal>, Error> {
        let mut changes = Vec::new();
        for info in self.sectors()?.into_iter().filter(|info| info.ready) {
            let sector = self.sector(&info.name)?;
            if self.base(&sector)?.core_root() != self.inner.core.root() {
                let content =
                    Content::Change { removed: String::new(), added: String::new(), format: "ntriples".into() };
                changes.push(SectorChange { sector: info.name, content });
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let asked = Propose { changes, by: by.into(), why: why.into(), ..Propose::nothing() };
        self.propose(&asked).map(Some)
    }
}
