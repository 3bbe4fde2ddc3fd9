//! Sums over many random subsets at once, by the method of four Russians.
//!
//! A *selection* is a word of public random bits: bit `t` says whether an item belongs to subset
//! `t`. Selections steer memory access; the items never do.

#[cfg(target_arch = "x86_64")]
mod gfni;

use crate::prime::Prime;
#[cfg(target_arch = "x86_64")]
use crate::prime::ifma;
use crate::simd::multiversioned;

/// Subsets of a selection of one word.
pub const SUBSETS: usize = 64;

/// Bytes of a selection, and values of each.
const BYTES: usize = SUBSETS / 8;
const VALUES: usize = 256;

/// Bits of an item's lower limb in [`SubsetSums::add_all`].
pub const LIMB: u32 = 34;

/// The most items of one call of [`SubsetSums::add_all`].
pub const MOST: usize = 1 << 10;

/// Sums of 64 subsets of integers.
pub struct SubsetSums {
    /// For each byte of a selection and each of its values, the sum of the items that have it.
    buckets: Vec<[i128; VALUES]>,
    /// Sums that went past the buckets.
    sums: [i128; SUBSETS],
    /// Whether the buckets hold anything.
    is_bucketed: bool,
}

impl Default for SubsetSums {
    fn default() -> Self {
        SubsetSums { buckets: vec![[0; VALUES]; BYTES], sums: [0; SUBSETS], is_bucketed: false }
    }
}

impl SubsetSums {
    /// Adds an item to the subsets that `selection` names. Sums are modulo 2^128.
    #[inline(always)]
    pub fn add(&mut self, selection: u64, item: i128) {
        self.is_bucketed = true;
        for (bucket, byte) in self.buckets.iter_mut().zip(selection.to_le_bytes()) {
            let sum = &mut bucket[usize::from(byte)];
            *sum = sum.wrapping_add(item);
        }
    }

    /// Adds items `low + 2^LIMB·high`, or `low` alone, as [`SubsetSums::add`] does, several at a time
    /// where the machine can. Limbs are below 2^50 in size; low ones that are not alone below 2^LIMB,
    /// and not negative.
    ///
    /// # Panics
    /// If there are more than [`MOST`] items, or the lengths differ.
    pub fn add_all(&mut self, selections: &[u64], low: &[i64], high: Option<&[i64]>) {
        let n = selections.len();
        assert!(n <= MOST && low.len() == n && high.is_none_or(|high| high.len() == n), "limbs of each item");
        #[cfg(target_arch = "x86_64")]
        let done = match gfni::available() {
            // SAFETY: just tested.
            true => unsafe { gfni::add_all(&mut self.sums, selections, low, high) },
            false => 0,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        for at in done..n {
            let above = high.map_or(0, |high| i128::from(high[at]) << LIMB);
            self.add(selections[at], i128::from(low[at]) + above);
        }
    }

    /// The sum of each subset.
    pub fn totals(&self) -> [i128; SUBSETS] {
        if !self.is_bucketed {
            return self.sums;
        }
        std::array::from_fn(|subset| {
            let (bucket, bit) = (&self.buckets[subset / 8], subset % 8);
            let members = bucket.iter().enumerate().filter(|(value, _)| value >> bit & 1 == 1);
            members.fold(self.sums[subset], |sum: i128, (_, item)| sum.wrapping_add(*item))
        })
    }
}

/// For each selection, the sum of the subsets' weights.
pub struct SubsetWeights {
    prime: Prime,
    tables: Vec<[u64; VALUES]>,
    /// By half a byte, and times what [`ifma::select`] divides by.
    #[cfg(target_arch = "x86_64")]
    nibbles: Vec<[u64; 16]>,
}

impl SubsetWeights {
    /// `weights` are elements.
    pub fn new(prime: &Prime, weights: &[u64; SUBSETS]) -> Self {
        let table = |weights: &[u64; 8]| {
            let mut table = [0; VALUES];
            for value in 1..VALUES {
                // The lowest bit's weight, and what is known of the others.
                table[value] =
                    prime.plus(table[value & (value - 1)], weights[value.trailing_zeros() as usize]);
            }
            table
        };
        let tables: Vec<[u64; VALUES]> = weights.as_chunks::<8>().0.iter().map(table).collect();
        #[cfg(target_arch = "x86_64")]
        let nibbles = (0..16).map(|at| {
            let entry = |value: usize| ifma::scaled(prime, tables[at / 2][value << (4 * (at % 2))]);
            std::array::from_fn(entry)
        });
        SubsetWeights {
            #[cfg(target_arch = "x86_64")]
            nibbles: nibbles.collect(),
            prime: *prime,
            tables,
        }
    }

    /// `out[i] = Σ_t weights[t] / 2^64` over the bits `t` of `selections[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn select(&self, selections: &[u64], out: &mut [u64]) {
        assert_eq!(selections.len(), out.len(), "a weight for each selection");
        #[cfg(target_arch = "x86_64")]
        let done = match ifma::available() {
            // SAFETY: just tested.
            true => unsafe {
                let tables = (&self.nibbles[..]).try_into().expect("a table for each half of a byte");
                ifma::select(&self.prime, tables, selections, out)
            },
            false => 0,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        let tables = (&self.tables[..]).try_into().expect("a table for each byte");
        select(&self.prime, tables, &selections[done..], &mut out[done..]);
    }
}

/// Columns that are summed at a time: their sums stay in the first-level cache.
const TILE: usize = 32;

/// Rows that are summed at a time.
const GROUP: usize = 4;

/// Sums over subsets of a matrix's rows: `out[t][j] = Σ_i values[i][j]` over the rows `i` whose
/// `selections` have bit `t`, for `n` subsets. Words of 32 bits give sums of 64.
///
/// # Panics
/// If `values` is not as large as it must be, or selections have fewer than `n` bits.
pub fn row_subset_sums<const WORDS: usize>(
    values: &[u32],
    columns: usize,
    selections: &[[u64; WORDS]],
    n: usize,
) -> Vec<u64> {
    assert_eq!(values.len(), selections.len() * columns, "a selection for each row");
    assert!(n <= 64 * WORDS, "a bit for each subset");
    // Which rows of a group belong to a subset.
    let patterns: Vec<u8> = selections
        .chunks(GROUP)
        .flat_map(|group| {
            (0..n).map(|t| {
                let bit =
                    |(row, words): (usize, &[u64; WORDS])| ((words[t / 64] >> (t % 64) & 1) as u8) << row;
                group.iter().enumerate().map(bit).sum()
            })
        })
        .collect();
    let mut out = vec![0; n * columns];
    for first in (0..columns).step_by(TILE) {
        add_tile(&mut out, values, &patterns, [columns, first, TILE.min(columns - first)], n);
    }
    out
}

multiversioned! {
    fn select(prime: &Prime, tables: &[[u64; VALUES]; BYTES], selections: &[u64], out: &mut [u64]) {
        let n = out.len();
        let selections = &selections[..n];
        for i in 0..n {
            let bytes = selections[i].to_le_bytes();
            let mut sum = 0;
            for byte in 0..BYTES {
                sum += u128::from(tables[byte][usize::from(bytes[byte])]);
            }
            out[i] = prime.redc(sum);
        }
    }

    fn add_tile(out: &mut [u64], values: &[u32], patterns: &[u8], shape: [usize; 3], n: usize) {
        let [columns, first, width] = shape;
        let mut sums = vec![[0u64; TILE]; n];
        for (group, patterns) in values.chunks(GROUP * columns).zip(patterns.chunks(n)) {
            let mut table = [[0u64; TILE]; 1 << GROUP];
            for (row, values) in group.chunks(columns).enumerate() {
                for (cell, value) in table[1 << row].iter_mut().zip(&values[first..first + width]) {
                    *cell = u64::from(*value);
                }
            }
            for pattern in 1..table.len() {
                let rest = pattern & (pattern - 1);
                if rest != 0 {
                    let (a, b) = (table[rest], table[pattern ^ rest]);
                    for (cell, (a, b)) in table[pattern].iter_mut().zip(a.iter().zip(&b)) {
                        *cell = a.wrapping_add(*b);
                    }
                }
            }
            for (sums, pattern) in sums.iter_mut().zip(patterns) {
                for (sum, cell) in sums.iter_mut().zip(&table[usize::from(*pattern & 15)]) {
                    *sum = sum.wrapping_add(*cell);
                }
            }
        }
        for (out, sums) in out.chunks_mut(columns).zip(&sums) {
            out[first..first + width].copy_from_slice(&sums[..width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Prg;
    use crate::simd::at_every_level;

    fn words(seed: u8, n: usize) -> Vec<u64> {
        let mut words = vec![0; n];
        Prg::new(&[seed; 16]).fill_items(0, &mut words);
        words
    }

    #[test]
    fn sums_of_subsets() {
        let (selections, items) = (words(1, 500), words(2, 500));
        let items: Vec<i128> = items.iter().map(|item| i128::from(*item as i64) << (item % 60)).collect();
        let mut sums = SubsetSums::default();
        selections.iter().zip(&items).for_each(|(selection, item)| sums.add(*selection, *item));
        for (subset, total) in sums.totals().into_iter().enumerate() {
            let members =
                selections.iter().zip(&items).filter(|(selection, _)| **selection >> subset & 1 == 1);
            assert_eq!(total, members.map(|(_, item)| item).sum::<i128>());
        }
    }

    #[test]
    fn sums_of_many_items_are_those_of_each() {
        at_every_level(|_| {
            for n in [0, 3, 8, 100, MOST] {
                let selections: Vec<u64> = words(8, n)
                    .iter()
                    .enumerate()
                    .map(|(at, word)| if at % 9 == 1 { u64::MAX } else { *word })
                    .collect();
                let limbs: Vec<[i64; 2]> = words(9, 2 * n)
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|[low, high]| [(low >> (64 - LIMB)) as i64, *high as i64 >> 14])
                    .collect();
                let [low, high] = [0, 1].map(|at| limbs.iter().map(|limbs| limbs[at]).collect::<Vec<_>>());
                let [mut one, mut two, mut slow, mut slow_two] = [(); 4].map(|()| SubsetSums::default());
                one.add_all(&selections, &high, None);
                two.add_all(&selections, &low, Some(&high));
                for (selection, [low, high]) in selections.iter().zip(limbs) {
                    slow.add(*selection, high.into());
                    slow_two.add(*selection, i128::from(low) + (i128::from(high) << LIMB));
                }
                assert_eq!(one.totals(), slow.totals());
                assert_eq!(two.totals(), slow_two.totals());
            }
        });
    }

    #[test]
    fn weights_of_subsets() {
        let prime = Prime::sample({
            let mut drawn = words(3, 1000).into_iter();
            move || drawn.next().expect("a prime")
        });
        let weights: [u64; 64] = std::array::from_fn(|t| prime.reduce(words(4, 64)[t]));
        let mut selections = words(5, 100);
        selections.extend([0, u64::MAX]);
        at_every_level(|_| {
            let mut out = vec![1; selections.len()];
            SubsetWeights::new(&prime, &weights).select(&selections, &mut out);
            for (selection, out) in selections.iter().zip(&out) {
                let members = (0..64).filter(|t| selection >> t & 1 == 1);
                let sum = members.fold(0, |sum, t| prime.plus(sum, weights[t]));
                assert_eq!(prime.weight(*out), sum);
            }
        });
    }

    #[test]
    fn sums_of_rows() {
        at_every_level(|_| {
            for (rows, columns, n) in [(0, 3, 5), (1, 1, 155), (4, 32, 64), (7, 45, 155), (100, 70, 192)] {
                let values: Vec<u32> = words(6, rows * columns).iter().map(|word| *word as u32).collect();
                let selections: Vec<[u64; 3]> = words(7, 3 * rows).as_chunks().0.to_vec();
                let sums = row_subset_sums(&values, columns, &selections, n);
                assert_eq!(sums.len(), n * columns);
                for (t, column) in (0..n).flat_map(|t| (0..columns).map(move |column| (t, column))) {
                    let members = (0..rows).filter(|row| selections[*row][t / 64] >> (t % 64) & 1 == 1);
                    let sum: u64 = members.map(|row| u64::from(values[row * columns + column])).sum();
                    assert_eq!(sums[t * columns + column], sum, "{rows} × {columns}, subset {t}");
                }
            }
        });
    }
}
