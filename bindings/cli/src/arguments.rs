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
  knhk log orders                              what changed, when, by whom
  knhk as-of @2h orders/max_qty                what it was two hours ago
  knhk verify                                  whether everything is as it was signed

Exit codes:
  0  done
  1  refused: invalid, not conforming, incompatible, over a limit, there already; nothing changed
  2  wrong usage
  3  not found: folder, sector, value, version, or file
  4  busy or unreachable: another engine has the folder open and takes no commands, or does not answer
  5  damaged or tampered with: what is stored cannot be used
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
    Log(Log),
    Tag(Tag),
    AsOf(AsOf),
    Receipts(Receipts),
    Verify(Verify),
    Proof(Proof),
    Checkpoint(Checkpoint),
    Keys(Keys),
    Backup(Backup),
    Restore(Restore),
    Prune(Prune),
    Observe(Observe),
    Completion(Completion),
}

const REFERENCE: &str = "\
A version is named by its number, by `current`, by `~3` (3 before the current one), by a tag, by 6 or more digits of its content \
address, by a moment (2026-11-01T09:00:00Z, or the date alone), or by `@2h`: the one that was current 2 hours ago.";

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

/// Shows receipts: what was done, signed, newest first.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk receipts                         the newest 20
  knhk receipts --sector orders --kind 'rollback executed'
  knhk receipts 17                      one, with all that it states")]
pub struct Receipts {
    /// The id of one, or its place in the log.
    #[arg(conflicts_with_all = ["sector", "kind", "before"])]
    pub receipt: Option<String>,
    /// Only those about this sector.
    #[arg(long, value_name = "NAME")]
    pub sector: Option<String>,
    /// Only those of this kind, such as 'snapshot promoted'.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only those before this place of the log.
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<u64>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

/// Verifies everything: each receipt, each key, the log's hashes and checkpoints, and each version with its content.
///
/// What this finds out: a changed byte, receipts in another order, a fork, an orphan. That the end of the log was cut off is found with a \
/// checkpoint that was kept elsewhere (`knhk checkpoint`).
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk verify
  knhk verify --checkpoint last-week.note --trust-root \"$(cat orders.root)\"

Exit code 5 when anything is not as it was signed, with what and where.")]
pub struct Verify {
    #[command(flatten)]
    pub trusted: Trusted,
    /// Leaves the observations out; the receipts of their batches are verified all the same.
    #[arg(long)]
    pub without_observations: bool,
}

/// What is trusted beforehand.
#[derive(Args)]
pub struct Trusted {
    /// A checkpoint that was kept elsewhere: finds a log that was cut off or forked since.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The trust root that the log must begin at (`knhk keys` shows it); the folder's own if left out.
    #[arg(long, value_name = "ROOT")]
    pub trust_root: Option<String>,
}

/// Writes a proof for someone who has no access to the folder, or checks one.
#[derive(Args)]
pub struct Proof {
    #[command(subcommand)]
    pub of: ProofOf,
}

#[derive(Subcommand)]
pub enum ProofOf {
    /// That a receipt is in the log: its signed statement with a COSE receipt (RFC 9942), for any COSE library.
    Receipt {
        /// Its id, or its place in the log.
        receipt: String,
        #[command(flatten)]
        to: To,
    },
    /// That a sector's current version states something.
    Statement {
        /// The sector.
        sector: String,
        /// The statement, as N-Triples: '<subject> <predicate> <object> .'
        statement: String,
        #[command(flatten)]
        to: To,
    },
    /// That an observation was ingested.
    Observation {
        /// The segment (`knhk observe --segments` lists them).
        segment: u64,
        /// Which observation of it, from 0.
        index: u64,
        #[command(flatten)]
        to: To,
    },
    /// Checks a proof; needs no folder.
    Check {
        /// The proof, or - for standard input.
        file: PathBuf,
        /// The trust root that is known from elsewhere; without it the proof's own is believed. Of a statement: the content address.
        #[arg(long, value_name = "ROOT")]
        trust_root: Option<String>,
    },
}

/// Where a proof goes.
#[derive(Args)]
pub struct To {
    /// The file to write, which is replaced whole or not at all; standard output if left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Signs the state of the log, as a note to be kept elsewhere: whoever has it finds a log that was cut off or forked since.
#[derive(Args)]
pub struct Checkpoint {
    #[command(flatten)]
    pub to: To,
}

/// Shows the trust root and the keys that sign or signed; or has a new key take over.
#[derive(Args)]
pub struct Keys {
    /// Makes a new key in the folder, which signs from here on; the receipt of it is signed by both, and the old key's secret is removed.
    #[arg(long)]
    pub rotate: bool,
}

/// Writes a copy of the folder's store as of now, while its engine goes on.
///
/// The signing key is not in it: keep a copy of signing.key elsewhere.
#[derive(Args)]
pub struct Backup {
    /// The file to write, which must not be there.
    pub file: PathBuf,
}

/// Makes a folder of a backup: verifies all of it first, and gives it its place only then.
///
/// The folder is the one that --dir names. Put signing.key into it afterwards.
#[derive(Args)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    #[command(flatten)]
    pub trusted: Trusted,
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
