//! The verbs about receipts and the store.

use std::path::PathBuf;

use clap::Args;

use super::To;

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

/// Signs the state of the log, as a note to be kept elsewhere: whoever has it finds a log that was cut off or forked since. Or takes a
/// checkpoint of a live program's components.
///
/// The two have the word in common and nothing else: a checkpoint of the log is a signed note about all receipts; one of components is
/// the state of a program's own parts, which it goes on from after a restart.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk checkpoint --output orders.note          of the log
  knhk checkpoint --components                  what the live program keeps of its components
  knhk checkpoint --components book             takes one of those under the name book
  knhk checkpoint --components book --full      everything, and not only what changed")]
pub struct Checkpoint {
    #[command(flatten)]
    pub to: To,
    /// Takes one of the live program's components, those under this name; without a name, lists what is kept.
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with = "output")]
    pub components: Option<Option<String>>,
    /// One that stands alone.
    #[arg(long, requires = "components")]
    pub full: bool,
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

/// Makes a folder of a backup: verifies all of it first, and gives it its place only then. Or has a live program's components take
/// their newest checkpoint.
///
/// The folder is the one that --dir names. Put signing.key into it afterwards.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk restore --dir ./again orders.backup
  knhk restore --components book       the live program's components go back to their newest whole checkpoint")]
pub struct Restore {
    /// The backup.
    #[arg(required_unless_present = "components", conflicts_with = "components")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub trusted: Trusted,
    /// Restores the live program's components, those under this name, and no folder.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["checkpoint", "trust_root"])]
    pub components: Option<String>,
}
