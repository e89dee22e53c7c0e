//! Proposers of the program's own: they answer what the loop found with a plan. A plan is checked and filed as a proposal like anybody's; nothing
//! becomes current that the pipeline refuses.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use knhk_engine::Status;
use knhk_engine::autonomic::{Plan, PlanError, Proposer, Question};

use super::not_there;
use crate::call::on_engine;
use crate::callback::{Callback, Destroy, Kept, asked, registered};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::text::{bytes, c_string, null, text};
use crate::versioned::Versioned;

/// Where a proposer puts its plan.
pub struct Answer {
    text: Vec<u8>,
}

/// The most bytes of a plan: more than its reason and a few hundred values take.
const LONGEST: usize = 1 << 16;

/// Writes a plan, or a part of one, behind what was written before.
///
/// `answer`: what `propose` was given; valid until it returns, on its thread. `plan`: `len` bytes of JSON: {"changes": [{"path", "value"}],
/// "why", "confidence"}. Returns 0, or another number where there is no more room (64 KiB): then `propose` returns it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_answer_write(answer: *mut Answer, plan: *const c_char, len: usize) -> i32 {
    // SAFETY: as documented.
    let (answer, plan) = unsafe { (answer.as_mut(), bytes(plan.cast(), len, "plan")) };
    match (answer, plan) {
        (Some(answer), Ok(plan)) if answer.text.len() + plan.len() <= LONGEST => {
            answer.text.extend_from_slice(plan);
            0
        }
        _ => 1,
    }
}

/// A proposer. Set `struct_size` to sizeof(knhk_proposer_t).
///
/// `propose` is called on a thread of the loop, one call at a time, with no lock of the engine held: it may call the engine back, also to close
/// it. What starts, stops or steps the loop is refused with KNHK_BUSY. No turn waits for it; what comes later than the loop's `deadline_ms` is not
/// used. It must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProposerC {
    /// sizeof(knhk_proposer_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Answers a question: {"pattern", "parameters", "doctrine", "guards", "invariants", "examples", "refusals"}, `len` bytes of JSON with a NUL
    /// behind them. Writes a plan with knhk_answer_write, or nothing where it knows none, and returns 0. Or returns another number and writes why
    /// as NUL-terminated UTF-8 to `why`, where there is room for `why_size` bytes; the cycle says it.
    pub propose: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            question: *const c_char,
            len: usize,
            answer: *mut Answer,
            why: *mut c_char,
            why_size: usize,
        ) -> i32,
    >,
    /// NULL, or called exactly once, when `propose` will not be called any more: also when the call fails, unless `struct_size` is one that
    /// the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ProposerC {
    const NAME: &'static str = "knhk_proposer_t";
}

impl Callback for ProposerC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

struct Asking {
    name: String,
    kept: Kept<ProposerC>,
}

impl Asking {
    fn plan(&self, question: &Question) -> Result<Option<Plan>, String> {
        let Some(propose) = self.kept.callback.propose else { return Err("there is no function to propose".into()) };
        let question = serde_json::to_string(question).map_err(|error| error.to_string())?;
        let question = c_string(&question);
        let mut answer = Answer { text: Vec::new() };
        asked(|why, room| {
            let (at, len) = (question.as_ptr(), question.as_bytes().len());
            // SAFETY: as the program promised; the question and the answer live until it returns.
            unsafe { propose(self.kept.at(), at, len, &mut answer, why, room) }
        })?;
        if answer.text.is_empty() {
            return Ok(None);
        }
        let plan = serde_json::from_slice(&answer.text);
        plan.map(Some).map_err(|error| format!("what it answered is no plan: {error}"))
    }
}

impl Proposer for Asking {
    fn name(&self) -> &str {
        &self.name
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        self.plan(question).map_err(|why| PlanError { proposer: self.name.clone(), why })
    }
}

/// Adds a proposer to an engine's loop, which asks it where its settings name it among `proposers`.
///
/// `name`: what receipts call it; not rule, search or model. `proposer`: taken over, whatever is returned.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `propose` is NULL. Any
/// thread; before or after the loop is started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_proposer_add(
    engine: *const EngineHandle,
    name: *const c_char,
    proposer: *const ProposerC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        registered(engine, proposer, err, |engine, kept| {
            let name = text(name, "name")?.to_owned();
            kept.callback.propose.ok_or_else(|| null("propose"))?;
            engine.add_proposer(Arc::new(Asking { name, kept }))
        })
    }
}

/// Removes a proposer; its `destroy` is called once nobody uses it any more.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_proposer_remove(
    engine: *const EngineHandle,
    name: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let name = text(name, "name")?;
            if engine.remove_proposer(name) { Ok(()) } else { Err(not_there("proposer", name)) }
        })
    }
}
