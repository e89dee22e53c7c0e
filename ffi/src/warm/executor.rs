//! The warm executor: work beside the hot path, on few threads, each piece within its budget.
//!
//! A task is a callback that is registered once; submitting a run of it neither waits nor allocates. A run is served in slices: a callback that
//! has more to do than its budget holds looks at knhk_run_should_yield and returns KNHK_STEP_AGAIN. What matters most is served first; at one
//! level the earliest deadline is. A task of whose last 16 slices 4 overran their budget loses a level, and gets it back after 64 slices
//! in a row within it.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_warm::executor::Settings;
use knhk_warm::{Executor, SystemClock};

use super::notice::{Ears, NoticeC};
use crate::call::{call, on_engine};
use crate::callback::{Callback, Context, Destroy, taken};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::signals::Blocked;
use crate::text::{output, text};
use crate::versioned::{Output, Versioned, input};

/// An executor, as C holds it.
pub struct ExecutorHandle {
    name: String,
    /// None once it was shut down.
    executor: Mutex<Option<Executor>>,
    /// Its context lives as long as the handle, whether somebody listens or not.
    _ears: Arc<Ears>,
}

impl Kind for ExecutorHandle {
    const NAME: &'static str = "executor";
    const MAGIC: u64 = 0x6b6e_686b_6578_6501;
}

impl ExecutorHandle {
    pub(super) fn with<T>(&self, of: impl FnOnce(&Executor) -> T) -> Result<T, Error> {
        let executor = self.executor.lock().unwrap_or_else(PoisonError::into_inner);
        let executor = executor.as_ref().ok_or_else(|| {
            Error::new(Status::Closed, "executor", &self.name, format!("the executor {} was shut down", self.name))
        })?;
        Ok(of(executor))
    }
}

/// An executor's settings. Set `struct_size` to sizeof(knhk_executor_options_t); what is 0 is the default.
///
/// The functions must not throw, not wait for the executor, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ExecutorOptionsC {
    /// sizeof(knhk_executor_options_t).
    pub struct_size: u32,
    /// Threads; 2.
    pub threads: u32,
    /// Runs that may wait, run, or be held by a ticket; 1,024.
    pub capacity: u64,
    /// Overload is told of when the queue will be full in so many nanoseconds; 1 s.
    pub horizon_ns: u64,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// NULL, or told what the executor notices, on the thread that finds it, several at once.
    pub notice: Option<unsafe extern "C" fn(ctx: *mut c_void, notice: *const NoticeC)>,
    /// NULL, or says whether the hot path is over its budget: while it is, only critical tasks begin, and the others are told to yield. Asked before
    /// each slice, by several threads at once, so it should cost a few loads.
    pub hot: Option<unsafe extern "C" fn(ctx: *mut c_void) -> bool>,
    /// NULL, or called exactly once, when the functions will not be called any more: also when the call fails, unless `struct_size` is one
    /// that the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size, and zero is a value.
unsafe impl Versioned for ExecutorOptionsC {
    const NAME: &'static str = "knhk_executor_options_t";
    const SIZES: &'static [usize] = &[24, size_of::<Self>()];
}

impl Callback for ExecutorOptionsC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// Starts an executor. All memory that runs need is taken here.
///
/// `name`: what its threads are called. `options`: NULL for the defaults; its context is taken over, whatever is returned. `executor`: receives it; the program frees it with
/// knhk_executor_free.
/// Returns KNHK_OK; KNHK_SYSTEM when there are no more threads. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_new(
    name: *const c_char,
    options: *const ExecutorOptionsC,
    executor: *mut *mut ExecutorHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (given, context) = unsafe {
            if options.is_null() { (input(options)?, Context::new(ptr::null_mut(), None)) } else { taken(options)? }
        };
        let place = output(executor, "executor")?;
        // SAFETY: as documented.
        let name = unsafe { text(name, "name")? };
        let ears = Arc::new(Ears { context, notice: given.notice, hot: given.hot });
        let mut settings = Settings { name: name.into(), ..Settings::default() };
        if given.threads != 0 {
            settings.threads = given.threads as usize;
        }
        if given.capacity != 0 {
            settings.capacity = usize::try_from(given.capacity).unwrap_or(usize::MAX);
        }
        if given.horizon_ns != 0 {
            settings.horizon = Duration::from_nanos(given.horizon_ns);
        }
        if given.notice.is_some() {
            let ears = ears.clone();
            settings.observer = Some(Box::new(move |notice| ears.tell(notice)));
        }
        if given.hot.is_some() {
            settings.hot = Some(ears.clone());
        }
        let blocked = Blocked::new();
        let made = Executor::new(settings, Arc::new(SystemClock));
        drop(blocked);
        let made = made.map_err(|error| {
            Error::new(Status::System, "executor", name, format!("a thread could not be started: {error}"))
        })?;
        // SAFETY: as documented.
        unsafe {
            ptr::write(place, give(ExecutorHandle { name: name.into(), executor: Mutex::new(Some(made)), _ears: ears }))
        };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Has an engine list an executor for operators (`knhk tasks`), until it ends.
///
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_CLOSED where it was shut down. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_engine_add_executor(
    engine: *const EngineHandle,
    executor: *const ExecutorHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let handle = required(executor)?;
            handle.with(|executor| engine.add_executor(&handle.name, executor))?
        })
    }
}

/// Begins nothing more until knhk_executor_resume; runs under way are told to yield. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_pause(executor: *mut ExecutorHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(executor)?.with(Executor::pause)) }
}

/// Goes on after knhk_executor_pause. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_resume(executor: *mut ExecutorHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { call(err, || required(executor)?.with(Executor::resume)) }
}

/// What an executor is doing. Set `struct_size` to sizeof(knhk_executor_stats_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ExecutorStatsC {
    /// sizeof(knhk_executor_stats_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// Bit 0: it is paused. Bit 1: overload is told of.
    pub flags: u32,
    /// Runs that wait, by level, the lowest first.
    pub waiting: [u64; 5],
    /// Runs whose callback is being called.
    pub running: u64,
    /// Runs that come in a second.
    pub arrivals: f64,
    /// Runs that the threads can end in a second; infinite while nothing is known.
    pub services: f64,
    /// Nanoseconds until the queue is full; UINT64_MAX where it is not filling.
    pub full_in_ns: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ExecutorStatsC {
    const NAME: &'static str = "knhk_executor_stats_t";
}

/// It is paused.
pub const KNHK_EXECUTOR_PAUSED: u32 = 1;
/// Its queue will be full soon, or is filled to three quarters.
pub const KNHK_EXECUTOR_OVERLOADED: u32 = 2;

/// Looks at an executor.
///
/// `stats`: receives it. Returns KNHK_OK; KNHK_CLOSED where it was shut down. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_stats(
    executor: *const ExecutorHandle,
    stats: *mut ExecutorStatsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, place) = unsafe { (required(executor)?, Output::new(stats)?) };
        let stats = handle.with(Executor::stats)?;
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        place.write(ExecutorStatsC {
            struct_size: 0,
            flags: flag(stats.paused, KNHK_EXECUTOR_PAUSED) | flag(stats.load.overloaded, KNHK_EXECUTOR_OVERLOADED),
            waiting: stats.waiting.map(|waiting| waiting as u64),
            running: stats.running as u64,
            arrivals: stats.load.arrivals,
            services: stats.load.services,
            full_in_ns: stats.load.full_in.map_or(u64::MAX, crate::resilience::calls::nanoseconds),
        });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Ends an executor: takes nothing more, lets what is there end for `drain_ns`, cancels the rest, and waits for callbacks that run for
/// `cancel_ns`. A callback that does not return keeps its thread, which is left to itself.
///
/// `unfinished`: NULL, or receives how many runs were cancelled. `stuck`: NULL, or receives how many callbacks did not return.
/// Returns KNHK_OK; KNHK_CLOSED where that was done already. Not from a callback of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_shutdown(
    executor: *mut ExecutorHandle,
    drain_ns: u64,
    cancel_ns: u64,
    unfinished: *mut usize,
    stuck: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(executor)? };
        // Taken out first: callbacks that are waited for may look at the handle.
        let taken = handle.executor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(executor) = taken else { return handle.with(|_| ()) };
        let ended = executor.shutdown(Duration::from_nanos(drain_ns), Duration::from_nanos(cancel_ns));
        for (place, count) in [(unfinished, ended.unfinished), (stuck, ended.stuck.len())] {
            if !place.is_null() {
                // SAFETY: as documented.
                unsafe { ptr::write(place, count) };
            }
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees an executor. One that was not shut down gives up what waits, and waits for the slices under way. NULL does nothing. Not from a
/// callback of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_executor_free(executor: *mut ExecutorHandle) {
    // SAFETY: NULL or a live executor, as documented.
    unsafe { free(executor) }
}
