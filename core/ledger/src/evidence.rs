//! What each kind of receipt states.

use ciborium::Value;

use crate::cbor::{Field, Fields, map};
use crate::{Hash, LedgerError};

macro_rules! evidence {
    ($($(#[$doc:meta])* $kind:ident $name:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// What happened, with what a verifier needs to know of it. Hashes are SHA-256, times nanoseconds since 1970 (UTC).
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Evidence {
            $($(#[$doc])* $kind { $($(#[$field_doc])* $field: $type,)* },)*
        }

        /// The name of each kind.
        pub const KINDS: &[&str] = &[$($name),*];

        impl Evidence {
            /// The kind's name.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Evidence::$kind { .. } => $name,)*
                }
            }

            /// What it says, as a map of CBOR: the names of the fields and their values.
            pub fn to_value(&self) -> Value {
                match self {
                    $(Evidence::$kind { $($field,)* } => {
                        let entries = [$((stringify!($field), $field.to_value()),)*];
                        map(entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
                    })*
                }
            }

            pub(crate) fn from_value(kind: &str, value: Value) -> Result<Evidence, LedgerError> {
                let mut fields = Fields::new("evidence", value)?;
                let evidence = match kind {
                    $($name => Evidence::$kind { $($field: fields.take(stringify!($field))?,)* },)*
                    _ => return Err(LedgerError::malformed("evidence", format!("no kind is called {kind:?}"))),
                };
                fields.end()?;
                Ok(evidence)
            }
        }
    };
}

evidence! {
    /// The log began.
    LedgerCreated "ledger created" {
        /// The first key (Ed25519).
        key: Hash,
    }
    /// A key took over from the one before; the statement is signed by the old one.
    KeyRotated "key rotated" {
        /// The key that signed until here.
        old: Hash,
        /// The key that signs from the next receipt on.
        new: Hash,
        /// COSE_Sign1 by the new key over the log, the receipt's number, the receipt before and both keys.
        acceptance: Vec<u8>,
    }
    /// A batch of observations was persisted.
    ObservationsIngested "observations ingested" {
        /// The segment that holds them.
        segment: u64,
        /// How many.
        count: u64,
        /// Bytes of each.
        record_bytes: u64,
        /// The Merkle root over them (RFC 9162).
        root: Hash,
        /// The earliest.
        first_ns: u64,
        /// The latest.
        last_ns: u64,
        /// How many were refused before it since the batch before.
        refused: u64,
    }
    /// An analyzer found something.
    PatternDetected "pattern detected" {
        /// The detector.
        detector: String,
        /// What it found.
        pattern: String,
        /// How sure it is, 0 to 1.
        confidence: f64,
        /// Receipts of the observations that show it.
        observations: Vec<String>,
        /// SHA-256 over what the loop decided about it.
        decision: Option<Hash>,
        /// SHA-256 of the page of the loop's journal that states the turn in which it was found.
        journal: Option<Hash>,
    }
    /// A change was proposed.
    ProposalGenerated "proposal generated" {
        /// The proposal.
        proposal: String,
        /// Who proposes.
        proposer: String,
        /// The delta.
        delta: Hash,
        /// How sure the proposer is, 0 to 1.
        confidence: f64,
        /// Why.
        why: String,
        /// Where a model was asked: SHA-256 of the request's body.
        prompt: Option<Hash>,
        /// Where a model was asked: SHA-256 of the answer's body.
        response: Option<Hash>,
    }
    /// Someone approved a change.
    ProposalApproved "proposal approved" {
        /// The proposal.
        proposal: String,
        /// Who, by their own signature.
        by: String,
        /// What it was that they approved: SHA-256 over the request.
        request: Hash,
        /// SHA-256 of the approval as it was signed.
        approval: Hash,
    }
    /// A change was taken back before it became current.
    ProposalWithdrawn "proposal withdrawn" {
        /// The proposal.
        proposal: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// The stages of validation ran.
    ValidationExecuted "validation executed" {
        /// The proposal, where there was one.
        proposal: Option<String>,
        /// The snapshot that would become current.
        snapshot: Hash,
        /// The content address that it would take the place of; none: nothing was promoted.
        before: Option<Hash>,
        /// Each stage and what it said, such as "schema: passed".
        stages: Vec<String>,
        /// How long it took, in nanoseconds.
        duration_ns: u64,
    }
    /// A snapshot became current; rejected: it was refused, and the sector is as it was.
    SnapshotPromoted "snapshot promoted" {
        /// The version's number in its sector; rejected: the one that it would have had.
        version: u64,
        /// Its content address; rejected: where it came that far.
        snapshot: Option<Hash>,
        /// The content address that was current before.
        before: Option<Hash>,
        /// The versions of its sector that it came from.
        parents: Vec<u64>,
        /// The versions of other sectors that it needs, such as "limits@7".
        depends: Vec<String>,
        /// Whether it was declared incompatible with the one before; none: refused, or made before receipts stated this, parents and needs.
        major: Option<bool>,
        /// The generation.
        epoch: u64,
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// Rejected: what was said.
        refused: Option<String>,
    }
    /// An earlier version became current again, as a new version; rejected: it was refused, and the sector is as it was.
    RollbackExecuted "rollback executed" {
        /// The new version's number in its sector; rejected: the one that it would have had.
        version: u64,
        /// The version whose content it has.
        rollback_of: u64,
        /// Its content address; rejected: where it came that far.
        snapshot: Option<Hash>,
        /// The content address that was current before.
        before: Option<Hash>,
        /// The versions of its sector that it came from.
        parents: Vec<u64>,
        /// The versions of other sectors that it needs, such as "limits@7".
        depends: Vec<String>,
        /// Whether it was declared incompatible with the one before; none: refused, or made before receipts stated this, parents and needs.
        major: Option<bool>,
        /// The generation.
        epoch: u64,
        /// Whether it took effect before it could be recorded.
        emergency: bool,
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// Rejected: what was said.
        refused: Option<String>,
    }
    /// The loop went round once.
    CycleCompleted "loop cycle completed" {
        /// Which cycle.
        cycle: u64,
        /// Patterns found.
        patterns: u64,
        /// Proposals made.
        proposals: u64,
        /// Proposals promoted.
        promoted: u64,
        /// How long it took, in nanoseconds.
        duration_ns: u64,
        /// SHA-256 over the decision that began it.
        decision: Option<Hash>,
    }
    /// Someone asked to relax a guard.
    RelaxationRequested "guard relaxation requested" {
        /// The guard.
        guard: String,
        /// The relaxation.
        relaxation: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
        /// When it would end.
        until_ns: u64,
    }
    /// Someone approved it.
    RelaxationApproved "guard relaxation approved" {
        /// The guard.
        guard: String,
        /// The relaxation.
        relaxation: String,
        /// Who.
        by: String,
        /// Approvals so far.
        approvals: u64,
        /// Approvals that it takes.
        quorum: u64,
    }
    /// Someone took it back.
    RelaxationRevoked "guard relaxation revoked" {
        /// The guard.
        guard: String,
        /// The relaxation.
        relaxation: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// It ended by itself.
    RelaxationExpired "guard relaxation expired" {
        /// The guard.
        guard: String,
        /// The relaxation.
        relaxation: String,
        /// When it ended.
        until_ns: u64,
    }
    /// Those who may approve changed.
    ApproversChanged "approvers changed" {
        /// How often they did, this time included.
        revision: u64,
        /// SHA-256 of the set as it is stored.
        body: Hash,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// A guard was added or revised.
    GuardAdded "guard added" {
        /// The guard.
        guard: String,
        /// Its revision.
        revision: u64,
        /// SHA-256 of the guard as it is stored.
        body: Hash,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// A guard was removed.
    GuardRemoved "guard removed" {
        /// The guard.
        guard: String,
        /// The revision that removes it.
        revision: u64,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// A doctrine rule was added or revised.
    RuleAdded "doctrine rule added" {
        /// The rule.
        rule: String,
        /// Its revision.
        revision: u64,
        /// SHA-256 of the rule as it is stored.
        body: Hash,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// A doctrine rule was removed.
    RuleRemoved "doctrine rule removed" {
        /// The rule.
        rule: String,
        /// The revision that removes it.
        revision: u64,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// A change was tried in a shadow.
    ShadowTested "shadow test executed" {
        /// The shadow.
        shadow: String,
        /// The delta.
        delta: Hash,
        /// Assertions that held.
        passed: u64,
        /// Assertions that failed and warn.
        warnings: u64,
        /// Assertions that failed and block.
        blockers: u64,
    }
    /// An invariant did not hold.
    InvariantViolated "invariant violation" {
        /// The invariant, such as "Q2".
        invariant: String,
        /// What broke it.
        item: String,
        /// How.
        detail: String,
    }
    /// A sector was created, or something about it changed that is no version.
    SectorUpdated "sector updated" {
        /// What changed.
        change: String,
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// Typed keys were generated.
    CodeGenerated "code generation completed" {
        /// The language.
        language: String,
        /// The snapshot that it was generated from.
        snapshot: Hash,
        /// SHA-256 of the output.
        output: Hash,
    }
    /// The telemetry registry passed its check.
    RegistryValidated "telemetry-registry validation passed" {
        /// SHA-256 of the registry.
        registry: Hash,
        /// How many entries it has.
        entries: u64,
    }
    /// A circuit breaker changed its state.
    BreakerChanged "breaker transition" {
        /// The breaker.
        breaker: String,
        /// From which state.
        from: String,
        /// To which state.
        to: String,
        /// The failure rate then, 0 to 1.
        failure_rate: f64,
    }
    /// A component's health changed.
    HealthChanged "health transition" {
        /// The component.
        component: String,
        /// From which state.
        from: String,
        /// To which state.
        to: String,
        /// The weighted availability then, 0 to 1.
        availability: f64,
    }
    /// The degradation level changed.
    DegradationChanged "degradation transition" {
        /// From which level.
        from: String,
        /// To which level.
        to: String,
        /// Features that are off now.
        disabled: Vec<String>,
    }
    /// The states of components were kept, under one name.
    CheckpointTaken "checkpoint taken" {
        /// What the program calls them.
        component: String,
        /// SHA-256 of the checkpoint.
        checkpoint: Hash,
        /// Its bytes, as they are kept.
        bytes: u64,
    }
    /// The states of components were put back.
    CheckpointRestored "checkpoint restored" {
        /// What the program calls them.
        component: String,
        /// SHA-256 of the checkpoint.
        checkpoint: Hash,
    }
}
