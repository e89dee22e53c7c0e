//! The verbs of governance: proposing, approving, relaxing, and what may be relaxed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Change, In, Origin, Who};

/// Files a change of a governed sector, runs it through the seven stages, and makes it current once nothing is missing.
///
/// What a stage refuses stays filed as refused, with what was found and what to do about it. What lacks approvals or time waits for them.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk propose orders max_qty=1400 --why 'desk asked, ticket 881'
  knhk propose orders limits.json --hold             passes, and waits for --enact
  knhk propose                                       those that something can still come of
  knhk propose p-19                                  one, with what each stage said
  knhk propose --enact p-19
  knhk propose --withdraw p-19 --why 'not needed any more'

Exit code 1 when a stage refused it.")]
pub struct Propose {
    /// The sector; or a proposal, to look at.
    #[arg(value_name = "SECTOR | PROPOSAL")]
    pub sector: Option<String>,
    #[command(flatten)]
    pub content: Asked,
    #[command(flatten)]
    pub origin: Origin,
    /// How sure the proposer is, from 0 to 1.
    #[arg(long, value_name = "SHARE")]
    pub confidence: Option<f64>,
    /// Not before this moment: 2026-12-01T09:00:00Z, or a time from now, such as 2h.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Does not make it current by itself.
    #[arg(long)]
    pub hold: bool,
    /// Runs a proposal again and makes it current.
    #[arg(long, value_name = "PROPOSAL", conflicts_with_all = ["sector", "withdraw"])]
    pub enact: Option<String>,
    /// Takes a proposal back.
    #[arg(long, value_name = "PROPOSAL", conflicts_with = "sector")]
    pub withdraw: Option<String>,
    /// Lists also those that are done.
    #[arg(long)]
    pub all: bool,
}

/// What becomes of a sector.
#[derive(Args)]
pub struct Asked {
    /// NAME=VALUE for single values; or a file, or - for standard input, that is the whole of the sector from now on.
    #[arg(value_name = "NAME=VALUE | FILE")]
    pub content: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub format: In,
}

/// Runs a change through the seven stages as a proposal would be, and files nothing.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk check orders max_qty=1400
  knhk check finance --add venues.ttl

Exit code 1 when a stage refuses it; what still lacks approvals is not refused.")]
pub struct Check {
    /// The sector.
    pub sector: String,
    #[command(flatten)]
    pub content: Asked,
    #[command(flatten)]
    pub origin: Origin,
}

/// Approves a proposal, a relaxation, or a change of the approvers or the guards, with the approver's own key.
///
/// The key stays on this machine: what is sent is the signature.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk approve --new-key ~/.knhk/approver.pem            makes a key; its public part goes into the set of approvers
  knhk approve p-19 --key ~/.knhk/approver.pem
  knhk approve p-19 --override orders/quiet-hours
  knhk approve p-19 --take-back")]
pub struct Approve {
    /// What to approve: p-19, a relaxation r-3, or a change c-1.
    #[arg(required_unless_present = "new_key")]
    pub id: Option<String>,
    /// The approver's key: PKCS#8 PEM, in a file that nobody but its owner may touch.
    #[arg(long, value_name = "FILE", env = "KNHK_APPROVER_KEY", hide_env_values = true)]
    pub key: Option<PathBuf>,
    /// Overrides a soft-mandatory rule; may be repeated.
    #[arg(long = "override", value_name = "RULE")]
    pub overrides: Vec<String>,
    /// Takes an approval back.
    #[arg(long)]
    pub take_back: bool,
    /// Makes a new key in this file, which must not be there, and shows its public part.
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    pub new_key: Option<PathBuf>,
}

/// Asks for a guard to give way for a while; or lists what was asked for.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk relax                                           what was asked for, and how far it is
  knhk relax max-notional --for 4h --proposal p-19 --why 'index rebalancing'")]
pub struct Relax {
    /// The guard.
    pub guard: Option<String>,
    /// Only in this sector.
    #[arg(long, value_name = "NAME")]
    pub sector: Option<String>,
    /// Only for this proposal.
    #[arg(long, value_name = "PROPOSAL")]
    pub proposal: Option<String>,
    /// For how long, such as 4h, or until when: 2026-12-01T18:00:00Z.
    #[arg(long = "for", value_name = "TIME", default_value = "4h")]
    pub until: String,
    #[command(flatten)]
    pub who: Who,
    /// Lists also those that are over.
    #[arg(long, conflicts_with = "guard")]
    pub all: bool,
}

/// Ends a relaxation before its time.
#[derive(Args)]
pub struct Revoke {
    /// The relaxation.
    pub id: String,
    #[command(flatten)]
    pub who: Who,
}

/// Shows the rules that changes are judged by, or changes them.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk doctrine                            the rules in force
  knhk doctrine show --sector orders --at 2026-11-01
  knhk doctrine add four-eyes.toml --why 'audit 2026/7'
  knhk doctrine remove orders/four-eyes
  knhk doctrine rollback 2026-11-01T00:00:00Z")]
pub struct Doctrine {
    #[command(subcommand)]
    pub verb: Option<DoctrineVerb>,
}

#[derive(Subcommand)]
pub enum DoctrineVerb {
    /// The rules in force, now or at a moment.
    Show {
        /// Only those that judge changes of this sector.
        #[arg(long, value_name = "NAME")]
        sector: Option<String>,
        /// In force at this moment.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// As it was known at this moment.
        #[arg(long, value_name = "TIME")]
        known: Option<String>,
    },
    /// Adds the rules of a TOML file, or replaces those of the same names. One that contradicts another is refused.
    Add {
        /// The file, or - for standard input.
        file: PathBuf,
        #[command(flatten)]
        who: Who,
    },
    /// Removes a rule; its history stays.
    Remove {
        /// The rule: SECTOR/NAME, or NAME for one of all sectors.
        rule: String,
        #[command(flatten)]
        who: Who,
    },
    /// Every revision of the rules.
    Log {
        /// Only those of this rule.
        rule: Option<String>,
    },
    /// Brings back the rules as they were known at a moment, as new revisions.
    Rollback {
        /// The moment: 2026-11-01T00:00:00Z, the date alone, or @2h.
        to: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Shows the guards and the approvers, or asks for a change of them, which approvers sign.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk guard                               the boundaries that there are
  knhk guard set guards.toml --why 'new desk'
  knhk guard approvers                     who may approve
  knhk guard approvers --set approvers.toml
  knhk guard changes                       what waits for signatures (`knhk approve c-1`)")]
pub struct Guard {
    #[command(subcommand)]
    pub verb: Option<GuardVerb>,
}

#[derive(Subcommand)]
pub enum GuardVerb {
    /// The guards in force.
    Show {
        /// Only those of this sector.
        #[arg(long, value_name = "NAME")]
        sector: Option<String>,
    },
    /// Asks for the guards of a TOML file in place of all there are.
    Set {
        /// The file, or - for standard input.
        file: PathBuf,
        #[command(flatten)]
        who: Who,
    },
    /// Asks for one guard less.
    Remove {
        /// The guard.
        guard: String,
        #[command(flatten)]
        who: Who,
    },
    /// Who may approve; or asks for another set, which the old one and the new one sign.
    Approvers {
        /// The set, as TOML.
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
        #[command(flatten)]
        who: Who,
    },
    /// Changes of guards and approvers that wait for signatures.
    Changes,
}
