//! The verbs that look at a sector.

use std::path::PathBuf;

use clap::Args;
use knhk_engine::Format;

use super::{Change, In, formats};

/// Writes a sector's knowledge as a file that imports to the same knowledge.
///
/// JSON holds a sector's values and classes. Shapes, properties and records need one of the RDF formats.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk export orders > limits.json
  knhk export orders --version 3 --output limits-3.json
  knhk export finance --format turtle")]
pub struct Export {
    /// The sector.
    pub sector: String,
    /// A version: its number, a tag, ~1, @2h, digits of its content address, or a moment; the current one if left out.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// The format; that of the output's name if left out, or JSON.
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub format: Option<Format>,
    /// The file to write, which is replaced whole or not at all; standard output if left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Checks a file as a promotion would, or what the sectors hold; changes nothing.
///
/// A file is checked for the sector that --sector names, with the shapes and values that a promotion would leave there; without --sector, for a \
/// sector of its own that is named like the file. Without a file, each sector is checked, and names that two of them define differently are \
/// looked for.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk validate limits.json
  knhk validate ontology.ttl --sector finance
  knhk validate --sector finance --add venues.ttl
  knhk validate

Exit code 1 when a shape is broken or the file cannot be read, with what is wrong and where.")]
pub struct Validate {
    /// The file, or - for standard input.
    pub file: Option<PathBuf>,
    /// The sector that it is meant for, or the only one to check.
    #[arg(long, value_name = "NAME")]
    pub sector: Option<String>,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub format: In,
}

/// Shows one value: what it is, what it may be, and the version that says so.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk get orders/max_qty
  knhk get orders/tenants            all values of a map
  limit=$(knhk get --raw orders/max_qty)")]
pub struct Get {
    /// SECTOR/NAME.
    pub path: String,
    /// Only the value: a text as it is, everything else as JSON.
    #[arg(long)]
    pub raw: bool,
}

/// Shows the sectors, or a sector's values and versions.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk show
  knhk show orders
  knhk show orders/tenants")]
pub struct Show {
    /// The sector, or a map in it; all sectors, in a line each, if left out.
    pub sector: Option<String>,
    /// How many versions of the sector's history, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub versions: usize,
}

/// Shows what changed between two versions of a sector.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk diff orders                    what the current version changed
  knhk diff orders 3                  what changed since version 3
  knhk diff orders 3 5
  knhk diff finance --statements")]
pub struct Diff {
    /// The sector.
    pub sector: String,
    /// The older version; the one before TO if left out. 0 is the sector before its first version.
    pub from: Option<String>,
    /// The newer version; the current one if left out.
    pub to: Option<String>,
    /// Every statement that went or came, as N-Triples, instead of values.
    #[arg(long)]
    pub statements: bool,
}
