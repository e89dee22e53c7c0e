//! Several sectors at once: promoted and rolled back together, all or nothing.

use std::sync::Arc;
use std::time::Duration;

use knhk_promotion::{Content, Guard, Part, Passed, Sector, SectorKind, Step, Together};
use knhk_promotion::{PromotionError, Version};
use knhk_version::VersionError;

use crate::governance::SectorChange;
use crate::{Engine, Error, Level, Origin, VersionInfo};

/// How long several sectors may take to get their turn and be prepared. Beyond it nothing changes: somebody holds one of them.
pub(crate) const PREPARE: Duration = Duration::from_secs(10);

/// What one of several sectors is to become.
pub(crate) struct Joint {
    pub sector: Arc<Sector>,
    pub step: Step,
    /// The proof that it passed, where the sector is governed and it is new.
    pub passed: Option<Passed>,
}

impl Engine {
    /// Makes changes of several direct sectors current at once: each gets its version and its receipt, which names the others', all of it is
    /// durable together, and every read that begins after this sees all of them or something newer; none ever sees some. The versions are in
    /// the order of the changes.
    ///
    /// # Errors
    /// What [`Engine::promote_json`] says of the first sector that something is wrong with; `Ungoverned` where one is governed;
    /// `InvalidArgument` where one is named twice; `Timeout` when they cannot be prepared in 10 seconds. Nothing changes in any of them then.
    pub fn promote_together(&self, changes: &[SectorChange], origin: Origin) -> Result<Vec<VersionInfo>, Error> {
        self.checked()?;
        let mut joints = Vec::with_capacity(changes.len());
        for change in changes {
            let sector = self.sector(&change.sector)?;
            if sector.kind() == SectorKind::Governed {
                let refused = PromotionError::Ungoverned { sector: sector.name().into() };
                return self.judged(&sector, &origin, None, Err(refused.into()));
            }
            let content = self.admitted(&sector, &origin, self.content_of(&sector, &change.content))?;
            joints.push(Joint { sector, step: Step::Content(content), passed: None });
        }
        self.promote_joint(joints, &origin, false)
    }

    /// Makes retained versions of several sectors current again at once, each as a new version, in the way of [`Engine::promote_together`].
    ///
    /// # Errors
    /// `NotFound` where one is not retained; else as [`Engine::promote_together`]. Nothing changes then.
    pub fn rollback_together(&self, targets: &[(String, u64)], origin: Origin) -> Result<Vec<VersionInfo>, Error> {
        self.promote_joint(self.steps_back(targets)?, &origin, false)
    }

    /// [`Engine::rollback_together`] that takes effect before anything is written, and also where nothing can be, in the way of
    /// [`Engine::emergency_rollback`].
    ///
    /// # Errors
    /// `NotFound` where one is not retained; `InvalidArgument` where one is named twice. Nothing changes then.
    pub fn emergency_rollback_together(
        &self,
        targets: &[(String, u64)],
        origin: Origin,
    ) -> Result<Vec<VersionInfo>, Error> {
        self.promote_joint(self.steps_back(targets)?, &origin, true)
    }

    fn steps_back(&self, targets: &[(String, u64)]) -> Result<Vec<Joint>, Error> {
        self.checked()?;
        let joint = |(name, version): &(String, u64)| {
            let sector = self.sector(name)?;
            let step = self.step_back(&sector, *version)?;
            Ok(Joint { sector, step, passed: None })
        };
        targets.iter().map(joint).collect()
    }

    /// Makes changes current that passed, in the way of [`Engine::promote_together`].
    pub(crate) fn promote_passed(
        &self,
        changes: Vec<(Arc<Sector>, Content, Passed)>,
        origin: Origin,
    ) -> Result<Vec<VersionInfo>, Error> {
        self.checked()?;
        let joint = |(sector, content, passed)| Joint { sector, step: Step::Content(content), passed: Some(passed) };
        self.promote_joint(changes.into_iter().map(joint).collect(), &origin, false)
    }

    fn promote_joint(&self, joints: Vec<Joint>, origin: &Origin, at_once: bool) -> Result<Vec<VersionInfo>, Error> {
        let rollbacks: Vec<Option<u64>> = joints.iter().map(|joint| joint.step.rollback_of()).collect();
        let sectors: Vec<Arc<Sector>> = joints.iter().map(|joint| joint.sector.clone()).collect();
        let versions = match self.published(&sectors, joints, origin, at_once) {
            Ok(versions) => versions,
            Err(error) => {
                let mut error = Error::from(error);
                // Each has the receipt that it was refused.
                for (sector, rollback_of) in sectors.iter().zip(&rollbacks) {
                    let refused = self.judged::<()>(sector, origin, *rollback_of, Err(error));
                    error = refused.expect_err("an error stays one");
                }
                return Err(error);
            }
        };
        let current = |sector: &Arc<Sector>| {
            let version = versions.iter().find(|(number, _)| *number == sector.number());
            self.became_current(sector, &version.expect("each of the sectors got a version").1)
        };
        let infos = sectors.iter().map(current).collect();
        let promoted = sectors.iter().map(|sector| {
            let version = versions.iter().find(|(number, _)| *number == sector.number());
            (sector.clone(), version.expect("each of the sectors got a version").1.clone())
        });
        let promoted: Vec<_> = promoted.collect();
        for ((sector, version), _) in promoted.iter().zip(&rollbacks).filter(|(_, back)| back.is_some()) {
            self.end_canary_of(sector.name(), version.number);
        }
        self.watch(&promoted);
        for (sector, version) in promoted.iter().filter(|(sector, _)| sector.kind() == SectorKind::Governed) {
            self.verify_published(sector, version)?;
        }
        Ok(infos)
    }

    /// The versions, by their sectors' numbers.
    fn published(
        &self,
        sectors: &[Arc<Sector>],
        joints: Vec<Joint>,
        origin: &Origin,
        at_once: bool,
    ) -> Result<Vec<(usize, Arc<Version>)>, PromotionError> {
        let mut proofs: Vec<(usize, Option<Passed>)> = Vec::with_capacity(joints.len());
        let mut parts = Vec::with_capacity(joints.len());
        for (joint, sector) in joints.into_iter().zip(sectors) {
            proofs.push((sector.number(), joint.passed));
            parts.push(Part { sector, step: joint.step, origin: origin.clone() });
        }
        proofs.sort_by_key(|(number, _)| *number);
        let (together, verified) = Together::prepare(&self.inner.hot, &self.inner.journal, parts, PREPARE)?;
        let numbers: Vec<usize> = proofs.iter().map(|(number, _)| *number).collect();
        let guards = verified.into_iter().zip(proofs).map(|(verified, (_, passed))| match passed {
            Some(passed) => Guard::governed(verified, passed),
            None => Guard::new(verified),
        });
        let versions = if at_once {
            let (versions, recorded) = together.promote_at_once(guards.collect())?;
            if !recorded {
                let message =
                    format!("the emergency rollback of {} sectors is current but not recorded yet", versions.len());
                self.inner.announcer.log(Level::Error, "promotion", message);
            }
            versions
        } else {
            together.promote(guards.collect())?
        };
        Ok(numbers.into_iter().zip(versions).collect())
    }

    /// How a sector goes back to a version: one in memory, or else one from the store.
    fn step_back(&self, sector: &Sector, number: u64) -> Result<Step, Error> {
        let unknown = {
            let state = sector.lock()?;
            if let Some(version) = state.version(number) {
                return Ok(Step::Back(version.clone()));
            }
            state.unknown(sector.name(), number)
        };
        let Some(durable) = &self.inner.journal.durable else { return Err(unknown.into()) };
        let record = match durable.history.version(sector.name(), number) {
            Err(VersionError::Unknown { .. }) => return Err(unknown.into()),
            record => record?,
        };
        let snapshot = durable.history.load(&record, &*self.base(sector)?)?.0;
        Ok(Step::BackToStored(number, Arc::new(snapshot)))
    }
}
