//! What the program itself has a say in: functions that rules call, invariants across sectors, work that is measured with candidates.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use knhk_governance::doctrine::Rule;
use knhk_governance::{Candidate, CrossInvariant, Workload};

use crate::Engine;

/// A function that a rule calls: whether the change keeps the rule, and if not, why.
pub type RuleFn = dyn Fn(&Rule, &Candidate) -> Result<(), String> + Send + Sync;

/// What is registered.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub rules: BTreeMap<String, Arc<RuleFn>>,
    pub invariants: Arc<Vec<CrossInvariant>>,
    pub workloads: HashMap<String, Arc<Vec<Workload>>>,
}

impl Engine {
    /// Registers a function that rules of the kind `callback` call by this name, in the place of another of the name. It may be called from
    /// any thread, and must not change the engine. Not kept: a rule whose function is not there refuses.
    pub fn set_rule_function(
        &self,
        name: &str,
        function: impl Fn(&Rule, &Candidate) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.change_hooks(|hooks| _ = hooks.rules.insert(name.into(), Arc::new(function)));
    }

    /// Sets what has to hold across sectors, in the place of what was set before. Not kept.
    pub fn set_invariants(&self, invariants: Vec<CrossInvariant>) {
        self.change_hooks(|hooks| hooks.invariants = Arc::new(invariants));
    }

    /// Sets what is measured with a sector's candidates beside the reads, in the place of what was set before. Not kept.
    pub fn set_workloads(&self, sector: &str, workloads: Vec<Workload>) {
        self.change_hooks(|hooks| _ = hooks.workloads.insert(sector.into(), Arc::new(workloads)));
    }

    fn change_hooks(&self, change: impl FnOnce(&mut Hooks)) {
        let mut kept = self.inner.governance.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hooks = Hooks::clone(&kept);
        change(&mut hooks);
        *kept = Arc::new(hooks);
        self.inner.governance.moved();
    }
}
