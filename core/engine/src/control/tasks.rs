//! The requests about a live engine's program: its warm executors, and the checkpoints of its components.

use knhk_resilience::checkpoint::{Checkpoints, Info, Restored, Taken};
use knhk_warm::Priority;
use knhk_warm::executor::TaskStats;
use serde::{Deserialize, Serialize};

use super::Request;
use super::answers::hex;
use crate::{Engine, Error, ExecutorInfo, Status, checkpoint_error};

/// Shows the warm executors, the engine's own and those that the program made known, and their tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {}

/// An executor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Executing {
    /// Its name.
    pub name: String,
    /// Runs that wait, by level, the lowest first.
    pub waiting: [usize; 5],
    /// Runs whose callback is being called.
    pub running: usize,
    /// Runs that rest until their time comes or somebody wakes them.
    #[serde(default)]
    pub resting: usize,
    /// Whether it is paused.
    pub paused: bool,
    /// Runs that come in a second.
    pub arrivals: f64,
    /// Runs that can end in a second; none while nothing is known.
    pub services: Option<f64>,
    /// Seconds until the queue is full, where it is filling.
    pub full_in: Option<f64>,
    /// Whether overload is announced.
    pub overloaded: bool,
    /// Its tasks.
    pub tasks: Vec<ExecutedTask>,
}

/// A task of an executor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecutedTask {
    /// Its name.
    pub name: String,
    /// The level that it was given.
    pub priority: String,
    /// The level that it is served at: lower where it overran again and again.
    pub level: String,
    /// Runs that ended.
    pub runs: u64,
    /// Calls of its callback.
    pub slices: u64,
    /// Calls that took longer than the budget.
    pub overruns: u64,
    /// Runs that were dropped or ended after their deadline.
    pub late: u64,
    /// Seconds that a slice may take.
    pub budget: f64,
    /// Seconds that its slices took.
    pub busy: f64,
    /// Seconds of the longest slice.
    pub worst: f64,
}

/// Lists the checkpoints of components that the program has open.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentCheckpoints {
    /// Only those under this name.
    #[serde(default)]
    pub name: Option<String>,
}

/// Takes a checkpoint of a live program's components, on the engine's thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeCheckpoint {
    /// The name that the checkpoints are under.
    pub name: String,
    /// Everything, and not only what changed.
    #[serde(default)]
    pub full: bool,
}

/// Has a live program's components take the newest checkpoint that is whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreCheckpoint {
    /// The name that the checkpoints are under.
    pub name: String,
}

/// Checkpoints under a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpointed {
    /// The name.
    pub name: String,
    /// The components that the next one has.
    pub components: Vec<String>,
    /// Those that are kept, oldest first.
    pub kept: Vec<KeptCheckpoint>,
}

/// A checkpoint that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptCheckpoint {
    /// Its number.
    pub number: u64,
    /// Whether it stands alone.
    pub full: bool,
    /// Its bytes.
    pub bytes: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Why it cannot be restored, if so.
    pub damage: Option<String>,
}

/// A checkpoint that was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TakenCheckpoint {
    /// The name that it is under.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// Whether it stands alone.
    pub full: bool,
    /// Its bytes, as they are kept.
    pub bytes: u64,
    /// Bytes of the components' states.
    pub state_bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub digest: String,
    /// Seconds that the components held still.
    pub frozen: f64,
    /// Seconds that it took in all.
    pub took: f64,
}

/// A checkpoint that was restored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoredCheckpoint {
    /// The name that it is under.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// When it was taken, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Its SHA-256, in hexadecimal.
    pub digest: String,
    /// Newer ones that were passed over: number and why.
    pub skipped: Vec<(u64, String)>,
    /// Components that it has no state of.
    pub absent: Vec<String>,
    /// Components whose state it has and that are not there.
    pub unknown: Vec<String>,
}

impl Request for Tasks {
    const METHOD: &'static str = "tasks";
    type Answer = Vec<Executing>;

    fn serve(self, engine: &Engine) -> Result<Vec<Executing>, Error> {
        Ok(engine.executors().into_iter().map(Executing::from).collect())
    }
}

impl Request for ComponentCheckpoints {
    const METHOD: &'static str = "component_checkpoints";
    type Answer = Vec<Checkpointed>;

    fn serve(self, engine: &Engine) -> Result<Vec<Checkpointed>, Error> {
        let listed = match &self.name {
            Some(name) => vec![open(engine, name)?],
            None => engine.checkpointed(),
        };
        let kept = |checkpoints: std::sync::Arc<Checkpoints>| {
            let name = checkpoints.name().to_string();
            let kept = checkpoints.list().map_err(|error| checkpoint_error(&name, &error))?;
            let (components, kept) = (checkpoints.names(), kept.into_iter().map(KeptCheckpoint::from).collect());
            Ok(Checkpointed { name, components, kept })
        };
        listed.into_iter().map(kept).collect()
    }
}

impl Request for TakeCheckpoint {
    const METHOD: &'static str = "take_checkpoint";
    type Answer = TakenCheckpoint;

    fn serve(self, engine: &Engine) -> Result<TakenCheckpoint, Error> {
        let TakeCheckpoint { name, full } = self;
        let checkpoints = open(engine, &name)?;
        let taken = if full { checkpoints.take_full() } else { checkpoints.take() };
        let Taken { number, full, bytes, digest, state_bytes, frozen, took } =
            taken.map_err(|error| checkpoint_error(&name, &error))?;
        let (digest, frozen, took) = (hex(&digest), frozen.as_secs_f64(), took.as_secs_f64());
        Ok(TakenCheckpoint { name, number, full, bytes, state_bytes, digest, frozen, took })
    }
}

impl Request for RestoreCheckpoint {
    const METHOD: &'static str = "restore_checkpoint";
    type Answer = RestoredCheckpoint;

    fn serve(self, engine: &Engine) -> Result<RestoredCheckpoint, Error> {
        let name = self.name;
        let restored = open(engine, &name)?.restore().map_err(|error| checkpoint_error(&name, &error))?;
        let Restored { number, digest, time_ns, skipped, absent, unknown } = restored;
        let (digest, skipped) = (hex(&digest), skipped.into_iter().map(|each| (each.number, each.why)).collect());
        Ok(RestoredCheckpoint { name, number, time_ns, digest, skipped, absent, unknown })
    }
}

fn open(engine: &Engine, name: &str) -> Result<std::sync::Arc<Checkpoints>, Error> {
    let all = engine.checkpointed();
    let names: Vec<String> = all.iter().map(|known| known.name().to_string()).collect();
    all.into_iter().find(|known| &**known.name() == name).ok_or_else(|| {
        let known = match names.is_empty() {
            true => "it has none open (Engine::checkpoints)".into(),
            false => format!("it has {}", names.join(", ")),
        };
        let message = format!("the program has no checkpoints {name:?} open; {known}");
        Error::new(Status::NotFound, "checkpoint", name, message)
    })
}

impl From<Info> for KeptCheckpoint {
    fn from(info: Info) -> KeptCheckpoint {
        let Info { number, full, bytes, time_ns, encrypted, damage } = info;
        KeptCheckpoint { number, full, bytes, time_ns, encrypted, damage }
    }
}

impl From<ExecutorInfo> for Executing {
    fn from(info: ExecutorInfo) -> Executing {
        let ExecutorInfo { name, stats, tasks } = info;
        let load = stats.load;
        Executing {
            name,
            waiting: stats.waiting,
            running: stats.running,
            resting: stats.resting,
            paused: stats.paused,
            arrivals: load.arrivals,
            // JSON has no infinity.
            services: Some(load.services).filter(|services| services.is_finite()),
            full_in: load.full_in.map(|full_in| full_in.as_secs_f64()),
            overloaded: load.overloaded,
            tasks: tasks.into_iter().map(ExecutedTask::from).collect(),
        }
    }
}

impl From<TaskStats> for ExecutedTask {
    fn from(stats: TaskStats) -> ExecutedTask {
        let TaskStats { name, priority, level, runs, slices, overruns, late, budget, busy, worst } = stats;
        let said = |priority: Priority| priority.to_string();
        let (name, priority, level) = (name.to_string(), said(priority), said(level));
        let (budget, busy, worst) = (budget.as_secs_f64(), busy.as_secs_f64(), worst.as_secs_f64());
        ExecutedTask { name, priority, level, runs, slices, overruns, late, budget, busy, worst }
    }
}
