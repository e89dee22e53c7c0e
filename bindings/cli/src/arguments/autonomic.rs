//! The verbs about the closed loop: patterns, cycle, proposals, replay, learn.

use std::path::PathBuf;

use clap::Args;

use super::operate::Watch;

/// Shows what the closed loop found in the observations.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk patterns                     the newest, with the cycle that each began
  knhk patterns gateway --since @2h
  knhk patterns --watch")]
pub struct Patterns {
    /// The sector; all of them if left out.
    pub sector: Option<String>,
    /// Only those since this moment: 2026-12-01T09:00:00Z, the date alone, or @2h.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// How many at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
    #[command(flatten)]
    pub watch: Watch,
}

/// Shows the closed loop's cycles, each from what was found to what became of the change; or starts, stops and steps the loop of a live engine.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk cycle                        how the loop does, and its newest cycles
  knhk cycle --watch                the same, live
  knhk cycle l-7                    one, with its plan, its proposal and its receipts
  knhk cycle --start --sector gateway
  knhk cycle --stop")]
pub struct Cycle {
    /// The cycle; a list of them if left out.
    pub id: Option<String>,
    /// Only those of this sector; with --start, the sectors that are looked after. May be repeated there.
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    pub sector: Vec<String>,
    /// Only those of which something can still come.
    #[arg(long, conflicts_with = "id")]
    pub open: bool,
    /// How many at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
    /// Starts the loop, or has it look after other sectors; a restart of the program does not keep that.
    #[arg(long, conflicts_with_all = ["id", "open", "watch"])]
    pub start: bool,
    /// Stops the loop. What it proposed stays on its way.
    #[arg(long, conflicts_with_all = ["id", "open", "watch", "start"])]
    pub stop: bool,
    /// Takes one turn now.
    #[arg(long, conflicts_with_all = ["id", "open", "watch", "start", "stop"])]
    pub step: bool,
    #[command(flatten)]
    pub watch: Watch,
}

/// Lists proposals, people's and the loop's, or shows one with what each stage said.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk proposals                    those that something can still come of
  knhk proposals gateway --all
  knhk proposals p-19
  knhk proposals --watch")]
pub struct Proposals {
    /// The sector, or the proposal; those of all sectors if left out.
    #[arg(value_name = "SECTOR | PROPOSAL")]
    pub which: Option<String>,
    /// Lists also those that are done.
    #[arg(long)]
    pub all: bool,
    /// How many at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
    #[command(flatten)]
    pub watch: Watch,
}

/// Computes the closed loop's decisions anew from the observations that were kept, and compares them with the receipts.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk replay                       everything that is kept
  knhk replay l-7                   the turns of one cycle
  knhk replay --since @2h

Exit code 1 when a decision differs from its receipt.")]
pub struct Replay {
    /// The cycle.
    pub cycle: Option<String>,
    /// From this moment on: 2026-12-01T09:00:00Z, the date alone, or @2h.
    #[arg(long, value_name = "TIME", conflicts_with = "cycle")]
    pub since: Option<String>,
    /// Up to this moment.
    #[arg(long, value_name = "TIME", conflicts_with = "cycle")]
    pub until: Option<String>,
}

/// Shows what the closed loop learned: how plans did by watch, proposer and rule, and what refused them. Or carries it elsewhere.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk learn
  knhk learn --export learned.json
  knhk learn --dir ../other --import learned.json")]
pub struct Learn {
    /// Only what concerns this sector.
    #[arg(conflicts_with_all = ["export", "import"])]
    pub sector: Option<String>,
    /// Writes all of it to this file, or - for standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "import")]
    pub export: Option<PathBuf>,
    /// Adds what such a file holds.
    #[arg(long, value_name = "FILE")]
    pub import: Option<PathBuf>,
}
