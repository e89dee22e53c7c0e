//! The verbs that change a sector.

use std::path::PathBuf;

use clap::Args;

use super::{Change, In, Origin, Who};

/// Makes an engine's folder, and sectors in it.
///
/// What is there already stays as it is. The folder is the one that --dir or KNHK_DIR names, otherwise the current one.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk init --dir ./limits
  knhk init --sector finance
  knhk init --sector orders --sector routes
  knhk init --sector orders --governed")]
pub struct Init {
    /// A sector to make; may be repeated. finance, healthcare, logistics and manufacturing come with an ontology, shapes and safe limits; a \
    /// name of your own (a-z, 0-9, - and _) is empty.
    #[arg(long, value_name = "NAME")]
    pub sector: Vec<String>,
    /// Makes them governed: each change is proposed, passes seven stages, and is approved where rules ask for it.
    #[arg(long, requires = "sector")]
    pub governed: bool,
}

/// Promotes a file as the whole of a sector, which is made where there is none.
///
/// What the file lacks is gone from the sector afterwards; `knhk promote` changes single values instead.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk import limits.json --sector orders --why 'first limits'
  knhk import ontology.ttl --sector orders
  generate-limits | knhk import - --sector orders")]
pub struct Import {
    /// The file, or - for standard input.
    pub file: PathBuf,
    /// The sector.
    #[arg(long, value_name = "NAME")]
    pub sector: String,
    #[command(flatten)]
    pub format: In,
    #[command(flatten)]
    pub origin: Origin,
}

/// Changes a sector: single values, statements, or all of it from a file.
///
/// The change is current for every reader when the command returns, or nothing changed and the command says why.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk promote orders max_qty=1400 --why 'desk asked, ticket 881'
  knhk promote orders max_qty=1400 'venues=[\"XPAR\", \"XLON\"]'
  knhk promote orders limits.json --by release-42
  knhk promote finance --add venues.ttl --remove old-venues.ttl

A value keeps its type, range, unit and documentation. A text needs no quotes, a list is written as JSON. A new name takes its type from how its \
value is written: 5 is i64, 5.0 is f64, true is bool, anything else is a text.")]
pub struct Promote {
    /// The sector.
    pub sector: String,
    /// NAME=VALUE for single values; or a file, or - for standard input, that is the whole of the sector from now on.
    #[arg(required_unless_present_any = ["add", "remove"], value_name = "NAME=VALUE | FILE")]
    pub content: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub format: In,
    #[command(flatten)]
    pub origin: Origin,
}

/// Goes back to an earlier version of a sector, as a new version.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk rollback orders                what held before the current version
  knhk rollback orders 3 --why 'rejects doubled'
  knhk rollback orders 7c41e0 --emergency")]
pub struct Rollback {
    /// The sector.
    pub sector: String,
    /// A version: its number, a tag, ~1, @2h, digits of its content address, or a moment; the one before the current if left out.
    pub version: Option<String>,
    /// Takes effect before anything is written, and also where nothing can be: for a full disk.
    #[arg(long)]
    pub emergency: bool,
    #[command(flatten)]
    pub origin: Who,
}
