//! Questions to proposers, which are answered beside the turns: each on a thread of its own, until its deadline. A later turn takes up what was said.
//!
//! What is asked is here alone, and gone with the process. The [mind](super::mind) knows which cycles wait for an answer; one whose question is not
//! here any more was interrupted, and is ended by the next turn ([`act`](super::act)).

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use knhk_autonomic::plan::model::Transcript;
use knhk_autonomic::plan::{PlanError, Proposer, Question};

use super::Loop;
use super::journal::{Answer, Said};
use super::within::Callback;

/// A proposer that is asked one question at a time.
pub(super) struct Desk {
    pub(super) proposer: Arc<dyn Proposer>,
    /// How long it may take; none: as long as callbacks may.
    deadline: Option<Duration>,
    /// Held while it is asked.
    at_work: Mutex<()>,
    /// Questions that nobody waits for any more, from which it has not come back. Changed under the lock of the questions.
    left: AtomicU64,
}

/// A question, and whom it is for.
pub(super) struct Request {
    pub cycle: String,
    pub desk: Arc<Desk>,
    pub question: Question,
    /// SHA-256 of its JSON, in hexadecimal digits.
    pub hash: String,
}

/// What is asked now, by cycle: one question each.
#[derive(Default)]
pub(super) struct Asks {
    open: Mutex<BTreeMap<String, Asked>>,
    answered: Condvar,
}

struct Asked {
    desk: Arc<Desk>,
    hash: String,
    /// None: for as long as the clock goes.
    until: Option<Instant>,
    deadline: Duration,
    /// Whether nobody waits for the answer any more.
    cancelled: Arc<AtomicBool>,
    answer: Option<Answer>,
}

impl Desk {
    pub(super) fn new(proposer: Arc<dyn Proposer>, deadline: Option<Duration>) -> Desk {
        Desk { proposer, deadline, at_work: Mutex::new(()), left: AtomicU64::new(0) }
    }

    /// What it says; none where nobody waits for it any more before its turn comes.
    fn ask(&self, question: &Question, cancelled: &AtomicBool) -> Option<(Said, Option<Transcript>)> {
        // It holds no data: whoever panicked while it was held left nothing half done.
        let _at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if cancelled.load(Ordering::Acquire) {
            return None;
        }
        let ask = || (self.proposer.propose_unless(question, cancelled), self.proposer.transcript());
        Some(match catch_unwind(AssertUnwindSafe(ask)) {
            Ok((Ok(Some(plan)), transcript)) => (Said::Plan(plan), transcript),
            Ok((Ok(None), transcript)) => (Said::Nothing, transcript),
            Ok((Err(PlanError { why, .. }), transcript)) => (Said::Failed(why), transcript),
            Err(panic) => (Said::Failed(format!("it panicked: {}", message(&*panic))), None),
        })
    }
}

impl Asks {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody is asked for a cycle, or answered already.
    pub(super) fn has(&self, cycle: &str) -> bool {
        self.open().contains_key(cycle)
    }

    /// The cycles for which somebody is asked.
    pub(super) fn cycles(&self) -> BTreeSet<String> {
        self.open().keys().cloned().collect()
    }

    /// Forgets what was answered for a cycle, once that is kept.
    pub(super) fn forget(&self, cycle: &str) {
        let asked = self.open().remove(cycle);
        drop(asked);
    }

    /// How long until there is something to take up, at most; none where nobody is asked.
    pub(super) fn rest(&self) -> Option<Duration> {
        let now = Instant::now();
        self.open().values().map(|asked| asked.left(now)).min()
    }

    /// Waits until something can be taken up for one of these cycles (true), or none of them waits for an answer any more (false).
    pub(super) fn wait(&self, cycles: &BTreeSet<String>) -> bool {
        let mut open = self.open();
        loop {
            let now = Instant::now();
            let own = open.iter().filter(|(cycle, _)| cycles.contains(*cycle));
            let Some(left) = own.map(|(_, asked)| asked.left(now)).min() else { return false };
            if left.is_zero() {
                return true;
            }
            open = self.answered.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets go of all questions; nobody who is asked is waited for.
    pub(super) fn close(&self) {
        let mut open = self.open();
        open.values().filter(|asked| asked.answer.is_none()).for_each(Asked::leave);
        let asked = std::mem::take(&mut *open);
        drop(open);
        self.answered.notify_all();
        drop(asked);
    }
}

impl Asked {
    fn is_late(&self, now: Instant) -> bool {
        self.answer.is_none() && self.until.is_some_and(|until| until <= now)
    }

    /// How long until there is something to take up, at most.
    fn left(&self, now: Instant) -> Duration {
        match (&self.answer, self.until) {
            (Some(_), _) => Duration::ZERO,
            (None, Some(until)) => until.saturating_duration_since(now),
            (None, None) => Duration::MAX,
        }
    }

    fn leave(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.desk.left.fetch_add(1, Ordering::Relaxed);
    }

    fn says(&self, said: Said, transcript: Option<Transcript>) -> Answer {
        Answer { proposer: self.desk.proposer.name().into(), question: self.hash.clone(), said, transcript }
    }
}

impl Loop {
    /// The answers that are there, by cycle; of whoever is late, that.
    pub(super) fn answers(&self) -> Vec<(String, Answer)> {
        let now = Instant::now();
        let mut open = self.asks.open();
        for asked in open.values_mut().filter(|asked| asked.is_late(now)) {
            let why = format!("it took more than {} ms", asked.deadline.as_millis());
            asked.leave();
            self.callbacks.fail();
            asked.answer = Some(asked.says(Said::Failed(why), None));
        }
        let answered = |(cycle, asked): (&String, &Asked)| Some((cycle.clone(), asked.answer.clone()?));
        open.iter().filter_map(answered).collect()
    }

    /// Puts a question to a proposer.
    pub(super) fn ask(self: &Arc<Loop>, request: Request, deadline: Duration) {
        let Request { cycle, desk, question, hash } = request;
        let deadline = desk.deadline.unwrap_or(deadline);
        let cancelled = Arc::new(AtomicBool::new(false));
        let asked = Asked {
            desk: desk.clone(),
            hash,
            until: Instant::now().checked_add(deadline),
            deadline,
            cancelled: cancelled.clone(),
            answer: None,
        };
        let mut open = self.asks.open();
        let left = desk.left.load(Ordering::Relaxed);
        let before = open.insert(cycle.clone(), asked).filter(|before| before.answer.is_none());
        before.iter().for_each(Asked::leave);
        drop(open);
        if left > 0 {
            let why = "it has not come back yet from a question that it was late with".into();
            return self.answered(&cycle, &desk, &cancelled, Said::Failed(why), None);
        }
        // The thread holds nothing up that ends: not the loop, and not its engine.
        let (autonomic, mark) = (Arc::downgrade(self), self.mark);
        let (whose, whom, given_up) = (cycle.clone(), desk.clone(), cancelled.clone());
        let run = move || {
            mark.enter(Callback::Proposer);
            let (said, transcript) = whom.ask(&question, &given_up).unwrap_or((Said::Nothing, None));
            if let Some(autonomic) = autonomic.upgrade() {
                autonomic.answered(&whose, &whom, &given_up, said, transcript);
            }
        };
        if let Err(error) = thread::Builder::new().name("knhk-propose".into()).spawn(run) {
            let why = format!("there is no thread to ask it on: {error}");
            self.answered(&cycle, &desk, &cancelled, Said::Failed(why), None);
        }
    }

    /// Has the next turn take up what was said to a question, unless nobody waits for it any more. Called once for each question.
    fn answered(
        &self,
        cycle: &str,
        desk: &Desk,
        cancelled: &Arc<AtomicBool>,
        said: Said,
        transcript: Option<Transcript>,
    ) {
        let mut open = self.asks.open();
        let own = open.get_mut(cycle).filter(|asked| Arc::ptr_eq(&asked.cancelled, cancelled));
        let Some(asked) = own.filter(|asked| asked.answer.is_none()) else {
            desk.left.fetch_sub(1, Ordering::Relaxed);
            return;
        };
        if matches!(said, Said::Failed(_)) {
            self.callbacks.fail();
        }
        asked.answer = Some(asked.says(said, transcript));
        drop(open);
        self.asks.answered.notify_all();
        if let Some(job) = &*self.job() {
            job.wake();
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why")
}
