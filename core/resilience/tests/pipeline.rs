//! Policies composed: the order, what a refusal gives back, time-outs, retries, events, and no allocation where nothing changes.
#![cfg(not(loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::breaker::{self, Breaker, State, Window};
use knhk_resilience::limit::{Adaptive, Bulkhead, Law, SlidingWindow, TokenBucket};
use knhk_resilience::pipeline::{Call, Pipeline, PipelineError, Policies};
use knhk_resilience::retry::{self, Budget, Retry};
use knhk_resilience::shed::{self, Shedder};
use knhk_resilience::{Change, Chaos, Deadline, Events, ManualClock, Outcome, Priority, Rejected, Scope, chaos};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: each call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct World {
    clock: Arc<ManualClock>,
    events: Events,
    scope: Scope,
    policies: Policies,
}

fn world() -> World {
    let (clock, events) = (Arc::new(ManualClock::new(3)), Events::new(100));
    let scope = Scope::new(clock.clone()).with_events(events.clone());
    let window = Window::Time { span: Duration::from_secs(1), buckets: 10 };
    let slow_call = Some(Duration::from_secs(1));
    let settings =
        breaker::Settings { window, slow_call, consecutive_failures: 1, half_open_permits: 1, ..Default::default() };
    let policies = Policies {
        shedder: Some(Arc::new(Shedder::new(shed::DEFAULT, &scope).unwrap())),
        breaker: Some(Arc::new(Breaker::new("callee", settings, &scope).unwrap())),
        bulkhead: Some(Arc::new(Bulkhead::new(2, &scope).unwrap())),
        adaptive: Some(Arc::new(Adaptive::new(Law::default(), 20, 1, 20, &scope).unwrap())),
        bucket: Some(Arc::new(TokenBucket::new(1e6, 1000, &scope).unwrap())),
        window: Some(Arc::new(SlidingWindow::new(1000, Duration::from_millis(1), 1000, &scope).unwrap())),
        ..Policies::default()
    };
    World { clock, events, scope, policies }
}

const WORK: fn(Deadline) -> Result<u32, &'static str> = |_| Ok(7);
const FAILS: fn(Deadline) -> Result<u32, &'static str> = |_| Err("down");

#[test]
fn steady_calls_allocate_nothing() {
    let World { clock, scope, mut policies, .. } = world();
    let budget = Budget::new(0.1, 10, Duration::from_secs(1), &scope).unwrap();
    policies.retry = Some(Arc::new(Retry::new(retry::Settings::default(), 1, Some(Arc::new(budget)), &scope).unwrap()));
    policies.chaos = Some(Arc::new(Chaos::new(chaos::Settings::default(), 1, &scope).unwrap()));
    policies.timeout = Some(Duration::from_secs(1));
    let pipeline = Pipeline::new(policies, &scope);
    let call = || {
        clock.advance(Duration::from_micros(10));
        pipeline.call(Call::default(), WORK)
    };
    (0..1000).for_each(|_| assert_eq!(call(), Ok(7)));
    let before = ALLOCATIONS.get();
    for _ in 0..20_000 {
        assert_eq!(call(), Ok(7));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    // Nor do refusals.
    pipeline.policies().breaker.as_ref().unwrap().force_open();
    let before = ALLOCATIONS.get();
    for _ in 0..1000 {
        assert_eq!(call(), Err(PipelineError::Rejected(Rejected::ForcedOpen)));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    drop(Box::new(0));
    assert!(ALLOCATIONS.get() > before, "allocations are counted");
}

#[test]
fn a_refused_call_holds_nothing() {
    let World { clock, events, scope, policies } = world();
    let (breaker, bulkhead) = (policies.breaker.clone().unwrap(), policies.bulkhead.clone().unwrap());
    let adaptive = policies.adaptive.clone().unwrap();
    let pipeline = Pipeline::new(policies, &scope);
    assert_eq!(pipeline.call(Call::default(), FAILS), Err(PipelineError::Failed("down")));
    let open = Rejected::Open { retry_after: Duration::from_secs(30) };
    assert_eq!(pipeline.call(Call::default(), WORK), Err(PipelineError::Rejected(open)));
    clock.advance(Duration::from_secs(30));
    // The only probe meets a full bulkhead: its permit comes back, and the next call has it.
    let places = [bulkhead.try_enter().unwrap(), bulkhead.try_enter().unwrap()];
    assert_eq!(pipeline.try_enter(Call::default()).unwrap_err(), Rejected::Full { limit: 2 });
    assert_eq!(breaker.state(), State::HalfOpen);
    places.into_iter().for_each(|place| bulkhead.leave(place));
    assert_eq!(pipeline.call(Call::default(), WORK), Ok(7));
    assert_eq!((breaker.state(), bulkhead.taken(), adaptive.taken()), (State::Closed, 0, 0));
    let states: Vec<State> = std::iter::from_fn(|| events.try_next())
        .filter_map(|event| if let Change::Breaker { to, .. } = event.change { Some(to) } else { None })
        .collect();
    assert_eq!(states, [State::Open, State::HalfOpen, State::Closed]);
    let transitions = scope.counters().read().find(|counter| counter.name == "knhk.resilience.breaker.transitions");
    assert_eq!(transitions.unwrap().value, 3);
}

#[test]
fn policies_refuse_in_their_documented_order() {
    let World { clock, scope, policies, .. } = world();
    let parts = policies.clone();
    let pipeline = Pipeline::new(policies, &scope);
    let refused = |call| pipeline.try_enter(call).unwrap_err();
    // Everything refuses; then one after the other is mended, and the next one shows.
    let late = Call { deadline: Deadline::at_ns(1), ..Call::default() };
    parts.shedder.as_ref().unwrap().load(1.2);
    let breaker = parts.breaker.as_ref().unwrap();
    breaker.force_open();
    let bulkhead = parts.bulkhead.as_ref().unwrap();
    let places = [bulkhead.try_enter().unwrap(), bulkhead.try_enter().unwrap()];
    let adaptive = parts.adaptive.as_ref().unwrap();
    let tickets: Vec<_> = (0..20).map(|_| adaptive.try_enter().unwrap()).collect();
    parts.bucket.as_ref().unwrap().try_take(1000).unwrap();
    (0..1000).for_each(|_| parts.window.as_ref().unwrap().try_take().unwrap());
    assert_eq!(refused(late), Rejected::DeadlinePassed);
    assert!(matches!(refused(Call::default()), Rejected::Shed { .. }));
    let vital = Call { priority: Priority::Critical, ..Call::default() };
    assert_eq!(refused(vital), Rejected::ForcedOpen);
    breaker.close();
    assert_eq!(refused(vital), Rejected::Full { limit: 2 });
    places.into_iter().for_each(|place| bulkhead.leave(place));
    assert_eq!(refused(vital), Rejected::Overloaded { limit: 20 });
    tickets.into_iter().for_each(|ticket| adaptive.leave(ticket, Outcome::Ignored));
    assert_eq!(refused(vital), Rejected::RateLimited { retry_after: Duration::from_micros(1) });
    clock.advance(Duration::from_micros(1));
    let Rejected::RateLimited { retry_after } = refused(vital) else { panic!("the window refuses") };
    assert!(retry_after > Duration::from_micros(900));
    clock.advance(retry_after);
    let permit = pipeline.try_enter(vital).unwrap();
    assert_eq!(pipeline.finish(permit, Outcome::Success), Outcome::Success);
}

#[test]
fn a_call_beyond_its_timeout_has_failed() {
    let World { clock, scope, mut policies, .. } = world();
    policies.timeout = Some(Duration::from_millis(50));
    let breaker = policies.breaker.clone().unwrap();
    let pipeline = Pipeline::new(policies, &scope);
    let slow = |deadline: Deadline| {
        assert_eq!(deadline.left(&*clock), Some(Duration::from_millis(50)));
        clock.advance(Duration::from_millis(50));
        Ok::<u32, &str>(7)
    };
    assert_eq!(pipeline.call(Call::default(), slow), Err(PipelineError::TimedOut));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn retries_fallbacks_chaos_and_panics_pass_through_all_policies() {
    let World { clock, scope, mut policies, .. } = world();
    policies.retry = Some(Arc::new(Retry::new(retry::Settings::default(), 1, None, &scope).unwrap()));
    let chaos = Arc::new(Chaos::new(chaos::Settings { failures: 1.0, ..Default::default() }, 1, &scope).unwrap());
    policies.chaos = Some(chaos.clone());
    let (breaker, bulkhead) = (policies.breaker.clone().unwrap(), policies.bulkhead.clone().unwrap());
    let settings = breaker::Settings { consecutive_failures: 3, ..breaker.settings() };
    breaker.retune(settings).unwrap();
    let pipeline = Pipeline::new(policies, &scope);
    let mut attempts = 0;
    let second = |_| {
        attempts += 1;
        if attempts == 2 { Ok(attempts) } else { Err("down") }
    };
    assert_eq!(pipeline.call(Call::default(), second), Ok(2));
    // Two failures in a row, and then the third opens it; an open breaker is not tried again, but the fallback answers.
    let answer = pipeline.call_or_else(Call::default(), FAILS, |error| (error == PipelineError::Failed("down")) as u32);
    assert_eq!((answer, breaker.state()), (1, State::Open));
    let mut called = 0;
    let mut counted = |_| {
        called += 1;
        Ok::<u32, &str>(called)
    };
    assert!(matches!(
        pipeline.call(Call::default(), &mut counted),
        Err(PipelineError::Rejected(Rejected::Open { .. }))
    ));
    breaker.close();
    chaos.switch(true);
    assert_eq!(pipeline.call(Call::default(), &mut counted), Err(PipelineError::Injected));
    assert_eq!((called, breaker.state()), (0, State::Open));
    chaos.switch(false);
    breaker.close();
    breaker.retune(breaker::Settings { consecutive_failures: 1, ..settings }).unwrap();
    let panics =
        catch_unwind(AssertUnwindSafe(|| pipeline.call(Call::default(), |_| -> Result<u32, ()> { panic!("planted") })));
    assert!(panics.is_err());
    assert_eq!((breaker.state(), bulkhead.taken()), (State::Open, 0));
    clock.advance(Duration::from_millis(30_001));
    assert_eq!(pipeline.call(Call::default(), WORK), Ok(7));
}
