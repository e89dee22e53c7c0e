//! Tasks of the warm executor, and runs of them.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_warm::executor::{Context as Run, Late, Refused, RunState, TaskSettings, Ticket};
use knhk_warm::{Priority, Step, Task};

use super::executor::ExecutorHandle;
use crate::call::{call, total};
use crate::callback::{Callback, Context, Destroy, taken};
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::options::out_of;
use crate::resilience::calls::nanoseconds;
use crate::text::{null, output, text};
use crate::versioned::{Output, Versioned};

/// The run is done.
pub const KNHK_STEP_DONE: u32 = 0;
/// It has more to do, and gives way: it goes behind what waits at its level.
pub const KNHK_STEP_AGAIN: u32 = 1;

/// A run waits.
pub const KNHK_RUN_WAITING: u32 = 0;
/// Its callback is being called.
pub const KNHK_RUN_RUNNING: u32 = 1;
/// It came to its end.
pub const KNHK_RUN_DONE: u32 = 2;
/// It was cancelled, or given up when the executor ended.
pub const KNHK_RUN_CANCELLED: u32 = 3;
/// Its deadline had passed before it began, and its task drops such runs.
pub const KNHK_RUN_EXPIRED: u32 = 4;
/// Its callback panicked.
pub const KNHK_RUN_PANICKED: u32 = 5;

/// A task, as C holds it.
pub struct TaskHandle {
    task: Task,
}

impl Kind for TaskHandle {
    const NAME: &'static str = "task";
    const MAGIC: u64 = 0x6b6e_686b_7461_7301;
}

/// A run that somebody wants to know about.
pub struct TicketHandle {
    ticket: Ticket,
}

impl Kind for TicketHandle {
    const NAME: &'static str = "ticket";
    const MAGIC: u64 = 0x6b6e_686b_7469_6301;
}

/// What a callback sees of its run.
pub struct RunHandle<'a> {
    run: &'a Run<'a>,
}

/// A task. Set `struct_size` to sizeof(knhk_task_callback_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TaskCallbackC {
    /// sizeof(knhk_task_callback_t).
    pub struct_size: u32,
    /// A KNHK_PRIORITY_ constant; 0 for normal.
    pub priority: u32,
    /// What a slice, one call of `run`, may take, in nanoseconds; 0 for 1 ms.
    pub budget_ns: u64,
    /// Not 0 to drop runs whose deadline has passed before they begin; else they run, and count as late.
    pub drop_late: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Runs a slice, on one of the executor's threads, at the same time as other runs of the task. Returns a KNHK_STEP_ constant. It must not
    /// throw and not end the thread; what it waits for is lost to the others.
    pub run: Option<unsafe extern "C" fn(ctx: *mut c_void, run: *mut RunHandle<'_>) -> u32>,
    /// NULL, or called exactly once, when `run` will not be called any more: also when the call fails, unless `struct_size` is one that
    /// the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// NULL, or called once for each run that is over, whether it ran or not: with its argument, and how it ended, a KNHK_RUN_ constant. So an
    /// argument can be what the run owns. On the thread that ended it: the executor's, or one that cancels or frees. As `run` it must not throw.
    pub over: Option<unsafe extern "C" fn(ctx: *mut c_void, argument: u64, state: u32)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for TaskCallbackC {
    const NAME: &'static str = "knhk_task_callback_t";
    const SIZES: &'static [usize] = &[48, size_of::<Self>()];
}

impl Callback for TaskCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// A callback whose context goes with it.
struct Work {
    context: Context,
    run: unsafe extern "C" fn(*mut c_void, *mut RunHandle<'_>) -> u32,
    over: Option<unsafe extern "C" fn(*mut c_void, u64, u32)>,
}

// SAFETY: the program said, by registering it, that it may be called on several threads at once.
unsafe impl Sync for Work {}

impl Work {
    fn step(&self, run: &Run<'_>) -> Step {
        let mut handle = RunHandle { run };
        // SAFETY: registered for this; the handle lives until it returns.
        match unsafe { (self.run)(self.context.at(), &mut handle) } {
            KNHK_STEP_AGAIN => Step::Again,
            _ => Step::Done,
        }
    }

    fn over(&self, argument: u64, state: RunState) {
        if let Some(over) = self.over {
            // SAFETY: registered for this.
            unsafe { over(self.context.at(), argument, constant(state)) }
        }
    }
}

/// The KNHK_RUN_ constant.
fn constant(state: RunState) -> u32 {
    match state {
        RunState::Waiting => KNHK_RUN_WAITING,
        RunState::Running => KNHK_RUN_RUNNING,
        RunState::Done => KNHK_RUN_DONE,
        RunState::Cancelled => KNHK_RUN_CANCELLED,
        RunState::Expired => KNHK_RUN_EXPIRED,
        RunState::Panicked => KNHK_RUN_PANICKED,
    }
}

/// Registers a task.
///
/// `callback`: taken over, whatever is returned. `task`: receives it; the program frees it with knhk_task_free, before or after the executor.
/// Returns KNHK_OK; KNHK_CLOSED where the executor was shut down. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_task_new(
    executor: *mut ExecutorHandle,
    name: *const c_char,
    callback: *const TaskCallbackC,
    task: *mut *mut TaskHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (callback, context) = unsafe { taken(callback)? };
        let place = output(task, "task")?;
        // SAFETY: as documented.
        let (executor, name) = unsafe { (required(executor)?, text(name, "name")?) };
        let mut settings = TaskSettings::default();
        settings.priority = match callback.priority {
            0 => settings.priority,
            level => *Priority::ALL
                .get(level as usize - 1)
                .ok_or_else(|| out_of("priority", level.into(), "a KNHK_PRIORITY_ constant"))?,
        };
        if callback.budget_ns != 0 {
            settings.budget = Duration::from_nanos(callback.budget_ns);
        }
        if callback.drop_late != 0 {
            settings.late = Late::Drop;
        }
        let work = Arc::new(Work { context, run: callback.run.ok_or_else(|| null("run"))?, over: callback.over });
        let made = executor.with(|executor| match work.over {
            None => executor.task(name, settings, move |run| work.step(run)),
            Some(_) => {
                let told = work.clone();
                executor.task_told(name, settings, move |run| work.step(run), move |of, how| told.over(of, how))
            }
        })?;
        // SAFETY: as documented.
        unsafe { ptr::write(place, give(TaskHandle { task: made })) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a task: runs that were submitted go on. NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_task_free(task: *mut TaskHandle) {
    // SAFETY: NULL or a live task, as documented.
    unsafe { free(task) }
}

/// Submits a run. It neither waits nor, without a ticket, allocates.
///
/// `argument`: the callback's own affair. `within_ns`: from now until its deadline; 0 for none. `ticket`: NULL, or receives one, which the
/// program frees with knhk_ticket_free.
/// Returns KNHK_OK; KNHK_BUSY where all places are taken; KNHK_CLOSED where the executor has ended. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_task_submit(
    task: *const TaskHandle,
    argument: u64,
    within_ns: u64,
    ticket: *mut *mut TicketHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(task)? };
        let submitted = match within_ns {
            0 => handle.task.submit(argument),
            within_ns => {
                use knhk_warm::Clock;
                handle.task.submit_by(argument, knhk_warm::SystemClock.now_ns().saturating_add(within_ns))
            }
        };
        let submitted = submitted.map_err(|refused| {
            let status = if refused == Refused::Full { Status::Busy } else { Status::Closed };
            Error::new(status, "executor", &*handle.task.stats().name, refused.to_string())
        })?;
        if !ticket.is_null() {
            // SAFETY: as documented.
            unsafe { ptr::write(ticket, give(TicketHandle { ticket: submitted })) };
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Waits until a run is over.
///
/// `timeout_ns`: at most so long; 0 to look alone. Returns a KNHK_RUN_ constant: where it is then; KNHK_RUN_CANCELLED for NULL. Any thread, but
/// no callback of the executor's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_ticket_wait(ticket: *const TicketHandle, timeout_ns: u64) -> u32 {
    // SAFETY: NULL or a live ticket, as documented.
    let ticket = unsafe { given(ticket) };
    total(KNHK_RUN_CANCELLED, || {
        constant(ticket.map_or(RunState::Cancelled, |handle| handle.ticket.wait(Duration::from_nanos(timeout_ns))))
    })
}

/// Cancels a run: one that waits never runs, one that runs is told by knhk_run_cancelled. Returns whether it was not over yet. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_ticket_cancel(ticket: *const TicketHandle) -> bool {
    // SAFETY: NULL or a live ticket, as documented.
    let ticket = unsafe { given(ticket) };
    total(false, || ticket.is_some_and(|handle| handle.ticket.cancel()))
}

/// Frees a ticket; its run goes on. NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_ticket_free(ticket: *mut TicketHandle) {
    // SAFETY: NULL or a live ticket, as documented.
    unsafe { free(ticket) }
}

/// What was submitted. This and what follows are for a callback, on its thread, with what it was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_run_argument(run: *const RunHandle<'_>) -> u64 {
    // SAFETY: NULL or the callback's own run, as documented.
    unsafe { run.as_ref() }.map_or(0, |handle| handle.run.argument())
}

/// What the run noted in an earlier slice; 0 in the first one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_run_progress(run: *const RunHandle<'_>) -> u64 {
    // SAFETY: as knhk_run_argument.
    unsafe { run.as_ref() }.map_or(0, |handle| handle.run.progress())
}

/// Notes how far the run has come, for its next slice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_run_set_progress(run: *mut RunHandle<'_>, progress: u64) {
    // SAFETY: as knhk_run_argument.
    if let Some(handle) = unsafe { run.as_ref() } {
        handle.run.set_progress(progress);
    }
}

/// Whether the callback should return, with KNHK_STEP_AGAIN where it has more to do: its budget is used up, it was cancelled, or the executor
/// is paused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_run_should_yield(run: *const RunHandle<'_>) -> bool {
    // SAFETY: as knhk_run_argument.
    unsafe { run.as_ref() }.is_none_or(|handle| handle.run.should_yield())
}

/// Whether the run was cancelled, or the executor gives up what runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_run_cancelled(run: *const RunHandle<'_>) -> bool {
    // SAFETY: as knhk_run_argument.
    unsafe { run.as_ref() }.is_none_or(|handle| handle.run.cancelled())
}

/// What is known of a task. Set `struct_size` to sizeof(knhk_task_stats_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TaskStatsC {
    /// sizeof(knhk_task_stats_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// The KNHK_PRIORITY_ that it is served at: below its own where it overran again and again.
    pub level: u32,
    /// Runs that ended.
    pub runs: u64,
    /// Calls of its callback.
    pub slices: u64,
    /// Calls that took longer than the budget.
    pub overruns: u64,
    /// Runs that were dropped or ended after their deadline.
    pub late: u64,
    /// What its slices took, in nanoseconds.
    pub busy_ns: u64,
    /// The longest slice, in nanoseconds.
    pub worst_ns: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for TaskStatsC {
    const NAME: &'static str = "knhk_task_stats_t";
}

/// Looks at a task.
///
/// `stats`: receives it. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_task_stats(
    task: *const TaskHandle,
    stats: *mut TaskStatsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, place) = unsafe { (required(task)?, Output::new(stats)?) };
        let stats = handle.task.stats();
        place.write(TaskStatsC {
            struct_size: 0,
            level: stats.level as u32 + 1,
            runs: stats.runs,
            slices: stats.slices,
            overruns: stats.overruns,
            late: stats.late,
            busy_ns: nanoseconds(stats.busy),
            worst_ns: nanoseconds(stats.worst),
        });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
