//! Pseudorandom streams: AES-128 in counter mode, addressed by block.
//!
//! Block `b` of the stream is the encryption of `b` as a 128-bit big-endian
//! number: the keystream of standard AES-128-CTR that starts at an all-zero
//! counter block. Elements of a group are read from it in little-endian order.
//! The stream is a pure function of (key, block), so any thread may compute any
//! piece of it.

#[cfg(target_arch = "x86_64")]
mod vaes;

use std::mem::MaybeUninit;

use aes::Aes128Enc;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit, ParBlocks,
};
use bytemuck::Pod;

use crate::group::Group;
use crate::kernel;
use crate::simd::Level;

// Elements, planes and frames are the same bytes in memory, on the wire and in the stream.
const _: () = assert!(cfg!(target_endian = "little"), "big-endian machines are not supported");

/// The size of a block.
pub const BLOCK_BYTES: usize = 16;

/// What the helpers below compute at a time: it stays in the first-level cache beside its operands.
pub(crate) const TILE_BYTES: usize = 4096;

const TILE_BLOCKS: u64 = (TILE_BYTES / BLOCK_BYTES) as u64;

type Block = Array<u8, U16>;

/// A pseudorandom stream under one key. The key schedule is wiped when the stream is dropped.
#[derive(Clone)]
pub struct Prg(Cipher);

#[derive(Clone)]
enum Cipher {
    #[cfg(target_arch = "x86_64")]
    Wide(vaes::Schedule),
    Any(Aes128Enc),
}

impl Prg {
    /// The stream under `key`.
    pub fn new(key: &[u8; 16]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if Level::best() == Level::Gfni
            && let Some(schedule) = vaes::Schedule::new(key)
        {
            return Self(Cipher::Wide(schedule));
        }
        Self(Cipher::Any(Aes128Enc::new(key.into())))
    }

    /// Writes the stream from `first_block` on. A last block may be cut short.
    pub fn fill(&self, first_block: u64, out: &mut [u8]) {
        self.fill_from(0, first_block, out);
    }

    /// [`Prg::fill`] for elements, or for anything made of plain words.
    pub fn fill_items<T: Pod>(&self, first_block: u64, out: &mut [T]) {
        self.fill(first_block, bytemuck::cast_slice_mut(out));
    }

    /// `out ^=` the stream from `first_block` on.
    pub fn xor_into(&self, first_block: u64, out: &mut [u8]) {
        self.by_tiles(first_block, out, kernel::xor_into);
    }

    /// `out +=` the stream from `first_block` on.
    pub fn add_into<G: Group>(&self, first_block: u64, out: &mut [G]) {
        self.by_tiles(first_block, out, kernel::add_into);
    }

    /// `out -=` the stream from `first_block` on.
    pub fn sub_into<G: Group>(&self, first_block: u64, out: &mut [G]) {
        self.by_tiles(first_block, out, kernel::sub_into);
    }

    /// A uniformly random permutation of `0..n`, from the start of the stream.
    ///
    /// How much of the stream it takes depends on the stream, so its key serves
    /// nothing else. Memory access follows the permutation: it is for parties
    /// that know it.
    ///
    /// # Panics
    /// If `n` is 2^32 or more.
    pub fn permutation(&self, n: usize) -> Vec<u32> {
        let n = u32::try_from(n).expect("permutations have fewer than 2^32 elements");
        let mut order: Vec<u32> = (0..n).collect();
        let mut draws = Draws::new(self);
        // Fisher and Yates: each element changes places with one at or before it.
        for last in (1..n).rev() {
            order.swap(last as usize, draws.below(last + 1) as usize);
        }
        order
    }

    /// Combines `out` with the stream in tiles.
    fn by_tiles<T: Pod>(&self, first_block: u64, out: &mut [T], combine: impl Fn(&mut [T], &[T])) {
        const { assert!(TILE_BYTES.is_multiple_of(size_of::<T>())) }
        let mut tile = Tile::new();
        for (block, out) in tile_blocks(first_block).zip(out.chunks_mut(TILE_BYTES / size_of::<T>())) {
            combine(out, tile.stream(self, block, out.len()));
        }
    }

    /// The stream from counter `high · 2^64 + low` on; `low` wraps.
    fn fill_from(&self, high: u64, low: u64, out: &mut [u8]) {
        let (blocks, rest) = Array::slice_as_chunks_mut(out);
        // SAFETY: `write_blocks` writes nothing but initialised bytes.
        let blocks = unsafe { &mut *(std::ptr::from_mut::<[Block]>(blocks) as *mut [MaybeUninit<Block>]) };
        let after = low.wrapping_add(blocks.len() as u64);
        self.write_blocks(high, low, blocks);
        if !rest.is_empty() {
            let mut last = [MaybeUninit::uninit()];
            rest.copy_from_slice(&self.write_blocks(high, after, &mut last)[0][..rest.len()]);
        }
    }

    fn write_blocks<'a>(&self, high: u64, low: u64, out: &'a mut [MaybeUninit<Block>]) -> &'a [Block] {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Cipher::Wide(schedule) => schedule.write(high, low, out),
            Cipher::Any(cipher) => cipher.encrypt_with_backend(Counters { high, low, out: &mut *out }),
        }
        // SAFETY: both have initialised every block.
        unsafe { out.assume_init_ref() }
    }
}

// A key schedule says nothing about itself.
impl std::fmt::Debug for Prg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prg(<key hidden>)")
    }
}

/// `out[i] = F(own)[i] - F(next)[i]`: a party's share of zero, where `own` and
/// `next` are its two streams and each stream is known to one neighbour.
pub fn zero_share<G: Group>(own: &Prg, next: &Prg, first_block: u64, out: &mut [G]) {
    let mut tile = Tile::new();
    for (block, out) in tile_blocks(first_block).zip(out.chunks_mut(TILE_BYTES / G::BYTES)) {
        own.fill_items(block, out);
        kernel::sub_into(out, tile.stream(next, block, out.len()));
    }
}

/// `out[i] += F(own)[i] - F(next)[i]`: makes a party's share of sums a fresh one.
pub fn add_zero_share<G: Group>(own: &Prg, next: &Prg, first_block: u64, out: &mut [G]) {
    let mut tile = Tile::new();
    for (block, out) in tile_blocks(first_block).zip(out.chunks_mut(TILE_BYTES / G::BYTES)) {
        kernel::add_into(out, tile.stream(own, block, out.len()));
        kernel::sub_into(out, tile.stream(next, block, out.len()));
    }
}

/// The first blocks of the tiles of a stream.
pub(crate) fn tile_blocks(first_block: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(first_block), |block| Some(block.wrapping_add(TILE_BLOCKS)))
}

/// A piece of a stream on the stack, never zeroed first.
#[repr(align(64))]
pub(crate) struct Tile([MaybeUninit<Block>; TILE_BYTES / BLOCK_BYTES]);

impl Tile {
    pub(crate) fn new() -> Self {
        Self([MaybeUninit::uninit(); TILE_BYTES / BLOCK_BYTES])
    }

    /// `n` elements of the stream from `first_block` on; at most a tile of them.
    pub(crate) fn stream<T: Pod>(&mut self, prg: &Prg, first_block: u64, n: usize) -> &[T] {
        let n_bytes = n * size_of::<T>();
        let blocks = prg.write_blocks(0, first_block, &mut self.0[..n_bytes.div_ceil(BLOCK_BYTES)]);
        bytemuck::cast_slice(&Array::slice_as_flattened(blocks)[..n_bytes])
    }
}

/// Writes counter blocks into `out` and encrypts them in place.
struct Counters<'a> {
    high: u64,
    low: u64,
    out: &'a mut [MaybeUninit<Block>],
}

impl BlockSizeUser for Counters<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Counters<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let width = B::ParBlocksSize::USIZE;
        let mut low = self.low;
        let mut chunks = self.out.chunks_exact_mut(width);
        for chunk in &mut chunks {
            let counters = write_counters(self.high, low, chunk);
            let blocks = ParBlocks::<B>::slice_as_mut_array(counters).expect("a chunk of this many blocks");
            backend.encrypt_par_blocks(blocks.into());
            low = low.wrapping_add(width as u64);
        }
        let rest = write_counters(self.high, low, chunks.into_remainder());
        backend.encrypt_tail_blocks(rest.into());
    }
}

#[inline(always)]
fn write_counters(high: u64, low: u64, out: &mut [MaybeUninit<Block>]) -> &mut [Block] {
    let high = high.to_be();
    if (low & 0xff) as usize + out.len() <= 256 {
        // Only the last byte of the counter moves. In a little-endian word it
        // is the top byte, so whole lines of counters advance by one addition.
        const LINE: usize = 4;
        let mut line = [0; 2 * LINE];
        for (i, pair) in line.chunks_exact_mut(2).enumerate() {
            pair[0] = high;
            pair[1] = low.wrapping_add(i as u64).to_be();
        }
        let mut lines = out.chunks_exact_mut(LINE);
        for out in &mut lines {
            // SAFETY: `out` has room for the line, and bytes need no alignment.
            unsafe { out.as_mut_ptr().cast::<[u64; 2 * LINE]>().write_unaligned(line) };
            for (i, word) in line.iter_mut().enumerate() {
                *word = word.wrapping_add(((i as u64 & 1) * LINE as u64) << 56);
            }
        }
        for (out, counter) in lines.into_remainder().iter_mut().zip(line.chunks_exact(2)) {
            out.write(block_of(counter[0], counter[1]));
        }
    } else {
        for (i, out) in out.iter_mut().enumerate() {
            out.write(block_of(high, low.wrapping_add(i as u64).to_be()));
        }
    }
    // SAFETY: both branches have written every block.
    unsafe { out.assume_init_mut() }
}

#[inline(always)]
fn block_of(high_be: u64, low_be: u64) -> Block {
    Array(bytemuck::cast([high_be, low_be]))
}

/// Unbiased draws of bounded numbers, from the start of a stream.
struct Draws<'a> {
    prg: &'a Prg,
    words: Vec<u32>,
    at: usize,
    next_block: u64,
}

impl<'a> Draws<'a> {
    fn new(prg: &'a Prg) -> Self {
        let words = vec![0; TILE_BYTES / 4];
        Self { prg, at: words.len(), words, next_block: 0 }
    }

    fn word(&mut self) -> u32 {
        if self.at == self.words.len() {
            self.prg.fill_items(self.next_block, &mut self.words);
            self.next_block += TILE_BLOCKS;
            self.at = 0;
        }
        self.at += 1;
        self.words[self.at - 1]
    }

    /// Uniform in `0..bound`, for a positive bound. Lemire, "Fast random integer
    /// generation in an interval", 2019: a multiplication, and a rejection with
    /// probability below `bound / 2^32`.
    fn below(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.word()) * u64::from(bound);
        if (product as u32) < bound {
            let biased = bound.wrapping_neg() % bound;
            while (product as u32) < biased {
                product = u64::from(self.word()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{X64, Z16, Z64, Z128};
    use crate::simd::at_every_level;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn prg(key: &str) -> Prg {
        Prg::new(&bytes(key).try_into().unwrap())
    }

    /// The stream, one block at a time.
    fn slow_stream(key: u8, high: u64, low: u64, n_bytes: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for i in 0..n_bytes.div_ceil(16) as u64 {
            let counter = u128::from(high) << 64 | u128::from(low.wrapping_add(i));
            let mut block = Array(counter.to_be_bytes());
            Aes128Enc::new(&Array([key; 16])).encrypt_block(&mut block);
            out.extend_from_slice(&block);
        }
        out.truncate(n_bytes);
        out
    }

    fn one_block(prg: &Prg, counter: &str) -> Vec<u8> {
        let counter = u128::from_str_radix(counter, 16).unwrap();
        let mut out = [0; 16];
        prg.fill_from((counter >> 64) as u64, counter as u64, &mut out);
        out.to_vec()
    }

    #[test]
    fn fips_197_appendix_c() {
        at_every_level(|_| {
            let prg = prg("000102030405060708090a0b0c0d0e0f");
            let block = one_block(&prg, "00112233445566778899aabbccddeeff");
            assert_eq!(block, bytes("69c4e0d86a7b0430d8cdb78070b4c55a"));
        });
    }

    #[test]
    fn sp_800_38a_counter_mode() {
        at_every_level(|_| {
            // F.5.1, CTR-AES128: the four output blocks, that is ciphertext ^ plaintext.
            let prg = prg("2b7e151628aed2a6abf7158809cf4f3c");
            let mut out = [0; 64];
            prg.fill_from(0xf0f1_f2f3_f4f5_f6f7, 0xf8f9_fafb_fcfd_feff, &mut out);
            let plaintext = bytes(
                "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
            );
            kernel::xor_into(&mut out, &plaintext);
            let ciphertext = bytes(
                "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
             5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
            );
            assert_eq!(out.to_vec(), ciphertext);
            // F.1.1, ECB-AES128, first block.
            let block = one_block(&prg, "6bc1bee22e409f96e93d7e117393172a");
            assert_eq!(block, bytes("3ad77bb40d7a3660a89ecaf32466ef97"));
        });
    }

    #[test]
    fn the_first_blocks_under_the_zero_key() {
        at_every_level(|_| {
            // The GCM specification, test case 2: the hash key is block 0; the
            // ciphertext of a zero block is block 2.
            let prg = Prg::new(&[0; 16]);
            let mut out = [0; 48];
            prg.fill(0, &mut out);
            assert_eq!(out[..16], bytes("66e94bd4ef8a2c3b884cfa59ca342b2e"));
            assert_eq!(out[16..32], bytes("58e2fccefa7e3061367f1d57a4e7455a"));
            assert_eq!(out[32..], bytes("0388dace60b6a392f328c2b971b2fe78"));
        });
    }

    #[test]
    fn counters_carry() {
        for low in [0, 1, 191, 192, 193, 250, 255, 256, 0xffff - 70, u64::from(u32::MAX) - 3, u64::MAX - 5] {
            for n_bytes in [0, 1, 15, 16, 17, 127, 500, 512, 1024, 1040, 4096, 4097, 5000] {
                let stream = slow_stream(7, 3, low, n_bytes);
                at_every_level(|level| {
                    let mut out = vec![0; n_bytes];
                    Prg::new(&[7; 16]).fill_from(3, low, &mut out);
                    assert_eq!(out, stream, "{level:?}: {low} {n_bytes}");
                });
            }
        }
    }

    #[test]
    fn helpers_agree_with_the_stream() {
        let (own, next) = (Prg::new(&[1; 16]), Prg::new(&[2; 16]));
        for n in [0, 1, 3, 255, 256, 257, 512, 513, 2000] {
            let mask = |key: u8| -> Vec<Z64> {
                let bytes = slow_stream(key, 0, 100, n * 8);
                bytes.chunks(8).map(|word| Z64(u64::from_le_bytes(word.try_into().unwrap()))).collect()
            };
            let (f, g) = (mask(1), mask(2));
            let start: Vec<Z64> = (0..n as u64).map(|i| Z64(i.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();

            let mut out = start.clone();
            own.add_into(100, &mut out);
            assert_eq!(out, start.iter().zip(&f).map(|(x, f)| x.plus(*f)).collect::<Vec<_>>());
            own.sub_into(100, &mut out);
            assert_eq!(out, start);
            own.xor_into(100, bytemuck::cast_slice_mut(&mut out));
            assert_eq!(out, start.iter().zip(&f).map(|(x, f)| Z64(x.0 ^ f.0)).collect::<Vec<_>>());

            let zero: Vec<Z64> = f.iter().zip(&g).map(|(f, g)| f.minus(*g)).collect();
            zero_share(&own, &next, 100, &mut out);
            assert_eq!(out, zero);
            let mut out = start.clone();
            add_zero_share(&own, &next, 100, &mut out);
            assert_eq!(out, start.iter().zip(&zero).map(|(x, z)| x.plus(*z)).collect::<Vec<_>>());
        }
    }

    fn zero_shares_cancel<G: Group>() {
        let keys = [1u8, 2, 3].map(|byte| Prg::new(&[byte; 16]));
        let mut total = vec![G::ZERO; 1000];
        for party in 0..3 {
            let mut share = vec![G::ZERO; 1000];
            zero_share(&keys[party], &keys[(party + 1) % 3], 5, &mut share);
            assert!(share.iter().filter(|share| **share == G::ZERO).count() < 20);
            kernel::add_into(&mut total, &share);
        }
        assert!(total.iter().all(|total| *total == G::ZERO));
    }

    #[test]
    fn zero_shares_of_three_parties_cancel() {
        zero_shares_cancel::<Z16>();
        zero_shares_cancel::<Z128>();
        zero_shares_cancel::<X64>();
    }

    #[test]
    fn permutations_of_four_are_uniform() {
        // 24 equally likely outcomes: χ² with 23 degrees of freedom exceeds 60
        // with probability 4·10^-5, and keys are fixed.
        let mut counts = std::collections::BTreeMap::new();
        let n = 24_000;
        for key in 0..n as u128 {
            *counts.entry(Prg::new(&key.to_le_bytes()).permutation(4)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi2: f64 = counts.values().map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 60.0, "{chi2}");
    }

    #[test]
    fn bounded_draws_reject_what_would_be_biased() {
        // For 3·2^30, one word in four is rejected; unrejected, every third number would come twice as often.
        let prg = Prg::new(&[9; 16]);
        let mut draws = Draws::new(&prg);
        let mut counts = [0; 3];
        for _ in 0..30_000 {
            counts[(draws.below(3 << 30) % 3) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn permutations_hold_every_index_once(n in 0usize..3000, key: [u8; 16]) {
            let prg = Prg::new(&key);
            let mut order = prg.permutation(n);
            prop_assert_eq!(&order, &prg.permutation(n));
            order.sort_unstable();
            prop_assert!(order.iter().enumerate().all(|(i, at)| i as u32 == *at));
        }

        #[test]
        fn any_piece_is_a_piece_of_the_stream(skip in 0usize..600, n in 0usize..9000, key: [u8; 16]) {
            let prg = Prg::new(&key);
            let mut piece = vec![0; n];
            prg.fill(skip as u64, &mut piece);
            let mut whole = vec![0; skip * 16 + n];
            prg.fill(0, &mut whole);
            prop_assert_eq!(&piece[..], &whole[skip * 16..]);
        }
    }
}
