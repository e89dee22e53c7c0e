//! The verb `observe`.

use clap::Args;

/// Shows what a live engine observes of a sector, or the observations that were kept.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk observe orders                   figures by key and kind, and the objectives
  knhk observe orders --watch
  knhk observe --segments               batches that were kept, with their receipts")]
pub struct Observe {
    /// The sector.
    #[arg(required_unless_present = "segments")]
    pub sector: Option<String>,
    /// Shows them anew every second, until it is interrupted.
    #[arg(long, conflicts_with_all = ["segments", "json"])]
    pub watch: bool,
    /// Lists the batches that were kept.
    #[arg(long)]
    pub segments: bool,
    /// How many segments at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20, requires = "segments")]
    pub limit: usize,
}
