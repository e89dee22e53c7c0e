//! Promotions and rollbacks, from text to announced change.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use knhk_hot::artifact::Artifact;
use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{
    Content, Guard, Origin, Promoted, Promotion, PromotionError, Ready, Sector, SectorKind, Verified, Version,
};
use knhk_version::{Refused, Retention, VersionError};

use crate::{Engine, Error, Level, VersionInfo};

/// Promotions after which retention is looked after, at most: what it costs is spread over as many.
const RETENTION: u64 = 64;

impl Engine {
    /// Makes a JSON document the current knowledge of a direct sector. When this returns, every read that begins, on any thread, sees it
    /// or something newer.
    ///
    /// # Errors
    /// `Document` or `Limit` when the text is not a valid document, `Incompatible` when it drops or retypes keys that programs hold
    /// and `origin.major` is not set, `Stalled` when a reader holds too much memory, `Io` when the folder cannot be written. Nothing
    /// changes then.
    pub fn promote_json(&self, sector: &str, json: &str, origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let begun = Instant::now();
        let content =
            self.admitted(&sector, &origin, sector.read_json(json, &self.inner.limits).map_err(Error::from))?;
        self.promote_content(&sector, content, origin, begun)
    }

    /// Promotes what an artifact image holds: names, types, values and ranges. The image is verified in a private copy and compiled
    /// anew against this sector's key table, so it may come from another engine.
    ///
    /// # Errors
    /// `Artifact` when the image is damaged or of an unknown layout version; else as [`Engine::promote_json`].
    pub fn promote_image(&self, sector: &str, image: &[u8], origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let begun = Instant::now();
        let read = || -> Result<Document, Error> {
            let artifact = Artifact::from_image(image, &Default::default())?;
            Ok(Document::from_artifact(&artifact, &self.inner.limits)?)
        };
        let document = self.admitted(&sector, &origin, read())?;
        self.promote_content(&sector, document.into(), origin, begun)
    }

    pub(crate) fn promote_content(
        &self,
        sector: &Sector,
        content: Content,
        origin: Origin,
        begun: Instant,
    ) -> Result<VersionInfo, Error> {
        let parse_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if sector.kind() == SectorKind::Governed {
            let refused = PromotionError::Ungoverned { sector: sector.name().into() };
            return self.outcome(sector, &origin, None, Err(refused.into()));
        }
        let promoted = sector
            .prepare(&self.inner.hot, &self.inner.journal, content)
            .with_origin(origin.clone(), parse_ns)
            .verify()
            .and_then(|(ready, verified)| ready.promote(Guard::new(verified)));
        self.outcome(sector, &origin, None, promoted.map_err(Error::from))
    }

    /// Makes a retained version's content current again, as a new version: one of the history, or an older one of the store. Works also while a stalled reader keeps promotions
    /// from happening.
    ///
    /// # Errors
    /// `NotFound` when the history does not hold that version; `Io` when the folder cannot be written. Nothing changes then.
    pub fn rollback(&self, sector: &str, version: u64, origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let promoted = self.back_to(&sector, version, &origin);
        let promoted = promoted.and_then(|(ready, verified)| Ok(ready.promote(Guard::new(verified))?));
        self.outcome(&sector, &origin, Some(version), promoted)
    }

    /// [`Engine::rollback`] that takes effect before anything is written, and also where nothing can be: on a full disk the intent
    /// goes to a file kept allocated for it, which the next open honours. Whether the version could be recorded is in the log.
    ///
    /// # Errors
    /// `NotFound` when the history does not hold that version. Nothing changes then.
    pub fn emergency_rollback(&self, sector: &str, version: u64, origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let promoted = self.back_to(&sector, version, &origin);
        let promoted = promoted.and_then(|(ready, verified)| Ok(ready.promote_at_once(Guard::new(verified))?));
        if let Ok(promoted) = &promoted
            && !promoted.recorded()
        {
            let message = format!("{}: the emergency rollback is current but not recorded yet", sector.name());
            self.inner.announcer.log(Level::Error, "promotion", message);
        }
        self.outcome(&sector, &origin, Some(version), promoted)
    }

    /// States the values that reads see before the sector's first promotion (the `$default` of each leaf), and which names
    /// and types there are. Afterwards they are only recorded.
    ///
    /// # Errors
    /// As [`Engine::promote_json`].
    pub fn declare_json(&self, sector: &str, json: &str) -> Result<(), Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let document = Document::parse(json.as_bytes(), &self.inner.limits)?;
        Ok(sector.declare(&self.inner.hot, &self.inner.journal, document)?)
    }

    /// Compiles a document into an artifact image without promoting it: what [`Engine::promote_image`] takes.
    ///
    /// # Errors
    /// `Document` or `Limit` when the text is not a valid document.
    pub fn compile_json(&self, json: &str) -> Result<Vec<u8>, Error> {
        let document = Document::parse(json.as_bytes(), &self.inner.limits)?;
        let artifact = knhk_ontology::compile(&document, &mut KeyTable::new(), false)?;
        Ok(artifact.image().to_vec())
    }

    /// Readies a version to become current again: one in memory, or else one from the store.
    fn back_to<'s>(
        &'s self,
        sector: &'s Sector,
        version: u64,
        origin: &Origin,
    ) -> Result<(Promotion<'s, Ready<'s>>, Verified), Error> {
        let (hot, journal) = (&self.inner.hot, &self.inner.journal);
        match (Promotion::<Ready>::back_to(sector, hot, journal, version, origin.clone()), &journal.durable) {
            (Err(unknown @ PromotionError::UnknownVersion { .. }), Some(durable)) => {
                let record = match durable.history.version(sector.name(), version) {
                    Err(VersionError::Unknown { .. }) => return Err(unknown.into()),
                    record => record?,
                };
                let snapshot = Arc::new(durable.history.load(&record, &*self.base(sector)?)?.0);
                Ok(Promotion::<Ready>::back_to_stored(sector, hot, journal, (version, snapshot), origin.clone())?)
            }
            (ready, _) => Ok(ready?),
        }
    }

    fn outcome(
        &self,
        sector: &Sector,
        origin: &Origin,
        rollback_of: Option<u64>,
        promoted: Result<Promotion<'_, Promoted>, Error>,
    ) -> Result<VersionInfo, Error> {
        let promoted = self.judged(sector, origin, rollback_of, promoted)?;
        let info = self.became_current(sector, promoted.version());
        if rollback_of.is_some() {
            self.end_canary_of(sector.name(), info.version);
        } else {
            self.watch(&[(self.sector(sector.name())?, promoted.version().clone())]);
        }
        Ok(info)
    }

    /// Tells those who wait that a version is current, and looks after what hangs on it.
    pub(crate) fn became_current(&self, sector: &Sector, version: &Arc<Version>) -> VersionInfo {
        let version = VersionInfo::from(version);
        let inner = &self.inner;
        inner.promotions.fetch_add(1, Ordering::Relaxed);
        // Taken and let go, so that a waiter cannot miss the change between its look and its sleep.
        drop(inner.ready.0.lock());
        inner.ready.1.notify_all();
        self.retain(sector, version.version);
        version
    }

    /// What was handed in to be promoted; what cannot be is counted, and leaves its receipt.
    pub(crate) fn admitted<T>(&self, sector: &Sector, origin: &Origin, result: Result<T, Error>) -> Result<T, Error> {
        self.judged(sector, origin, None, result)
    }

    pub(crate) fn judged<T>(
        &self,
        sector: &Sector,
        origin: &Origin,
        rollback_of: Option<u64>,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        let Err(error) = result else { return result };
        self.inner.refused.fetch_add(1, Ordering::Relaxed);
        if let Some(durable) = self.inner.journal.durable.as_ref().filter(|durable| durable.writable().is_ok()) {
            let (number, before) = sector
                .lock()
                .map_or((0, None), |state| (state.next_number(), state.current().map(|current| current.snapshot_id)));
            let refused = Refused {
                sector: sector.name(),
                number,
                before,
                epoch: self.inner.hot.epoch(),
                time_ns: self.now_ns(),
                by: &origin.by,
                why: &origin.why,
                rollback_of,
                refused: error.message(),
            };
            if let Err(lost) = durable.history.refuse(&refused) {
                tracing::warn!(sector = sector.name(), %error, %lost, "a refusal has no receipt");
            }
        }
        Err(error)
    }

    /// Removes the versions that retention does not keep, now and then: it looks at all that are kept. What cannot be removed now is the
    /// next time.
    fn retain(&self, sector: &Sector, promoted: u64) {
        let (Some(durable), retention) = (&self.inner.journal.durable, &self.inner.retention) else { return };
        let every = match retention {
            Retention { versions: None, age: None } => return,
            Retention { versions: Some(versions), age: None } => (versions / RETENTION).max(1),
            _ => RETENTION,
        };
        if !promoted.is_multiple_of(every) {
            return;
        }
        if let Err(error) = durable.history.prune(sector.name(), retention, Some(promoted), self.now_ns()) {
            tracing::warn!(sector = sector.name(), %error, "versions beyond the retention could not be removed");
        }
    }
}
