//! The component graph: parts of a program that start after what they need, and stop before it.
//!
//! A shutdown has two phases, each with its own time: all components drain (they take nothing more, and finish what they have), then all
//! stop. A component that does not return keeps nobody waiting for ever: of the time that is left when its turn comes it has one part in as
//! many as the longest chain of components behind it is long, itself included. At the end of a phase those that have not returned are named in
//! the report, and their threads left to themselves.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_warm::SystemClock;
use knhk_warm::graph::{Component, Graph, GraphError, Outcome, Patience, Report};

use super::graph_report::GraphReportHandle;
use crate::call::call;
use crate::callback::{Callback, Context, Destroy, asked, taken};
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::resilience::scope::ScopeHandle;
use crate::signals::Blocked;
use crate::text::{items, output, text};
use crate::versioned::Versioned;

/// A graph, as C holds it.
pub struct GraphHandle {
    pub(super) graph: Graph,
}

impl Kind for GraphHandle {
    const NAME: &'static str = "graph";
    const MAGIC: u64 = 0x6b6e_686b_6772_7001;
}

/// A component of a graph. Set `struct_size` to sizeof(knhk_graph_callback_t). What is NULL has nothing to do, and always does it.
///
/// `start`, `drain` and `stop` are called on threads of their own and return 0; or another number, and write why as NUL-terminated UTF-8 to
/// `why`, where there is room for `why_size` bytes. After a phase that one did not return from, the next one is called while the call before
/// still runs. They may use the graph but for starting it and shutting it down, must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GraphCallbackC {
    /// sizeof(knhk_graph_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Begins its work. What it needs has begun.
    pub start: Option<unsafe extern "C" fn(ctx: *mut c_void, why: *mut c_char, why_size: usize) -> i32>,
    /// Takes nothing more, and returns when it is done with what it has. What needs it has drained, or was given up.
    pub drain: Option<unsafe extern "C" fn(ctx: *mut c_void, why: *mut c_char, why_size: usize) -> i32>,
    /// Ends. What needs it has ended, or was given up.
    pub stop: Option<unsafe extern "C" fn(ctx: *mut c_void, why: *mut c_char, why_size: usize) -> i32>,
    /// How well it is, from 0 to 1; 1 where this is NULL. On the thread that asks for the graph's health.
    pub health: Option<unsafe extern "C" fn(ctx: *mut c_void) -> f64>,
    /// NULL, or called exactly once, when nothing above will be called any more and nothing of it runs: also when the call fails, unless
    /// `struct_size` is one that the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for GraphCallbackC {
    const NAME: &'static str = "knhk_graph_callback_t";
}

impl Callback for GraphCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

type Phase = Option<unsafe extern "C" fn(*mut c_void, *mut c_char, usize) -> i32>;

/// A component whose context goes with it.
struct Member {
    context: Context,
    callback: GraphCallbackC,
}

// SAFETY: the program said, by adding it, that its functions may be called on any thread.
unsafe impl Send for Member {}
// SAFETY: as above.
unsafe impl Sync for Member {}

impl Member {
    fn call(&self, phase: Phase) -> Result<(), String> {
        match phase {
            // SAFETY: registered for this.
            Some(phase) => asked(|why, size| unsafe { phase(self.context.at(), why, size) }),
            None => Ok(()),
        }
    }
}

impl Component for Member {
    fn start(&self) -> Result<(), String> {
        self.call(self.callback.start)
    }

    fn drain(&self) -> Result<(), String> {
        self.call(self.callback.drain)
    }

    fn stop(&self) -> Result<(), String> {
        self.call(self.callback.stop)
    }

    fn health(&self) -> f64 {
        // SAFETY: registered for this.
        self.callback.health.map_or(1.0, |health| unsafe { health(self.context.at()) })
    }
}

fn failure(name: &str, error: &GraphError) -> Error {
    let status = match error {
        GraphError::Taken(_) => Status::AlreadyExists,
        GraphError::Unknown(_) => Status::NotFound,
        GraphError::Running(_) => Status::Busy,
        _ => Status::InvalidArgument,
    };
    Error::new(status, "graph", name, error.to_string())
}

/// Makes a graph without components.
///
/// `scope`: whose clock it goes by; NULL for the system's. `graph`: receives it; the program frees it with knhk_graph_free.
/// Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_new(
    scope: *const ScopeHandle,
    graph: *mut *mut GraphHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let place = output(graph, "graph")?;
        let made = match scope.is_null() {
            true => Graph::new(Arc::new(SystemClock)),
            // SAFETY: as documented.
            false => Graph::new(unsafe { required(scope)? }.scope.clock().clone()),
        };
        // SAFETY: as documented.
        unsafe { ptr::write(place, give(GraphHandle { graph: made })) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a graph. What runs is not stopped: shut it down first. NULL does nothing. Any thread, once no other uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_free(graph: *mut GraphHandle) {
    // SAFETY: NULL or a live graph, as documented.
    unsafe { free(graph) }
}

/// Adds a component; it is not started.
///
/// `needs`: names of components, added before, that it depends on. `callback`: taken over, whatever is returned.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND for an unknown need. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_add(
    graph: *mut GraphHandle,
    name: *const c_char,
    needs: *const *const c_char,
    needs_len: usize,
    callback: *const GraphCallbackC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe {
            let (callback, context) = taken(callback)?;
            let member = Arc::new(Member { context, callback });
            let (handle, name) = (required(graph)?, text(name, "name")?);
            let needs = items(needs, needs_len, "needs")?.iter().map(|need| text(*need, "needs"));
            let needs = needs.collect::<Result<Vec<&str>, Error>>()?;
            handle.graph.add(name, member, &needs).map_err(|error| failure(name, &error))
        }
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Says that a component depends on another.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_BUSY where it runs; KNHK_INVALID_ARGUMENT where the dependencies would be a cycle, whose path the
/// message names. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_depend(
    graph: *mut GraphHandle,
    name: *const c_char,
    on: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, name, on) = unsafe { (required(graph)?, text(name, "name")?, text(on, "on")?) };
        handle.graph.depend(name, on).map_err(|error| failure(name, &error))
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// What a report means as a status: that somebody did not return is more than that somebody failed.
fn verdict(report: &Report, message: String) -> Result<(), Error> {
    if report.all_well() {
        return Ok(());
    }
    let stuck = report.stuck().next();
    let failed =
        || report.all.iter().find(|(_, outcome)| !matches!(outcome, Outcome::Done { .. })).map(|(name, _)| name);
    let (status, name) = match stuck {
        Some(name) => (Status::Timeout, Some(name)),
        None => (Status::CallFailed, failed()),
    };
    Err(Error::new(status, "graph", name.map_or("", |name| name), message))
}

/// Starts what does not run, in order: what does not depend on each other side by side.
///
/// `patience_ns`: how long it may take. `report`: NULL, or receives how each fared, also when the call fails so; the program frees it with
/// knhk_graph_report_free.
/// Returns KNHK_OK; KNHK_CALL_FAILED where one failed, KNHK_TIMEOUT where one did not return: then what needs it is not started, and what did start
/// by then is stopped again, within as long. Any thread, but none of a component's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_start(
    graph: *mut GraphHandle,
    patience_ns: u64,
    report: *mut *mut GraphReportHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(graph)? };
        let blocked = Blocked::new();
        let started = handle.graph.start(Duration::from_nanos(patience_ns));
        drop(blocked);
        let (told, message) = match started {
            Ok(report) => (report, String::new()),
            Err(error) => {
                let message = error.to_string();
                (error.started, message)
            }
        };
        // SAFETY: as documented.
        unsafe { GraphReportHandle::hand_out(&told, report) };
        verdict(&told, message)
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Drains, then stops what runs, in order: what needs others before them. It ends at the latest when both times are over.
///
/// `drain_ns`, `stop_ns`: how long each phase may take; 0 for 10 s and 5 s. `report`: NULL, or receives how each fared, also when the call
/// fails so; the program frees it with knhk_graph_report_free.
/// Returns KNHK_OK; KNHK_TIMEOUT where some did not return, whom the report and the message name; KNHK_CALL_FAILED where some failed. What could not be
/// stopped is given up. Any thread, but none of a component's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_shutdown(
    graph: *mut GraphHandle,
    drain_ns: u64,
    stop_ns: u64,
    report: *mut *mut GraphReportHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let handle = unsafe { required(graph)? };
        let usual = Patience::default();
        let given = |ns: u64, usual: Duration| if ns == 0 { usual } else { Duration::from_nanos(ns) };
        let blocked = Blocked::new();
        let told =
            handle.graph.shutdown(Patience { drain: given(drain_ns, usual.drain), stop: given(stop_ns, usual.stop) });
        drop(blocked);
        // SAFETY: as documented.
        unsafe { GraphReportHandle::hand_out(&told, report) };
        verdict(&told, told.to_string())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
