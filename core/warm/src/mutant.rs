//! Planted faults. In the product `mutated` is constantly false and leaves no instruction; in the loom models a test chooses at run time one
//! fault that the same source then has, and must be found.

/// Declares the faults of a crate: `Mutant`, `mutated`, and, in the models, `plant`. The first one is no fault.
#[doc(hidden)]
#[macro_export]
macro_rules! mutants {
    ($($name:ident $what:literal,)*) => {
        /// A fault that can be planted.
        #[cfg_attr(not(loom), allow(dead_code))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Mutant {
            $(#[doc = $what] $name,)*
        }

        #[cfg(loom)]
        impl Mutant {
            /// Each fault.
            pub const ALL: &[Mutant] = &[$(Mutant::$name,)*];
        }

        #[cfg(not(loom))]
        #[inline(always)]
        pub(crate) const fn mutated(_: Mutant) -> bool {
            false
        }

        #[cfg(loom)]
        static CHOSEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

        #[cfg(loom)]
        pub(crate) fn mutated(mutant: Mutant) -> bool {
            CHOSEN.load(std::sync::atomic::Ordering::Relaxed) == mutant as u32
        }

        /// Plants a fault, for the whole process.
        #[cfg(loom)]
        pub fn plant(mutant: Mutant) {
            CHOSEN.store(mutant as u32, std::sync::atomic::Ordering::Relaxed);
        }
    };
}

mutants! {
    Faithful "no fault",
    WaiterUnfenced "a waiter does not fence between saying that it waits and looking",
    NotifierUnfenced "who changed something does not fence before looking for waiters",
    NotifiedUnlocked "who changed something does not take the lock before it notifies",
    LookedFirst "a waiter looks before it says that it waits",
    SentStored "a sender takes a credit with a store instead of an exchange",
    GrantedStored "a receiver grants with a store instead of the greater of two",
    DoneStored "a receiver counts what it is done with by a load and a store",
    CloseUntold "a receiver that goes does not tell who waits for credit",
    SubmitUntold "a submission wakes nobody",
    EndUntold "the end of a run is told to nobody",
    CancelUntold "a cancellation is told to nobody",
    StoppingUnseen "a submission does not look whether everything has been given up meanwhile",
    RunningLate "a run counts as running only after others may see that it is",
    RunningEarly "a run does not count as running any more before others may see that it is over",
    CountedLate "the end of a run is counted only after others may see it",
    WakeLost "a run that rests is not told that it was woken while it ran",
    RestUntold "a run that is woken wakes no thread",
    RingerUnfenced "who changed something at an endpoint does not fence before looking for waiters",
    NotedUnfenced "a waiter of an endpoint does not fence between being noted and looking",
    UnseenOnceNoted "a waiter of an endpoint does not look again once it is noted",
    ClearedLate "who rings says that nobody waits when others may have come since",
    ForgottenForAll "a waiter that leaves says that nobody waits",
    SentUnrung "a message is told to nobody",
    DoneUnrung "credit that is given back is told to nobody",
    ReleaseUnrung "credit that is no longer held is told to nobody",
    FinishUnrung "an end that finishes tells nobody",
    CloseUnrung "an end that closes tells nobody who waits for it",
    CloseRungFirst "an end that closes tells so before it does",
    UnderWayStored "a message is done with by a load and a store instead of an exchange",
    RestStays "a run that was cancelled while it rested keeps its place",
}
