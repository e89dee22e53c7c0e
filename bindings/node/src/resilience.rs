//! The native half of `knhk/resilience`: scopes, policies and permits, which JavaScript holds as externals. Nothing here waits: pauses and
//! injected delays are handed to JavaScript, which awaits them.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_engine::{Error, Status, policy_document};
use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::health::Component;
use knhk_resilience::hedge::{Hedged, Verdict};
use knhk_resilience::pipeline::{Call, Permit as Admitted};
use knhk_resilience::policy::Parts;
use knhk_resilience::recover::Incident;
use knhk_resilience::retry::{Attempts, Decision, Failure};
use knhk_resilience::{
    Clock, Deadline, Event, Events, ManualClock, Outcome, Policy as Native, Priority, Rejected, Scope as Shared,
    SystemClock,
};
use knhk_warm::Ticker;
use napi::Env;
use napi::bindgen_prelude::{Either, External, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::calls::with;
use crate::error::throw;

/// Events that wait for a callback before the oldest make room.
const WAITING: usize = 1024;

thread_local! {
    /// What the call under way on this thread wants to have slept, while one is.
    static SLEPT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// A clock that does not put JavaScript's thread to sleep.
#[derive(Debug)]
struct Awake(Arc<dyn Clock>);

impl Clock for Awake {
    #[inline]
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn sleep(&self, pause: Duration) {
        match SLEPT.get() {
            Some(slept) => SLEPT.set(Some(slept + pause)),
            None => self.0.sleep(pause),
        }
    }
}

/// What policies share.
pub struct Scope {
    shared: Shared,
    manual: Option<Arc<ManualClock>>,
    _follower: Option<Ticker>,
}

/// A policy.
pub struct Policy {
    native: Native,
    name: String,
    shared: Shared,
}

/// An admitted call; one that is forgotten says nothing of the callee.
pub struct Permit {
    native: Native,
    shared: Shared,
    held: Option<Admitted>,
    deadline: Deadline,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admitted) = self.held.take() {
            self.native.finish(admitted, Outcome::Ignored);
        }
    }
}

fn bad(env: Env, item: &str, message: impl Into<String>) -> napi::Error {
    throw(env.raw(), &Error::new(Status::InvalidArgument, "policy", item, message.into()))
}

fn milliseconds(env: Env, name: &str, ms: f64) -> napi::Result<Duration> {
    Duration::try_from_secs_f64(ms / 1000.0)
        .map_err(|_| bad(env, name, format!("{name} is a number of milliseconds that is not negative, not {ms}")))
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

macro_rules! of_kind {
    ($env:expr, $policy:expr, $kind:ident) => {
        match &$policy.native {
            Native::$kind(of) => of,
            other => {
                let wanted = stringify!($kind).to_lowercase();
                return Err(bad(
                    $env,
                    "policy",
                    format!("the policy is a {}, and this is for a {wanted}", other.kind()),
                ));
            }
        }
    };
}

/// A scope on a clock: "system", "cached" or "manual".
#[napi(catch_unwind)]
pub fn scope_new(env: Env, clock: String) -> napi::Result<External<Scope>> {
    let (manual, follower, on): (_, _, Arc<dyn Clock>) = match clock.as_str() {
        "system" => (None, None, Arc::new(SystemClock)),
        "cached" => {
            let cached = Arc::new(ManualClock::default());
            let follower = cached
                .follow(Arc::new(SystemClock), Duration::from_millis(1))
                .map_err(|error| throw(env.raw(), &Error::new(Status::System, "scope", "thread", error.to_string())))?;
            (None, Some(follower), cached)
        }
        "manual" => {
            let manual = Arc::new(ManualClock::default());
            (Some(manual.clone()), None, manual)
        }
        other => return Err(bad(env, "clock", format!("clock is 'system', 'cached' or 'manual', not {other:?}"))),
    };
    let shared = Shared::new(Arc::new(Awake(on)));
    Ok(External::new(Scope { shared, manual, _follower: follower }))
}

/// An engine's scope.
#[napi(catch_unwind)]
pub fn scope_of(env: Env, engine: u32) -> napi::Result<External<Scope>> {
    let shared = with(env, engine, |local| Ok(local.shared.engine.scope()))?;
    let shared = shared.with_clock(Arc::new(Awake(shared.clock().clone())));
    Ok(External::new(Scope { shared, manual: None, _follower: None }))
}

/// Its time, in milliseconds.
#[napi(catch_unwind)]
pub fn scope_now(scope: &External<Scope>) -> f64 {
    scope.shared.clock().now_ns() as f64 / 1e6
}

/// Moves a manual clock.
#[napi(catch_unwind)]
pub fn scope_advance(env: Env, scope: &External<Scope>, ms: f64) -> napi::Result<()> {
    let by = milliseconds(env, "ms", ms)?;
    let manual = scope.manual.as_ref();
    manual.ok_or_else(|| bad(env, "clock", "only the clock 'manual' is moved by hand"))?.advance(by);
    Ok(())
}

/// A named number.
#[napi(object)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// Its counters.
#[napi(catch_unwind)]
pub fn scope_counters(scope: &External<Scope>) -> Vec<Figure> {
    let figure = |counter: knhk_resilience::Counter| Figure { name: counter.name.into(), value: counter.value as f64 };
    scope.shared.counters().read().map(figure).collect()
}

/// A transition, as it is told.
#[napi(object)]
pub struct Transition {
    /// The policy's name.
    pub policy: String,
    /// "breaker", "degradation", "recovery", "health" or "system".
    pub kind: String,
    /// The state before.
    pub before: String,
    /// The state now.
    pub now: String,
    /// All of it for people.
    pub text: String,
    /// By the scope's clock, in milliseconds.
    pub time: f64,
    /// Transitions missed so far.
    pub missed: f64,
}

/// A listener.
pub struct Listener {
    shared: Shared,
    held: Option<(Events, Ticker)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((events, _ticker)) = self.held.take() {
            self.shared.unsubscribe(&events);
        }
    }
}

/// Calls back with each transition.
#[napi(catch_unwind)]
pub fn scope_listen(
    env: Env,
    scope: &External<Scope>,
    callback: Function<'_, Transition, ()>,
) -> napi::Result<External<Listener>> {
    // Weak: waiting for transitions keeps no process alive.
    let tell = callback.build_threadsafe_function::<Transition>().weak::<true>().build()?;
    let events = Events::new(WAITING);
    let queue = events.clone();
    let told = move |event: Event| {
        let Event { source, at_ns, change } = event;
        let (before, now) = change.ends();
        let transition = Transition {
            policy: source.to_string(),
            kind: change.kind().into(),
            before,
            now,
            text: format!("{source}: {change}"),
            time: at_ns as f64 / 1e6,
            missed: queue.missed() as f64,
        };
        tell.call(transition, ThreadsafeFunctionCallMode::NonBlocking);
    };
    let ticker = events
        .listen(Box::new(told))
        .map_err(|error| throw(env.raw(), &Error::new(Status::System, "scope", "thread", error.to_string())))?;
    scope.shared.subscribe(events.clone());
    Ok(External::new(Listener { shared: scope.shared.clone(), held: Some((events, ticker)) }))
}

/// Ends a listener.
#[napi(catch_unwind)]
pub fn listener_close(listener: &mut External<Listener>) {
    if let Some((events, _ticker)) = listener.held.take() {
        listener.shared.unsubscribe(&events);
    }
}

/// A level of degradation; times in milliseconds.
#[napi(object)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Load at which it is entered.
    pub enter: f64,
    /// Load below which it is left.
    pub leave: f64,
    /// How long the load must have been high.
    pub enter_after: f64,
    /// How long the load must have been low.
    pub leave_after: f64,
    /// Features that are off.
    pub off: Vec<String>,
}

/// A strategy, which JavaScript tries.
#[napi(object)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// How often it is tried.
    pub tries: u32,
}

fn named(settings: &[Figure]) -> Vec<(&str, f64)> {
    settings.iter().map(|setting| (setting.name.as_str(), setting.value)).collect()
}

/// A policy.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments)]
pub fn policy_new(
    env: Env,
    kind: String,
    name: String,
    settings: Vec<Figure>,
    scope: &External<Scope>,
    policies: Vec<&External<Policy>>,
    levels: Vec<Step>,
    strategies: Vec<Named>,
) -> napi::Result<External<Policy>> {
    let level = |step: Step| {
        let enter_after = milliseconds(env, "enterAfter", step.enter_after)?;
        let leave_after = milliseconds(env, "leaveAfter", step.leave_after)?;
        let thresholds = Thresholds { enter: step.enter, leave: step.leave, enter_after, leave_after };
        Ok(Level { name: step.name, thresholds, off: step.off })
    };
    // JavaScript tries them, and tells how that ended.
    let strategy = |Named { name, tries }| -> (String, u32, knhk_resilience::recover::Strategy) {
        (name, tries, Box::new(|_| Err("it is JavaScript's".into())))
    };
    let parts = Parts {
        policies: policies.iter().map(|policy| policy.native.clone()).collect(),
        levels: levels.into_iter().map(level).collect::<napi::Result<_>>()?,
        strategies: strategies.into_iter().map(strategy).collect(),
    };
    let made = Native::build(&kind, &name, &named(&settings), parts, &scope.shared);
    let native = made.map_err(|error| throw(env.raw(), &error.into()))?;
    Ok(External::new(Policy { native, name, shared: scope.shared.clone() }))
}

/// Its state in a word or two.
#[napi(catch_unwind)]
pub fn policy_state(policy: &External<Policy>) -> String {
    policy.native.state()
}

/// A line for people.
#[napi(catch_unwind)]
pub fn policy_text(policy: &External<Policy>) -> String {
    format!("{}: {}", policy.name, policy.native)
}

/// What it counts and measures.
#[napi(catch_unwind)]
pub fn policy_figures(policy: &External<Policy>) -> Vec<Figure> {
    policy.native.figures().into_iter().map(|(name, value)| Figure { name: name.into(), value }).collect()
}

/// A parameter, as it stands.
#[napi(object)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
    /// Whether it is a whole number.
    pub is_whole: bool,
    /// What it means.
    pub what: String,
}

/// What can be retuned.
#[napi(catch_unwind)]
pub fn policy_parameters(policy: &External<Policy>) -> Vec<Parameter> {
    let parameter = |p: knhk_resilience::policy::Parameter| Parameter {
        name: p.name,
        value: p.value,
        unit: p.unit.into(),
        low: p.low,
        high: p.high,
        is_whole: p.is_whole,
        what: p.what.into(),
    };
    policy.native.parameters().into_iter().map(parameter).collect()
}

/// Changes parameters, all or none.
#[napi(catch_unwind)]
pub fn policy_retune(env: Env, policy: &External<Policy>, settings: Vec<Figure>) -> napi::Result<()> {
    policy.native.retune(&named(&settings)).map_err(|error| throw(env.raw(), &error.into()))
}

/// The parameters as a document, in JSON.
#[napi(catch_unwind)]
pub fn policy_document_json(policy: &External<Policy>) -> String {
    policy_document(&policy.name, &policy.native)
}

/// Has an engine know it.
#[napi(catch_unwind)]
pub fn policy_add(env: Env, policy: &External<Policy>, engine: u32, sector: Option<String>) -> napi::Result<()> {
    with(env, engine, |local| local.shared.engine.add_policy(&policy.name, policy.native.clone(), sector.as_deref()))
}

/// Has an engine forget one.
#[napi(catch_unwind)]
pub fn policy_remove(env: Env, engine: u32, name: String) -> napi::Result<bool> {
    with(env, engine, |local| Ok(local.shared.engine.remove_policy(&name)))
}

/// A policy that an engine knows.
#[napi(object)]
pub struct PolicyInfo {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The sector that it follows.
    pub sector: Option<String>,
    /// The version that was looked at last.
    pub version: f64,
    /// Why that could not retune it.
    pub refused: Option<String>,
    /// Its state.
    pub state: String,
    /// For people.
    pub text: String,
}

/// The policies that an engine knows.
#[napi(catch_unwind)]
pub fn policies(env: Env, engine: u32) -> napi::Result<Vec<PolicyInfo>> {
    let info = |info: knhk_engine::PolicyInfo| PolicyInfo {
        name: info.name,
        kind: info.kind.into(),
        sector: info.sector,
        version: info.version as f64,
        refused: info.refused,
        state: info.state,
        text: info.summary,
    };
    with(env, engine, |local| Ok(local.shared.engine.policies().into_iter().map(info).collect()))
}

/// Why a call was refused.
#[napi(object)]
pub struct Refusal {
    /// For people.
    pub message: String,
    /// In a word.
    pub reason: String,
    /// Milliseconds after which another try has a chance.
    pub retry_after: Option<f64>,
}

/// An admitted call, as JavaScript needs it.
#[napi(object, object_from_js = false)]
pub struct Entered {
    /// What goes back.
    pub permit: External<Permit>,
    /// Milliseconds that chaos wants to be awaited first.
    pub delay: f64,
    /// Whether chaos wants the call to fail.
    pub fails: bool,
    /// Milliseconds until the call is to be over.
    pub left: Option<f64>,
}

/// Admits a call or refuses it.
#[napi(catch_unwind)]
pub fn policy_enter(
    env: Env,
    policy: &External<Policy>,
    priority: u32,
    timeout: Option<f64>,
    tokens: u32,
) -> napi::Result<Either<Entered, Refusal>> {
    let priority = Priority::ALL.get(priority as usize).copied().unwrap_or_default();
    let deadline = match timeout {
        Some(timeout) => Deadline::after(milliseconds(env, "timeout", timeout)?, &**policy.shared.clock()),
        None => Deadline::NONE,
    };
    SLEPT.set(Some(Duration::ZERO));
    let entered = policy.native.try_enter(Call { priority, deadline, tokens });
    let slept = SLEPT.take().unwrap_or_default();
    Ok(match entered {
        Ok(admitted) => {
            let (deadline, fails) = (admitted.deadline(), admitted.is_to_fail());
            let (native, shared) = (policy.native.clone(), policy.shared.clone());
            let left = deadline.left(&**shared.clock()).map(in_ms);
            let permit = External::new(Permit { native, shared, held: Some(admitted), deadline });
            Either::A(Entered { permit, delay: in_ms(slept), fails, left })
        }
        Err(rejected) => Either::B(refusal(&policy.name, &rejected)),
    })
}

fn refusal(policy: &str, rejected: &Rejected) -> Refusal {
    let retry_after = rejected.retry_after().filter(|after| *after != Duration::MAX).map(in_ms);
    Refusal { message: format!("{policy}: {rejected}"), reason: rejected.reason().into(), retry_after }
}

fn outcome(number: u32) -> Outcome {
    match number {
        0 => Outcome::Success,
        2 => Outcome::Ignored,
        _ => Outcome::Failure,
    }
}

/// Takes how a call ended: 0 success, 1 failure, 2 ignored. `false` where that was taken for something else.
#[napi(catch_unwind)]
pub fn permit_finish(permit: &mut External<Permit>, ended: u32) -> bool {
    let told = outcome(ended);
    match permit.held.take() {
        Some(admitted) => permit.native.finish(admitted, told) == told,
        None => true,
    }
}

/// Milliseconds until the call is to be over.
#[napi(catch_unwind)]
pub fn permit_left(permit: &External<Permit>) -> Option<f64> {
    permit.deadline.left(&**permit.shared.clock()).map(in_ms)
}

/// A breaker by hand: "open", "closed" or "disabled".
#[napi(catch_unwind)]
pub fn breaker_switch(env: Env, policy: &External<Policy>, to: String) -> napi::Result<()> {
    let breaker = of_kind!(env, policy, Breaker);
    match to.as_str() {
        "open" => breaker.force_open(),
        "closed" => breaker.close(),
        _ => breaker.disable(),
    }
    Ok(())
}

/// Chaos on or off.
#[napi(catch_unwind)]
pub fn chaos_switch(env: Env, policy: &External<Policy>, on: bool) -> napi::Result<()> {
    of_kind!(env, policy, Chaos).switch(on);
    Ok(())
}

/// Tells a shedder or a degradation the load.
#[napi(catch_unwind)]
pub fn policy_load(env: Env, policy: &External<Policy>, load: f64) -> napi::Result<()> {
    match &policy.native {
        Native::Shedder(shedder) => shedder.load(load as f32),
        _ => of_kind!(env, policy, Degradation).load(load),
    }
    Ok(())
}

/// The level; 0 is full service.
#[napi(catch_unwind)]
pub fn degradation_level(env: Env, policy: &External<Policy>) -> napi::Result<u32> {
    Ok(of_kind!(env, policy, Degradation).level() as u32)
}

/// Holds a level, or lets go.
#[napi(catch_unwind)]
pub fn degradation_pin(env: Env, policy: &External<Policy>, level: Option<u32>) -> napi::Result<()> {
    of_kind!(env, policy, Degradation).pin(level.map(|level| level as usize));
    Ok(())
}

/// Whether a feature is on; nothing where no level switches it.
#[napi(catch_unwind)]
pub fn degradation_is_on(env: Env, policy: &External<Policy>, feature: String) -> napi::Result<Option<bool>> {
    let degradation = of_kind!(env, policy, Degradation);
    Ok(degradation.feature(&feature).map(|feature| degradation.is_on(feature)))
}

/// A call's attempts so far.
pub struct Tries(Attempts);

/// Begins the first attempt.
#[napi(catch_unwind)]
pub fn retry_begin(env: Env, policy: &External<Policy>) -> napi::Result<External<Tries>> {
    Ok(External::new(Tries(of_kind!(env, policy, Retry).begin())))
}

/// What to do after a failure.
#[napi(object)]
pub struct Decided {
    /// Attempts that were begun.
    pub made: u32,
    /// Milliseconds before the next one.
    pub pause: Option<f64>,
    /// Why there is none.
    pub why: Option<String>,
}

/// Decides after a failed attempt.
#[napi(catch_unwind)]
pub fn retry_decide(
    env: Env,
    policy: &External<Policy>,
    tries: &mut External<Tries>,
    permanent: bool,
    retry_after: Option<f64>,
) -> napi::Result<Decided> {
    let retry = of_kind!(env, policy, Retry);
    let failure = match (permanent, retry_after) {
        (true, _) => Failure::Permanent,
        (_, Some(after)) => Failure::TransientAfter(milliseconds(env, "retryAfter", after)?),
        _ => Failure::Transient,
    };
    let (pause, why) = match retry.decide(&mut tries.0, failure, Deadline::NONE) {
        Decision::After(pause) => (Some(in_ms(pause)), None),
        Decision::GiveUp(why) => (None, Some(why.to_string())),
    };
    Ok(Decided { made: tries.0.made(), pause, why })
}

/// What a `Retry-After` header asks for, in milliseconds.
#[napi(catch_unwind)]
pub fn retry_after(value: String) -> Option<f64> {
    knhk_resilience::retry::retry_after(&value, std::time::SystemTime::now()).map(in_ms)
}

/// A hedged call.
pub struct Copies(Mutex<Hedged>);

impl Copies {
    fn lock(&self) -> MutexGuard<'_, Hedged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins the first copy.
#[napi(catch_unwind)]
pub fn hedge_begin(env: Env, policy: &External<Policy>) -> napi::Result<External<Copies>> {
    Ok(External::new(Copies(Mutex::new(of_kind!(env, policy, Hedge).begin()))))
}

/// Milliseconds until another copy is sent.
#[napi(catch_unwind)]
pub fn hedge_wait(env: Env, policy: &External<Policy>, copies: &External<Copies>) -> napi::Result<Option<f64>> {
    Ok(of_kind!(env, policy, Hedge).wait(&copies.lock()).map(in_ms))
}

/// The number of another copy to send now.
#[napi(catch_unwind)]
pub fn hedge_send(env: Env, policy: &External<Policy>, copies: &External<Copies>) -> napi::Result<Option<u32>> {
    Ok(of_kind!(env, policy, Hedge).send(&mut copies.lock()))
}

/// What a copy's end means: "use", "wait", "sendAnother" or "late".
#[napi(catch_unwind)]
pub fn hedge_finish(
    env: Env,
    policy: &External<Policy>,
    copies: &External<Copies>,
    copy: u32,
    ended: u32,
) -> napi::Result<String> {
    Ok(match of_kind!(env, policy, Hedge).finish(&mut copies.lock(), copy, outcome(ended)) {
        Verdict::Use => "use",
        Verdict::Wait => "wait",
        Verdict::SendAnother => "sendAnother",
        Verdict::Late => "late",
    }
    .into())
}

/// The number of the strategy to begin with.
#[napi(catch_unwind)]
pub fn recovery_first(env: Env, policy: &External<Policy>, component: String) -> napi::Result<u32> {
    Ok(of_kind!(env, policy, Recovery).first(&Incident { component, what: String::new() }) as u32)
}

/// Milliseconds between two tries.
#[napi(catch_unwind)]
pub fn recovery_pause(env: Env, policy: &External<Policy>) -> napi::Result<f64> {
    Ok(in_ms(of_kind!(env, policy, Recovery).pause()))
}

/// Tells how a recovery ended; `failed` holds strategies and reasons by turns.
#[napi(catch_unwind)]
pub fn recovery_end(
    env: Env,
    policy: &External<Policy>,
    component: String,
    what: String,
    mended_by: Option<u32>,
    failed: Vec<String>,
) -> napi::Result<()> {
    let failed = failed.chunks_exact(2).map(|pair| (pair[0].as_str().into(), pair[1].clone())).collect();
    let incident = Incident { component, what };
    of_kind!(env, policy, Recovery).end(&incident, mended_by.map(|at| at as usize), failed);
    Ok(())
}

/// Adds a component.
#[napi(catch_unwind)]
pub fn health_add(
    env: Env,
    policy: &External<Policy>,
    name: String,
    weight: f64,
    needs: Vec<String>,
) -> napi::Result<u32> {
    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
    let added = of_kind!(env, policy, Health).add(&name, weight, &needs);
    added.map(|component| component.into_raw() as u32).map_err(|error| bad(env, &name, error.to_string()))
}

/// Says that a component depends on another.
#[napi(catch_unwind)]
pub fn health_depend(env: Env, policy: &External<Policy>, name: String, on: String) -> napi::Result<()> {
    of_kind!(env, policy, Health).depend(&name, &on).map_err(|error| bad(env, &name, error.to_string()))
}

/// A component tells its health.
#[napi(catch_unwind)]
pub fn health_report(env: Env, policy: &External<Policy>, component: u32, health: f64) -> napi::Result<()> {
    of_kind!(env, policy, Health).report(Component::from_raw(component as usize), health);
    Ok(())
}

/// A component at one moment.
#[napi(object)]
pub struct ComponentReport {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// Its weight.
    pub weight: f64,
    /// Its health.
    pub health: f64,
    /// Milliseconds since its last report.
    pub age: Option<f64>,
    /// Whom it fails because of.
    pub explained_by: Vec<String>,
}

/// A system at one moment.
#[napi(object)]
pub struct HealthReport {
    /// From 0 to 1.
    pub availability: f64,
    /// "running", "degraded" or "critical".
    pub system: String,
    /// Each component.
    pub components: Vec<ComponentReport>,
    /// For people.
    pub text: String,
}

/// How well the system is.
#[napi(catch_unwind)]
pub fn health_assess(env: Env, policy: &External<Policy>) -> napi::Result<HealthReport> {
    let report = of_kind!(env, policy, Health).assess();
    let text = report.to_string();
    let component = |c: knhk_resilience::health::ComponentReport| ComponentReport {
        name: c.name.to_string(),
        state: c.state.to_string(),
        weight: c.weight,
        health: c.health,
        age: c.age.map(in_ms),
        explained_by: c.explained_by.iter().map(|name| name.to_string()).collect(),
    };
    let components = report.components.into_iter().map(component).collect();
    Ok(HealthReport { availability: report.availability, system: report.system.to_string(), components, text })
}
