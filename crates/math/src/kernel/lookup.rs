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

    /// For each table, `out ^= ⊕ (table[j] − mask[row])` over the entries `j` in each row's query
    /// word. `out` holds the columns of all tables, one after the other.
    ///
    /// # Panics
    /// If the lengths differ, or a table has more entries than a word has bits.
    pub fn answer(out: &mut [u64], masks: &[&[u64]], query: &[u64], tables: &[&[u64]]) {
        let n = query.len();
        assert!(out.len() == n * tables.len() && masks.len() == tables.len(), "a column for each table");
        assert!(masks.iter().all(|mask| mask.len() == n), "slices of one length");
        let mut column = 0;
        // Columns side by side share the work of reading the query.
        while column < tables.len() {
            let wide = (tables.len() - column).min(3);
            let end = column + wide;
            let out = &mut out[column * n..end * n];
            match wide {
                3 => side_by_side::<3>(out, &masks[column..end], query, &tables[column..end]),
                2 => side_by_side::<2>(out, &masks[column..end], query, &tables[column..end]),
                _ => side_by_side::<1>(out, &masks[column..end], query, &tables[column..end]),
            }
            column = end;
        }
    }
}

/// [`answer`] for a number of tables whose sums stay in registers.
#[inline(always)]
fn side_by_side<const C: usize>(out: &mut [u64], masks: &[&[u64]], query: &[u64], tables: &[&[u64]]) {
    let n = query.len();
    let entries = tables[0].len();
    assert!(entries <= WORD && tables.iter().all(|table| table.len() == entries), "an entry to each bit");
    // Entry after entry, in arrays whose bounds need no checks.
    let mut lines = [[0; C]; WORD];
    for (column, table) in tables.iter().enumerate() {
        lines.iter_mut().zip(*table).for_each(|(line, entry)| line[column] = *entry);
    }
    for at in (0..n).step_by(LANES) {
        // Lanes past the last row compute on zeros.
        let lanes = LANES.min(n - at);
        let lane = |from: &[u64]| -> [u64; LANES] {
            let mut lane = [0; LANES];
            lane[..lanes].copy_from_slice(&from[at..at + lanes]);
            lane
        };
        let word = lane(query);
        let mask: [[u64; LANES]; C] = std::array::from_fn(|column| lane(masks[column]));
        let mut sum: [[u64; LANES]; C] = std::array::from_fn(|column| lane(&out[column * n..]));
        let mut word = word;
        for line in &lines[..entries] {
            // The entry's bit in every position.
            let chosen = word.map(|word| (word & 1).wrapping_neg());
            word = word.map(|word| word >> 1);
            for column in 0..C {
                for i in 0..LANES {
                    sum[column][i] ^= line[column].wrapping_sub(mask[column][i]) & chosen[i];
                }
            }
        }
        for (column, sum) in sum.iter().enumerate() {
            out[column * n + at..][..lanes].copy_from_slice(&sum[..lanes]);
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
            let table = random(4 * 128, 2);
            let answered = |mut low: Vec<u64>, mut high: Vec<u64>| {
                move_entries(&mut low, &by);
                move_entries(&mut high, &by);
                exchange_words(&mut low, &mut high, &by, 6);
                // Four tables: three side by side and one more.
                let mut out = vec![3; 4 * n];
                let tables: [[&[u64]; 4]; 2] = [0, 64].map(|half| {
                    std::array::from_fn(|column| &table[column * 128 + half..column * 128 + half + 64])
                });
                answer(&mut out, &[&mask[..]; 4], &low, &tables[0]);
                answer(&mut out, &[&mask[..]; 4], &high, &tables[1]);
                out
            };
            let (low, high) = (random(n, 3), random(n, 4));
            let first = answered(low.clone(), high.clone());
            let (mut low, mut high) = (low, high);
            flip_entry(&mut low, &masked, 0);
            flip_entry(&mut high, &masked, 64);
            let second = answered(low, high);
            for row in 0..n {
                for column in 0..4 {
                    let place = column * n + row;
                    let found = (first[place] ^ second[place]).wrapping_add(mask[row]);
                    let entry = table[column * 128 + usize::from(at[row])];
                    assert_eq!(found, entry, "{level:?} at row {row}");
                }
            }
        });
    }
}
