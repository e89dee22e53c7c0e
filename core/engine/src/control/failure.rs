//! An error as it travels: over the socket, and as JSON out of the command.

use knhk_governance::Report;
use serde::{Deserialize, Serialize};

use super::Finding;
use super::answers::findings;
use crate::{Error, Status};

/// Why a request was refused: the shape of a JSON-RPC error.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The [`Status`] code, or a negative one of JSON-RPC.
    pub code: i32,
    /// What was wrong, where, and what to do.
    pub message: String,
    /// More about it.
    #[serde(default)]
    pub data: Box<Details>,
}

/// What an error says beside its code and message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The status in words.
    pub status: String,
    /// Where in the operation it happened.
    pub stage: String,
    /// The sector, path or file that it is about; may be empty.
    pub item: String,
    /// The shapes that would be broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What the stages of governance said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
}

impl Failure {
    /// A failure with a status of the library.
    pub fn new(status: Status, stage: &str, item: impl Into<String>, message: impl Into<String>) -> Failure {
        let (status_text, item) = (status.as_str().into(), item.into());
        let data = Details { status: status_text, stage: stage.into(), item, ..Details::default() };
        Failure { code: status.code(), message: message.into(), data: Box::new(data) }
    }

    /// A failure of the protocol itself.
    pub(crate) fn protocol(code: i32, message: impl Into<String>) -> Failure {
        let data = Details { status: "malformed request".into(), stage: "control".into(), ..Details::default() };
        Failure { code, message: message.into(), data: Box::new(data) }
    }

    /// The status, where the code is one of the library's.
    pub fn status(&self) -> Option<Status> {
        Status::from_code(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let mut failure = Failure::new(error.status(), error.stage(), error.item(), error.message());
        failure.data.findings = error.report().map(findings).unwrap_or_default();
        failure.data.reports = error.reports().to_vec();
        failure
    }
}
