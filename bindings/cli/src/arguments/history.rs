//! The verbs about versions.

use clap::Args;

use super::REFERENCE;

/// Shows the versions of a sector, or of all: when, who, what changed, and why.
#[derive(Args)]
#[command(after_long_help = REFERENCE)]
pub struct Log {
    /// The sector; all of them if left out.
    pub sector: Option<String>,
    /// Only versions before this one.
    #[arg(long, value_name = "VERSION", requires = "sector")]
    pub before: Option<String>,
    /// How many at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

/// Lists the tags of a sector, sets one, or removes one.
///
/// A tagged version stays whatever retention removes.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk tag orders                       the tags there are
  knhk tag orders before-freeze         names the current version
  knhk tag orders stable ~2             names the one two before it
  knhk tag orders stable --remove")]
pub struct Tag {
    /// The sector.
    pub sector: String,
    /// The tag: letters, digits, . _ - and /, beginning with a letter.
    pub name: Option<String>,
    /// The version; the current one if left out.
    pub version: Option<String>,
    /// Removes the tag.
    #[arg(long, requires = "name", conflicts_with = "version")]
    pub remove: bool,
    /// Who sets it; the user's name if left out.
    #[arg(long, value_name = "WHO", env = "KNHK_BY", hide_env_values = true)]
    pub by: Option<String>,
}

/// Shows a sector, or a value, as it was.
#[derive(Args)]
#[command(after_long_help = REFERENCE)]
pub struct AsOf {
    /// The version.
    pub version: String,
    /// SECTOR or SECTOR/NAME.
    pub path: String,
    /// Only the value: a text as it is, everything else as JSON.
    #[arg(long)]
    pub raw: bool,
}

/// Removes the versions that the engine's retention does not keep. Receipts stay, and so do the current version and tagged ones.
///
/// Without an engine that has the folder open, say what to keep.
#[derive(Args)]
pub struct Prune {
    /// How many versions of each sector stay.
    #[arg(long, value_name = "COUNT")]
    pub versions: Option<u64>,
}
