//! Approvals: who said yes to what, signed with their own key.

use serde::{Deserialize, Serialize};

/// An approval that counts: verified, recorded, neither withdrawn nor expired, by someone who is an approver now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The approver's name.
    pub by: String,
    /// The groups that they are in now.
    pub groups: Vec<String>,
    /// When it was recorded here, in nanoseconds since 1970 (UTC): the order of approvals is that of their recording.
    pub time_ns: u64,
    /// From when on it counts no more.
    pub expires_ns: u64,
    /// The soft-mandatory rules that it overrides, such as `orders/four-eyes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
}
