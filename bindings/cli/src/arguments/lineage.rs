//! The verbs about where something comes from and goes to: merge, bisect, blame, codegen.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{REFERENCE, Who};

/// Merges another version of a sector into the current one, over the version that both come from.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk merge orders 7                      what would come of it, and what conflicts
  knhk merge orders 7 --propose --why 'both desks'

Exit code 1 when something conflicts.")]
pub struct Merge {
    /// The sector.
    pub sector: String,
    /// The other version.
    pub theirs: String,
    /// Into this version instead of the current one.
    #[arg(long, value_name = "VERSION")]
    pub ours: Option<String>,
    /// Files the result as a proposal.
    #[arg(long)]
    pub propose: bool,
    #[command(flatten)]
    pub who: Who,
}

/// Finds the first version at which something went wrong, by a command or an expression.
///
/// The command is run for each version that is looked at, with KNHK_SECTOR, KNHK_VERSION and KNHK_DOCUMENT, a file with the version as
/// JSON. It ends with 0 for good and with another code for bad; with 125 it says that it cannot tell, and with more the search ends.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  knhk bisect orders --good @3d --bad current -- ./reproduce.sh
  knhk bisect orders --good 3 --bad 12 --where 'values.max_qty > 1000'

{REFERENCE}"))]
pub struct Bisect {
    /// The sector.
    pub sector: String,
    /// A version that is good.
    #[arg(long, value_name = "VERSION")]
    pub good: String,
    /// A version that is bad.
    #[arg(long, value_name = "VERSION", default_value = "current")]
    pub bad: String,
    /// A condition in CEL that is true of bad versions, over `values`: a map from path to value.
    #[arg(long = "where", value_name = "EXPRESSION", conflicts_with = "command")]
    pub holds: Option<String>,
    /// The command that tells good from bad.
    #[arg(last = true, required_unless_present = "holds")]
    pub command: Vec<String>,
}

/// Shows which version gave a value, or said a statement: when, by whom, with which receipt.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk blame orders/max_qty
  knhk blame orders --statement '<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1000\" .'")]
pub struct Blame {
    /// SECTOR/NAME; or SECTOR, for all of it.
    pub path: String,
    /// A statement, as N-Triples.
    #[arg(long, value_name = "STATEMENT")]
    pub statement: Option<String>,
    /// As of this version.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
}

/// Writes typed keys and their documentation as source text, so that a misspelt key does not compile.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk codegen orders --language c --output src/orders.h
  knhk codegen orders --language typescript > orders.ts")]
pub struct Codegen {
    /// The sector.
    pub sector: String,
    /// The language.
    #[arg(long, short, value_parser = PossibleValuesParser::new(["c", "cpp", "rust", "python", "typescript"]))]
    pub language: String,
    /// Of this version instead of the current one.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// The file to write, which is replaced whole or not at all; standard output if left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
