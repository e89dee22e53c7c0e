//! What every class of a policy is made of.

use std::sync::{Mutex, PoisonError};

use knhk_engine::{Error, Status, policy_document};
use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::health::Component;
use knhk_resilience::hedge::Verdict;
use knhk_resilience::pipeline::Call;
use knhk_resilience::policy::Parts;
use knhk_resilience::recover::{Incident, Strategy};
use knhk_resilience::retry::{Attempts, Decision, Failure};
use knhk_resilience::{Deadline, Policy as Native, Priority, Scope as Shared};
use knhk_warm::Ticker;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::permit::{HedgedCall, Permit, outcome, refused};
use super::report::{HealthReport, Parameter};
use super::scope::ScopeBase;
use super::seconds;
use crate::callbacks;
use crate::engine::Engine;
use crate::error::{Raised, detached, invalid};

/// What every class of a policy is made of.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct PolicyBase {
    native: Native,
    name: String,
    shared: Shared,
    /// Polls a health monitor.
    poll: Mutex<Option<Ticker>>,
}

/// A strategy that is Python's: what it raises is why it failed.
fn mender(strategy: Py<PyAny>) -> Strategy {
    Box::new(move |incident: &Incident| {
        let mended = Python::try_attach(|py| {
            strategy.call1(py, (&incident.component, &incident.what)).map(drop).map_err(|error| error.to_string())
        });
        mended.unwrap_or_else(|| Err("the interpreter is ending".into()))
    })
}

fn wrong_kind(policy: &Native, wanted: &str) -> PyErr {
    invalid("policy", "policy", format!("the policy is a {}, and this is for a {wanted}", policy.kind()))
}

macro_rules! of_kind {
    ($self:expr, $kind:ident) => {
        match &$self.native {
            Native::$kind(of) => of,
            other => return Err(wrong_kind(other, &stringify!($kind).to_lowercase())),
        }
    };
}

/// A level: name, enter, leave, enter after, leave after (seconds), features.
type Step = (String, f64, f64, f64, f64, Vec<String>);

#[pymethods]
impl PolicyBase {
    #[new]
    fn new(
        kind: &str,
        name: String,
        settings: Vec<(String, f64)>,
        scope: &ScopeBase,
        policies: Vec<PyRef<'_, PolicyBase>>,
        levels: Vec<Step>,
        strategies: Vec<(String, u32, Py<PyAny>)>,
    ) -> PyResult<PolicyBase> {
        let level = |(name, enter, leave, enter_after, leave_after, off): Step| {
            let (enter_after, leave_after) =
                (seconds("enter_after", enter_after)?, seconds("leave_after", leave_after)?);
            Ok(Level { name, thresholds: Thresholds { enter, leave, enter_after, leave_after }, off })
        };
        let parts = Parts {
            policies: policies.iter().map(|policy| policy.native.clone()).collect(),
            levels: levels.into_iter().map(level).collect::<PyResult<_>>()?,
            strategies: strategies.into_iter().map(|(name, tries, mend)| (name, tries, mender(mend))).collect(),
        };
        let settings: Vec<(&str, f64)> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let native = Native::build(kind, &name, &settings, parts, &scope.shared).map_err(Raised::from)?;
        Ok(PolicyBase { native, name, shared: scope.shared.clone(), poll: Mutex::default() })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.native.kind()
    }

    #[getter]
    fn state(&self) -> String {
        self.native.state()
    }

    fn figures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, value) in self.native.figures() {
            all.set_item(name, value)?;
        }
        Ok(all)
    }

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |p: knhk_resilience::policy::Parameter| Parameter {
            name: p.name,
            value: p.value,
            unit: p.unit,
            low: p.low,
            high: p.high,
            is_whole: p.is_whole,
            what: p.what,
        };
        self.native.parameters().into_iter().map(parameter).collect()
    }

    fn _retune(&self, settings: Vec<(String, f64)>) -> PyResult<()> {
        let settings: Vec<(&str, f64)> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        Ok(self.native.retune(&settings).map_err(Raised::from)?)
    }

    fn _document(&self) -> String {
        policy_document(&self.name, &self.native)
    }

    #[pyo3(signature = (engine, sector = None))]
    fn add_to(&self, py: Python<'_>, engine: &Engine, sector: Option<&str>) -> PyResult<()> {
        detached(py, || engine.shared.engine().add_policy(&self.name, self.native.clone(), sector))
    }

    fn _enter(&self, py: Python<'_>, priority: usize, timeout: Option<f64>, tokens: u32) -> PyResult<Permit> {
        let priority = *Priority::ALL
            .get(priority)
            .ok_or_else(|| invalid("policy", "priority", "priority is one of knhk.resilience.Priority"))?;
        let deadline = match timeout {
            Some(timeout) => Deadline::after(seconds("timeout", timeout)?, &**self.shared.clock()),
            None => Deadline::NONE,
        };
        let call = Call { priority, deadline, tokens };
        // A delay that chaos injects holds nobody else up.
        let entered = match &self.native {
            Native::Chaos(_) | Native::Pipeline(_) => py.detach(|| self.native.try_enter(call)),
            quick => quick.try_enter(call),
        };
        match entered {
            Ok(admitted) => {
                let (deadline, is_to_fail) = (admitted.deadline(), admitted.is_to_fail());
                let held = Mutex::new(Some(admitted));
                Ok(Permit { native: self.native.clone(), shared: self.shared.clone(), held, deadline, is_to_fail })
            }
            Err(rejected) => Err(refused(py, &self.name, &rejected)),
        }
    }

    fn force_open(&self) -> PyResult<()> {
        of_kind!(self, Breaker).force_open();
        Ok(())
    }

    fn close(&self) -> PyResult<()> {
        of_kind!(self, Breaker).close();
        Ok(())
    }

    fn disable(&self) -> PyResult<()> {
        of_kind!(self, Breaker).disable();
        Ok(())
    }

    fn switch(&self, on: bool) -> PyResult<()> {
        of_kind!(self, Chaos).switch(on);
        Ok(())
    }

    fn load(&self, load: f64) -> PyResult<()> {
        match &self.native {
            Native::Shedder(shedder) => shedder.load(load as f32),
            Native::Degradation(degradation) => degradation.load(load),
            other => return Err(wrong_kind(other, "shedder or a degradation")),
        }
        Ok(())
    }

    fn _level(&self) -> PyResult<usize> {
        Ok(of_kind!(self, Degradation).level())
    }

    fn pin(&self, level: Option<usize>) -> PyResult<()> {
        of_kind!(self, Degradation).pin(level);
        Ok(())
    }

    fn is_on(&self, feature: &str) -> PyResult<bool> {
        let degradation = of_kind!(self, Degradation);
        let found = degradation.feature(feature).ok_or_else(|| {
            let message = format!("no level switches a feature {feature:?} off");
            Raised::from(Error::new(Status::NotFound, "policy", feature, message))
        })?;
        Ok(degradation.is_on(found))
    }

    fn _recover(
        &self,
        py: Python<'_>,
        component: String,
        what: String,
    ) -> PyResult<(Option<String>, Vec<(String, String)>)> {
        let recovery = of_kind!(self, Recovery);
        let report = py.detach(|| recovery.recover(&Incident { component, what }));
        let failed = report.failed.iter().map(|(name, why)| (name.to_string(), why.clone())).collect();
        Ok((report.mended_by.map(|name| name.to_string()), failed))
    }

    fn _retry_begin(&self) -> PyResult<(u64, u64)> {
        let [made, pause] = of_kind!(self, Retry).begin().into_raw();
        Ok((made, pause))
    }

    /// The attempts so far and the pause, or why not.
    fn _retry_decide(
        &self,
        attempts: (u64, u64),
        permanent: bool,
        retry_after: Option<f64>,
        left: Option<f64>,
    ) -> PyResult<((u64, u64), Option<f64>, String)> {
        let retry = of_kind!(self, Retry);
        let failure = match (permanent, retry_after) {
            (true, _) => Failure::Permanent,
            (_, Some(after)) => Failure::TransientAfter(seconds("retry_after", after)?),
            _ => Failure::Transient,
        };
        let deadline = match left {
            Some(left) => Deadline::after(seconds("timeout", left.max(0.0))?, &**self.shared.clock()),
            None => Deadline::NONE,
        };
        let mut so_far = Attempts::from_raw([attempts.0, attempts.1]);
        let decision = retry.decide(&mut so_far, failure, deadline);
        let [made, last] = so_far.into_raw();
        Ok(match decision {
            Decision::After(pause) => ((made, last), Some(pause.as_secs_f64()), String::new()),
            Decision::GiveUp(why) => ((made, last), None, why.to_string()),
        })
    }

    fn _hedge_begin(&self) -> PyResult<HedgedCall> {
        Ok(HedgedCall(Mutex::new(of_kind!(self, Hedge).begin())))
    }

    fn _hedge_wait(&self, call: &HedgedCall) -> PyResult<Option<f64>> {
        Ok(of_kind!(self, Hedge).wait(&call.lock()).map(|wait| wait.as_secs_f64()))
    }

    fn _hedge_send(&self, call: &HedgedCall) -> PyResult<Option<u32>> {
        Ok(of_kind!(self, Hedge).send(&mut call.lock()))
    }

    fn _hedge_finish(&self, call: &HedgedCall, copy: u32, outcome: &str) -> PyResult<&'static str> {
        let outcome = self::outcome(outcome)?;
        Ok(match of_kind!(self, Hedge).finish(&mut call.lock(), copy, outcome) {
            Verdict::Use => "use",
            Verdict::Wait => "wait",
            Verdict::SendAnother => "send_another",
            Verdict::Late => "late",
        })
    }

    fn _health_add(&self, name: &str, weight: f64, needs: Vec<String>) -> PyResult<usize> {
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let added = of_kind!(self, Health).add(name, weight, &needs);
        added.map(Component::into_raw).map_err(|error| invalid("health", name, error.to_string()))
    }

    fn depend(&self, name: &str, on: &str) -> PyResult<()> {
        of_kind!(self, Health).depend(name, on).map_err(|error| invalid("health", name, error.to_string()))
    }

    fn _health_report(&self, component: usize, health: f64) -> PyResult<()> {
        of_kind!(self, Health).report(Component::from_raw(component), health);
        Ok(())
    }

    fn _health_check(&self, component: usize, check: Py<PyAny>) -> PyResult<()> {
        let ask = move || {
            let mut health = 0.0;
            callbacks::call(|py| {
                health = check.call0(py)?.extract(py)?;
                Ok(())
            });
            health
        };
        of_kind!(self, Health).check(Component::from_raw(component), Box::new(ask));
        Ok(())
    }

    fn _health_poll(&self, py: Python<'_>) -> PyResult<HealthReport> {
        let monitor = of_kind!(self, Health);
        Ok(HealthReport::from(py.detach(|| monitor.poll())))
    }

    fn _health_start(&self, interval: f64) -> PyResult<()> {
        let (monitor, interval) = (of_kind!(self, Health), seconds("interval", interval)?);
        let mut poll = self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        if poll.is_none() {
            *poll = Some(monitor.start(interval)?);
        }
        Ok(())
    }

    fn _health_stop(&self, py: Python<'_>) {
        let ticker = self.poll.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(ticker));
    }

    fn __str__(&self) -> String {
        format!("{}: {}", self.name, self.native)
    }

    fn __repr__(&self) -> String {
        format!("<knhk.resilience {} {:?}: {}>", self.native.kind(), self.name, self.native)
    }
}

impl Drop for PolicyBase {
    fn drop(&mut self) {
        let ticker = self.poll.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ticker) = ticker {
            // Its check may be waiting for the interpreter.
            let mut ticker = Some(ticker);
            Python::try_attach(|py| {
                let ticker = ticker.take();
                py.detach(|| drop(ticker));
            });
            drop(ticker);
        }
    }
}
