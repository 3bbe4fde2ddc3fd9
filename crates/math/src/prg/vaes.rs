//! AES-128 in counter mode with AVX-512 and VAES: 32 blocks at a time, whose counters never leave
//! the registers.
//!
//! The `aes` crate has the same instructions, but is handed blocks in memory and loads each batch
//! through calls that cannot be inlined: this takes two fifths of its time.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::BLOCK_BYTES;

/// Vectors of four blocks that are encrypted together: AES has a latency of several cycles.
const WIDTH: usize = 8;

/// The round keys. Whoever has one has the instructions.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Schedule([[u8; BLOCK_BYTES]; 11]);

impl Schedule {
    /// The schedule of `key`, if this machine has the instructions.
    pub(super) fn new(key: &[u8; BLOCK_BYTES]) -> Option<Self> {
        use std::arch::is_x86_feature_detected as has;
        let is_there = has!("avx512f") && has!("avx512bw") && has!("vaes") && has!("aes");
        // SAFETY: the processor has these instructions.
        is_there.then(|| unsafe { expand(key) })
    }

    /// Writes the encryptions of the counters `high · 2^64 + low`, …; `low` wraps.
    pub(super) fn write(&self, high: u64, low: u64, out: &mut [MaybeUninit<super::Block>]) {
        // SAFETY: a schedule is made only where the processor has these instructions.
        unsafe { encrypt(self, high, low, out) }
    }
}

/// FIPS 197, section 5.2.
#[target_feature(enable = "aes,sse2")]
fn expand(key: &[u8; BLOCK_BYTES]) -> Schedule {
    let mut schedule = Schedule([[0; BLOCK_BYTES]; 11]);
    schedule.0[0] = *key;
    macro_rules! rounds {
        ($($round:literal: $constant:literal),*) => {$(
            let before = load(&schedule.0[$round - 1]);
            let turned = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<$constant>(before));
            // Each word is the sum of all words up to it.
            let sums = _mm_xor_si128(before, _mm_slli_si128::<4>(before));
            let sums = _mm_xor_si128(sums, _mm_slli_si128::<8>(sums));
            let round = _mm_xor_si128(sums, turned);
            // SAFETY: a round key has the vector's 16 bytes, and this store needs no alignment.
            unsafe { _mm_storeu_si128(schedule.0[$round].as_mut_ptr().cast(), round) };
        )*};
    }
    rounds!(1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 128, 9: 27, 10: 54);
    schedule
}

#[inline]
#[target_feature(enable = "sse2")]
fn load(block: &[u8; BLOCK_BYTES]) -> __m128i {
    // SAFETY: a block has the vector's 16 bytes, and this load needs no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn encrypt(schedule: &Schedule, high: u64, low: u64, out: &mut [MaybeUninit<super::Block>]) {
    let keys = schedule.0.each_ref().map(|key| _mm512_broadcast_i32x4(load(key)));
    // Counters are big-endian: each half of a block is turned around, after counting.
    let turn = _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    let (high, low) = (high as i64, low as i64);
    let mut counters = _mm512_add_epi64(
        _mm512_set_epi64(low, high, low, high, low, high, low, high),
        _mm512_set_epi64(3, 0, 2, 0, 1, 0, 0, 0),
    );
    let step = _mm512_set_epi64(4, 0, 4, 0, 4, 0, 4, 0);
    let mut lines = out.chunks_exact_mut(4 * WIDTH);
    for line in &mut lines {
        let mut blocks = [_mm512_setzero_si512(); WIDTH];
        for block in &mut blocks {
            *block = _mm512_xor_si512(_mm512_shuffle_epi8(counters, turn), keys[0]);
            counters = _mm512_add_epi64(counters, step);
        }
        for key in &keys[1..10] {
            for block in &mut blocks {
                *block = _mm512_aesenc_epi128(*block, *key);
            }
        }
        for (block, out) in blocks.into_iter().zip(line.chunks_exact_mut(4)) {
            let block = _mm512_aesenclast_epi128(block, keys[10]);
            // SAFETY: four blocks take the vector's 64 bytes, and this store needs no alignment.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), block) };
        }
    }
    for out in lines.into_remainder().chunks_mut(4) {
        let mut block = _mm512_xor_si512(_mm512_shuffle_epi8(counters, turn), keys[0]);
        counters = _mm512_add_epi64(counters, step);
        for key in &keys[1..10] {
            block = _mm512_aesenc_epi128(block, *key);
        }
        let block = _mm512_aesenclast_epi128(block, keys[10]);
        let lanes = u8::MAX >> (8 - 2 * out.len());
        // SAFETY: only the lanes of the blocks that are there are written, two to a block.
        unsafe { _mm512_mask_storeu_epi64(out.as_mut_ptr().cast(), lanes, block) };
    }
}
