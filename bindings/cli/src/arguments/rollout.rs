//! The verbs about trying a change and making it current in steps: shadow, canary, schedule.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Who;
use super::govern::Asked;

/// Tries a change beside the current knowledge.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk shadow open orders max_qty=1400
  knhk shadow test s-1 tests.json
  knhk shadow drop s-1")]
pub struct Shadow {
    #[command(subcommand)]
    pub verb: Option<ShadowVerb>,
}

#[derive(Subcommand)]
pub enum ShadowVerb {
    /// The shadows that are open.
    List,
    /// Opens one, with a change in it.
    Open {
        /// The sector.
        sector: String,
        #[command(flatten)]
        content: Asked,
        #[command(flatten)]
        who: Who,
    },
    /// Tests one: a JSON array of {name, severity, assertion}.
    Test {
        /// The shadow.
        id: String,
        /// The tests, or - for standard input.
        file: PathBuf,
    },
    /// Drops one.
    Drop {
        /// The shadow.
        id: String,
    },
}

/// Has a share of a live program's decisions read a proposal before it becomes current.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk propose orders max_qty=1400 --hold
  knhk canary start p-19 --share 0.05
  knhk canary                          with the counts of both arms
  knhk canary stop k-1 --adopt")]
pub struct Canary {
    #[command(subcommand)]
    pub verb: Option<CanaryVerb>,
}

#[derive(Subcommand)]
pub enum CanaryVerb {
    /// Those that there are, and what was counted.
    List,
    /// Begins one.
    Start {
        /// The proposal, which has passed.
        proposal: String,
        /// The share of decisions, from 0 to 1.
        #[arg(long, default_value_t = 0.05)]
        share: f64,
        #[command(flatten)]
        who: Who,
    },
    /// Ends one: what it tried is gone.
    Stop {
        /// The canary.
        id: String,
        /// Makes what it tried current for all.
        #[arg(long)]
        adopt: bool,
        #[command(flatten)]
        who: Who,
    },
}

/// Has a proposal become current at a time, also after a restart; or lists what is scheduled.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk propose orders max_qty=1400 --hold
  knhk schedule p-19 --at 2026-12-01T09:00:00Z
  knhk schedule p-19 --window 'Sat 02:00-04:00' --zone Europe/Paris
  knhk schedule --cancel t-1")]
pub struct Schedule {
    /// The proposal; what is scheduled, if left out.
    pub proposal: Option<String>,
    /// When: 2026-12-01T09:00:00Z, or without an offset in the zone.
    #[arg(long, value_name = "MOMENT", requires = "proposal", conflicts_with = "window")]
    pub at: Option<String>,
    /// In the next window of the week: 'Sat 02:00-04:00', 'Mon-Fri 22:00-02:00', 'daily 02:00-04:00'.
    #[arg(long, value_name = "WINDOW", requires = "proposal")]
    pub window: Option<String>,
    /// The time zone, by its IANA name; UTC if left out.
    #[arg(long, value_name = "ZONE", requires = "proposal")]
    pub zone: Option<String>,
    /// Takes a schedule back.
    #[arg(long, value_name = "SCHEDULE", conflicts_with = "proposal")]
    pub cancel: Option<String>,
    #[command(flatten)]
    pub who: Who,
}
