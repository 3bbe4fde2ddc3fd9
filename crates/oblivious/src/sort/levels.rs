//! Which rows a quicksort compares, level by level: all of it public.
//!
//! A level's comparisons do not depend on one another, so they share a flight.
//! A long segment first sorts a sample of itself, all pairs in one level, and
//! then splits at the sample's middle, quarters and so on: balanced pivots that
//! cost no further comparison among themselves. A short one compares all pairs
//! and is done.
//!
//! Rows come in a random order, so that a segment's first rows are a fair sample.

use crate::permute::inverse;

/// A whole input up to this long compares all pairs: one level instead of several.
const SMALL_INPUT_ROWS: usize = 96;

/// Up to this many rows latency counts more than the number of comparisons.
const SHORT_INPUT_ROWS: usize = 1 << 12;

/// A sample has at most this many rows.
const SAMPLE_ROWS: usize = 1024;

/// How long a segment is for what.
#[derive(Clone, Copy)]
struct Limits {
    /// Up to this length all pairs are compared.
    leaf_rows: usize,
    /// From this length on a sample comes first.
    sampled_rows: usize,
}

impl Limits {
    /// Longer leaves save levels and cost comparisons: 8 rows instead of 16 need 8 % fewer
    /// comparisons and two to four more levels.
    fn of(n: usize) -> Self {
        if n <= SMALL_INPUT_ROWS {
            Limits { leaf_rows: SMALL_INPUT_ROWS, sampled_rows: usize::MAX }
        } else if n <= SHORT_INPUT_ROWS {
            Limits { leaf_rows: 16, sampled_rows: 64 }
        } else {
            Limits { leaf_rows: 8, sampled_rows: 24 }
        }
    }
}

/// The pairs of one level. Levels use the same memory in turn: fresh pages would cost more than
/// what is written to them.
#[derive(Default)]
pub(crate) struct Pairs {
    pub(crate) left: Vec<u32>,
    pub(crate) right: Vec<u32>,
}

/// The comparisons that are left to sort some rows.
pub(crate) struct Levels {
    /// In segment order, where in memory each row lies. A segment's pivots are its last rows, sorted.
    rows: Vec<u32>,
    /// Which row lies where.
    layout: Vec<u32>,
    /// Room for the upper half of a segment that splits.
    upper: Vec<u32>,
    /// The segments that are not sorted yet, ascending.
    open: Vec<Segment>,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Segment {
    start: usize,
    len: usize,
    n_pivots: usize,
}

/// The answers contradict one another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contradiction;

impl Segment {
    /// How many rows compare all pairs: the whole segment, or a sample. `None` if all are
    /// compared with the middle pivot.
    fn tournament(&self, limits: Limits) -> Option<usize> {
        match self.n_pivots {
            0 if self.len <= limits.leaf_rows => Some(self.len),
            0 => Some(self.len.isqrt().min(SAMPLE_ROWS)),
            _ => None,
        }
    }

    fn n_rest(&self) -> usize {
        self.len - self.n_pivots
    }

    /// The position of the pivot that splits the segment.
    fn middle(&self) -> usize {
        self.start + self.n_rest() + self.n_pivots / 2
    }
}

impl Levels {
    /// The comparisons that sort rows `0..n`.
    pub(crate) fn new(n: usize) -> Self {
        let rows: Vec<u32> = (0..n as u32).collect();
        let layout = rows.clone();
        let mut levels = Levels { rows, layout, upper: vec![0; n], open: Vec::new(), limits: Limits::of(n) };
        levels.push(Segment { start: 0, len: n, n_pivots: 0 });
        levels
    }

    /// Takes up a segment that may need work. One that is too short for a sample but too long
    /// for all pairs splits at its first row.
    fn push(&mut self, segment: Segment) {
        let Segment { start, len, n_pivots } = segment;
        if len < 2 || n_pivots == len {
            return;
        }
        let Limits { leaf_rows, sampled_rows } = self.limits;
        let single = n_pivots == 0 && len > leaf_rows && len < sampled_rows;
        if single {
            self.rows[start..start + len].rotate_left(1);
        }
        self.open.push(Segment { start, len, n_pivots: if single { 1 } else { n_pivots } });
    }

    /// Writes the next level's pairs, by where they lie: for each, whether the left row is less
    /// than the right one. No pair if the rows are sorted.
    pub(crate) fn pairs(&self, Pairs { left, right }: &mut Pairs) {
        left.clear();
        right.clear();
        for segment in &self.open {
            let rows = &self.rows[segment.start..segment.start + segment.len];
            match segment.tournament(self.limits) {
                Some(n) => {
                    for at in 0..n {
                        left.extend(std::iter::repeat_n(rows[at], n - at - 1));
                        right.extend_from_slice(&rows[at + 1..n]);
                    }
                }
                None => {
                    left.extend_from_slice(&rows[..segment.n_rest()]);
                    right.extend(std::iter::repeat_n(self.rows[segment.middle()], segment.n_rest()));
                }
            }
        }
    }

    /// Takes the answers, in the order of the pairs.
    pub(crate) fn answer(&mut self, less: impl Fn(usize) -> bool) -> Result<(), Contradiction> {
        let mut at = 0;
        for segment in std::mem::take(&mut self.open) {
            match segment.tournament(self.limits) {
                Some(n) => {
                    self.rank(segment.start, n, |pair| less(at + pair))?;
                    at += n * (n - 1) / 2;
                    if n < segment.len {
                        self.rows[segment.start..segment.start + segment.len].rotate_left(n);
                        self.push(Segment { n_pivots: n, ..segment });
                    }
                }
                None => {
                    self.split(segment, |row| less(at + row));
                    at += segment.n_rest();
                }
            }
        }
        Ok(())
    }

    /// Sorts `n` rows from `start` by the answers for all their pairs.
    fn rank(&mut self, start: usize, n: usize, less: impl Fn(usize) -> bool) -> Result<(), Contradiction> {
        let mut rank = vec![0u32; n];
        let mut pair = 0;
        for left in 0..n {
            for right in left + 1..n {
                rank[if less(pair) { right } else { left }] += 1;
                pair += 1;
            }
        }
        let mut sorted = vec![u32::MAX; n];
        for (row, rank) in self.rows[start..start + n].iter().zip(rank) {
            if std::mem::replace(&mut sorted[rank as usize], *row) != u32::MAX {
                return Err(Contradiction);
            }
        }
        self.rows[start..start + n].copy_from_slice(&sorted);
        Ok(())
    }

    /// Splits a segment at its middle pivot.
    fn split(&mut self, segment: Segment, less: impl Fn(usize) -> bool) {
        let Segment { start, len, n_pivots } = segment;
        let n_rest = segment.n_rest();
        let (lower_pivots, upper_pivots) = (n_pivots / 2, n_pivots - n_pivots / 2 - 1);
        let rows = &mut self.rows[start..start + len];
        let pivots = rows[n_rest..].to_vec();
        let (mut below, mut above) = (0, 0);
        for at in 0..n_rest {
            // Both writes, one of which counts: the processor cannot guess a random bit.
            let (row, is_less) = (rows[at], less(at));
            rows[below] = row;
            self.upper[above] = row;
            below += usize::from(is_less);
            above += usize::from(!is_less);
        }
        let n_lower = below + lower_pivots;
        rows[below..=n_lower].copy_from_slice(&pivots[..=lower_pivots]);
        let end = n_lower + 1 + above;
        rows[n_lower + 1..end].copy_from_slice(&self.upper[..above]);
        rows[end..].copy_from_slice(&pivots[lower_pivots + 1..]);
        self.push(Segment { start, len: n_lower, n_pivots: lower_pivots });
        let upper = Segment { start: start + n_lower + 1, len: len - n_lower - 1, n_pivots: upper_pivots };
        self.push(upper);
    }

    /// Takes the rows to lie in memory in segment order from now on: whoever holds them gathers
    /// them at the positions returned.
    pub(crate) fn lay_out(&mut self) -> Vec<u32> {
        let in_order = (0..self.rows.len() as u32).collect();
        let from = std::mem::replace(&mut self.rows, in_order);
        self.layout = gathered(&self.layout, &from);
        from
    }

    /// The rows, sorted once no pair is left.
    pub(crate) fn into_rows(self) -> Vec<u32> {
        gathered(&self.layout, &self.rows)
    }
}

fn gathered(items: &[u32], index: &[u32]) -> Vec<u32> {
    index.iter().map(|from| items[*from as usize]).collect()
}

/// How many comparisons each level has, if the rows turn out in this order.
pub(crate) fn replay(order: &[u32], mut level: impl FnMut(usize)) {
    let rank = inverse(order);
    let (mut levels, mut pairs) = (Levels::new(order.len()), Pairs::default());
    loop {
        levels.pairs(&mut pairs);
        let Pairs { left, right } = &pairs;
        if left.is_empty() {
            return;
        }
        level(left.len());
        let less = |pair: usize| rank[left[pair] as usize] < rank[right[pair] as usize];
        levels.answer(less).expect("one order answers all pairs alike");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use math::Prg;

    fn sorted_by(order: &[u32]) -> (Vec<u32>, Vec<usize>) {
        let mut rank = inverse(order);
        let mut levels = Levels::new(order.len());
        let (mut sizes, mut pairs) = (Vec::new(), Pairs::default());
        loop {
            levels.pairs(&mut pairs);
            let Pairs { left, right } = &pairs;
            if left.is_empty() {
                return (levels.into_rows(), sizes);
            }
            sizes.push(left.len());
            levels
                .answer(|pair| rank[left[pair] as usize] < rank[right[pair] as usize])
                .expect("one order answers all pairs alike");
            if sizes.len() % 2 == 0 {
                rank = gathered(&rank, &levels.lay_out());
            }
        }
    }

    #[test]
    fn every_size_gets_sorted() {
        for n in (0..200).chain([511, 512, 513, 3000]) {
            let order = Prg::new(&[n as u8; 16]).permutation(n);
            let (rows, sizes) = sorted_by(&order);
            assert_eq!(rows, order);
            let mut replayed = Vec::new();
            replay(&order, |n| replayed.push(n));
            assert_eq!(replayed, sizes);
            if n > 1 && n <= SMALL_INPUT_ROWS {
                assert_eq!(sizes, [n * (n - 1) / 2]);
            }
        }
    }

    #[test]
    fn orders_that_defeat_fair_samples_still_get_sorted() {
        let n = 2000;
        let ascending: Vec<u32> = (0..n).collect();
        let descending: Vec<u32> = (0..n).rev().collect();
        for order in [ascending, descending] {
            assert_eq!(sorted_by(&order).0, order);
        }
    }

    #[test]
    fn contradictions_are_seen() {
        // 0 < 1, 1 < 2, 2 < 0.
        let mut levels = Levels::new(3);
        assert_eq!(levels.answer(|pair| pair != 1), Err(Contradiction));
    }

    #[test]
    #[ignore = "prints the figures behind the cost model"]
    fn figures() {
        for bits in [7, 8, 10, 12, 13, 15, 17, 20] {
            let n = 1 << bits;
            let runs: Vec<Vec<usize>> =
                (0..3).map(|key| sorted_by(&Prg::new(&[key; 16]).permutation(n)).1).collect();
            let per_row: Vec<f64> =
                runs.iter().map(|sizes| sizes.iter().sum::<usize>() as f64 / n as f64).collect();
            let levels: Vec<usize> = runs.iter().map(Vec::len).collect();
            println!("2^{bits}: {per_row:.2?} comparisons per row in {levels:?} levels");
        }
    }
}
