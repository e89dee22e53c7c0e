//! What can be said on the command line, and the help on it.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use knhk_engine::Format;

const ABOUT: &str = "\
Looks into and changes the knowledge that services read through KNHK.

An engine keeps its knowledge in a folder: one sector for each namespace (orders, routes, finance), with typed values under \
names, and every version that was promoted. This command reads such a folder, also while a service has it open, and changes it: through \
the service's engine where one has the folder open and takes commands (its option `control`), by opening the folder otherwise.";

const EXAMPLES: &str = "\
Examples:
  knhk init --sector orders                    make a folder's engine with an empty sector
  knhk import limits.json --sector orders      promote a document as the whole of the sector
  knhk get orders/max_qty                      one value, its range, and its version
  knhk promote orders max_qty=1400 --why \"desk asked, ticket 881\"
  knhk diff orders                             what the newest version changed
  knhk rollback orders                         go back to the version before

Exit codes:
  0  done
  1  refused: invalid, not conforming, incompatible, over a limit, there already; nothing changed
  2  wrong usage
  3  not found: folder, sector, value, version, or file
  4  busy or unreachable: another engine has the folder open and takes no commands, or does not answer
  5  damaged: what is stored cannot be used
  6  the machine refused: reading or writing failed
  70 a defect of KNHK itself

With --json, standard output holds one JSON object, {\"error\": …} where something failed. See docs/command.md.";

/// Looks into and changes the knowledge that services read through KNHK.
#[derive(Parser)]
#[command(name = "knhk", version, about, long_about = ABOUT, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    /// The engine's folder.
    #[arg(long, global = true, env = "KNHK_DIR", default_value = ".", value_name = "FOLDER", hide_env_values = true)]
    pub dir: PathBuf,
    /// Answers with one JSON object, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Init(Init),
    Import(Import),
    Export(Export),
    Validate(Validate),
    Promote(Promote),
    Rollback(Rollback),
    Get(Get),
    Show(Show),
    Diff(Diff),
    Completion(Completion),
}

/// Makes an engine's folder, and sectors in it.
///
/// What is there already stays as it is. The folder is the one that --dir or KNHK_DIR names, otherwise the current one.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk init --dir ./limits
  knhk init --sector finance
  knhk init --sector orders --sector routes")]
pub struct Init {
    /// A sector to make; may be repeated. finance, healthcare, logistics and manufacturing come with an ontology, shapes and safe limits; a \
    /// name of your own (a-z, 0-9, - and _) is empty.
    #[arg(long, value_name = "NAME")]
    pub sector: Vec<String>,
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
    /// A version's number, or the first digits of its content address; the current one if left out.
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
    /// A version's number, or the first digits of its content address; the one before the current if left out.
    pub version: Option<String>,
    /// Takes effect before anything is written, and also where nothing can be: for a full disk.
    #[arg(long)]
    pub emergency: bool,
    #[command(flatten)]
    pub origin: Who,
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

/// Writes the completion script of a shell.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk completion bash > /etc/bash_completion.d/knhk
  knhk completion fish > ~/.config/fish/completions/knhk.fish
  source <(knhk completion zsh)")]
pub struct Completion {
    /// The shell.
    pub shell: Shell,
}

/// Statements that come and go; the rest stays.
#[derive(Args)]
pub struct Change {
    /// Statements to add, in one of the RDF formats.
    #[arg(long, value_name = "FILE")]
    pub add: Option<PathBuf>,
    /// Statements to remove, in the same format.
    #[arg(long, value_name = "FILE")]
    pub remove: Option<PathBuf>,
}

/// What a file holds.
#[derive(Args)]
pub struct In {
    /// The file's format; its name tells it if left out, and standard input is JSON.
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub format: Option<Format>,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(["json", "turtle", "ntriples", "nquads", "jsonld", "rdfxml"]);
    names.map(|name| name.parse().expect("each of these names a format"))
}

/// Who asks for a change, and why.
#[derive(Args)]
pub struct Who {
    /// Who changes it; the user's name if left out.
    #[arg(long, value_name = "WHO", env = "KNHK_BY", hide_env_values = true)]
    pub by: Option<String>,
    /// Why, in a sentence. It stays in the history.
    #[arg(long, value_name = "WHY", default_value = "", hide_default_value = true)]
    pub why: String,
}

/// Who asks for a change, why, and what it may break.
#[derive(Args)]
pub struct Origin {
    #[command(flatten)]
    pub who: Who,
    /// Lets the change drop or retype values that running programs hold keys of.
    #[arg(long)]
    pub major: bool,
}

impl Change {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        self.add.is_some() || self.remove.is_some()
    }
}

impl Who {
    /// Who changes it.
    pub fn by(&self) -> String {
        let user = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
        self.by.clone().unwrap_or_else(user)
    }
}
