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
  knhk shadow test s-1 assertions.json
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
    /// Tests one with assertions: a JSON array.
    Test {
        /// The shadow.
        id: String,
        /// The assertions, or - for standard input.
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
  knhk schedule p-19 --at 2026-12-01T09:00:00[Europe/Paris]
  knhk schedule p-19 --at 02:00 --until 04:00 --zone Europe/Paris
  knhk schedule --cancel t-1")]
pub struct Schedule {
    /// The proposal; what is scheduled, if left out.
    #[arg(requires = "at")]
    pub proposal: Option<String>,
    /// When: a moment, a time from now such as 2h, or a time of day where a window begins.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Where a window ends, as a time of day.
    #[arg(long, value_name = "TIME", requires = "at")]
    pub until: Option<String>,
    /// The time zone of a window, by its IANA name.
    #[arg(long, value_name = "ZONE", requires = "at")]
    pub zone: Option<String>,
    /// Takes a schedule back.
    #[arg(long, value_name = "SCHEDULE", conflicts_with = "proposal")]
    pub cancel: Option<String>,
    #[command(flatten)]
    pub who: Who,
}
