//! What the program itself has a say in: functions that rules and tests call, invariants across sectors, work that is measured with candidates.
//! None of it is kept: whoever opens the engine registers it anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use knhk_governance::doctrine::Rule;
use knhk_governance::{CrossInvariant, Sectors, Workload};

use super::Question;
use crate::Engine;

/// A function that a rule calls: whether the change keeps the rule, and if not, why.
pub type RuleFn = dyn Fn(&Rule, &Sectors<'_>) -> Result<(), String> + Send + Sync;

/// A function that a shadow's test calls: whether what is tried is right, and if not, why.
pub type TestFn = dyn Fn(&Question) -> Result<(), String> + Send + Sync;

/// What is registered.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub rules: BTreeMap<String, Arc<RuleFn>>,
    pub tests: BTreeMap<String, Arc<TestFn>>,
    pub invariants: Vec<CrossInvariant>,
    pub workloads: HashMap<String, Vec<Workload>>,
}

/// Something that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook<'h> {
    /// A rule's function, by its name.
    Rule(&'h str),
    /// A test's function, by its name.
    Test(&'h str),
    /// An invariant across sectors, by its name.
    Invariant(&'h str),
    /// A sector's workload: the sector, and its name.
    Workload(&'h str, &'h str),
}

impl Engine {
    /// Registers a function that rules of the kind `callback` call by this name, in the place of another of the name. It may be called from
    /// any thread, several at once, and must not change the engine. A rule whose function is not there refuses.
    pub fn set_rule_function(
        &self,
        name: &str,
        function: impl Fn(&Rule, &Sectors<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.change_hooks(|hooks| _ = hooks.rules.insert(name.into(), Arc::new(function)));
    }

    /// Registers a function that tests of shadows call by this name ([`Assertion::Function`](super::Assertion::Function)), in the place of
    /// another of the name. As [`Engine::set_rule_function`].
    pub fn set_test_function(
        &self,
        name: &str,
        function: impl Fn(&Question) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.change_hooks(|hooks| _ = hooks.tests.insert(name.into(), Arc::new(function)));
    }

    /// Sets what has to hold across sectors, in the place of another of the name. As [`Engine::set_rule_function`].
    pub fn set_invariant(&self, invariant: CrossInvariant) {
        self.change_hooks(|hooks| put(&mut hooks.invariants, invariant, |one| &one.name));
    }

    /// Sets what is measured with a sector's candidates beside the reads, in the place of another of the name. It is called on the thread that
    /// measures.
    pub fn set_workload(&self, sector: &str, workload: Workload) {
        self.change_hooks(|hooks| put(hooks.workloads.entry(sector.into()).or_default(), workload, |one| &one.name));
    }

    /// Takes back what was registered; whether it was there. A run that is under way still has it.
    pub fn unset(&self, hook: Hook<'_>) -> bool {
        let mut there = false;
        self.change_hooks(|hooks| {
            there = match hook {
                Hook::Rule(name) => hooks.rules.remove(name).is_some(),
                Hook::Test(name) => hooks.tests.remove(name).is_some(),
                Hook::Invariant(name) => taken(&mut hooks.invariants, |one| one.name == name),
                Hook::Workload(sector, name) => {
                    hooks.workloads.get_mut(sector).is_some_and(|own| taken(own, |one| one.name == name))
                }
            }
        });
        there
    }

    fn change_hooks(&self, change: impl FnOnce(&mut Hooks)) {
        let before = {
            let mut kept = self.inner.governance.hooks.lock().unwrap_or_else(PoisonError::into_inner);
            let mut hooks = Hooks::clone(&kept);
            change(&mut hooks);
            std::mem::replace(&mut *kept, Arc::new(hooks))
        };
        // What was replaced may be somebody else's code, which ends under no lock.
        drop(before);
        self.inner.governance.moved();
    }
}

fn put<T>(all: &mut Vec<T>, one: T, name: impl Fn(&T) -> &String) {
    match all.iter_mut().find(|other| name(other) == name(&one)) {
        Some(other) => *other = one,
        None => all.push(one),
    }
}

fn taken<T>(all: &mut Vec<T>, meant: impl Fn(&T) -> bool) -> bool {
    let before = all.len();
    all.retain(|one| !meant(one));
    all.len() < before
}
