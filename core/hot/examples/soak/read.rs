//! What a reader does, and what it checks.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use knhk_hot::layout::{Key, Tag};
use knhk_hot::{Hold, Observed, Reader, ReaderOptions, Snapshot};

use crate::work::{GENERATION, ROUND, SECTORS, SLOTS, Shared, value, version};

/// SplitMix64.
pub fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (z >> 31)
}

/// Reads of one view.
const READS: u32 = 32;
/// Holds that a reader keeps at most.
const HOLDS: usize = 4;

struct Checker<'s> {
    shared: &'s Shared,
    seed: u64,
    reads: u64,
    views: u64,
    appended: u64,
}

impl Checker<'_> {
    /// Reads through a view and compares with what its own generation says.
    fn check(&mut self, view: &Snapshot, acknowledged: u64, kind: &str) {
        let epoch = view.epoch();
        if epoch < acknowledged {
            self.shared.violated(format!("{kind}: stale: epoch {epoch} after {acknowledged} was acknowledged"));
        }
        let generation = view.get_i64(GENERATION, -1);
        if !(0..ROUND as i64).contains(&generation) {
            return self.shared.violated(format!("{kind}: freed: generation {generation:#x} in epoch {epoch:#x}"));
        }
        let mut at = random(&mut self.seed);
        for _ in 0..READS {
            let (sector, slot) = (at as usize % SECTORS, (at >> 8) as u32 % SLOTS);
            let read = view.get_i64(Key::new(sector as u32, slot), -1);
            let expected = value(sector, version(generation as u64, sector), slot);
            if read != expected {
                let what = format!(
                    "{kind}: torn or freed: sector {sector} slot {slot} of generation {generation} reads {read:#x}"
                );
                return self.shared.violated(what);
            }
            at = at.rotate_left(13).wrapping_mul(0x2545_f491_4f6c_dd1d);
        }
        if view.epoch() != epoch || view.get_i64(GENERATION, -1) != generation {
            self.shared.violated(format!("{kind}: the view of epoch {epoch} changed under its reader"));
        }
        self.reads += u64::from(READS) + 2;
        self.views += 1;
    }
}

/// Reads its share.
pub fn run(shared: &Shared, number: u64) {
    let mut reader = shared.hot.register(ReaderOptions::default()).expect("room for a reader");
    let mut checker = Checker { shared, seed: number << 32, reads: 0, views: 0, appended: 0 };
    let mut holds: Vec<Hold> = Vec::new();
    let share = shared.plan.reads / shared.plan.threads as u64;
    while checker.reads < share && !shared.over() {
        for _ in 0..16 {
            one(&reader, &mut checker, &mut holds);
        }
        if random(&mut checker.seed).is_multiple_of(2) {
            quiescent(&mut reader, &mut checker);
        }
    }
    shared.reads.fetch_add(checker.reads, Relaxed);
    shared.views.fetch_add(checker.views, Relaxed);
    shared.appended.fetch_add(checker.appended, Relaxed);
}

fn one(reader: &Reader, checker: &mut Checker<'_>, holds: &mut Vec<Hold>) {
    let shared = checker.shared;
    let acknowledged = shared.acknowledged.load(Acquire);
    let dice = random(&mut checker.seed);
    if dice.is_multiple_of(8) {
        return checker.check(&reader.view_for(dice), acknowledged, "candidate");
    }
    let view = reader.view();
    checker.check(&view, acknowledged, "view");
    match dice % 64 {
        1 | 2 => {
            let nested = reader.view();
            checker.check(&nested, view.epoch(), "nested");
            // Not the outer view's epoch: a publication replaces the current root first, and the candidate before it returns.
            checker.check(&reader.view_for(dice), acknowledged, "nested candidate");
            drop(nested);
            checker.check(&view, 0, "view around a nested one");
        }
        3..8 => {
            holds.push(view.hold());
            if holds.len() > HOLDS {
                let hold = holds.swap_remove(dice as usize / 64 % HOLDS);
                checker.check(&hold, 0, "hold");
            }
        }
        8 => drop(holds.pop()),
        9..12 => {
            let (value, subject, time_ns) = (view.get_i64(GENERATION, 0) as u64, checker.appended + 1, dice);
            let what = Observed {
                key: GENERATION,
                tag: Tag::I64,
                bits: value,
                outcome: 0,
                subject,
                detail: value ^ subject ^ time_ns,
                time_ns: Some(time_ns),
            };
            if reader.observe(&view, what) {
                checker.appended += 1;
            }
        }
        _ => {}
    }
}

fn quiescent(reader: &mut Reader, checker: &mut Checker<'_>) {
    let mut quiescent = reader.quiescent();
    for round in 0..4 {
        let acknowledged = checker.shared.acknowledged.load(Acquire);
        let view = quiescent.view();
        checker.check(&view, acknowledged, "quiescent");
        checker.check(&quiescent.view_for(checker.seed), acknowledged, "quiescent candidate");
        checker.check(&view, 0, "quiescent, again");
        if round == 2 {
            quiescent.announce();
        }
    }
}
