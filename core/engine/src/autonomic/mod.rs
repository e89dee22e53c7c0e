//! The closed loop: observations are looked at, what is found leads to a plan, the plan goes through the pipeline like anybody's, and what became of
//! it is remembered. `docs/loop.md` tells it to users.
//!
//! ```text
//! turn:  make observations durable ─> sort them into samples ─> detectors ─> patterns ─> proposers ─> plan
//!                                                                                                       │ propose
//! cycle: detected ──> planned ──> waiting ──> watching ──> closed: kept, rolled back, refused, …        v
//!            └── somebody is asked beside the turns (asks), and a later one takes up the answer
//! ```
//!
//! A turn decides in a [`Mind`](mind::Mind), which has no clock, disk or thread: what it decides follows from segments, versions, the moment, and the
//! recorded answers of others, all of which are kept ([`journal`]). What follows from a decision is done by [`act`]; both survive a crash between any
//! two steps.

mod act;
mod asking;
mod asks;
mod callbacks;
mod counters;
mod cycle;
mod find;
mod ground;
mod hooks;
pub(crate) mod journal;
mod keep;
mod known;
pub(crate) mod mind;
mod planning;
mod recorded;
mod replay;
mod resume;
mod rows;
mod search;
mod settings;
mod turn;
mod verbs;
mod within;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use callbacks::DetectorFn;
pub use cycle::{
    Cycle, CycleOutcome, CycleQuery, CycleState, ForecastStatus, LoopStatus, PatternInfo, PatternQuery, WatchStatus,
};
pub use hooks::{HookFn, HookId, HookInfo, Phase, When};
pub use knhk_autonomic::Pattern;
pub use knhk_autonomic::detect::{Custom, Score};
pub use knhk_autonomic::plan::{Parameter, Plan, PlanError, Proposer, Question, Setting};
pub use knhk_autonomic::watch::Sample;
pub use replay::{Difference, ReplaySpan, Replayed};
pub use settings::Settings;

use knhk_autonomic::plan::model::Endpoint;

use crate::own::Job;

/// The loop of an engine.
#[derive(Default)]
pub(crate) struct Loop {
    /// What goes round; none: it was not started. Held during a turn.
    round: Mutex<Option<turn::Round>>,
    /// As of the last turn.
    status: Mutex<LoopStatus>,
    callbacks: callbacks::Callbacks,
    hooks: hooks::Hooks,
    /// The model that the environment names. It is kept as long as the environment names the same: what an hour may cost is counted in it.
    model: Mutex<Option<(Endpoint, Arc<asks::Desk>)>>,
    /// What is asked now.
    asks: asks::Asks,
    /// What threads that run its callbacks are known by.
    mark: within::Mark,
    /// Whether detectors are not to be waited for any more.
    stopping: AtomicBool,
    /// Takes turns by itself.
    job: Mutex<Option<Job>>,
}

impl Loop {
    // A turn that panicked is thrown away by whoever comes next.
    fn round(&self) -> MutexGuard<'_, Option<turn::Round>> {
        self.round.lock().unwrap_or_else(|poisoned| {
            self.round.clear_poison();
            let mut round = poisoned.into_inner();
            round.as_mut().into_iter().for_each(turn::Round::lose);
            round
        })
    }

    fn status(&self) -> MutexGuard<'_, LoopStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn model(&self) -> Option<Arc<asks::Desk>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, desk)| desk.clone())
    }

    fn job(&self) -> MutexGuard<'_, Option<Job>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has no more turns come by themselves.
    fn end_job(&self) {
        self.stopping.store(true, Ordering::Release);
        let job = self.job().take();
        drop(job);
    }

    /// Lets go of everything that is the program's, when its engine is closed.
    pub(crate) fn close(&self) {
        self.end_job();
        self.asks.close();
        self.callbacks.close();
        self.hooks.close();
        *self.model.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
