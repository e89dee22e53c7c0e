//! The closed loop: the engine watches what the program observes, proposes changes of its limits, and follows what becomes of them.
//!
//! What is watched, and what is done about it, a sector's ontology declares (knhk:Watch, knhk:Remedy); the program starts the loop on an engine
//! that keeps observations. Each call takes its request as a JSON object, NULL for the empty one, and answers with a buffer of JSON, which
//! the program frees with knhk_buffer_free; `docs/loop.md` has both, field by field. Errors are those of the calls of governance, and KNHK_NOT_READY
//! where the engine keeps no observations. Any thread.
//!
//!    knhk_buffer_t *answer;
//!    knhk_loop_start(eng, "{\"sectors\": [\"gateway\"], \"changes_per_hour\": 6}", &answer, &err);
//!    knhk_buffer_free(answer);
//!    knhk_cycles(eng, "{\"limit\": 1}", &answer, &err);
//!    puts(knhk_buffer_data(answer)); // {"cycles": [{"id": "l-7", "state": "closed", "outcome": "kept", …}]}

use std::ffi::c_char;

use knhk_engine::Status;

use crate::buffer::Buffer;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::governance::govern::governed;

/// Starts the loop: a thread of the engine takes a turn again and again. One that runs goes on with the new settings.
///
/// `request`: {"sectors", "every_ms", "changes_per_hour", "step", "cooldown_s", "confirm_above", "proposers", "deadline_ms"}; what is left out is the default. `answer`: as knhk_loop_status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_loop_start(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "loop_start", request, answer, err) }
}

/// Stops the loop, once the turn under way has ended. What it proposed stays on its way. No proposer, model or detector is waited for.
///
/// `request`: {}. `answer`: as knhk_loop_status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_loop_stop(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "loop_stop", request, answer, err) }
}

/// Takes one turn now, on this thread: for a program that has the clock in its own hands and started the loop with `every_ms` 0. Where a proposer
/// or a model is asked, it waits for the answer, and takes it up in another turn.
///
/// `request`: {}. `answer`: {"cycles"}: those that the turn began or moved on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_loop_step(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "loop_step", request, answer, err) }
}

/// What the loop is doing: turns, watches with how unusual their last sample was, forecasts.
///
/// `request`: {}. `answer`: {"running", "turns", "last_turn_ns", "took_ns", "sectors", "watches", "forecasts", "hooks_skipped", "counters"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_loop_status(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "loop_status", request, answer, err) }
}

/// Lists what was found in the observations, the newest first.
///
/// `request`: {"sector", "since_ns", "limit"}. `answer`: {"patterns"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_patterns(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "patterns", request, answer, err) }
}

/// Lists cycles, each from a pattern to what became of the plan for it; the newest first.
///
/// `request`: {"sector", "open", "limit", "before"}. `answer`: {"cycles"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_cycles(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "cycles", request, answer, err) }
}

/// One cycle.
///
/// `request`: {"id"}. `answer`: the cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_cycle(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "cycle", request, answer, err) }
}

/// Computes the loop's decisions anew from the observations that were kept, and compares them with those of the receipts.
///
/// `request`: {"cycle"} or {"from_ns", "to_ns"}. `answer`: {"turns", "patterns", "decisions", "equal", "differences", "missing"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_replay(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "replay", request, answer, err) }
}

/// What was learned: how plans did by watch, proposer and rule, and what refused them.
///
/// `request`: {"sector"}. `answer`: {"watches", "proposers", "rules", "refusals"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_knowledge(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "knowledge", request, answer, err) }
}

/// All that was learned, for knhk_import_knowledge of another engine.
///
/// `request`: {}. `answer`: {"knowledge"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_export_knowledge(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "export_knowledge", request, answer, err) }
}

/// Adds what another engine learned; it counts as older than what is here.
///
/// `request`: {"knowledge"}. `answer`: {"imported"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_import_knowledge(
    engine: *const EngineHandle,
    request: *const c_char,
    answer: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { governed(engine, "import_knowledge", request, answer, err) }
}
