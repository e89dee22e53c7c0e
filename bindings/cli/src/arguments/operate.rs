//! The verbs about a live program: its health, its policies, its tasks.

use clap::Args;

use super::Who;

/// Shows things anew.
#[derive(Args)]
pub struct Watch {
    /// Shows it anew every second, until it is interrupted.
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}

/// Shows how healthy a live program says it is, and what explains what is not.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk health
  knhk health shop --watch

Exit code 1 when a system is critical.")]
pub struct Health {
    /// The monitor; all of them if left out.
    pub monitor: Option<String>,
    #[command(flatten)]
    pub watch: Watch,
}

/// Shows a live program's circuit breakers, or switches one by hand.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk breakers
  knhk breakers --watch
  knhk breakers payments --open --why 'the provider asked for it'
  knhk breakers payments --close

Thresholds are values of the sector that a breaker follows: `knhk promote` retunes it.")]
pub struct Breakers {
    /// The breaker; all of them if left out. A pipeline's is called PIPELINE/breaker.
    pub breaker: Option<String>,
    /// Opens it, and keeps it open: its calls are refused until --close.
    #[arg(long, requires = "breaker", group = "switched")]
    pub open: bool,
    /// Closes it: calls pass, and their failures are counted from here on.
    #[arg(long, requires = "breaker", group = "switched")]
    pub close: bool,
    /// Disables it: calls pass, and nothing opens it until --close.
    #[arg(long, requires = "breaker", group = "switched")]
    pub disable: bool,
    #[command(flatten)]
    pub who: Who,
    #[command(flatten)]
    pub watch: Watch,
}

/// Shows a live program's limits: places, rates, budgets, and how much of them is taken.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk limits
  knhk limits checkout --watch

A limit is a value of the sector that its policy follows: `knhk promote SECTOR resilience/POLICY/limit=20` changes it.")]
pub struct Limits {
    /// The policy; all of them if left out.
    pub policy: Option<String>,
    #[command(flatten)]
    pub watch: Watch,
}

/// Shows which features a live program has switched off under load, or holds a level by hand.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  knhk degrade
  knhk degrade shop brownout --why 'sale begins at noon'
  knhk degrade shop 0                  full service, whatever the load is
  knhk degrade shop auto               the load decides again")]
pub struct Degrade {
    /// The degradation; all of them if left out.
    pub policy: Option<String>,
    /// A level's name or number, which holds from now on; auto lets the load decide again.
    pub level: Option<String>,
    #[command(flatten)]
    pub who: Who,
    #[command(flatten)]
    pub watch: Watch,
}

/// Shows a live program's warm executors: what waits, what runs, and the tasks that overrun their budgets.
#[derive(Args)]
pub struct Tasks {
    #[command(flatten)]
    pub watch: Watch,
}
