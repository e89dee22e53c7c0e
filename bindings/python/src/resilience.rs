//! The native half of `knhk.resilience`: policies under one class, permits, scopes. Python's half gives each kind its own class.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use knhk_engine::{Error, Status, policy_document};
use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::health::Component;
use knhk_resilience::hedge::{Hedged, Verdict};
use knhk_resilience::pipeline::{Call, Permit as Admitted};
use knhk_resilience::policy::Parts;
use knhk_resilience::recover::{Incident, Strategy};
use knhk_resilience::retry::{Attempts, Decision, Failure};
use knhk_resilience::{
    Deadline, Event, Events, ManualClock, Outcome, Policy as Native, Priority, Rejected, Scope as Shared, SystemClock,
};
use knhk_warm::Ticker;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::callbacks;
use crate::engine::Engine;
use crate::error::{Raised, detached, invalid};

/// Events that wait for a callback before the oldest make room.
const WAITING: usize = 1024;

fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        invalid("policy", name, format!("{name} is a number of seconds that is not negative, not {seconds}"))
    })
}

/// The exception for a refusal, of `knhk.resilience`.
fn refused(py: Python<'_>, policy: &str, rejected: &Rejected) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let after = rejected.retry_after().filter(|after| *after != Duration::MAX).map(|after| after.as_secs_f64());
    let made = MAKE
        .import(py, "knhk._errors", "make_refused")
        .and_then(|make| make.call1((format!("{policy}: {rejected}"), policy, rejected.reason(), after)));
    match made {
        Ok(made) => PyErr::from_value(made),
        Err(failure) => failure,
    }
}

/// What policies share.
#[pyclass(frozen, subclass, module = "knhk._knhk")]
pub struct ScopeBase {
    shared: Shared,
    manual: Option<Arc<ManualClock>>,
    _follower: Option<Ticker>,
}

#[pymethods]
impl ScopeBase {
    #[new]
    #[pyo3(signature = (clock = "system", *, engine = None))]
    fn new(clock: &str, engine: Option<&Engine>) -> PyResult<ScopeBase> {
        let made = |shared, manual, follower| Ok(ScopeBase { shared, manual, _follower: follower });
        if let Some(engine) = engine {
            return made(engine.shared.engine().scope(), None, None);
        }
        match clock {
            "system" => made(Shared::default(), None, None),
            "cached" => {
                let cached = Arc::new(ManualClock::default());
                let follower = cached.follow(Arc::new(SystemClock), Duration::from_millis(1))?;
                made(Shared::new(cached), None, Some(follower))
            }
            "manual" => {
                let manual = Arc::new(ManualClock::default());
                made(Shared::new(manual.clone()), Some(manual), None)
            }
            other => {
                Err(invalid("scope", "clock", format!("clock is \"system\", \"cached\" or \"manual\", not {other:?}")))
            }
        }
    }

    fn now(&self) -> f64 {
        self.shared.clock().now_ns() as f64 / 1e9
    }

    fn advance(&self, by: f64) -> PyResult<()> {
        let by = seconds("by", by)?;
        let manual = self.manual.as_ref();
        let manual = manual.ok_or_else(|| invalid("scope", "clock", "only the clock \"manual\" is moved by hand"))?;
        manual.advance(by);
        Ok(())
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for counter in self.shared.counters().read() {
            all.set_item(counter.name, counter.value)?;
        }
        Ok(all)
    }

    fn _subscribe(&self, callback: Py<PyAny>) -> PyResult<Listener> {
        let events = Events::new(WAITING);
        let queue = events.clone();
        let tell = move |event: Event| {
            callbacks::call(|py| {
                let Event { source, at_ns, change } = &event;
                let (from, to) = change.ends();
                let at = *at_ns as f64 / 1e9;
                let told = (&**source, change.kind(), from, to, format!("{source}: {change}"), at, queue.missed());
                callback.call1(py, told).map(drop)
            });
        };
        let ticker = events.listen(Box::new(tell))?;
        self.shared.subscribe(events.clone());
        Ok(Listener { shared: self.shared.clone(), held: Mutex::new(Some((events, ticker))) })
    }
}

/// A callback's registration. It ends when it is forgotten.
#[pyclass(frozen, module = "knhk.resilience")]
pub struct Listener {
    shared: Shared,
    held: Mutex<Option<(Events, Ticker)>>,
}

impl Listener {
    fn end(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((events, ticker)) = held {
            self.shared.unsubscribe(&events);
            drop(ticker);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The thread may be waiting for the interpreter.
        if Python::try_attach(|py| py.detach(|| self.end())).is_none() {
            self.end();
        }
    }
}

#[pymethods]
impl Listener {
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) {
        self.close(py);
    }
}

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

fn outcome(name: &str) -> PyResult<Outcome> {
    match name {
        "success" => Ok(Outcome::Success),
        "failure" => Ok(Outcome::Failure),
        "ignored" => Ok(Outcome::Ignored),
        other => Err(invalid(
            "policy",
            "outcome",
            format!("outcome is \"success\", \"failure\" or \"ignored\", not {other:?}"),
        )),
    }
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

/// A hedged call's copies.
#[pyclass(frozen, module = "knhk._knhk")]
pub struct HedgedCall(Mutex<Hedged>);

impl HedgedCall {
    fn lock(&self) -> std::sync::MutexGuard<'_, Hedged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An admitted call.
#[pyclass(frozen, module = "knhk.resilience")]
pub struct Permit {
    native: Native,
    shared: Shared,
    held: Mutex<Option<Admitted>>,
    deadline: Deadline,
    is_to_fail: bool,
}

impl Permit {
    fn end(&self, outcome: Outcome) -> Outcome {
        match self.held.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(admitted) => self.native.finish(admitted, outcome),
            None => outcome,
        }
    }
}

impl Drop for Permit {
    /// A permit that is forgotten says nothing of the callee.
    fn drop(&mut self) {
        self.end(Outcome::Ignored);
    }
}

#[pymethods]
impl Permit {
    #[pyo3(signature = (outcome = "success"))]
    fn finish(&self, outcome: &str) -> PyResult<bool> {
        let told = self::outcome(outcome)?;
        Ok(self.end(told) == told)
    }

    #[getter]
    fn left(&self) -> Option<f64> {
        self.deadline.left(&**self.shared.clock()).map(|left| left.as_secs_f64())
    }

    #[getter]
    fn is_to_fail(&self) -> bool {
        self.is_to_fail
    }
}

/// A parameter of a policy, as it stands.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct Parameter {
    name: String,
    value: f64,
    unit: &'static str,
    low: f64,
    high: f64,
    is_whole: bool,
    what: &'static str,
}

#[pymethods]
impl Parameter {
    fn __repr__(&self) -> String {
        format!("Parameter({} = {} {}, {} to {})", self.name, self.value, self.unit, self.low, self.high)
    }
}

/// A component's health at one moment.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
#[derive(Clone)]
pub struct ComponentReport {
    name: String,
    state: String,
    weight: f64,
    health: f64,
    age: Option<f64>,
    explained_by: Vec<String>,
}

/// A system's health at one moment.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct HealthReport {
    availability: f64,
    system: String,
    components: Vec<ComponentReport>,
    text: String,
}

#[pymethods]
impl HealthReport {
    fn __str__(&self) -> &str {
        &self.text
    }
}

impl From<knhk_resilience::health::Report> for HealthReport {
    fn from(report: knhk_resilience::health::Report) -> HealthReport {
        let text = report.to_string();
        let component = |c: knhk_resilience::health::ComponentReport| ComponentReport {
            name: c.name.to_string(),
            state: c.state.to_string(),
            weight: c.weight,
            health: c.health,
            age: c.age.map(|age| age.as_secs_f64()),
            explained_by: c.explained_by.iter().map(|name| name.to_string()).collect(),
        };
        let components = report.components.into_iter().map(component).collect();
        HealthReport { availability: report.availability, system: report.system.to_string(), components, text }
    }
}

/// A policy that an engine knows.
#[pyclass(frozen, get_all, module = "knhk.resilience")]
pub struct PolicyInfo {
    name: String,
    kind: &'static str,
    sector: Option<String>,
    version: u64,
    refused: Option<String>,
    state: String,
    text: String,
}

/// The policies that an engine knows.
#[pyfunction]
pub fn policies(py: Python<'_>, engine: &Engine) -> PyResult<Vec<PolicyInfo>> {
    let info = |info: knhk_engine::PolicyInfo| PolicyInfo {
        name: info.name,
        kind: info.kind,
        sector: info.sector,
        version: info.version,
        refused: info.refused,
        state: info.state,
        text: info.summary,
    };
    detached(py, || Ok(engine.shared.engine().policies().into_iter().map(info).collect()))
}

/// Has an engine forget a policy.
#[pyfunction]
pub fn remove_policy(py: Python<'_>, engine: &Engine, name: &str) -> PyResult<bool> {
    detached(py, || Ok(engine.shared.engine().remove_policy(name)))
}

/// What a `Retry-After` header asks for, in seconds.
#[pyfunction]
pub fn retry_after(value: &str) -> Option<f64> {
    knhk_resilience::retry::retry_after(value, std::time::SystemTime::now()).map(|pause| pause.as_secs_f64())
}
