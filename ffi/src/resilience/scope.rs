//! Scopes: what the policies of a program share.
//!
//! Resilience needs no engine. A scope holds a clock, counters, and whoever listens to transitions; a policy is made in a scope. All calls
//! on scopes and policies may be made from any thread at any time; freeing one must be the last call on it.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_resilience::{Event, Events, ManualClock, Scope, SystemClock};
use knhk_warm::Ticker;

use crate::call::{call, on_engine, total};
use crate::callback::{Callback, Context, Destroy, taken};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::options::out_of;
use crate::signals::Blocked;
use crate::text::{c_string, null, output};
use crate::versioned::{Output, Versioned};

/// The system's monotonic clock: exact, and a look costs about 25 ns.
pub const KNHK_CLOCK_SYSTEM: u32 = 0;
/// A thread sets it to the system's clock every millisecond: a look costs a nanosecond.
pub const KNHK_CLOCK_CACHED: u32 = 1;
/// Stands still until knhk_scope_advance: for tests.
pub const KNHK_CLOCK_MANUAL: u32 = 2;

/// Events that wait for a callback before the oldest make room.
const WAITING: usize = 1024;

/// A scope, as C holds it.
pub struct ScopeHandle {
    pub(crate) scope: Scope,
    manual: Option<Arc<ManualClock>>,
    /// By their numbers.
    listeners: Mutex<Vec<(u64, Events, Ticker)>>,
    next: AtomicU64,
    _follower: Option<Ticker>,
}

impl Kind for ScopeHandle {
    const NAME: &'static str = "scope";
    const MAGIC: u64 = 0x6b6e_686b_7363_6f01;
}

impl ScopeHandle {
    fn give(scope: Scope, manual: Option<Arc<ManualClock>>, follower: Option<Ticker>) -> *mut ScopeHandle {
        let (listeners, next) = (Mutex::default(), AtomicU64::new(1));
        give(ScopeHandle { scope, manual, listeners, next, _follower: follower })
    }
}

impl Drop for ScopeHandle {
    fn drop(&mut self) {
        // An engine's scope goes on without this handle, and its listeners must not.
        for (_, events, ticker) in self.listeners.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.scope.unsubscribe(&events);
            drop(ticker);
        }
    }
}

fn no_thread(error: &std::io::Error) -> Error {
    Error::new(Status::System, "call", "thread", format!("a thread could not be started: {error}"))
}

/// Makes a scope.
///
/// `clock`: KNHK_CLOCK_SYSTEM, KNHK_CLOCK_CACHED or KNHK_CLOCK_MANUAL. `scope`: receives it; the program frees it with knhk_scope_free.
/// Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another clock; KNHK_SYSTEM when there are no more threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_new(
    clock: u32,
    scope: *mut *mut ScopeHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let scope = output(scope, "scope")?;
        let made = match clock {
            KNHK_CLOCK_SYSTEM => ScopeHandle::give(Scope::default(), None, None),
            KNHK_CLOCK_CACHED => {
                let cached = Arc::new(ManualClock::default());
                let blocked = Blocked::new();
                let follower = cached.follow(Arc::new(SystemClock), Duration::from_millis(1));
                drop(blocked);
                ScopeHandle::give(Scope::new(cached), None, Some(follower.map_err(|error| no_thread(&error))?))
            }
            KNHK_CLOCK_MANUAL => {
                let manual = Arc::new(ManualClock::default());
                ScopeHandle::give(Scope::new(manual.clone()), Some(manual), None)
            }
            other => return Err(out_of("clock", other.into(), "a KNHK_CLOCK_ constant")),
        };
        // SAFETY: as documented.
        unsafe { ptr::write(scope, made) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// The scope of an engine: on its cached clock, which stands still once the engine is closed. All scopes of one engine are the same one.
///
/// `scope`: receives it; the program frees it with knhk_scope_free, before or after the engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_engine_scope(
    engine: *const EngineHandle,
    scope: *mut *mut ScopeHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let scope = output(scope, "scope")?;
            ptr::write(scope, ScopeHandle::give(engine.scope(), None, None));
            Ok(())
        })
    }
}

/// The time of a scope's clock, in nanoseconds since a zero of its own; 0 for NULL. Deadlines are moments of this clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_now_ns(scope: *const ScopeHandle) -> u64 {
    // SAFETY: NULL or a live scope, as documented.
    total(0, || unsafe { given(scope) }.map_or(0, |scope| scope.scope.clock().now_ns()))
}

/// Moves a manual clock forward.
///
/// Returns KNHK_OK, or KNHK_INVALID_ARGUMENT where the clock is another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_advance(scope: *mut ScopeHandle, ns: u64, err: *mut *mut ErrorHandle) -> Status {
    let body = || {
        // SAFETY: as documented.
        let scope = unsafe { required(scope)? };
        let message = "the scope's clock moves by itself: make the scope with KNHK_CLOCK_MANUAL";
        let manual = scope.manual.as_ref();
        let manual = manual.ok_or_else(|| Error::new(Status::InvalidArgument, "call", "scope", message))?;
        manual.advance(Duration::from_nanos(ns));
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A transition of a policy.
#[repr(C)]
pub struct TransitionC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The policy's name.
    pub policy: *const c_char,
    /// "breaker", "degradation", "recovery", "health" (of a component) or "system".
    pub kind: *const c_char,
    /// The state before, in words.
    pub from: *const c_char,
    /// The state now, in words.
    pub to: *const c_char,
    /// All of it in one line for people, with what made it change.
    pub text: *const c_char,
    /// When, by the scope's clock.
    pub time_ns: u64,
    /// Transitions that this listener missed so far because it fell behind.
    pub missed: u64,
}

/// Whom to tell of transitions. Set `struct_size` to sizeof(knhk_transition_callback_t).
///
/// `changed` is called on a thread of the subscription, one transition after the other; it may call back anything but
/// knhk_scope_free. While it blocks, later transitions wait, and no policy does.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TransitionCallbackC {
    /// sizeof(knhk_transition_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Called with each transition, which is valid during the call.
    pub changed: Option<unsafe extern "C" fn(ctx: *mut c_void, transition: *const TransitionC)>,
    /// NULL, or called exactly once, when `changed` will not be called any more: also when the registration fails, unless
    /// `struct_size` is one that the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for TransitionCallbackC {
    const NAME: &'static str = "knhk_transition_callback_t";
}

impl Callback for TransitionCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

fn tell(event: &Event, missed: u64, context: &Context, changed: unsafe extern "C" fn(*mut c_void, *const TransitionC)) {
    let (from, to) = event.change.ends();
    let texts: [CString; 5] = [
        c_string(&event.source),
        c_string(event.change.kind()),
        c_string(&from),
        c_string(&to),
        c_string(&format!("{}: {}", event.source, event.change)),
    ];
    let transition = TransitionC {
        struct_size: size_of::<TransitionC>() as u32,
        reserved: 0,
        policy: texts[0].as_ptr(),
        kind: texts[1].as_ptr(),
        from: texts[2].as_ptr(),
        to: texts[3].as_ptr(),
        text: texts[4].as_ptr(),
        time_ns: event.at_ns,
        missed,
    };
    // SAFETY: registered for this; what it is given lives until it returns.
    unsafe { changed(context.at(), &transition) }
}

/// Calls a callback for every transition of the scope's policies from now on.
///
/// `subscription`: receives a number for knhk_scope_unsubscribe. A listener that falls behind by more than 1,024 transitions misses the
/// oldest ones.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `changed` is NULL; KNHK_SYSTEM when there are no more threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_subscribe(
    scope: *mut ScopeHandle,
    callback: *const TransitionCallbackC,
    subscription: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (callback, context) = unsafe { taken(callback)? };
        // SAFETY: as documented.
        let scope = unsafe { required(scope)? };
        let subscription = output(subscription, "subscription")?;
        let changed = callback.changed.ok_or_else(|| null("changed"))?;
        let events = Events::new(WAITING);
        let queue = events.clone();
        let told = move |event: Event| tell(&event, queue.missed(), &context, changed);
        let blocked = Blocked::new();
        let ticker = events.listen(Box::new(told)).map_err(|error| no_thread(&error))?;
        drop(blocked);
        scope.scope.subscribe(events.clone());
        let number = scope.next.fetch_add(1, Ordering::Relaxed);
        scope.listeners.lock().unwrap_or_else(PoisonError::into_inner).push((number, events, ticker));
        // SAFETY: as documented.
        unsafe { ptr::write(subscription, number) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Ends a subscription. When this returns on another thread than the callback's, `changed` is not running and `destroy` was called.
///
/// Returns KNHK_OK, or KNHK_NOT_FOUND when there is no such subscription any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_unsubscribe(
    scope: *mut ScopeHandle,
    subscription: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let scope = unsafe { required(scope)? };
        let ended = {
            let mut listeners = scope.listeners.lock().unwrap_or_else(PoisonError::into_inner);
            let at = listeners.iter().position(|(number, ..)| *number == subscription);
            at.map(|at| listeners.swap_remove(at))
        };
        let Some((_, events, ticker)) = ended else {
            let message = format!("there is no subscription {subscription}");
            return Err(Error::new(Status::NotFound, "unsubscribe", "subscription", message));
        };
        scope.scope.unsubscribe(&events);
        drop(ticker);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A counter of a scope. Set `struct_size` to sizeof(knhk_counter_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CounterC {
    /// sizeof(knhk_counter_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// "knhk.resilience.…", without a NUL behind it; valid for ever.
    pub name: *const c_char,
    /// Bytes of the name.
    pub name_len: usize,
    /// The count so far.
    pub value: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for CounterC {
    const NAME: &'static str = "knhk_counter_t";
}

/// A counter of a scope, by its place from 0.
///
/// `counter`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND beyond the last; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_counter(
    scope: *const ScopeHandle,
    index: usize,
    counter: *mut CounterC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (scope, place) = unsafe { (required(scope)?, Output::new(counter)?) };
        let found =
            scope.scope.counters().read().nth(index).ok_or_else(|| {
                Error::new(Status::NotFound, "call", "index", format!("there is no counter at {index}"))
            })?;
        let (name, name_len) = (found.name.as_ptr().cast(), found.name.len());
        place.write(CounterC { struct_size: 0, reserved: 0, name, name_len, value: found.value });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a scope and ends its subscriptions. NULL does nothing. Policies that were made in it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_scope_free(scope: *mut ScopeHandle) {
    // SAFETY: NULL or a live scope, as documented.
    unsafe { free(scope) }
}
