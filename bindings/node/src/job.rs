//! What can take time: done at once, or on the engine's worker with a promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use knhk_engine::{
    AsOf, Engine, Error, Format, Hold, LogEntry, LogQuery, Options, Origin, ReceiptInfo, ReceiptQuery, Report,
    SectorKind, SegmentQuery, Signer, SigningKey, TagInfo, Verified, VersionInfo,
};

use crate::observations::Told;
use crate::shared::Shared;

/// An operation on an engine.
pub(crate) enum Job {
    CreateSector {
        name: String,
        kind: SectorKind,
    },
    Declare {
        sector: String,
        json: String,
    },
    Promote {
        sector: String,
        json: String,
        origin: Origin,
    },
    PromoteImage {
        sector: String,
        image: Vec<u8>,
        origin: Origin,
    },
    Rollback {
        sector: String,
        version: u64,
        origin: Origin,
    },
    EmergencyRollback {
        sector: String,
        version: u64,
        origin: Origin,
    },
    Compile {
        json: String,
    },
    CreateShippedSector {
        name: String,
        kind: SectorKind,
    },
    PromoteRdf {
        sector: String,
        text: Vec<u8>,
        format: Format,
        origin: Origin,
    },
    PromoteDelta {
        sector: String,
        removed: Vec<u8>,
        added: Vec<u8>,
        format: Format,
        origin: Origin,
    },
    Validate {
        sector: String,
    },
    ValidateRdf {
        sector: String,
        text: Vec<u8>,
        format: Format,
    },
    ValidateDelta {
        sector: String,
        removed: Vec<u8>,
        added: Vec<u8>,
        format: Format,
    },
    Receipts {
        query: ReceiptQuery,
    },
    Receipt {
        id: String,
    },
    ProveReceipt {
        id: String,
    },
    ProveConsistency {
        earlier: u64,
    },
    Checkpoint,
    Govern {
        verb: String,
        request: String,
    },
    SigningKeys,
    RotateKey {
        signer: Option<Signer>,
    },
    Prune,
    Log {
        sector: String,
        query: LogQuery,
    },
    Resolve {
        sector: String,
        reference: String,
    },
    Tag {
        sector: String,
        name: String,
        reference: String,
        by: String,
    },
    Untag {
        sector: String,
        name: String,
        by: String,
    },
    Tags {
        sector: String,
    },
    /// `place` is the engine's in the environment that asked.
    AsOf {
        place: u32,
        sector: String,
        reference: String,
    },
    AsOfMoment {
        place: u32,
        time_ns: u64,
    },
    Aggregates {
        sector: String,
    },
    Objectives {
        sector: String,
    },
    FlushObservations,
    ObserveStats,
    Segments {
        query: SegmentQuery,
    },
    Observations {
        segment: u64,
    },
    ProveObservation {
        segment: u64,
        index: u64,
    },
    VerifyObservation {
        record: Vec<u8>,
        proof: Vec<u8>,
    },
}

/// What an operation gave.
pub(crate) enum Output {
    Nothing,
    Version(Box<VersionInfo>),
    Image(Vec<u8>),
    Report(Box<Report>),
    Engine(Arc<Shared>),
    Receipts(Vec<ReceiptInfo>),
    Receipt(Box<ReceiptInfo>),
    Text(String),
    Number(u64),
    Keys(Vec<SigningKey>),
    Log(Vec<LogEntry>),
    Tags(Vec<TagInfo>),
    Verified(Box<Verified>),
    Hold(u32, Hold),
    Told(Told),
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
            Job::Receipts { query } => engine.receipts(&query).map(Output::Receipts),
            Job::Receipt { id } => engine.receipt(&id).map(|receipt| Output::Receipt(Box::new(receipt))),
            Job::ProveReceipt { id } => engine.prove_receipt(&id).map(Output::Image),
            Job::ProveConsistency { earlier } => engine.prove_consistency(earlier).map(Output::Image),
            Job::Checkpoint => engine.checkpoint().map(Output::Text),
            Job::Govern { verb, request } => {
                let request = crate::governance::read(&request)?;
                engine.govern(&verb, request).map(|answer| Output::Text(answer.to_string()))
            }
            Job::SigningKeys => engine.signing_keys().map(Output::Keys),
            Job::RotateKey { signer } => engine.rotate_key(signer).map(|receipt| Output::Receipt(Box::new(receipt))),
            Job::Prune => engine.prune().map(Output::Number),
            Job::Log { sector, query } => engine.log(&sector, &query).map(Output::Log),
            Job::Resolve { sector, reference } => engine.resolve(&sector, &reference).map(Output::Number),
            Job::Tag { sector, name, reference, by } => engine.tag(&sector, &name, &reference, &by).map(Output::Number),
            Job::Untag { sector, name, by } => engine.untag(&sector, &name, &by).map(|()| Output::Nothing),
            Job::Tags { sector } => engine.tags(&sector).map(Output::Tags),
            Job::AsOf { place, sector, reference } => {
                engine.as_of_reference(&sector, &reference).map(|hold| Output::Hold(place, hold))
            }
            Job::AsOfMoment { place, time_ns } => {
                engine.as_of(&AsOf::Moment(time_ns)).map(|hold| Output::Hold(place, hold))
            }
            Job::Aggregates { sector } => engine.aggregates(&sector).map(Told::Aggregates).map(Output::Told),
            Job::Objectives { sector } => engine.objectives(&sector).map(Told::Objectives).map(Output::Told),
            Job::FlushObservations => engine.flush_observations().map(|()| Output::Nothing),
            Job::ObserveStats => engine.observe_stats().map(|stats| Output::Told(Told::Stats(Box::new(stats)))),
            Job::Segments { query } => engine.segments(&query).map(Told::Segments).map(Output::Told),
            Job::Observations { segment } => engine.observations(segment).map(Told::Observations).map(Output::Told),
            Job::ProveObservation { segment, index } => {
                engine.prove_observation(segment, index).map(|proven| Output::Told(Told::Proof(Box::new(proven))))
            }
            Job::VerifyObservation { record, proof } => {
                engine.verify_observation(&record, &proof).map(|()| Output::Nothing)
            }
        }
    }
}

/// Opens an engine.
pub(crate) fn open(location: &str, options: Options, read_only: bool, delegated: bool) -> Outcome {
    Shared::open(location, options, read_only, delegated).map(Output::Engine)
}

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const CANCELLED: u8 = 2;
const STOPPED: u8 = 3;

/// Decides between an operation's start and its cancellation: an aborted promise means that nothing was done.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<AtomicU8>);

impl Ticket {
    /// The operation begins; `false` when it was cancelled before.
    pub(crate) fn start(&self) -> bool {
        self.0.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Asks an operation that has begun to stop, if it can.
    pub(crate) fn stop(&self) {
        _ = self.0.compare_exchange(STARTED, STOPPED, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire) == STOPPED
    }

    /// `false` when the operation has begun, and will tell how it ended.
    pub(crate) fn cancel(&self) -> bool {
        self.0.compare_exchange(WAITING, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
