//! What decisions rest on beside the sectors: who may approve, the guards, the relaxations, the doctrine.

use std::sync::{Arc, PoisonError};

use knhk_governance::approval::{Approvers, Relaxation, State};
use knhk_governance::doctrine::{Doctrine, RuleRevision, load};
use knhk_governance::guard::Guards;

use super::book::{APPROVERS, GUARDS, Kind, RELAXATION};
use crate::{Engine, Error, Status};

/// The doctrine that was compiled last, and for how long it is the right one.
pub(super) struct Compiled {
    pub generation: u64,
    pub from_ns: u64,
    pub until_ns: Option<u64>,
    pub doctrine: Arc<Doctrine>,
}

impl Engine {
    /// The approvers in force; none before the first set.
    ///
    /// # Errors
    /// `NotFound` without a ledger, `Io` when the store cannot be read.
    pub fn approvers(&self) -> Result<Option<Approvers>, Error> {
        self.single(APPROVERS)
    }

    /// The guards in force.
    ///
    /// # Errors
    /// As [`Engine::approvers`].
    pub fn guards(&self) -> Result<Guards, Error> {
        Ok(self.single(GUARDS)?.unwrap_or_default())
    }

    /// Relaxations of guards, oldest first, each with where it is in its life; with `open` those alone that can still be in force.
    ///
    /// # Errors
    /// As [`Engine::approvers`].
    pub fn relaxations(&self, open: bool) -> Result<Vec<(Relaxation, State)>, Error> {
        let (approvers, now_ns) = (self.approvers_or_nobody()?, self.now_ns());
        let all = self.all::<Relaxation>(RELAXATION, open)?.into_iter();
        Ok(all.map(|one| (one.state(&approvers, now_ns), one)).map(|(state, one)| (one, state)).collect())
    }

    /// The approvers in force, or a set that nobody is in.
    pub(super) fn approvers_or_nobody(&self) -> Result<Approvers, Error> {
        let nobody = || Approvers { revision: 0, threshold: 0, keepers: String::new(), members: Vec::new() };
        Ok(self.approvers()?.unwrap_or_else(nobody))
    }

    /// An item of which there is one.
    fn single<T: serde::de::DeserializeOwned>(&self, kind: Kind) -> Result<Option<T>, Error> {
        match self.find(kind, kind.name) {
            Ok(found) => Ok(Some(found.body)),
            Err(error) if error.status() == Status::NotFound && self.durable().is_ok() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every revision of every rule.
    pub(super) fn revisions(&self) -> Result<Vec<RuleRevision>, Error> {
        Ok(load(&**self.durable()?.store())?)
    }

    /// The doctrine as it is known now and holds now. Compiled once for as long as it stays the right one.
    pub(super) fn doctrine_now(&self) -> Result<Arc<Doctrine>, Error> {
        let (governance, now_ns) = (&self.inner.governance, self.now_ns());
        let generation = governance.generation();
        let mut kept = governance.doctrine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*kept
            && kept.generation == generation
            && kept.from_ns <= now_ns
            && kept.until_ns.is_none_or(|until| now_ns < until)
        {
            return Ok(kept.doctrine.clone());
        }
        let doctrine = match self.durable() {
            Ok(_) => Doctrine::at(&self.revisions()?, now_ns, u64::MAX),
            // Without a ledger there are no rules.
            Err(error) if error.status() == Status::NotFound => Doctrine::at(&[], now_ns, u64::MAX),
            Err(error) => return Err(error),
        };
        let (doctrine, from_ns) = (Arc::new(doctrine), now_ns);
        let until_ns = doctrine.holds_until();
        *kept = Some(Compiled { generation, from_ns, until_ns, doctrine: doctrine.clone() });
        Ok(doctrine)
    }
}
