//! The cost model: what each operation may cost, in the type, and what it does cost, counted.
//!
//! A [`Cost`] carries its ticks as a const generic and is made in a constant, so an operation, or a path of several, that states more
//! than its budget does not compile:
//!
//! ```compile_fail
//! use knhk_promotion::cost::HotCost;
//! const TOO_SLOW: HotCost<9> = HotCost::new("too slow", 20);
//! ```
//!
//! A program states its own decision in the same way, out of the operations it is made of:
//!
//! ```
//! use knhk_promotion::cost::{BEGIN, END, GUARD_I64, HotCost, READ_I64};
//! const ADMIT: HotCost<8> = HotCost::path("admit", [BEGIN.step(), READ_I64.step(), GUARD_I64.step(), END.step()]);
//! assert!(ADMIT.instructions() < 32);
//! ```
//!
//! # From instructions to ticks
//! Two things are checked, each where it can be checked exactly.
//!
//! - *Instructions* are deterministic. Each constant states how many an operation executes on x86-64 in the release profile of the compiler
//!   that the workspace names, inlined, its loop not counted; the bench `cost` counts them under callgrind and fails on any
//!   difference. A change that makes an operation longer therefore changes a constant here.
//! - *Ticks* are time-stamp-counter cycles, amortised over a batch with everything in cache. At compile time they are bounded by
//!   the model of [`INSTRUCTIONS_PER_TICK`]: an operation of so many instructions must state at least the quotient. The model is a
//!   convention that ties the two, not a property of processors: a core may retire more or fewer, and its clock may run faster than its
//!   counter. So the bench also measures each operation's ticks and compares those with the statement.

/// What a hot operation may cost, in ticks amortised over a batch.
pub const HOT_BUDGET: u32 = 8;

/// What the promoter's own work for one sector's swap may cost, in ticks amortised over a batch.
pub const PROMOTE_BUDGET: u32 = 15;

/// How many instructions the model puts into one tick.
pub const INSTRUCTIONS_PER_TICK: u32 = 4;

/// An operation that costs at most `TICKS`, which is within `BUDGET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost<const BUDGET: u32, const TICKS: u32> {
    operation: &'static str,
    instructions: u32,
}

/// The cost of something on the hot path.
pub type HotCost<const TICKS: u32> = Cost<HOT_BUDGET, TICKS>;

/// The cost of something on the promoter's side.
pub type PromoteCost<const TICKS: u32> = Cost<PROMOTE_BUDGET, TICKS>;

/// A part of a path: any operation's cost with its type forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    instructions: u32,
}

impl<const BUDGET: u32, const TICKS: u32> Cost<BUDGET, TICKS> {
    const WITHIN_BUDGET: () = assert!(TICKS <= BUDGET, "the operation states more ticks than its budget allows");

    /// An operation of so many instructions. In a constant, it does not compile when its ticks are beyond the budget, or when its
    /// instructions do not fit into its ticks.
    ///
    /// # Panics
    /// When the instructions do not fit, if this is not evaluated at compile time.
    pub const fn new(operation: &'static str, instructions: u32) -> Self {
        let () = Self::WITHIN_BUDGET;
        assert!(
            instructions <= TICKS * INSTRUCTIONS_PER_TICK,
            "the operation executes more instructions than its ticks have room for"
        );
        Cost { operation, instructions }
    }

    /// A path of several operations, of which together the same is asked.
    ///
    /// # Panics
    /// As [`Cost::new`].
    pub const fn path<const STEPS: usize>(operation: &'static str, steps: [Step; STEPS]) -> Self {
        let (mut instructions, mut at) = (0, 0);
        while at < STEPS {
            instructions += steps[at].instructions;
            at += 1;
        }
        Cost::new(operation, instructions)
    }

    /// As a part of a path.
    pub const fn step(self) -> Step {
        Step { instructions: self.instructions }
    }

    /// What it is called in measurements.
    pub const fn operation(self) -> &'static str {
        self.operation
    }

    /// The ticks that it states.
    pub const fn ticks(self) -> u32 {
        TICKS
    }

    /// The instructions that it executes.
    pub const fn instructions(self) -> u32 {
        self.instructions
    }
}

/// Opens a view.
pub const BEGIN: HotCost<2> = HotCost::new("begin", 8);
/// Ends a view.
pub const END: HotCost<1> = HotCost::new("end", 1);
/// Opens and ends a view that nothing is read from.
pub const VIEW: HotCost<3> = HotCost::path("view", [BEGIN.step(), END.step()]);
/// Reads an integer in an open view.
pub const READ_I64: HotCost<2> = HotCost::new("read_i64", 7);
/// Reads a double in an open view.
pub const READ_F64: HotCost<2> = HotCost::new("read_f64", 7);
/// Reads a truth value in an open view.
pub const READ_BOOL: HotCost<3> = HotCost::new("read_bool", 9);
/// Holds a number against the range that guards a key, in an open view.
pub const GUARD_I64: HotCost<3> = HotCost::new("guard_i64", 11);
/// Asks whether a class descends from another, in an open view.
pub const IS_A: HotCost<7> = HotCost::new("is_a", 26);
/// Appends an observation, its time taken from the cached clock, in an open view.
pub const APPEND: HotCost<8> = HotCost::new("append", 29);
/// Publishes a root that is built: the promoter's own work for each of eight changed sectors, rounded up.
pub const SWAP: PromoteCost<10> = PromoteCost::new("swap", 16);
/// The usual decision: a view, a read in it, its end.
pub const PINNED_READ: HotCost<5> = HotCost::path("pinned_read", [BEGIN.step(), READ_I64.step(), END.step()]);
