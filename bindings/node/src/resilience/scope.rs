//! Scopes, and who listens to them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_resilience::{Clock, Event, Events, ManualClock, Scope as Shared, SystemClock};
use knhk_warm::Ticker;
use napi::Env;
use napi::bindgen_prelude::{External, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use super::{bad, milliseconds};
use crate::calls::with;
use crate::error::throw;

/// Events that wait for a callback before the oldest make room.
const WAITING: usize = 1024;

thread_local! {
    /// What the call under way on this thread wants to have slept, while one is.
    pub(super) static SLEPT: Cell<Option<Duration>> = const { Cell::new(None) };
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
    pub(super) shared: Shared,
    manual: Option<Arc<ManualClock>>,
    _follower: Option<Ticker>,
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
