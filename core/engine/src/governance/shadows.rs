//! Shadows: where a change is tried before anyone asks for it.
//!
//! What is to be tried is kept, so that a restart finds it; the environment itself lives in memory and costs what the change costs. One that was
//! not used since the engine was opened is made again, against the sectors as they are then.

use std::sync::{Arc, PoisonError};

use knhk_governance::{Assertion, Severity, Shadow, Test, TestReport};
use knhk_ledger::{Evidence, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::book::{Kept, SHADOW, entry, serialized};
use super::candidate::Prepared;
use super::{Propose, Question, SectorChange};
use crate::control::Item;
use crate::{Engine, Error, Status};

/// A shadow of one sector or of several.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShadowInfo {
    /// Its name, such as `s-3`.
    pub id: String,
    /// What is tried in it.
    pub changes: Vec<SectorChange>,
    /// Who made it.
    pub by: String,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// What differs from what is current, sector by sector, as it was made.
    pub differences: Vec<ShadowedSector>,
    /// What its newest tests came to, where it was tested.
    pub tested: Option<Vec<SectorTests>>,
}

/// A sector in a shadow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShadowedSector {
    /// The sector.
    pub sector: String,
    /// What differs, path by path.
    pub differences: Vec<Item>,
}

/// What tests of a sector in a shadow came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SectorTests {
    /// The sector.
    pub sector: String,
    /// The tests.
    pub report: TestReport,
}

/// A sector in an environment.
#[derive(Debug)]
pub(super) struct Shadowed {
    sector: String,
    shadow: Shadow,
    /// The delta's digest.
    digest: [u8; 32],
}

/// An environment: each sector with its shadow.
pub(super) type Environment = Arc<Vec<Shadowed>>;

/// Environments in memory, at most; the ones made longest ago are let go of, and made again where they are asked for.
pub(super) const ENVIRONMENTS: usize = 64;

impl Engine {
    /// Makes a shadow in which a change is carried out. Nothing that programs read changes, whatever becomes of it.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn shadow(&self, changes: &[SectorChange], by: &str) -> Result<ShadowInfo, Error> {
        let asked = Propose { changes: changes.to_vec(), by: by.into(), ..Propose::nothing() };
        asked.check()?;
        self.recording()?;
        let time_ns = self.now_ns();
        let prepared = self.candidates("", &asked, time_ns)?;
        let differences = prepared.iter().map(|one| ShadowedSector {
            sector: one.candidate.sector.clone(),
            differences: one.candidate.differences.iter().cloned().map(Item::from).collect(),
        });
        let differences = differences.collect();
        let _turn = self.inner.governance.turn();
        let id = self.next_id(SHADOW)?;
        let info = ShadowInfo { id, changes: asked.changes, by: by.into(), time_ns, differences, tested: None };
        self.keep(Vec::new(), |_| vec![(kept(&info, true), serialized(&info))])?;
        self.inner.governance.environment(&info.id, environment(&prepared));
        Ok(info)
    }

    /// The shadows that were not dropped, oldest first.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn shadows(&self) -> Result<Vec<ShadowInfo>, Error> {
        self.all(SHADOW, true)
    }

    /// A sector in a shadow, to look at and to read.
    ///
    /// # Errors
    /// `NotFound`; what the change says where it has to be carried out again.
    pub fn shadowed(&self, id: &str, sector: &str) -> Result<Shadow, Error> {
        let environment = self.environment(id)?;
        environment.iter().find(|one| one.sector == sector).map(|one| one.shadow.clone()).ok_or_else(|| {
            let message = format!("shadow {id} is not one of sector {sector}");
            Error::new(Status::NotFound, "shadow", id, message)
        })
    }

    /// Tests a shadow: every assertion in each of its sectors, or in the one that is named. What comes of it is kept with the shadow, and leaves
    /// a receipt.
    ///
    /// # Errors
    /// As [`Engine::shadowed`]; `Io` when it cannot be recorded.
    pub fn shadow_test(&self, id: &str, sector: Option<&str>, tests: &[Test]) -> Result<Vec<SectorTests>, Error> {
        self.recording()?;
        let environment = self.environment(id)?;
        let meant = environment.iter().filter(|one| sector.is_none_or(|sector| sector == one.sector));
        let tested = meant.map(|one| {
            let report = one.shadow.test(&self.with_functions(id, one, &environment, tests)?);
            Ok((SectorTests { sector: one.sector.clone(), report }, one.digest))
        });
        let (results, digests): (Vec<SectorTests>, Vec<_>) =
            tested.collect::<Result<Vec<_>, Error>>()?.into_iter().unzip();
        if results.is_empty() {
            let message = format!("shadow {id} is not one of sector {}", sector.unwrap_or_default());
            return Err(Error::new(Status::NotFound, "shadow", id, message));
        }
        let _turn = self.inner.governance.turn();
        let mut info = self.find::<ShadowInfo>(SHADOW, id)?.body;
        info.tested = Some(results.clone());
        let entries = results.iter().zip(digests).map(|(tested, delta)| {
            let count = |severity: Severity, failed: bool| {
                let meant = |outcome: &&knhk_governance::Outcome| {
                    outcome.failed.is_some() == failed && (!failed || outcome.severity == severity)
                };
                tested.report.outcomes.iter().filter(meant).count() as u64
            };
            let blockers = count(Severity::Blocker, true);
            let evidence = Evidence::ShadowTested {
                shadow: id.into(),
                delta,
                passed: count(Severity::Info, false),
                warnings: count(Severity::Warning, true) + count(Severity::Info, true),
                blockers,
            };
            let outcome = if blockers == 0 { Outcome::Approved } else { Outcome::Rejected };
            entry(self.now_ns(), Some(&tested.sector), outcome, evidence)
        });
        self.keep(entries.collect(), |_| vec![(kept(&info, true), serialized(&info))])?;
        Ok(results)
    }

    /// The tests of a sector with the program's functions in the place of their names.
    fn with_functions(
        &self,
        id: &str,
        of: &Shadowed,
        environment: &[Shadowed],
        tests: &[Test],
    ) -> Result<Vec<Test>, Error> {
        let hooks = self.inner.governance.hooks();
        let mut tests = tests.to_vec();
        for test in &mut tests {
            let Assertion::Function { name } = &test.assertion else { continue };
            // One that there is not fails, and says so.
            let Some(function) = hooks.tests.get(name).cloned() else { continue };
            let question = self.question_of(id, name, of, environment)?;
            test.assertion = Assertion::Callback(Arc::new(move |_| function(&question)));
        }
        Ok(tests)
    }

    /// What a test's function is asked: the sectors in the shadow as they would be, the others as they are.
    fn question_of(&self, id: &str, name: &str, of: &Shadowed, environment: &[Shadowed]) -> Result<Question, Error> {
        let (before, now) = (of.shadow.base(), of.shadow.snapshot());
        let differences = match (before.document(), now.document()) {
            (Ok(before), Ok(now)) => knhk_ontology::diff(before, now).into_iter().map(Item::from).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let text =
            json!({ "kind": "test", "name": name, "shadow": id, "sector": of.sector, "differences": differences });
        let others = self.standing_beside(|sector| environment.iter().any(|one| one.sector == sector))?;
        let others = others.iter().map(|one| (&*one.sector, one.compiled.as_ref(), &*one.snapshot));
        let inside = environment.iter().map(|one| (&*one.sector, one.shadow.compiled(), &**one.shadow.snapshot()));
        Ok(Question { text: text.to_string(), view: self.would_be(others.chain(inside))? })
    }

    /// Drops a shadow.
    ///
    /// # Errors
    /// `NotFound`; `Io` when it cannot be recorded.
    pub fn drop_shadow(&self, id: &str) -> Result<(), Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let info = self.find::<ShadowInfo>(SHADOW, id)?.body;
        self.keep(Vec::new(), |_| vec![(kept(&info, false), serialized(&info))])?;
        let mut kept = self.inner.governance.environments.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != id);
        Ok(())
    }

    fn environment(&self, id: &str) -> Result<Environment, Error> {
        let kept = self.inner.governance.environments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, environment)) = kept.iter().find(|(other, _)| other == id) {
            return Ok(environment.clone());
        }
        drop(kept);
        let found = self.find::<ShadowInfo>(SHADOW, id)?.body;
        if !self.shadows()?.iter().any(|open| open.id == id) {
            return Err(Error::new(Status::NotFound, "shadow", id, format!("shadow {id} was dropped: make it anew")));
        }
        let asked = Propose { changes: found.changes, by: found.by, ..Propose::nothing() };
        let environment = environment(&self.candidates("", &asked, self.now_ns())?);
        self.inner.governance.environment(id, environment.clone());
        Ok(environment)
    }
}

fn kept(info: &ShadowInfo, open: bool) -> Kept<'_> {
    Kept { kind: SHADOW, id: &info.id, sector: None, open }
}

fn environment(prepared: &[Prepared]) -> Environment {
    let shadowed = |one: &Prepared| Shadowed {
        sector: one.candidate.sector.clone(),
        shadow: Shadow::of(&one.candidate, &one.keys),
        digest: one.candidate.digest,
    };
    Arc::new(prepared.iter().map(shadowed).collect())
}
