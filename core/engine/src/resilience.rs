//! Policies that the engine knows: listed for operators, and retuned by the parameters of a sector.
//!
//! A policy that is bound to a sector follows the values under `resilience/<policy>/<parameter>` there, such as
//! `resilience/payments/failure_rate`. A promotion or a rollback retunes it before the call that makes it returns; what a version does
//! not state is as the program made it. A version whose values a policy cannot take leaves that policy as it was, which the log says
//! and [`PolicyInfo::refused`]. Whoever passes through a policy meanwhile takes no lock.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use knhk_hot::Hot;
use knhk_hot::artifact::Value;
use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_ontology::Document;
use knhk_promotion::Version;
use knhk_resilience::breaker::Why;
use knhk_resilience::checkpoint::Checkpoints;
use knhk_resilience::policy::Parameter;
use knhk_resilience::{Change, Clock, Event, Events, Policy, PolicyError, Scope};
use knhk_warm::Ticker;
use knhk_warm::executor::Watch;
use serde_json::{Map, json};

use crate::durable::{Durable, now_ns};
use crate::{Engine, Error, Level, Status};

/// A policy, as enumerated.
#[derive(Clone, Debug)]
pub struct PolicyInfo {
    /// Its name.
    pub name: String,
    /// "breaker", "token_bucket" and so on.
    pub kind: &'static str,
    /// The sector that it follows, if it follows one.
    pub sector: Option<String>,
    /// The version of the sector that retuned it last; 0 for none.
    pub version: u64,
    /// Why the newest version could not retune it, if it could not.
    pub refused: Option<String>,
    /// Its state in a word or two; may be empty.
    pub state: String,
    /// Its state and figures in a line for people.
    pub summary: String,
    /// What it counts and measures at present.
    pub figures: Vec<(&'static str, f64)>,
    /// Its parameters as they stand.
    pub parameters: Vec<Parameter>,
}

/// A policy under a name.
struct Known {
    name: String,
    policy: Policy,
    bound: Option<Bound>,
}

/// What ties a policy to a sector.
struct Bound {
    sector: String,
    /// As the program made it.
    own: Vec<(String, f64)>,
    version: u64,
    refused: Option<String>,
}

/// All policies of an engine, and what else of the program operators look at.
#[derive(Default)]
pub(crate) struct Policies {
    known: Mutex<Vec<Known>>,
    scope: OnceLock<Scope>,
    /// Writes receipts, where there is a ledger.
    recorder: Mutex<Option<Recorder>>,
    /// The checkpoints that are open.
    pub(crate) checkpoints: Mutex<Vec<Weak<Checkpoints>>>,
    /// The executors that were made known.
    pub(crate) executors: Mutex<Vec<(String, Watch)>>,
}

/// What turns transitions into receipts, on a thread of its own.
struct Recorder {
    events: Events,
    ticker: Ticker,
}

/// Transitions that wait for their receipts before the oldest make room, which is counted in `knhk.resilience.events.displaced`.
const WAITING: usize = 4096;

/// Receipts of one batch.
const BATCH: usize = 256;

/// The engine's cached clock: a look is a load. It stands still once the engine is closed.
pub(crate) struct Cached(pub(crate) Hot);

impl std::fmt::Debug for Cached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the engine's clock")
    }
}

impl Clock for Cached {
    #[inline]
    fn now_ns(&self) -> u64 {
        self.0.clock().now_ns()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

impl Policies {
    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        // Whole after a panic: each change is one step.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Retunes what follows the sector. Called in the order of generations; what is to be logged is returned.
    pub(crate) fn follow(&self, sector: &str, version: &Version) -> Vec<(Level, String)> {
        let mut told = Vec::new();
        for known in self.lock().iter_mut() {
            if known.bound.as_ref().is_some_and(|bound| bound.sector == sector) {
                told.extend(known.follow(version.document(), version.number));
            }
        }
        told
    }
}

impl Policies {
    /// Has each transition of the scope leave a receipt.
    fn record(&self, scope: &Scope, durable: &Arc<Durable>) -> Result<(), Error> {
        let events = Events::new(WAITING);
        let (queue, kept) = (events.clone(), durable.clone());
        let told = move |event: Event| record(&kept, event, &queue);
        let ticker = events.listen(Box::new(told)).map_err(|error| {
            let message = format!("the thread for receipts of transitions could not be started: {error}");
            Error::new(Status::System, "policy", "knhk-resilience", message)
        })?;
        scope.subscribe(events.clone());
        *self.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Some(Recorder { events, ticker });
        Ok(())
    }

    /// Writes the receipts that are still to be written, and no more after that: before the ledger's store closes.
    pub(crate) fn close(&self, durable: &Durable) {
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Recorder { events, ticker }) = recorder else { return };
        if let Some(scope) = self.scope.get() {
            scope.unsubscribe(&events);
        }
        drop(ticker);
        if let Some(event) = events.try_next() {
            record(durable, event, &events);
        }
    }
}

/// Writes the receipt of an event, and of those that wait behind it, in batches.
fn record(durable: &Durable, first: Event, events: &Events) {
    let mut next = Some(first);
    while next.is_some() {
        let batch = std::iter::from_fn(|| next.take().or_else(|| events.try_next())).take(BATCH);
        let entries: Vec<Entry> = batch.filter_map(|event| entry(&event)).collect();
        if !entries.is_empty()
            && let Err(error) = durable.history.ledger().append(entries)
        {
            tracing::error!(name: "knhk.resilience.receipt", %error, "transitions left no receipts");
        }
        next = events.try_next();
    }
}

/// The receipt of a transition; a recovery leaves none, but what it mends does, and neither does a checkpoint that failed.
fn entry(event: &Event) -> Option<Entry> {
    let (from, to) = event.change.ends();
    let name = || event.source.to_string();
    let evidence = match &event.change {
        Change::Breaker { why, .. } => {
            let failure_rate = match *why {
                Why::FailureTrend(rate, _) | Why::FailureRate(rate, _) => f64::from(rate),
                // As far as was looked, all calls failed.
                Why::ConsecutiveFailures(_) | Why::ProbeFailed => 1.0,
                _ => 0.0,
            };
            Evidence::BreakerChanged { breaker: name(), from, to, failure_rate }
        }
        Change::Degradation { off, .. } => Evidence::DegradationChanged { from, to, disabled: off.clone() },
        Change::Health { component, availability, .. } => {
            Evidence::HealthChanged { component: component.to_string(), from, to, availability: *availability }
        }
        Change::System { availability, .. } => {
            Evidence::HealthChanged { component: name(), from, to, availability: *availability }
        }
        Change::CheckpointTaken { bytes, digest, .. } => {
            Evidence::CheckpointTaken { component: name(), checkpoint: *digest, bytes: *bytes }
        }
        Change::CheckpointRestored { digest, .. } => {
            Evidence::CheckpointRestored { component: name(), checkpoint: *digest }
        }
        _ => return None,
    };
    Some(Entry { time_ns: now_ns(), sector: None, outcome: Outcome::Approved, evidence, links: Vec::new() })
}

impl Known {
    /// Takes what the document says of it, unless a newer version was taken already.
    fn follow(&mut self, document: &Document, version: u64) -> Option<(Level, String)> {
        let bound = self.bound.as_mut().filter(|bound| version >= bound.version)?;
        bound.version = version;
        let found = wanted(&self.name, &bound.own, document);
        let before = self.policy.parameters();
        let retuned = found.and_then(|found| {
            let found: Vec<(&str, f64)> = found.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            self.policy.retune(&found).map_err(|error| error.to_string())
        });
        bound.refused = retuned.err();
        if let Some(why) = &bound.refused {
            let message =
                format!("{} {version} cannot retune policy {}, which stays as it was: {why}", bound.sector, self.name);
            return Some((Level::Error, message));
        }
        let after = self.policy.parameters();
        let differs = before.iter().zip(&after).filter(|(before, after)| before.value != after.value);
        let changed: Vec<String> =
            differs.map(|(before, after)| format!("{} {} → {}", after.name, before.value, after.value)).collect();
        let message = format!("{} {version} retunes policy {}: {}", bound.sector, self.name, changed.join(", "));
        (!changed.is_empty()).then_some((Level::Info, message))
    }
}

/// The values that the document wants for the policy: its own, and over them what the document states.
fn wanted(name: &str, own: &[(String, f64)], document: &Document) -> Result<Vec<(String, f64)>, String> {
    let prefix = format!("resilience/{name}/");
    let mut wanted = own.to_vec();
    for leaf in document.leaves() {
        let Some(parameter) = leaf.path.strip_prefix(&prefix) else { continue };
        let value = match leaf.value {
            Value::I64(value) => value as f64,
            Value::F64(value) => value,
            _ => return Err(format!("{} is no number", leaf.path)),
        };
        match wanted.iter_mut().find(|(name, _)| name == parameter) {
            Some((_, place)) => *place = value,
            // For the policy to refuse, with the names that it has.
            None => wanted.push((parameter.into(), value)),
        }
    }
    Ok(wanted)
}

/// The parameters of a policy as a document of a sector that it can follow, with ranges, units and meanings.
pub fn policy_document(name: &str, policy: &Policy) -> String {
    let mut leaves = Map::new();
    for Parameter { name, value, unit, low, high, is_whole, what } in policy.parameters() {
        let number = |value: f64| if is_whole { json!(value as i64) } else { json!(value) };
        let leaf = json!({
            "$value": number(value), "$min": number(low), "$max": number(high), "$unit": unit, "$doc": what,
        });
        let mut place = &mut leaves;
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                place.insert(part.into(), leaf);
                break;
            }
            let inner = place.entry(part).or_insert_with(|| json!({}));
            place = inner.as_object_mut().expect("what has parameters below it was made an object");
        }
    }
    json!({ "resilience": { name: leaves } }).to_string()
}

/// An error of a policy, as the engine's.
pub(crate) fn refused(stage: &'static str, error: &PolicyError) -> Error {
    Error::new(Status::InvalidArgument, stage, error.item(), error.to_string())
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Error {
        refused("policy", &error)
    }
}

impl Engine {
    /// What this engine's policies share: its cached clock, whose look costs a load and which advances with
    /// [`crate::Options::clock_period`], one set of counters, and events. Where the engine has a ledger, each transition of a breaker, a
    /// degradation or a health monitor in this scope leaves a receipt. For policies that time single calls (an adaptive limit, a
    /// hedge), take [`Scope::with_clock`] with the system's.
    pub fn scope(&self) -> Scope {
        let policies = &self.inner.announcer.policies;
        let make = || {
            let scope = Scope::new(Arc::new(Cached(self.inner.hot.clone())));
            if let Some(durable) = &self.inner.journal.durable
                && durable.writable().is_ok()
                && let Err(error) = policies.record(&scope, durable)
            {
                self.inner.announcer.log(Level::Error, "resilience", error.to_string());
            }
            scope
        };
        policies.scope.get_or_init(make).clone()
    }

    /// Makes a policy known under a name: [`Engine::policies`] lists it. With a sector it follows the values under
    /// `resilience/<name>/<parameter>` there, at once and after each change.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that cannot be part of a path, `AlreadyExists`, `NotFound` for an unknown sector, `Closed`.
    pub fn add_policy(&self, name: &str, policy: Policy, sector: Option<&str>) -> Result<(), Error> {
        self.checked()?;
        let sector = sector.map(|sector| self.sector(sector)).transpose()?;
        if name.is_empty()
            || name.len() > 128
            || name.starts_with('$')
            || name.chars().any(|c| c == '/' || c.is_control())
        {
            let message =
                format!("{name:?} cannot name a policy: use 1 to 128 bytes without / and not beginning with $");
            return Err(Error::new(Status::InvalidArgument, "policy", name, message));
        }
        let policies = &self.inner.announcer.policies;
        {
            let mut known = policies.lock();
            if known.iter().any(|known| known.name == name) {
                let message = format!("there is a policy {name} already");
                return Err(Error::new(Status::AlreadyExists, "policy", name, message));
            }
            let own = policy.parameters().into_iter().map(|parameter| (parameter.name, parameter.value)).collect();
            let bound =
                sector.as_ref().map(|sector| Bound { sector: sector.name().into(), own, version: 0, refused: None });
            known.push(Known { name: name.into(), policy, bound });
        }
        // A promotion from here on finds it; the one before is looked for now.
        let Some(sector) = sector else { return Ok(()) };
        let state = sector.lock()?;
        if let Some(document) = state.document() {
            let number = state.current().map_or(0, |version| version.number);
            let mut known = policies.lock();
            let told =
                known.iter_mut().find(|known| known.name == name).and_then(|known| known.follow(document, number));
            drop(known);
            if let Some((level, message)) = told {
                self.inner.announcer.log(level, "resilience", message);
            }
        }
        Ok(())
    }

    /// Forgets a policy, which stays as it is; `false` when there is none of that name.
    pub fn remove_policy(&self, name: &str) -> bool {
        let mut known = self.inner.announcer.policies.lock();
        let before = known.len();
        known.retain(|known| known.name != name);
        known.len() != before
    }

    /// The policy of that name, to be switched by hand.
    pub fn policy(&self, name: &str) -> Option<Policy> {
        let known = self.inner.announcer.policies.lock();
        known.iter().find(|known| known.name == name).map(|known| known.policy.clone())
    }

    /// All policies that were made known, in that order, as they stand.
    pub fn policies(&self) -> Vec<PolicyInfo> {
        let info = |known: &Known| {
            let bound = known.bound.as_ref();
            PolicyInfo {
                name: known.name.clone(),
                kind: known.policy.kind(),
                sector: bound.map(|bound| bound.sector.clone()),
                version: bound.map_or(0, |bound| bound.version),
                refused: bound.and_then(|bound| bound.refused.clone()),
                state: known.policy.state(),
                summary: known.policy.to_string(),
                figures: known.policy.figures(),
                parameters: known.policy.parameters(),
            }
        };
        self.inner.announcer.policies.lock().iter().map(info).collect()
    }
}
