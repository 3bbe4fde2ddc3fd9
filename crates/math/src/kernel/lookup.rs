//! Looking a row's entry up in a public table with a query of one bit per entry.
//!
//! A query names a set of entries and is answered by their XOR. Two queries that differ in one
//! bit have answers that differ by that entry, and each alone is a random set. Every entry is
//! read whatever the query holds.

use crate::simd::multiversioned;

/// Entries to a word of a query.
pub const WORD: usize = 64;

/// Rows that are looked up together.
const LANES: usize = 16;

/// Exchanges neighbouring groups of `shift` bits.
#[inline(always)]
fn exchanged(x: u64, shift: u32) -> u64 {
    const LOW: [u64; 6] = [
        0x5555_5555_5555_5555,
        0x3333_3333_3333_3333,
        0x0f0f_0f0f_0f0f_0f0f,
        0x00ff_00ff_00ff_00ff,
        0x0000_ffff_0000_ffff,
        0x0000_0000_ffff_ffff,
    ];
    let low = LOW[shift.trailing_zeros() as usize];
    (x & low) << shift | (x >> shift) & low
}

multiversioned! {
    /// Adds entry `at[row]` to each row's query, of which this is the word of entries from
    /// `first` on.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn flip_entry(query: &mut [u64], at: &[u8], first: usize) {
        assert_eq!(query.len(), at.len(), "slices of one length");
        for (query, at) in query.iter_mut().zip(at) {
            let at = u64::from(*at) ^ first as u64;
            // All ones where the entry is in this word.
            let here = (at >> 6).wrapping_sub(1) & !(at >> 6);
            let here = ((here as i64) >> 63) as u64;
            *query ^= 1u64 << (at & 63) & here;
        }
    }

    /// Moves entry `j` of each row's query word to `j ⊕ by[row]`, for the low six bits of `by`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn move_entries(query: &mut [u64], by: &[u8]) {
        assert_eq!(query.len(), by.len(), "slices of one length");
        for (query, by) in query.iter_mut().zip(by) {
            let by = u64::from(*by);
            let mut word = *query;
            for bit in 0..6 {
                let chosen = (by >> bit & 1).wrapping_neg();
                word ^= (word ^ exchanged(word, 1 << bit)) & chosen;
            }
            *query = word;
        }
    }

    /// Exchanges the rows' words where bit `bit` of `by` is set.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn exchange_words(a: &mut [u64], b: &mut [u64], by: &[u8], bit: u32) {
        assert!(a.len() == by.len() && b.len() == by.len(), "slices of one length");
        for ((a, b), by) in a.iter_mut().zip(b).zip(by) {
            let change = (*a ^ *b) & (u64::from(*by) >> bit & 1).wrapping_neg();
            *a ^= change;
            *b ^= change;
        }
    }

    /// `out ^= ⊕ (table[j] − mask[row])` over the entries `j` in each row's query word.
    ///
    /// # Panics
    /// If the lengths differ, or the table has more entries than a word has bits.
    pub fn answer(out: &mut [u64], mask: &[u64], query: &[u64], table: &[u64]) {
        let n = out.len();
        assert!(mask.len() == n && query.len() == n, "slices of one length");
        assert!(table.len() <= WORD, "an entry to each bit");
        let whole = n - n % LANES;
        for at in (0..whole).step_by(LANES) {
            let rows = at..at + LANES;
            let mut sum: [u64; LANES] = std::array::from_fn(|i| out[rows.clone()][i]);
            let mask: [u64; LANES] = std::array::from_fn(|i| mask[rows.clone()][i]);
            let query: [u64; LANES] = std::array::from_fn(|i| query[rows.clone()][i]);
            for (j, entry) in table.iter().enumerate() {
                for i in 0..LANES {
                    let chosen = (query[i] >> j & 1).wrapping_neg();
                    sum[i] ^= entry.wrapping_sub(mask[i]) & chosen;
                }
            }
            out[rows].copy_from_slice(&sum);
        }
        for i in whole..n {
            for (j, entry) in table.iter().enumerate() {
                out[i] ^= entry.wrapping_sub(mask[i]) & (query[i] >> j & 1).wrapping_neg();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use crate::simd::at_every_level;

    fn random(n: usize, seed: u8) -> Vec<u64> {
        let mut words = vec![0; n];
        Prg::new(&[seed; 16]).fill_items(0, &mut words);
        words
    }

    /// Two queries, one of them flipped at an entry's masked position, find that entry.
    #[test]
    fn two_answers_differ_by_the_entry() {
        at_every_level(|level| {
            let n = 531;
            let mask = random(n, 1);
            let by: Vec<u8> = (0..n).map(|row| (row * 7 % 128) as u8).collect();
            let at: Vec<u8> = (0..n).map(|row| (row % 128) as u8).collect();
            let masked: Vec<u8> = at.iter().zip(&by).map(|(at, by)| at ^ by).collect();
            let table = random(128, 2);
            let answered = |mut low: Vec<u64>, mut high: Vec<u64>| {
                move_entries(&mut low, &by);
                move_entries(&mut high, &by);
                exchange_words(&mut low, &mut high, &by, 6);
                let mut out = vec![3; n];
                answer(&mut out, &mask, &low, &table[..64]);
                answer(&mut out, &mask, &high, &table[64..]);
                out
            };
            let (low, high) = (random(n, 3), random(n, 4));
            let first = answered(low.clone(), high.clone());
            let (mut low, mut high) = (low, high);
            flip_entry(&mut low, &masked, 0);
            flip_entry(&mut high, &masked, 64);
            let second = answered(low, high);
            for row in 0..n {
                let found = (first[row] ^ second[row]).wrapping_add(mask[row]);
                assert_eq!(found, table[usize::from(at[row])], "{level:?} at row {row}");
            }
        });
    }
}
