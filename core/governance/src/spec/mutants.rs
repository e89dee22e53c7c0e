//! Planted faults: the comparison with the specification finds each.

use super::{histories, plans};
use crate::mutant::{Mutant, plant};

/// Histories after which a fault counts as not found.
const HISTORIES: u64 = 40_000;
/// Plans after which one does, in each of so many worlds.
const PLANS: usize = 300;
const WORLDS: u64 = 10;

fn every_one_is_found(faults: &[(Mutant, &str)], find: impl Fn() -> Option<String>) {
    let mut survivors = Vec::new();
    for &(mutant, what) in faults {
        plant(Some(mutant));
        let found = find();
        plant(None);
        match found {
            Some(how) => println!("{mutant:?} ({what}): found in {how}"),
            None => survivors.push(mutant),
        }
    }
    assert!(faults.len() >= 10);
    assert!(survivors.is_empty(), "not found: {survivors:?}");
}

#[test]
fn every_planted_fault_is_found() {
    every_one_is_found(Mutant::APPROVALS, || {
        (0..HISTORIES).find(|&seed| histories::play(seed).is_err()).map(|seed| format!("history {seed}"))
    });
}

#[test]
fn every_fault_planted_in_the_stages_is_found() {
    every_one_is_found(Mutant::STAGES, || (0..WORLDS).find_map(|seed| plans::play(seed, PLANS).err()));
}
