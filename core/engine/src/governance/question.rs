//! What a function of the program is asked, in a form that every language can read: a text, and a view of the sectors as they would be.

use std::sync::{Arc, Weak};

use knhk_governance::doctrine::Rule;
use knhk_governance::{Broken, Candidate, CrossInvariant, Sectors, Severity};
use knhk_hot::{Change, Hold};
use knhk_ontology::{Compiled, Snapshot};
use serde_json::{Value, json};

use super::hooks::TestFn;
use crate::control::Item;
use crate::engine::Inner;
use crate::{Engine, Error};

/// What a function is asked.
pub struct Question {
    /// JSON: `kind` (`rule`, `invariant` or `test`), `name`; of a rule and of an invariant `rule`, `proposal`, `by`, `why`, `major`, `confidence`,
    /// `time_ns`, `at_ns`; of a test `shadow`; and `sector` with its `differences`, path by path.
    pub text: String,
    /// The sectors as they would be, read like any other view, through keys or by name.
    pub view: Hold,
}

/// What a function judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Rules of the kind `callback` that name it.
    Rule,
    /// Every change of every sector: what has to hold across them, and how grave it is where it does not.
    Invariant(Severity),
    /// Tests of shadows that name it.
    Test,
}

/// A sector as it would be.
pub(super) type Would<'w> = (&'w str, Option<&'w Arc<Compiled>>, &'w Snapshot);

impl Engine {
    /// Registers a function that is asked by a text and a view: what [`Engine::set_rule_function`], [`Engine::set_invariant`] and
    /// [`Engine::set_test_function`] are for other languages. An error of an invariant's function says why it does not hold.
    pub fn set_function(&self, role: Role, name: &str, function: Arc<TestFn>) {
        let (inner, own) = (Arc::downgrade(&self.inner), name.to_owned());
        match role {
            Role::Rule => self.set_rule_function(name, move |rule, sectors| {
                let about = json!({ "kind": "rule", "name": own, "rule": rule_told(rule) });
                function(&question(&inner, about, sectors)?)
            }),
            Role::Test => self.set_test_function(name, move |asked| function(asked)),
            Role::Invariant(severity) => {
                let holds = move |sectors: &Sectors<'_>| {
                    let about = json!({ "kind": "invariant", "name": own });
                    let asked = question(&inner, about, sectors).map_err(Broken::Unknown)?;
                    function(&asked).map_err(Broken::Not)
                };
                self.set_invariant(CrossInvariant { name: name.into(), severity, holds: Arc::new(holds) });
            }
        }
    }

    /// A view of the sectors as they would be; each that is not named is not there.
    pub(super) fn would_be<'w>(&self, sectors: impl Iterator<Item = Would<'w>>) -> Result<Hold, Error> {
        let epoch = self.inner.hot.epoch().max(1);
        let mut changes = Vec::new();
        for (name, compiled, snapshot) in sectors {
            let Some(compiled) = compiled else { continue };
            let (sector, artifact) = (self.sector_number(name)? as usize, compiled.artifact.clone());
            changes.push((Change { sector, artifact, snapshot_id: snapshot.id(), ready: true }, epoch));
        }
        Ok(self.inner.hot.detached(epoch, &changes)?)
    }
}

/// What a function is asked of a change.
fn question(inner: &Weak<Inner>, mut about: Value, sectors: &Sectors<'_>) -> Result<Question, String> {
    let inner = inner.upgrade().ok_or("the engine is closed")?;
    let candidate = sectors.candidate();
    let others = sectors.others().iter().map(|one| (&*one.sector, one.compiled.as_ref(), &*one.snapshot));
    let own = (&*candidate.sector, candidate.compiled.as_ref(), &*candidate.snapshot);
    let view = Engine::of(inner).would_be(others.chain([own])).map_err(|error| error.message().to_owned())?;
    let Candidate { proposal, sector, by, why, confidence, major, time_ns, effective_ns, .. } = candidate;
    let differences: Vec<Item> = candidate.differences.iter().cloned().map(Item::from).collect();
    about["proposal"] = json!(proposal);
    about["sector"] = json!(sector);
    about["by"] = json!(by);
    about["why"] = json!(why);
    about["major"] = json!(major);
    about["confidence"] = json!(confidence);
    about["time_ns"] = json!(time_ns);
    about["at_ns"] = json!(effective_ns);
    about["differences"] = json!(differences);
    Ok(Question { text: about.to_string(), view })
}

fn rule_told(rule: &Rule) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}
