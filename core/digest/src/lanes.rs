//! Four messages in turns, on x86-64 processors with SHA-256 instructions.
//!
//! `sha256rnds2` gives its result after four cycles and takes the next operands after two, so that two messages would fill the unit
//! if nothing else took time; four leave room for the rest. Each lane takes the next message as soon as it is done with one, whatever their
//! lengths are; the last few, when there are fewer than lanes, are hashed one by one.

use super::{BLOCK, Digest, INITIAL, Messages, finish, one};

/// Messages that are hashed in turns.
const LANES: usize = 4;

pub(super) fn digests(messages: &Messages, mut each: impl FnMut(usize, Digest)) {
    let mut alone = 0;
    #[cfg(target_arch = "x86_64")]
    if messages.len() >= LANES && x86::is_available() {
        alone = in_turns(messages, &mut each);
    }
    for number in alone..messages.len() {
        each(number, one(INITIAL, messages.blocks(number)));
    }
}

/// A message on its way.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Lane<'m> {
    number: usize,
    left: &'m [[u8; BLOCK]],
}

/// Hashes at least [`LANES`] messages, all of them: gives their number.
#[cfg(target_arch = "x86_64")]
fn in_turns(messages: &Messages, each: &mut impl FnMut(usize, Digest)) -> usize {
    let lane = |number| Lane { number, left: messages.blocks(number) };
    let mut lanes: [Lane<'_>; LANES] = std::array::from_fn(lane);
    let mut states = [INITIAL; LANES];
    let mut next = LANES;
    loop {
        x86::compress(&mut states, lanes.map(|lane| &lane.left[0]));
        let mut ended = false;
        for (now, state) in lanes.iter_mut().zip(&mut states) {
            now.left = &now.left[1..];
            if !now.left.is_empty() {
                continue;
            }
            each(now.number, finish(std::mem::replace(state, INITIAL)));
            if next < messages.len() {
                *now = lane(next);
                next += 1;
            } else {
                ended = true;
            }
        }
        if ended {
            for (lane, state) in lanes.iter().zip(states).filter(|(lane, _)| !lane.left.is_empty()) {
                each(lane.number, one(state, lane.left));
            }
            return messages.len();
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, LANES};

    /// FIPS 180-4, section 4.2.2.
    static K: [u32; 64] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
        0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
        0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
        0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
        0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
        0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
        0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    ];

    /// Whether the processor has what [`compress`] needs.
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
    }

    /// One block of each message. Only where it [`is_available`].
    pub(super) fn compress(states: &mut [[u32; 8]; LANES], blocks: [&[u8; BLOCK]; LANES]) {
        debug_assert!(is_available());
        // SAFETY: the only caller asked whether the processor has these instructions.
        unsafe { compress_with_sha(states, blocks) }
    }

    /// The two halves of the state are `abef` and `cdgh`, as the instructions want them; each step of the loop is four rounds.
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn compress_with_sha(states: &mut [[u32; 8]; LANES], blocks: [&[u8; BLOCK]; LANES]) {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let mut abef = [_mm_setzero_si128(); LANES];
        let mut cdgh = abef;
        let mut words = [[_mm_setzero_si128(); 4]; LANES];
        for lane in 0..LANES {
            let [low, high] = *states[lane].as_chunks().0 else { unreachable!("eight words are two times four") };
            let cdab = _mm_shuffle_epi32::<0xb1>(four(&low));
            let efgh = _mm_shuffle_epi32::<0x1b>(four(&high));
            abef[lane] = _mm_alignr_epi8::<8>(cdab, efgh);
            cdgh[lane] = _mm_blend_epi16::<0xf0>(efgh, cdab);
            for (word, bytes) in words[lane].iter_mut().zip(blocks[lane].as_chunks().0) {
                *word = _mm_shuffle_epi8(sixteen(bytes), swap);
            }
        }
        let before = (abef, cdgh);
        for (step, constants) in K.as_chunks().0.iter().enumerate() {
            let constants = four(constants);
            for lane in 0..LANES {
                let words = &mut words[lane];
                let [first, second, third, fourth] = [0, 1, 2, 3].map(|ahead| words[(step + ahead) % 4]);
                let mut four = first;
                if step >= 4 {
                    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8::<4>(fourth, third));
                    four = _mm_sha256msg2_epu32(sum, fourth);
                    words[step % 4] = four;
                }
                let scheduled = _mm_add_epi32(four, constants);
                cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], scheduled);
                abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], _mm_shuffle_epi32::<0x0e>(scheduled));
            }
        }
        for lane in 0..LANES {
            let (abef, cdgh) = (_mm_add_epi32(abef[lane], before.0[lane]), _mm_add_epi32(cdgh[lane], before.1[lane]));
            let feba = _mm_shuffle_epi32::<0x1b>(abef);
            let dchg = _mm_shuffle_epi32::<0xb1>(cdgh);
            let (low, high) = states[lane].split_at_mut(4);
            store(low, _mm_blend_epi16::<0xf0>(feba, dchg));
            store(high, _mm_alignr_epi8::<8>(dchg, feba));
        }
    }

    #[inline(always)]
    fn four(words: &[u32; 4]) -> __m128i {
        // SAFETY: sixteen bytes are read of sixteen; SSE2 is part of x86-64, and the load asks for no alignment.
        unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn sixteen(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: as `four`.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(words: &mut [u32], value: __m128i) {
        let words: &mut [u32; 4] = words.try_into().expect("eight words are two times four");
        // SAFETY: as `four`, for writing.
        unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), value) }
    }
}
