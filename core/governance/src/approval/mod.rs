//! Approvals: who said yes to what, signed with their own keys.
//!
//! [`Approvers`] says who may approve. A [`Matter`] is what is voted on: a proposal, a relaxation of a guard, a change of the approvers or of
//! the guards. [`Matter::request`] makes what an approver signs, [`Approval`] is the signed message, [`Approval::verify`] looks at the
//! signatures and nothing else, and [`Tally::take`] at all else: whether it is of this matter and this content, good now, by someone who may,
//! and newer than what they said before. [`Tally::approved`] gives those that count, which rules and guards look at.
//!
//! Everything is a pure function of what was recorded and the time that is passed in; whoever keeps the records stores them as JSON.
//!
//! ```
//! use knhk_governance::approval::{Approval, Approver, Approvers, Kind, Matter, Tally, Word};
//! use knhk_ledger::Signer;
//!
//! let ada = Signer::generate()?;
//! let member = Approver { name: "ada".into(), key: ada.public(), groups: vec!["risk".into()] };
//! let approvers = Approvers { revision: 1, threshold: 1, keepers: String::new(), members: vec![member] };
//! let matter = Matter {
//!     log: "orders.example/1".into(),
//!     kind: Kind::Proposal,
//!     id: "p-19".into(),
//!     digest: [7; 32],
//!     by: "bob".into(),
//!     own: false,
//!     groups: vec![],
//!     requested_ns: 1_000,
//!     until_ns: u64::MAX,
//! };
//! let signed = matter.request(Word::Approve, [1; 16], 2_000, 9_000).sign(&ada)?;
//!
//! let ballot = Approval::from_bytes(&signed)?.verify(&[&approvers])?;
//! let tally = Tally::new(matter).take(&ballot, 3_000)?;
//! assert_eq!(tally.approved(&approvers, 3_000)[0].by, "ada");
//! assert_eq!(tally.take(&ballot, 4_000)?.approved(&approvers, 4_000).len(), 1, "sent twice, it counts once");
//! assert!(tally.approved(&approvers, 9_000).is_empty(), "it expires by itself");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod approvers;
mod change;
mod message;
mod refusal;
mod relaxation;
mod tally;

pub use approvers::{Approver, Approvers};
pub use change::{Change, Next};
pub use message::{Approval, Ballot, Kind, Request, Voter, Word};
pub use refusal::Refusal;
pub use relaxation::{Ask, Asked, Event, Relaxation, Revoked, State};
use serde::{Deserialize, Serialize};
pub use tally::{Matter, Tally, Vote};

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
