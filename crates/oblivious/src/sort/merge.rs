//! Merging rows that come in sorted runs: a network, so that nothing is opened on the way.
//!
//! Two ascending runs, the second one reversed, rise and then fall. Halves of such rows are
//! compared place by place, the lesser ones to the left: then both halves rise and fall, and each
//! in the left one is less than each in the right one (Batcher 1968). Lengths are powers of two
//! here: what is missing counts as greater than all rows, and since everybody knows where it is,
//! it moves without a comparison.

use math::{Column, Planes, X32};
use mpc::{
    Deviation, Label, ProtocolError, Security, Session, SharedBits, SharedRows, Shuffler, and_bit, open_bits,
    verify,
};

use super::quick::number_bits;
use super::{Method, SortedRows, time};
use crate::compare::less_than;
use crate::permute::{Order, open_bit_positions};
use crate::rowwise::rowwise_one;
use crate::scan::any_row;
use crate::table::{Table, bits_to_lanes, lanes_to_bits, same};

/// No row.
const NONE: u32 = u32::MAX;

/// Sorts a table whose rows come in runs, each of them sorted by `keys` already. Rows of equal
/// keys keep their order.
///
/// - **Shape:** `keys` has a row per row of the table, plane 0 the least significant; `runs` are
///   the lengths of the runs, which stand one below the other.
/// - **Reveals:** nothing if runs are sorted. What is opened is a uniform random order, and in malicious
///   sessions whether a run is not sorted: let that hang on its owner's choice alone.
/// - **Cost:** for two runs of `n` rows together and keys of `w` bits, `⌈log₂ n⌉` levels of
///   `⌈log₂(w + log₂ n)⌉ + 2` rounds, and 5 rounds; in each level about four bits for each
///   bit of `w + log₂ n`, for each of up to `n/2` pairs. More runs are merged two by two, all pairs
///   at once.
/// - **Model:** as [`super::sort()`]. Malicious sessions check that runs are sorted, beside the
///   network: a comparison for each row, and the OR of them opened to all, which is zero unless a
///   run is not what its owner said; semi-honest ones take it on trust.
/// - **Source:** Batcher, "Sorting Networks and Their Applications", AFIPS 1968.
///
/// # Errors
/// `Shape`; `PeerDeviated` if a run is not sorted, or what is opened is no order; `Link`.
pub fn merge(
    s: &mut Session,
    label: impl Into<Label>,
    keys: &SharedBits,
    table: &Table,
    runs: &[usize],
) -> Result<SortedRows, ProtocolError> {
    s.scope(label, |s| {
        let n = keys.n_rows();
        same(s, n, table.n_rows())?;
        same(s, n, runs.iter().sum())?;
        // Below its key each row carries its number, so that keys differ, and below that, not
        // compared, the place that a fresh shuffle gives it.
        let bits = number_bits(n);
        let numbers = Column::from_fn(n, |row| X32(row as u32));
        let numbers = SharedBits::public(s, &math::pack::planes(&numbers, bits));
        let shuffler = Shuffler::new(s, "draw", n)?;
        let places = shuffler.unshuffle(s, "places", &bits_to_lanes(&numbers))?;
        let places = if bits == 0 { numbers.clone() } else { lanes_to_bits(&places, bits) };
        let rows = SharedBits::stack(&[&places, &numbers, keys]);
        let (rows, falls) = s.join(|s| merged(s, rows, bits, runs), |s| falls(s, keys, runs))?;
        if let Some(falls) = falls {
            must_be_zero(s, falls)?;
        }
        let from = open_bit_positions(s, "order", rows.planes(0..bits))?;
        let order = Order::new(shuffler, n, from);
        let table = order.apply(s, "rows", table)?;
        Ok(SortedRows { keys: rows.planes(2 * bits..rows.width()), table, order })
    })
}

/// Where anybody may lie about it: whether any row of a run is less than the one before.
fn falls(s: &mut Session, keys: &SharedBits, runs: &[usize]) -> Result<Option<SharedBits>, ProtocolError> {
    if s.params().security == Security::SemiHonest || keys.n_rows() < 2 || keys.width() == 0 {
        return Ok(None);
    }
    let n = keys.n_rows();
    let ends: Vec<usize> = runs
        .iter()
        .scan(0, |end, run| {
            Some({
                *end += run;
                *end
            })
        })
        .collect();
    let inside = Planes::from_bools(&(1..n).map(|row| ends.binary_search(&row).is_err()).collect::<Vec<_>>());
    let (above, below) = (keys.copy_rows(0..n - 1), keys.copy_rows(1..n));
    let falls = rowwise_one(s, "falls", &[&above, &below], |s, rows| {
        less_than(s, "less", &rows[1], &rows[0], false)
    })?;
    any_row(s, "any fall", &falls.and_public(&inside)).map(Some)
}

/// Opens a bit that only a lie can have set.
fn must_be_zero(s: &mut Session, bit: SharedBits) -> Result<(), ProtocolError> {
    let checked = verify(s, bit)?;
    match open_bits(s, "falls", checked)? {
        Some(bit) if bit.row(0) != 0 => {
            let (step, deviation) = (s.step().clone(), Deviation::OutOfOrder);
            Err(ProtocolError::PeerDeviated { step, deviation, culprit: None })
        }
        _ => Ok(()),
    }
}

/// Measured: a byte of a network takes half as long again as one of a sort.
const LOCAL_WORK: f64 = 1.5;

/// Whether [`merge`] takes less time than a sort, by rounds and bytes over the links that the
/// session's parameters tell of, for keys of `width` bits.
pub(crate) fn merge_is_cheaper(s: &Session, runs: [usize; 2], width: usize) -> bool {
    let (n, params) = (runs.iter().sum(), s.params());
    let bits = number_bits(n);
    let compared = (width + bits) as f64;
    // Levels but for the first few have a pair for every two rows.
    let (levels, n_pairs) = (bits, n / 2 * bits);
    let rounds = (levels * (number_bits(width + bits) + 2) + 5) as f64;
    let moved = n as f64 * 4.0 / 3.0 * (bits.div_ceil(8) as f64);
    let bytes = LOCAL_WORK * n_pairs as f64 * (4.0 * compared + bits as f64) / 8.0 + moved;
    time(&params, rounds, bytes) < Method::Auto.typical_time(n, width, &params)
}

/// The rows, merged by their planes from `skipped` on.
fn merged(
    s: &mut Session,
    rows: SharedBits,
    skipped: usize,
    runs: &[usize],
) -> Result<SharedBits, ProtocolError> {
    let width = rows.width();
    let mut network = Network::new(runs);
    let mut rows = SharedRows::of(s, &[rows]);
    let mut at = 0;
    while let Some(Level { left, right, rest }) = network.next() {
        let pairs = s.chunks(("level", at), left.len(), |s, pairs| {
            let (x, y) = (rows.bits_at(&left[pairs.clone()]), rows.bits_at(&right[pairs]));
            let key = |side: &SharedBits| side.planes(skipped..width);
            let swaps = less_than(s, "less", &key(&y), &key(&x), false)?;
            let change = and_bit(s, "swap", &swaps, &x.xor(&y))?;
            Ok([x.xor(&change), y.xor(&change)])
        })?;
        let side = |side: usize| pairs.iter().map(move |pair| pair[side].clone());
        let rest = rows.bits_at(&rest);
        rows = SharedRows::of(s, &side(0).chain(side(1)).chain([rest]).collect::<Vec<_>>());
        at += 1;
    }
    Ok(rows.bits_at(&network.into_rows()))
}

/// One level of the network, by where rows lie in memory. The lesser rows of the pairs lie first
/// from then on, then the greater ones, then the others.
struct Level {
    left: Vec<u32>,
    right: Vec<u32>,
    /// The rows in no pair.
    rest: Vec<u32>,
}

/// Where rows stand: all of it public.
struct Network {
    /// Ascending runs, or rows of which each block of two strides rises and then falls.
    arrays: Vec<Vec<u32>>,
    /// A run without a partner.
    lone: Option<Vec<u32>>,
    /// How far apart rows are that are compared next; 0 if all arrays are runs.
    stride: usize,
    /// Where each row of the arrays lies in memory: two that are compared change what is in them.
    memory: Vec<u32>,
}

impl Network {
    fn new(runs: &[usize]) -> Self {
        let memory: Vec<u32> = (0..runs.iter().sum::<usize>() as u32).collect();
        let mut rest = memory.as_slice();
        let run = |len: &usize| rest.split_off(..*len).expect("as many rows as the runs have").to_vec();
        Network { arrays: runs.iter().map(run).collect(), lone: None, stride: 0, memory }
    }

    /// The next level that has pairs; `None` once there is one run.
    fn next(&mut self) -> Option<Level> {
        loop {
            if self.stride == 0 {
                if self.arrays.len() < 2 {
                    return None;
                }
                self.pair_up();
            }
            let level = self.level();
            self.stride /= 2;
            if self.stride == 0 {
                self.arrays.iter_mut().for_each(|array| array.retain(|row| *row != NONE));
                self.arrays.extend(self.lone.take());
            }
            if !level.left.is_empty() {
                return Some(level);
            }
        }
    }

    /// Puts neighbouring runs together, the second one reversed.
    fn pair_up(&mut self) {
        if !self.arrays.len().is_multiple_of(2) {
            self.lone = self.arrays.pop();
        }
        let pair = |pair: &[Vec<u32>]| {
            let len = (pair[0].len() + pair[1].len()).next_power_of_two();
            let mut array = pair[0].clone();
            array.resize(len - pair[1].len(), NONE);
            array.extend(pair[1].iter().rev());
            array
        };
        self.arrays = self.arrays.chunks(2).map(pair).collect();
        // Rows that are one alone are compared with none, in one level without pairs.
        self.stride = self.arrays.iter().map(|array| array.len() / 2).max().unwrap_or(0).max(1);
    }

    /// The pairs that are a stride apart.
    fn level(&mut self) -> Level {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut is_paired = vec![false; self.memory.len()];
        let stride = self.stride;
        for array in self.arrays.iter_mut().filter(|array| array.len() >= 2 * stride) {
            for low in (0..array.len()).filter(|low| low & stride == 0) {
                let pair = (array[low], array[low + stride]);
                match pair {
                    (NONE, _) => array.swap(low, low + stride),
                    (_, NONE) => {}
                    (x, y) => {
                        left.push(x);
                        right.push(y);
                        (is_paired[x as usize], is_paired[y as usize]) = (true, true);
                    }
                }
            }
        }
        let rest: Vec<u32> = (0..self.memory.len() as u32).filter(|row| !is_paired[*row as usize]).collect();
        let lie = |rows: &[u32]| rows.iter().map(|row| self.memory[*row as usize]).collect();
        let level = Level { left: lie(&left), right: lie(&right), rest: lie(&rest) };
        for (at, row) in left.iter().chain(&right).chain(&rest).enumerate() {
            self.memory[*row as usize] = at as u32;
        }
        level
    }

    /// Where the rows lie, once they are one run.
    fn into_rows(self) -> Vec<u32> {
        self.arrays.iter().flatten().map(|row| self.memory[*row as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use math::Prg;

    /// The network on numbers in the clear: what comes out, and how many levels and pairs it took.
    fn run(runs: &[Vec<u32>]) -> (Vec<u32>, usize, usize) {
        let mut rows = runs.concat();
        let mut network = Network::new(&runs.iter().map(Vec::len).collect::<Vec<_>>());
        let (mut n_levels, mut n_pairs) = (0, 0);
        while let Some(Level { left, right, rest }) = network.next() {
            (n_levels, n_pairs) = (n_levels + 1, n_pairs + left.len());
            let pair = |at: usize| (rows[left[at] as usize], rows[right[at] as usize]);
            let lesser = (0..left.len()).map(|at| pair(at).0.min(pair(at).1));
            let greater = (0..left.len()).map(|at| pair(at).0.max(pair(at).1));
            rows = lesser.chain(greater).chain(rest.iter().map(|row| rows[*row as usize])).collect();
        }
        (network.into_rows().iter().map(|at| rows[*at as usize]).collect(), n_levels, n_pairs)
    }

    /// A network that sorts all zeros and ones sorts everything (Knuth): two runs have few of them.
    #[test]
    fn two_runs_of_any_lengths_come_out_sorted() {
        for first in 0..20_u32 {
            for second in 0..20_u32 {
                let step = |n: u32, n_zeros: u32| (0..n).map(|row| u32::from(row >= n_zeros)).collect();
                for (a, b) in (0..=first).flat_map(|a| (0..=second).map(move |b| (a, b))) {
                    let runs: [Vec<u32>; 2] = [step(first, a), step(second, b)];
                    let (rows, n_levels, n_pairs) = run(&runs);
                    assert!(rows.is_sorted() && rows.len() == (first + second) as usize, "{runs:?}");
                    assert!(n_levels <= number_bits(rows.len()));
                    assert!(n_pairs <= n_levels * rows.len() / 2);
                }
            }
        }
    }

    #[test]
    fn any_number_of_runs_comes_out_sorted() {
        for n_runs in 0..9 {
            for seed in 0..20 {
                let order = Prg::new(&[seed; 16]).permutation(200);
                let mut rest = order.as_slice();
                let runs: Vec<Vec<u32>> = (0..n_runs)
                    .map(|run| {
                        let len = order[run] as usize % 25;
                        let mut rows = rest.split_off(..len).expect("short runs").to_vec();
                        rows.sort_unstable();
                        rows
                    })
                    .collect();
                let mut expected = runs.concat();
                expected.sort_unstable();
                assert_eq!(run(&runs).0, expected);
            }
        }
    }
}
