//! Planted faults. In the product [`mutated`] is constantly false and leaves no instruction; in the loom models a test chooses at run
//! time one fault that the same source then has, and must be found.

knhk_warm::mutants! {
    Faithful "no fault",
    ProbeStored "half-open counts a probe with a store instead of an exchange",
    ProbeReturnStored "a probe's outcome is counted with a store instead of an exchange",
    OpenStored "the breaker opens with a store, whatever its state has become",
    TrendStored "the trend takes an outcome with a store instead of an exchange",
    BlockStored "the count window takes an outcome with a store instead of an exchange",
    HeadRelaxed "the count window moves its head relaxed",
    HeadLoadRelaxed "the count window looks at its head relaxed",
    HeadUnhelped "a thread that finds the next block begun does not move the head, and looks at the old one",
    NextStored "the count window begins a block with a store instead of an exchange",
    BucketStored "the time window takes an outcome with a store instead of an exchange",
    FailureRelaxed "the time window counts a failure relaxed",
    FailureLoadRelaxed "the time window looks at the failures relaxed",
    CallsFirst "the time window looks at the calls before the failures",
    LaneStored "the bulkhead takes its lane with a store instead of an exchange",
    PlaceStored "the bulkhead takes a counted place with a store instead of an exchange",
    TokenStored "the token bucket takes a token with a store instead of an exchange",
    SlideStored "the sliding window notes an admission with a store instead of an exchange",
    SlideRelaxed "the sliding window moves its head relaxed",
    SlideLoadRelaxed "the sliding window looks at its head relaxed",
    ClaimStored "a bias is claimed with a store instead of an exchange",
    OwnerUnfenced "the owner of a bias does not fence between saying that it is inside and looking",
    InsideLate "the owner of a bias says that it is inside after it has looked",
    InsideStoreRelaxed "the owner of a bias leaves its section relaxed",
    RevokerUnfenced "who takes a bias away does not fence before it looks for the owner",
    OwnerUnawaited "who takes a bias away does not wait for the owner",
    InsideLoadRelaxed "who takes a bias away looks for the owner relaxed",
    SharedStoreRelaxed "a bias is left to all relaxed",
    SharedLoadRelaxed "a thread looks relaxed whether a bias is left to all",
}

use std::sync::atomic::Ordering;

/// `order`, or relaxed under the mutant.
#[inline(always)]
pub(crate) fn unless(mutant: Mutant, order: Ordering) -> Ordering {
    if mutated(mutant) { Ordering::Relaxed } else { order }
}

/// Replaces `old` by `new` if it is still there, or, under the mutant, in any case.
#[inline(always)]
pub(crate) fn exchange(
    at: &crate::primitive::AtomicU64,
    old: u64,
    new: u64,
    success: Ordering,
    mutant: Mutant,
) -> Result<u64, u64> {
    if mutated(mutant) {
        at.store(new, if success == Ordering::AcqRel { Ordering::Release } else { success });
        return Ok(old);
    }
    at.compare_exchange(old, new, success, Ordering::Relaxed)
}
