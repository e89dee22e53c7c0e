//! Why a promotion did not happen. Whatever the reason, the sector is as it was.

use std::time::Duration;

use knhk_hot::HotError;
use knhk_ontology::shacl::{Report, Severity};
use knhk_ontology::{CompileError, DocumentError, Incompatibility, SnapshotError};

use crate::JournalError;

/// A promotion or rollback was refused; nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromotionError {
    /// The document is not valid.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The change touches what is not the sector's, or is not sound.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The knowledge breaks shapes.
    #[error("{}", nonconforming(.0))]
    Nonconforming(Box<Report>),
    /// The document does not fit into an artifact or the sector's key table.
    #[error(transparent)]
    Compile(CompileError),
    /// Keys that programs hold would be dropped or change their type.
    #[error(
        "{} of the keys that programs hold would break, first {}; promote with a declared major version if that is meant",
        .0.len(),
        .0[0]
    )]
    Incompatible(Vec<Incompatibility>),
    /// The cells refused: closed, forked or stalled by a reader.
    #[error(transparent)]
    Hot(#[from] HotError),
    /// The version could not be made durable.
    #[error("version {version} of sector {sector} could not be written: {source}; nothing was promoted")]
    Journal {
        /// The sector's name.
        sector: String,
        /// The version's number.
        version: u64,
        /// What the journal said.
        source: JournalError,
    },
    /// No such version is retained.
    #[error("sector {sector} retains no version {version}; it has {retained}")]
    UnknownVersion {
        /// The sector's name.
        sector: String,
        /// What was asked for.
        version: u64,
        /// What there is, for people.
        retained: String,
    },
    /// Of several sectors' changes one was refused, and with it all.
    #[error("sector {sector}: {source}; none of the {of} sectors changed")]
    Together {
        /// The sector whose change it is.
        sector: String,
        /// How many sectors were to change.
        of: usize,
        /// What is wrong with it.
        source: Box<PromotionError>,
    },
    /// Several sectors' changes could not be prepared in time.
    #[error(
        "sector {sector}: {phase} took longer than {within:?} for all sectors together; nothing changed, try again"
    )]
    TimedOut {
        /// The sector that was waited for.
        sector: String,
        /// What took so long.
        phase: &'static str,
        /// The time that there was.
        within: Duration,
    },
    /// A sector is to become two things at once.
    #[error("sector {sector} is changed twice: make one change of both")]
    Twice {
        /// The sector's name.
        sector: String,
    },
    /// The guard was made for another promotion.
    #[error("the guard was made for another promotion than this one of sector {sector}")]
    ForeignGuard {
        /// The sector's name.
        sector: String,
    },
    /// What is new comes into a governed sector through the stages alone.
    #[error("sector {sector} is governed: propose the change (Engine::propose, knhk propose)")]
    Ungoverned {
        /// The sector's name.
        sector: String,
    },
    /// The receipt does not show that this change passed.
    #[error("sector {sector}: the receipt of the validation {why}; propose the change again")]
    NotPassed {
        /// The sector's name; empty where the receipt does not say it.
        sector: String,
        /// What is wrong with it, continuing "the receipt of the validation".
        why: String,
    },
    /// What passed was a change of another version than the current one, or came out otherwise.
    #[error("sector {sector}: {why} since the change passed; propose it again")]
    Stale {
        /// The sector's name.
        sector: String,
        /// What is otherwise.
        why: &'static str,
    },
    /// Only a version that was durable once may become current before it is written.
    #[error(
        "sector {sector}: only a rollback takes effect before it is written; promote what is new in the usual order"
    )]
    NotRollback {
        /// The sector's name.
        sector: String,
    },
    /// An earlier promotion panicked half-way.
    #[error(
        "sector {sector} refuses changes since an earlier promotion panicked; reads go on, reopen the engine to recover"
    )]
    Poisoned {
        /// The sector's name.
        sector: String,
    },
}

impl From<CompileError> for PromotionError {
    fn from(error: CompileError) -> PromotionError {
        match error {
            CompileError::Document(error) => PromotionError::Document(error),
            error => PromotionError::Compile(error),
        }
    }
}

/// Violations that a message repeats; the report has all of them.
const REPEATED: usize = 3;

fn nonconforming(report: &Report) -> String {
    let violations = || report.results().filter(|result| result.severity() == Severity::Violation);
    let count = violations().count();
    let mut text = String::new();
    for result in violations().take(REPEATED) {
        let path = result.path().map_or(String::new(), |path| format!(" {path}"));
        text += &format!("{}{path}: {} (shape {})\n", result.focus(), result.message(), result.shape());
    }
    match count.saturating_sub(REPEATED) {
        0 => text.truncate(text.trim_end().len()),
        more => text += &format!("and {more} more"),
    }
    text
}
