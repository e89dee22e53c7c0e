//! Commands for an engine: what the `knhk` command asks, of a folder directly or of the live engine that has it open.
//!
//! Each command is a [`Request`], served by the same code either way. An engine opened with `Options::control` listens on the UNIX
//! socket `control` in its folder. The socket has mode 0600, and the peer's user must be the engine's own, or root.
//!
//! The protocol is JSON-RPC 2.0, one message a line of UTF-8, at most [`Limits::bytes`](knhk_ontology::Limits) twice over plus 64 KiB. A
//! method's name begins with the protocol's version:
//!
//! ```text
//! → {"jsonrpc": "2.0", "id": 1, "method": "v1.rollback", "params": {"sector": "orders", "version": "3"}}
//! ← {"jsonrpc": "2.0", "id": 1, "result": {"sector": "orders", "version": {"version": 8, …}, …}}
//! ← {"jsonrpc": "2.0", "id": 1, "error": {"code": 100, "message": "…", "data": {"status": "not found", …}}}
//! ```
//!
//! Positive codes are the library's own ([`crate::Status`]), negative ones JSON-RPC's. There are no batches and no notifications: each line
//! is answered by one line. A change that was sent may happen although its sender did not wait for the answer.

mod answers;
mod client;
mod edit;
mod failure;
mod govern;
mod history;
mod ledger;
mod observed;
mod policies;
mod reads;
mod requests;
mod server;
mod socket;
mod tasks;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Engine, Error};

pub(crate) use answers::hex;
pub use answers::{
    Changed, Clash, Compared, Exported, Finding, Item, Parameter, Sector, Shown, Statements, Validated, VersionEntry,
};
pub use client::{Access, Live};
pub(crate) use edit::edited;
pub use failure::Failure;
pub use govern::Govern;
pub use history::{Log, Logged, Prune, Pruned, SetTag, Tagged, Tags};
pub use ledger::{
    KeyEntry, KeyList, Keys, ProveReceipt, ProvenReceipt, Receipt, Receipted, Receipts, RotateKey, SignCheckpoint,
    SignedCheckpoint,
};
pub use observed::{Observe, Observed, ObservedObjective, ObservedSeries};
pub use policies::{DegradationLevel, Health, Monitored, MonitoredComponent, Policies, PolicyEntry, Switch};
pub(crate) use reads::named;
pub use reads::{Compare, Conflicts, Export, Get, Sectors, Show, Validate};
pub use requests::{Content, Create, Promote, Rollback};
pub(crate) use server::Server;
pub use tasks::{
    Checkpointed, ComponentCheckpoints, ExecutedTask, Executing, KeptCheckpoint, RestoreCheckpoint, RestoredCheckpoint,
    TakeCheckpoint, TakenCheckpoint, Tasks,
};

/// The protocol's version, with which method names begin.
pub const PROTOCOL: &str = "v1";

/// A command.
pub trait Request: Serialize + DeserializeOwned {
    /// The method's name, without the protocol's version.
    const METHOD: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned;

    /// Does it.
    ///
    /// # Errors
    /// What the engine refused; nothing changed then.
    fn serve(self, engine: &Engine) -> Result<Self::Answer, Error>;
}
