//! What can be said on the command line, and the help on it.

mod autonomic;
mod change;
mod govern;
mod history;
mod ledger;
mod lineage;
mod look;
mod observe;
mod operate;
mod proof;
mod rollout;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use knhk_engine::Format;

pub use autonomic::{Cycle, Learn, Patterns, Proposals, Replay};
pub use change::{Import, Init, Promote, Rollback};
pub use govern::{Approve, Asked, Check, Doctrine, DoctrineVerb, Guard, GuardVerb, Propose, Relax, Revoke};
pub use history::{AsOf, Log, Prune, Tag};
pub use ledger::{Backup, Checkpoint, Keys, Receipts, Restore, Trusted, Verify};
pub use lineage::{Bisect, Blame, Codegen, Merge};
pub use look::{Diff, Export, Get, Show, Validate};
pub use observe::Observe;
pub use operate::{Breakers, Degrade, Health, Limits, Tasks};
pub use proof::{Proof, ProofOf, To};
pub use rollout::{Canary, CanaryVerb, Schedule, Shadow, ShadowVerb};

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
  knhk propose orders max_qty=1400             a change that is judged and approved before it becomes current

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
    Patterns(Patterns),
    Cycle(Cycle),
    Proposals(Proposals),
    Replay(Replay),
    Learn(Learn),
    Propose(Propose),
    Check(Check),
    Approve(Approve),
    Relax(Relax),
    Revoke(Revoke),
    Doctrine(Doctrine),
    Guard(Guard),
    Shadow(Shadow),
    Canary(Canary),
    Schedule(Schedule),
    Merge(Merge),
    Bisect(Bisect),
    Blame(Blame),
    Codegen(Codegen),
    Health(Health),
    Breakers(Breakers),
    Limits(Limits),
    Degrade(Degrade),
    Tasks(Tasks),
    Completion(Completion),
}

const REFERENCE: &str = "\
A version is named by its number, by `current`, by `~3` (3 before the current one), by a tag, by 6 or more digits of its content \
address, by a moment (2026-11-01T09:00:00Z, or the date alone), or by `@2h`: the one that was current 2 hours ago.";

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
