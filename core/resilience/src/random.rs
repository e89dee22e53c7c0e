//! Random numbers from a seed, drawn by any number of threads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). Its state is a counter, so a draw is one
/// addition and the same seed gives the same sequence. Not for secrets.
#[derive(Debug)]
pub struct Random {
    state: AtomicU64,
}

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Random {
        Random { state: AtomicU64::new(seed) }
    }

    /// The next 64 bits.
    pub fn bits(&self) -> u64 {
        mix(self.state.fetch_add(STEP, Relaxed).wrapping_add(STEP))
    }

    /// The next number of [0, 1), uniform.
    pub fn unit(&self) -> f64 {
        unit(self.bits())
    }

    /// The next whole number of [low, high], uniform to within 2^-64 of its range's size; `low` where the range is empty.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        let range = u128::from(high.saturating_sub(low)) + 1;
        low + ((u128::from(self.bits()) * range) >> 64) as u64
    }
}

/// The draw number `n` of the sequence of `seed`, without a generator.
pub(crate) fn draw(seed: u64, n: u64) -> u64 {
    mix(seed.wrapping_add(STEP.wrapping_mul(n.wrapping_add(1))))
}

/// 64 bits as a number of [0, 1).
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_sequence() {
        // The first values of the reference implementation for the seed 1234567.
        let random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
        assert_eq!([draw(1_234_567, 0), draw(1_234_567, 2)], [expected[0], expected[2]]);
    }

    #[test]
    fn stays_in_its_range() {
        let random = Random::new(1);
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
        assert_eq!(random.between(7, 2), 7);
        assert_eq!(random.between(9, 9), 9);
        assert!((0..1000).all(|_| random.unit() < 1.0));
    }
}
