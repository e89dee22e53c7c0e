//! Planted faults: the comparison with the specification finds each.

use super::histories::play;
use crate::mutant::{Mutant, plant};

/// Histories after which a fault counts as not found.
const MOST: u64 = 40_000;

#[test]
fn every_planted_fault_is_found() {
    let mut survivors = Vec::new();
    for &(mutant, what) in Mutant::ALL {
        plant(Some(mutant));
        let found = (0..MOST).find(|&seed| play(seed).is_err());
        plant(None);
        match found {
            Some(seed) => println!("{mutant:?} ({what}): found in history {seed}"),
            None => survivors.push(mutant),
        }
    }
    assert!(Mutant::ALL.len() >= 20);
    assert!(survivors.is_empty(), "not found: {survivors:?}");
}
