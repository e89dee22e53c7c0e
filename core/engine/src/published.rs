//! After a promotion of a governed sector: what programs read is what was validated, whole.

use std::sync::Arc;

use knhk_hot::ReaderOptions;
use knhk_hot::artifact::Artifact;
use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_promotion::{Sector, Version};

use crate::{Engine, Error, Level, Origin, Status};

impl Engine {
    /// Checks that the hot path shows a version: its content address, its artifact, and that the artifact's bytes are sound as they lie in
    /// memory. Where it does not, the version is taken back at once.
    ///
    /// # Errors
    /// `Corrupt` where it does not.
    pub(crate) fn verify_published(&self, sector: &Sector, version: &Arc<Version>) -> Result<(), Error> {
        let (number, artifact) = (sector.number(), version.artifact());
        let reader = self.inner.hot.register(ReaderOptions { ring_records: Some(0), ..ReaderOptions::default() })?;
        let view = reader.view();
        // Another version became current since; that one is looked at by whoever promoted it.
        if view.sector_epoch(number) != version.epoch {
            return Ok(());
        }
        let wrong = if view.snapshot_id(number) != version.snapshot_id || version.snapshot.id() != version.snapshot_id {
            "shows another content address than the one that passed".to_owned()
        } else if !view.shows(number, artifact) {
            "shows another artifact than the one that was compiled from what passed".to_owned()
        } else {
            match Artifact::from_image(artifact.image(), &Default::default()) {
                Ok(_) => return Ok(()),
                Err(error) => format!("shows an artifact that is damaged: {error}"),
            }
        };
        drop(view);
        self.take_back_published(sector, version, &wrong);
        let message = format!("sector {} {wrong}; version {} was taken back", sector.name(), version.number);
        Err(Error::new(Status::Corrupt, "promote", sector.name(), message))
    }

    fn take_back_published(&self, sector: &Sector, version: &Version, wrong: &str) {
        let line = format!("sector {} {wrong}", sector.name());
        self.inner.announcer.log(Level::Error, "promotion", line);
        let evidence = Evidence::InvariantViolated {
            invariant: "what is published is what was validated".into(),
            item: format!("version {}", version.number),
            detail: wrong.into(),
        };
        let (time_ns, name) = (self.now_ns(), Some(sector.name().to_owned()));
        let entry = Entry { time_ns, sector: name, outcome: Outcome::Rejected, evidence, links: Vec::new() };
        if let Some(durable) = &self.inner.journal.durable
            && let Err(error) = durable.history.ledger().append(vec![entry])
        {
            self.inner.announcer.log(Level::Error, "promotion", format!("that has no receipt: {error}"));
        }
        let Some(parent) = version.parent else { return };
        let why = format!("version {} {wrong}", version.number);
        let origin = Origin { by: "knhk".into(), why, ..Origin::default() };
        if let Err(error) = self.emergency_rollback(sector.name(), parent, origin) {
            self.inner.announcer.log(Level::Error, "promotion", format!("it could not be taken back: {error}"));
        }
    }
}
