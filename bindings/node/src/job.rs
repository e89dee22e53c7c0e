//! What can take time: done at once, or on the engine's worker with a promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use knhk_engine::{Engine, Error, Format, Options, Origin, Report, SectorKind, VersionInfo};

use crate::shared::Shared;

/// An operation on an engine.
pub(crate) enum Job {
    CreateSector { name: String, kind: SectorKind },
    Declare { sector: String, json: String },
    Promote { sector: String, json: String, origin: Origin },
    PromoteImage { sector: String, image: Vec<u8>, origin: Origin },
    Rollback { sector: String, version: u64, origin: Origin },
    EmergencyRollback { sector: String, version: u64, origin: Origin },
    Compile { json: String },
    CreateShippedSector { name: String, kind: SectorKind },
    PromoteRdf { sector: String, text: Vec<u8>, format: Format, origin: Origin },
    PromoteDelta { sector: String, removed: Vec<u8>, added: Vec<u8>, format: Format, origin: Origin },
    Validate { sector: String },
    ValidateRdf { sector: String, text: Vec<u8>, format: Format },
    ValidateDelta { sector: String, removed: Vec<u8>, added: Vec<u8>, format: Format },
}

/// What an operation gave.
pub(crate) enum Output {
    Nothing,
    Version(Box<VersionInfo>),
    Image(Vec<u8>),
    Report(Box<Report>),
    Engine(Arc<Shared>),
}

pub(crate) type Outcome = Result<Output, Error>;

impl Job {
    pub(crate) fn run(self, engine: &Engine) -> Outcome {
        let version = |version| Output::Version(Box::new(version));
        let report = |report| Output::Report(Box::new(report));
        match self {
            Job::CreateSector { name, kind } => engine.create_sector(&name, kind).map(|()| Output::Nothing),
            Job::Declare { sector, json } => engine.declare_json(&sector, &json).map(|()| Output::Nothing),
            Job::Promote { sector, json, origin } => engine.promote_json(&sector, &json, origin).map(version),
            Job::PromoteImage { sector, image, origin } => engine.promote_image(&sector, &image, origin).map(version),
            Job::Rollback { sector, version: number, origin } => engine.rollback(&sector, number, origin).map(version),
            Job::EmergencyRollback { sector, version: number, origin } => {
                engine.emergency_rollback(&sector, number, origin).map(version)
            }
            Job::Compile { json } => engine.compile_json(&json).map(Output::Image),
            Job::CreateShippedSector { name, kind } => engine.create_sector_from(&name, kind).map(|_| Output::Nothing),
            Job::PromoteRdf { sector, text, format, origin } => {
                engine.promote_rdf(&sector, &text, format, origin).map(version)
            }
            Job::PromoteDelta { sector, removed, added, format, origin } => {
                engine.promote_delta(&sector, &removed, &added, format, origin).map(version)
            }
            Job::Validate { sector } => engine.validate(&sector).map(report),
            Job::ValidateRdf { sector, text, format } => engine.validate_rdf(&sector, &text, format).map(report),
            Job::ValidateDelta { sector, removed, added, format } => {
                engine.validate_delta(&sector, &removed, &added, format).map(report)
            }
        }
    }
}

/// Opens an engine.
pub(crate) fn open(location: &str, options: Options, read_only: bool) -> Outcome {
    Shared::open(location, options, read_only).map(Output::Engine)
}

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const CANCELLED: u8 = 2;

/// Decides between an operation's start and its cancellation: an aborted promise means that nothing was done.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<AtomicU8>);

impl Ticket {
    /// The operation begins; `false` when it was cancelled before.
    pub(crate) fn start(&self) -> bool {
        self.0.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// `false` when the operation has begun, and will tell how it ended.
    pub(crate) fn cancel(&self) -> bool {
        self.0.compare_exchange(WAITING, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
