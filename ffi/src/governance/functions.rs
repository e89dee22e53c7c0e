//! Functions of the program that have a say in governance: what rules, tests of shadows and invariants across sectors ask, work that is
//! measured with candidates.
//!
//!    static int32_t below(void *ctx, const knhk_question_t *asked, char *why, size_t why_size) {
//!        int64_t qty = knhk_get_i64(asked->view, *(knhk_key_t *)ctx, 0); // as it would be
//!        return qty <= 2000 ? 0 : snprintf(why, why_size, "%lld lots are too many", (long long)qty);
//!    }
//!    knhk_function_t function = {.struct_size = sizeof function, .ctx = &max_qty, .judge = below};
//!    knhk_set_rule_function(eng, "below", &function, &err); // [rule.callback] name = "below"
//!
//! Nothing of it is kept: whoever opens the engine registers it anew. A rule or a test whose function is not there refuses.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Instant;

use knhk_engine::governance::{CrossInvariant, Hook, Question, Role, Severity, Workload};
use knhk_engine::{Engine, Error, Status};
use knhk_hot::layout::{LOWER_BOUND, RawView};

use crate::callback::{Callback, Destroy, Kept, asked, with_callback};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::{c_string, null, optional_text, text};
use crate::versioned::Versioned;

/// What a function is asked. It is valid during the call.
#[repr(C)]
pub struct QuestionC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// JSON: "kind" ("rule", "invariant" or "test"), "name", "sector", "differences"; of a rule "rule"; of a rule and of an invariant
    /// "proposal", "by", "why", "major", "confidence", "time_ns", "at_ns"; of a test "shadow". `docs/governing.md` has each field.
    pub text: *const c_char,
    /// Its length.
    pub text_len: usize,
    /// The sectors as they would be, read like any other view. It is not ended.
    pub view: RawView,
}

/// A function that judges. Set `struct_size` to sizeof(knhk_function_t).
///
/// `judge` may be called from any thread, several at once, during calls that have stages run or a shadow tested, and by the engine's own
/// thread where a proposal falls due. It may read the engine and must not change it. It must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FunctionC {
    /// sizeof(knhk_function_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Returns 0 where nothing speaks against it, or else anything, and writes why, as UTF-8 with a NUL, into at most `why_size` bytes.
    pub judge: Option<
        unsafe extern "C" fn(ctx: *mut c_void, question: *const QuestionC, why: *mut c_char, why_size: usize) -> i32,
    >,
    /// NULL, or called exactly once, when `judge` will not be called any more: it was replaced or taken away, the engine was closed, or the
    /// registration failed; not where `struct_size` is one that the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for FunctionC {
    const NAME: &'static str = "knhk_function_t";
}

impl Callback for FunctionC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// Work that is measured with candidates. Set `struct_size` to sizeof(knhk_workload_t).
///
/// `run` is called on a thread that measures, often, with what is current and with the candidate in turns; else as knhk_function_t's `judge`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WorkloadC {
    /// sizeof(knhk_workload_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Does the work `times` times, reading through the view as the program would. What it returns is not looked at: it is there so that the
    /// compiler cannot leave the work out.
    pub run: Option<unsafe extern "C" fn(ctx: *mut c_void, view: RawView, times: u64) -> u64>,
    /// As of knhk_function_t.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for WorkloadC {
    const NAME: &'static str = "knhk_workload_t";
}

impl Callback for WorkloadC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

impl Kept<FunctionC> {
    fn judge(&self, question: &Question) -> Result<(), String> {
        let Some(judge) = self.callback.judge else { return Err("there is no function".into()) };
        let text = c_string(&question.text);
        let question = QuestionC {
            struct_size: size_of::<QuestionC>() as u32,
            reserved: 0,
            text: text.as_ptr(),
            text_len: text.as_bytes().len(),
            view: open(&question.view),
        };
        // SAFETY: registered for this; the question lives until it returns.
        asked(|why, room| unsafe { judge(self.at(), &question, why, room) })
    }
}

/// A view that is held, for C. Should someone end it, a bound of 0 keeps memory and corrupts nothing.
fn open(hold: &knhk_engine::Hold) -> RawView {
    RawView { saved: LOWER_BOUND, ..hold.raw() }
}

/// Takes what was registered away.
fn unset(engine: &Engine, hook: Hook<'_>, name: &str) -> Result<(), Error> {
    if engine.unset(hook) {
        return Ok(());
    }
    Err(Error::new(Status::NotFound, "govern", name, format!("nothing is registered under the name {name:?}")))
}

/// # Safety
/// As the exports document it.
unsafe fn function(
    engine: *const EngineHandle,
    name: *const c_char,
    function: *const FunctionC,
    err: *mut *mut ErrorHandle,
    (role, hook): (Role, fn(&str) -> Hook<'_>),
) -> Status {
    // SAFETY: as documented.
    unsafe {
        with_callback(engine, function, err, |engine, held: Option<Kept<FunctionC>>| {
            let name = text(name, "name")?;
            let Some(kept) = held else { return unset(engine, hook(name), name) };
            kept.callback.judge.ok_or_else(|| null("judge"))?;
            engine.set_function(role, name, Arc::new(move |question: &Question| kept.judge(question)));
            Ok(())
        })
    }
}

/// Registers a function that rules of the kind `callback` call by this name, in the place of another of the name.
///
/// `function`: taken over, whatever is returned; NULL takes away what was registered. Returns KNHK_OK; KNHK_NOT_FOUND where there was nothing to
/// take away; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `judge` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_set_rule_function(
    engine: *mut EngineHandle,
    name: *const c_char,
    function: *const FunctionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { self::function(engine, name, function, err, (Role::Rule, |name| Hook::Rule(name))) }
}

/// Registers a function that tests of shadows call by this name: {"name", "severity", "assertion": {"function": {"name"}}}.
///
/// As knhk_set_rule_function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_set_test_function(
    engine: *mut EngineHandle,
    name: *const c_char,
    function: *const FunctionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { self::function(engine, name, function, err, (Role::Test, |name| Hook::Test(name))) }
}

/// Registers what has to hold across sectors, which every change of a governed sector is judged by, in the place of another of the name.
///
/// `severity`: "info", "warning" or "blocker", which refuses; NULL for the last. `condition`: in CEL over values of several sectors, such as
/// `after["orders/max_qty"] <= after["risk/ceiling"]`; or NULL. `function`: taken over, whatever is returned; or NULL. There is one of the two;
/// where there is neither, what was registered is taken away.
/// Returns as knhk_set_rule_function; KNHK_DOCUMENT for what is no condition; KNHK_INVALID_ARGUMENT for both, or another severity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_set_invariant(
    engine: *mut EngineHandle,
    name: *const c_char,
    severity: *const c_char,
    condition: *const c_char,
    function: *const FunctionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        with_callback(engine, function, err, |engine, held: Option<Kept<FunctionC>>| {
            let (name, condition) = (text(name, "name")?, optional_text(condition, "condition")?);
            let severity = named(optional_text(severity, "severity")?.unwrap_or("blocker"))?;
            match (condition, held) {
                (None, None) => return unset(engine, Hook::Invariant(name), name),
                (Some(_), Some(_)) => {
                    let message = "an invariant is a condition or a function, not both";
                    return Err(Error::new(Status::InvalidArgument, "govern", name, message));
                }
                (Some(condition), None) => {
                    let invariant = CrossInvariant::of_condition(name, severity, condition);
                    engine.set_invariant(invariant.map_err(|error| {
                        Error::new(Status::Document, "govern", name, format!("invariant {name}: {error}"))
                    })?);
                }
                (None, Some(kept)) => {
                    kept.callback.judge.ok_or_else(|| null("judge"))?;
                    let function = Arc::new(move |question: &Question| kept.judge(question));
                    engine.set_function(Role::Invariant(severity), name, function);
                }
            }
            Ok(())
        })
    }
}

fn named(severity: &str) -> Result<Severity, Error> {
    Severity::from_name(severity).ok_or_else(|| {
        let message = format!("there is no severity {severity:?}: info, warning or blocker");
        Error::new(Status::InvalidArgument, "govern", "severity", message)
    })
}

/// Registers work that is measured with a sector's candidates beside the reads, in the place of another of the name: a candidate that makes it
/// slower than `governance/slowdown_percent` allows is refused by the stage performance.
///
/// `workload`: as `function` of knhk_set_rule_function. Returns as that does; KNHK_NOT_FOUND also for a sector that there is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_set_workload(
    engine: *mut EngineHandle,
    sector: *const c_char,
    name: *const c_char,
    workload: *const WorkloadC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        with_callback(engine, workload, err, |engine, held: Option<Kept<WorkloadC>>| {
            let (sector, name) = (text(sector, "sector")?, text(name, "name")?);
            engine.sector_number(sector)?;
            let Some(kept) = held else { return unset(engine, Hook::Workload(sector, name), name) };
            let run = kept.callback.run.ok_or_else(|| null("run"))?;
            let workload = Workload::timed(name, move |view, times| {
                let kept: &Kept<WorkloadC> = &kept;
                let began = Instant::now();
                // Registered for this; the view is open until it returns.
                std::hint::black_box(run(kept.at(), open(view), times));
                Ok(began.elapsed())
            });
            engine.set_workload(sector, workload);
            Ok(())
        })
    }
}
