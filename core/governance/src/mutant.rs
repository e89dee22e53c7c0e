//! Planted faults in what is decided about approvals, relaxations and changes of who may approve, and in the stages.
//!
//! In the product [`mutated`] is a constant and leaves no instruction. In this crate's own tests one fault is chosen at run time, for one
//! thread; `spec` shows that the comparison with the specification finds each.

/// A fault.
macro_rules! mutants {
    ($($list:ident { $($name:ident $what:literal,)* })*) => {
        /// A fault that can be planted.
        #[cfg_attr(not(test), allow(dead_code))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Mutant {
            $($(#[doc = $what] $name,)*)*
        }

        #[cfg(test)]
        impl Mutant {
            $(
                /// Each fault, and what it does.
                pub(crate) const $list: &[(Mutant, &str)] = &[$((Mutant::$name, $what),)*];
            )*
        }
    };
}

mutants! {
    APPROVALS {
        SignatureUnchecked "a signature is taken without being verified",
        FirstSignatureOnly "only the first of several signatures is verified",
        StrangerSkipped "a signature by a key of nobody is passed over instead of refused",
        LogIgnored "an approval of another engine's counts",
        KindIgnored "an approval of another kind of thing counts",
        IdIgnored "an approval of another thing counts",
        DigestIgnored "an approval of other content counts",
        BeforeRequest "an approval that was signed before the request counts",
        FromTheFuture "an approval that is dated ahead counts",
        LifeUnlimited "an approval may be good for ever",
        ExpiryIgnored "an expired approval is recorded",
        ExpiryLate "an approval is recorded at the very moment at which it expires",
        CountsExpired "a recorded approval counts beyond its expiry",
        TwiceCounts "someone approves twice and is counted twice",
        RepeatRefused "an approval that is sent again is refused instead of passed over",
        NonceReused "a nonce is good for another word",
        OrderIgnored "an older word of an approver replaces a newer",
        WithdrawalIgnored "a withdrawal changes nothing",
        OwnRequest "someone approves their own request",
        GroupIgnored "someone of no group that may approve is recorded",
        GroupUncounted "a recorded approval counts although its approver left the group",
        RemovedCounts "an approval by a key that is no approver's any more counts",
        PartlyTaken "of a message with a signer that is refused, the others are recorded",
        EndIgnored "an approval is recorded after its matter ended",
        ClockTurnedBack "time that was seen can be unseen",
        QuorumOneLess "one approval less than the quorum is enough",
        ReviewSkipped "the review time is not waited for",
        ReviewLate "the review time is over one nanosecond late",
        RevokedInForce "a revoked relaxation stays in force",
        RevokedTakes "a revoked relaxation takes approvals",
        RevokedTwice "a relaxation is revoked twice",
        ExpiredInForce "a relaxation does not end by itself",
        ExpiredLate "a relaxation is in force at the very moment at which it ends",
        OldSetUnasked "the old approvers are not asked about the new",
        NewSetUnasked "the new approvers are not asked whether they hold their keys",
        ThresholdOneLess "one signature less than the threshold changes the approvers",
        RevisionIgnored "a set of approvers replaces any other, not only the one that it follows",
        AlteredUnasked "guards change without what a relaxation of them would take",
        KeepersIgnored "any approver may change the approvers, not only their keepers",
    }
    STAGES {
        LimitsUnread "a limit that is misspelt or no number passes",
        ProtectedChanges "what is protected may change",
        BaseIgnored "a change of what is not current any more passes",
        EffectIgnored "a change may take effect before it is asked for",
        AcrossUnasked "what has to hold across sectors is not asked",
        RetypedHeld "a key that programs hold may get another type",
        LimitUnheld "a resource limit of the doctrine has no upper end",
        ConditionMet "a condition that is not met counts as met",
        WindowOpen "a time window is always open",
        HardIsSoft "a hard rule that is broken is waited for",
        MostIgnored "a guard's upper limit is none",
        StepOfNew "a guard's step is a share of the new value, not of the old one",
        FixedMoves "what a guard fixes may change",
        ChainSkipped "a guard's approvals are not waited for",
        RadiusAtOnce "any number of names may change at once",
        MildestCounts "the mildest of the stages' verdicts counts",
        PanicPasses "a stage that panics passes",
        StoppedPasses "a stage that was stopped passes",
    }
}

pub(crate) use planted::mutated;
#[cfg(test)]
pub(crate) use planted::plant;

#[cfg(not(test))]
mod planted {
    use super::Mutant;

    #[inline(always)]
    pub(crate) const fn mutated(_: Mutant) -> bool {
        false
    }
}

#[cfg(test)]
mod planted {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static CHOSEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    pub(crate) fn mutated(mutant: Mutant) -> bool {
        CHOSEN.get() == Some(mutant)
    }

    /// Plants a fault, or none, for this thread.
    pub(crate) fn plant(mutant: Option<Mutant>) {
        CHOSEN.set(mutant);
    }
}
