//! The engine's error: a code for programs, a sentence for people, and where it happened.

use std::fmt;

use knhk_governance::ShadowError;
use knhk_governance::approval::Refusal;
use knhk_governance::doctrine::{Conflict as RuleConflict, RuleError};
use knhk_hot::HotError;
use knhk_hot::artifact::ArtifactError;
use knhk_ledger::LedgerError;
use knhk_observation::ObservationError;
use knhk_ontology::rdf::{RdfError, RdfErrorKind};
use knhk_ontology::shacl::Report;
use knhk_ontology::{CompileError, DocumentError, DocumentErrorKind, SnapshotError};
use knhk_promotion::PromotionError;
use knhk_store::StoreError;
use knhk_version::VersionError;

use crate::{Status, durable};

/// Why a call failed. Whatever failed changed nothing.
#[derive(Debug)]
pub struct Error {
    status: Status,
    message: String,
    stage: &'static str,
    item: String,
    report: Option<Box<Report>>,
    reports: Vec<knhk_governance::Report>,
}

impl Error {
    /// An error with what went wrong and what to do, the stage it happened in, and the item it is about (may be empty).
    pub fn new(status: Status, stage: &'static str, item: impl Into<String>, message: impl Into<String>) -> Error {
        Error { status, message: message.into(), stage, item: item.into(), report: None, reports: Vec::new() }
    }

    pub(crate) fn with_reports(mut self, reports: Vec<knhk_governance::Report>) -> Error {
        self.reports = reports;
        self
    }

    /// The code.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What was wrong, where, and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The stage of the operation: "open", "parse", "verify", "compile", "journal", "swap", "intern" and so on.
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// Of [`Status::Nonconforming`]: everything that breaks a shape.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// Of [`Status::NotAdmitted`] and [`Status::Waiting`]: what the stages said, sector by sector.
    pub fn reports(&self) -> &[knhk_governance::Report] {
        &self.reports
    }

    /// What it is about: a sector, a path, a file; may be empty.
    pub fn item(&self) -> &str {
        &self.item
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<HotError> for Error {
    fn from(error: HotError) -> Error {
        let status = match &error {
            HotError::Closed => Status::Closed,
            HotError::Forked => Status::Forked,
            HotError::Stalled(_) => Status::Stalled,
            HotError::WrongThread(_) => Status::WrongThread,
            HotError::Sector(_) | HotError::InView(_) | HotError::NotRegistered(_) => Status::InvalidArgument,
            _ => Status::System,
        };
        Error::new(status, "hot", "", error.to_string())
    }
}

impl From<DocumentError> for Error {
    fn from(error: DocumentError) -> Error {
        let status = match error.kind {
            DocumentErrorKind::TooLarge { .. } => Status::Limit,
            _ => Status::Document,
        };
        let message = error.to_string();
        Error::new(status, "parse", error.path, message)
    }
}

impl From<ArtifactError> for Error {
    fn from(error: ArtifactError) -> Error {
        Error::new(Status::Artifact, "verify", "", error.to_string())
    }
}

impl From<PromotionError> for Error {
    fn from(error: PromotionError) -> Error {
        let message = error.to_string();
        match error {
            PromotionError::Document(error) => error.into(),
            PromotionError::Hot(error) => error.into(),
            PromotionError::Compile(error) => error.into(),
            PromotionError::Snapshot(error) => error.into(),
            PromotionError::Nonconforming(report) => {
                let first = report.results().next().map_or_else(String::new, |result| result.focus());
                Error { report: Some(report), ..Error::new(Status::Nonconforming, "validate", first, message) }
            }
            PromotionError::Incompatible(broken) => {
                Error::new(Status::Incompatible, "verify", broken[0].path.clone(), message)
            }
            PromotionError::Journal { sector, source, .. } => {
                let status = durable::cause(source).map_or(Status::Io, |cause| Error::from(cause).status());
                Error::new(status, "journal", sector, message)
            }
            PromotionError::UnknownVersion { sector, .. } => Error::new(Status::NotFound, "verify", sector, message),
            PromotionError::ForeignGuard { sector } | PromotionError::NotRollback { sector } => {
                Error::new(Status::InvalidArgument, "promote", sector, message)
            }
            PromotionError::Together { source, .. } => Error { message, ..Error::from(*source) },
            PromotionError::TimedOut { sector, .. } => Error::new(Status::Timeout, "prepare", sector, message),
            PromotionError::Twice { sector } => Error::new(Status::InvalidArgument, "prepare", sector, message),
            PromotionError::Ungoverned { sector }
            | PromotionError::NotPassed { sector, .. }
            | PromotionError::Stale { sector, .. } => Error::new(Status::Ungoverned, "promote", sector, message),
            PromotionError::Poisoned { sector } => Error::new(Status::Panic, "verify", sector, message),
            _ => Error::new(Status::System, "promote", "", message),
        }
    }
}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Error {
        let message = error.to_string();
        match error {
            SnapshotError::Document(error) => error.into(),
            SnapshotError::Rdf(error) => error.into(),
            SnapshotError::Shapes(error) => {
                let shape = error.problems().first().map_or_else(String::new, |problem| problem.shape.clone());
                Error::new(Status::Document, "validate", shape, message)
            }
            SnapshotError::Core { statement } | SnapshotError::Foreign { statement, .. } => {
                Error::new(Status::Conflict, "verify", statement, message)
            }
            _ => Error::new(Status::System, "verify", "", message),
        }
    }
}

impl From<RdfError> for Error {
    fn from(error: RdfError) -> Error {
        let status = match error.kind {
            RdfErrorKind::TooLarge { .. } => Status::Limit,
            RdfErrorKind::Io(_) => Status::Io,
            _ => Status::Document,
        };
        let place = error.place.as_ref().map_or_else(String::new, |place| place.to_string());
        Error::new(status, "parse", place, error.to_string())
    }
}

impl From<CompileError> for Error {
    fn from(error: CompileError) -> Error {
        if let CompileError::Document(error) = error {
            return error.into();
        }
        Error::new(Status::Limit, "compile", "", error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        let (status, item) = match &error {
            StoreError::Full { path } | StoreError::Io { path, .. } | StoreError::Failed { path, .. } => {
                (Status::Io, path.display().to_string())
            }
            StoreError::Newer { path, .. } | StoreError::Foreign { path, .. } => {
                (Status::Corrupt, path.display().to_string())
            }
            StoreError::Exists { path } => (Status::AlreadyExists, path.display().to_string()),
            StoreError::Corrupt { .. } => (Status::Corrupt, String::new()),
            StoreError::Missing { .. } => (Status::NotFound, String::new()),
            StoreError::Limit { .. } => (Status::Limit, String::new()),
            StoreError::Closed => (Status::Closed, String::new()),
            StoreError::Unsupported { .. } => (Status::InvalidArgument, String::new()),
            _ => (Status::Io, String::new()),
        };
        Error::new(status, "store", item, error.to_string())
    }
}

impl From<ObservationError> for Error {
    fn from(error: ObservationError) -> Error {
        let message = error.to_string();
        let status = match error {
            ObservationError::Ledger(error) => return error.into(),
            ObservationError::Store(error) => return error.into(),
            ObservationError::NotFound { .. } | ObservationError::Dropped { .. } => Status::NotFound,
            ObservationError::Damaged { .. } => Status::Corrupt,
            ObservationError::Setting { .. } => Status::InvalidArgument,
            ObservationError::Stopped => Status::Closed,
            ObservationError::Failing { .. } => Status::Io,
            _ => Status::System,
        };
        Error::new(status, "observe", "", message)
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Error {
        let message = error.to_string();
        let (status, item) = match error {
            LedgerError::Store(error) => return error.into(),
            LedgerError::Tampered(_) => (Status::Tampered, String::new()),
            LedgerError::Malformed { what, .. } => (Status::InvalidArgument, what.into()),
            LedgerError::Unproven { .. } => (Status::Unproven, String::new()),
            LedgerError::KeyFile { path, .. } => (Status::KeyFile, path.display().to_string()),
            LedgerError::Signing { .. } => (Status::Signing, String::new()),
            LedgerError::ReadOnly => (Status::Io, String::new()),
            LedgerError::State { .. } => (Status::InvalidArgument, String::new()),
            LedgerError::Limit { .. } => (Status::Limit, String::new()),
            LedgerError::Poisoned => (Status::Panic, String::new()),
            _ => (Status::System, String::new()),
        };
        Error::new(status, "ledger", item, message)
    }
}

impl From<Refusal> for Error {
    fn from(error: Refusal) -> Error {
        let status = match &error {
            Refusal::Malformed { .. } | Refusal::Revision { .. } => Status::InvalidArgument,
            Refusal::Limit { .. } => Status::Limit,
            Refusal::Forged { .. } | Refusal::Unknown { .. } => Status::Unproven,
            _ => Status::Refused,
        };
        Error::new(status, "govern", "", error.to_string())
    }
}

impl From<RuleError> for Error {
    fn from(error: RuleError) -> Error {
        let (status, item) = match &error {
            RuleError::TooLarge { what, .. } => (Status::Limit, what.clone()),
            RuleError::Store(_) => return Error::new(Status::Io, "govern", "", error.to_string()),
            RuleError::Stored { rule, .. } => (Status::Corrupt, rule.clone()),
            RuleError::Field { rule, .. } | RuleError::Expression { rule, .. } => (Status::Document, rule.clone()),
            _ => (Status::Document, String::new()),
        };
        Error::new(status, "govern", item, error.to_string())
    }
}

impl From<RuleConflict> for Error {
    fn from(error: RuleConflict) -> Error {
        Error::new(Status::Conflict, "govern", error.rule.clone(), error.to_string())
    }
}

impl From<ShadowError> for Error {
    fn from(error: ShadowError) -> Error {
        match error {
            ShadowError::Snapshot(error) => error.into(),
            ShadowError::Compile(error) => error.into(),
            ShadowError::Hot(error) => error.into(),
            error => Error::new(Status::Document, "shadow", "", error.to_string()),
        }
    }
}

impl From<VersionError> for Error {
    fn from(error: VersionError) -> Error {
        let message = error.to_string();
        let (status, item) = match error {
            VersionError::Ledger(error) => return error.into(),
            VersionError::Reference { text, .. } => (Status::InvalidArgument, text),
            VersionError::Tag { name, .. } => (Status::InvalidArgument, name),
            VersionError::Ambiguous { reference, .. } => (Status::InvalidArgument, reference),
            VersionError::Unknown { sector, .. } => (Status::NotFound, sector),
            VersionError::Damaged { sector, .. } | VersionError::OtherCore { sector, .. } => (Status::Corrupt, sector),
            VersionError::Unmergeable { sector, .. } => (Status::Document, sector),
            VersionError::NoConflict { item, .. } => (Status::InvalidArgument, item),
            VersionError::Bisect { sector, .. } => (Status::InvalidArgument, sector),
            VersionError::Clash { .. } => (Status::Conflict, String::new()),
            VersionError::Orphans { .. } => (Status::Tampered, String::new()),
            _ => (Status::System, String::new()),
        };
        Error::new(status, "history", item, message)
    }
}
