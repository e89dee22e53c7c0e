//! A change on its way.

use std::sync::Arc;

use knhk_ontology::graph::Delta;
use knhk_ontology::{Compiled, Difference, Snapshot};

/// A change of one sector on its way: what it is, who asks for it, and what it would make of the sector. Immutable.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The proposal that it belongs to, such as `p-19`; empty for a mere question.
    pub proposal: String,
    /// The sector.
    pub sector: String,
    /// The version that it starts from; 0: nothing was promoted yet.
    pub base_version: u64,
    /// The knowledge that it starts from.
    pub base: Arc<Snapshot>,
    /// What programs read of that; none before the first promotion.
    pub current: Option<Arc<Compiled>>,
    /// What it removes and adds.
    pub delta: Arc<Delta>,
    /// SHA-256 over the delta's canonical form, which approvals are about.
    pub digest: [u8; 32],
    /// The knowledge that it would lead to.
    pub snapshot: Arc<Snapshot>,
    /// What programs would read of that; none where it does not compile.
    pub compiled: Option<Arc<Compiled>>,
    /// What would change, path by path.
    pub differences: Vec<Difference>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// How sure the proposer is, 0 to 1; none for a person.
    pub confidence: Option<f64>,
    /// Whether it is declared incompatible with what programs hold.
    pub major: bool,
    /// The decision's time, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// When it is to take effect, where that is not at once.
    pub effective_ns: Option<u64>,
}
