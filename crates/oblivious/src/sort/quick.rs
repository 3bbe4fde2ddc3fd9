//! Shuffle, then quicksort with opened comparisons.

use math::{Column, Planes, X32};
use mpc::{
    Deviation, Lane, ProtocolError, Security, Session, SharedBits, SharedRows, Shuffler, open_bits, verify,
};

use super::SortedRows;
use super::digits::Digits;
use super::levels::{Levels, Pairs, replay};
use crate::permute::Order;
use crate::table::{Table, bits_to_lanes, lanes_to_bits};

/// What makes equal keys different.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Suffix {
    /// The row's number before the shuffle.
    RowNumber,
    /// Nothing: equal keys stay equal and show in what is opened. For the test that sees it.
    #[cfg(test)]
    Missing,
}

/// Longer inputs are counted by formula, shorter ones by sorting random orders.
const COUNTED_ROWS: usize = 1 << 15;

/// Levels after which rows are moved to where they are read: a split keeps rows in order, so
/// that reading them skips over half of them more with each level.
const LAYOUT_LEVELS: usize = 3;

/// Bits that number `n` rows.
pub(super) fn number_bits(n: usize) -> usize {
    (usize::BITS - n.saturating_sub(1).leading_zeros()) as usize
}

/// The numbers 0, 1, …, `n` − 1 in as many bits as they need.
pub(super) fn number_planes(n: usize) -> Planes {
    math::pack::planes(&Column::from_fn(n, |row| X32(row as u32)), number_bits(n))
}

/// The keys with each row's number below.
fn distinct(s: &Session, keys: &SharedBits, suffix: Suffix) -> SharedBits {
    let numbers = match suffix {
        Suffix::RowNumber => number_planes(keys.n_rows()),
        #[cfg(test)]
        Suffix::Missing => Planes::zeroed(keys.n_rows(), 0),
    };
    SharedBits::stack(&[&SharedBits::public(s, &numbers), keys])
}

pub(super) fn sort(
    s: &mut Session,
    keys: &SharedBits,
    table: &Table,
    suffix: Suffix,
) -> Result<SortedRows, ProtocolError> {
    let n = keys.n_rows();
    let distinct = distinct(s, keys, suffix);
    let width = distinct.width();
    let (shuffler, lanes, n_keys) = scatter(s, &distinct, table)?;
    let from = if s.is_count() {
        estimate(s, &lanes[..n_keys], n, width)?;
        None
    } else if s.has_data() {
        Some(quicksort(s, &lanes[..n_keys], n, width)?)
    } else {
        None
    };
    let order = Order::new(shuffler, n, from);
    let placed = order.place(&lanes);
    let (key_lanes, rest) = super::split_lanes(&placed, n_keys);
    let number_bits = width - keys.width();
    let keys = match n_keys {
        0 => keys.clone(),
        _ => lanes_to_bits(key_lanes, width).planes(number_bits..width),
    };
    Ok(SortedRows { keys, table: table.with_lanes(rest), order })
}

pub(super) fn count(
    s: &mut Session,
    keys: &SharedBits,
    table: &Table,
    opened: &[u32],
) -> Result<(), ProtocolError> {
    let distinct = distinct(s, keys, Suffix::RowNumber);
    let (_, lanes, n_keys) = scatter(s, &distinct, table)?;
    count_levels(s, &lanes[..n_keys], distinct.width(), opened)
}

/// Shuffles keys and table: the shuffler, the lanes, and how many of them hold the keys.
fn scatter(
    s: &mut Session,
    distinct: &SharedBits,
    table: &Table,
) -> Result<(Shuffler, Vec<Lane>, usize), ProtocolError> {
    let mut lanes = bits_to_lanes(distinct);
    let n_keys = lanes.len();
    lanes.extend(table.to_lanes());
    let shuffler = Shuffler::new(s, "draw", distinct.n_rows())?;
    let lanes = shuffler.shuffle(s, "shuffle", &lanes)?;
    Ok((shuffler, lanes, n_keys))
}

/// The rows' order.
fn quicksort(s: &mut Session, rows: &[Lane], n: usize, width: usize) -> Result<Vec<u32>, ProtocolError> {
    let (mut levels, mut pairs) = (Levels::new(n), Pairs::default());
    let digits = Digits::of(width);
    let mut rows = unrolled(s, &digits, rows, n, width)?;
    for level in 0.. {
        if level % LAYOUT_LEVELS == LAYOUT_LEVELS - 1 {
            rows = rows.reorder(s, &levels.lay_out());
        }
        levels.pairs(&mut pairs);
        if pairs.left.is_empty() {
            break;
        }
        let less = compare(s, level, &digits, &rows, &pairs.left, &pairs.right)?;
        let less = less.expect("values exist where the session has data");
        let words = less.plane(0);
        levels.answer(|pair| words[pair / 64] >> (pair % 64) & 1 == 1).map_err(|_| {
            let (step, deviation) = (s.step().clone(), Deviation::NotAPermutation);
            ProtocolError::PeerDeviated { step, deviation, culprit: None }
        })?;
    }
    Ok(levels.into_rows())
}

/// The keys in the form in which they are compared.
fn unrolled(
    s: &mut Session,
    digits: &Digits,
    keys: &[Lane],
    n: usize,
    width: usize,
) -> Result<SharedRows, ProtocolError> {
    let chunks = s.chunks("unroll", n, |s, rows| {
        let keys: Vec<Lane> = keys.iter().map(|lane| lane.rows(rows.clone())).collect();
        digits.unroll(s, &lanes_to_bits(&keys, width))
    })?;
    Ok(SharedRows::of(s, &chunks))
}

/// One level: whether row `left[i]` is less than row `right[i]`, opened.
fn compare(
    s: &mut Session,
    level: usize,
    digits: &Digits,
    rows: &SharedRows,
    left: &[u32],
    right: &[u32],
) -> Result<Option<Planes>, ProtocolError> {
    s.scope(("level", level), |s| {
        let less = s.chunks("compare", left.len(), |s, pairs| {
            digits.less(s, rows, &left[pairs.clone()], &right[pairs])
        })?;
        let less = SharedBits::concat(&less.iter().collect::<Vec<_>>());
        let less = verify(s, less)?;
        open_bits(s, "open", less)
    })
}

/// Counts the levels that sort rows into an order.
fn count_levels(s: &mut Session, rows: &[Lane], width: usize, order: &[u32]) -> Result<(), ProtocolError> {
    let digits = Digits::of(width);
    let rows = unrolled(s, &digits, rows, order.len(), width)?;
    let mut sizes = Vec::new();
    replay(order, |n| sizes.push(n));
    for (level, n) in sizes.into_iter().enumerate() {
        let nobody = vec![0; n];
        compare(s, level, &digits, &rows, &nobody, &nobody)?;
    }
    Ok(())
}

/// Counts the levels of a typical order.
fn estimate(s: &mut Session, rows: &[Lane], n: usize, width: usize) -> Result<(), ProtocolError> {
    if n <= COUNTED_ROWS {
        // A fixed order like any other; what its levels cost differs by a few percent from the mean.
        let order = math::Prg::new(&[1; 16]).permutation(n);
        return count_levels(s, rows, width, &order);
    }
    let (rounds, bytes) = compare_cost(s.security(), n, width);
    s.count_estimate(rounds as u32, bytes as u64);
    Ok(())
}

/// Rounds, and bytes from each party, to compare `n` shuffled rows of `width` bits until they
/// are sorted. Fitted to random orders of 2^13 to 2^20 rows, within 2 %.
fn compare_cost(security: Security, n: usize, width: usize) -> (f64, f64) {
    let (rows, log) = (n as f64, (n.max(2) as f64).log2());
    let (comparisons, levels) = if n <= 96 {
        (rows * (rows - 1.0) / 2.0, 1.0)
    } else {
        (rows * (1.095 * log).max(1.0), (1.8 * log).ceil())
    };
    let digits = Digits::of(width);
    let (unroll, less) = (digits.unroll_cost(), digits.less_cost());
    let bits = rows * unroll.1 as f64 + comparisons * (less.1 + 1) as f64;
    // A proof before each level is opened, four rounds, and one for each full batch.
    let (proof_rounds, proof_bytes) = match security {
        Security::SemiHonest => (0.0, 0.0),
        Security::Malicious => (4.0, (levels + bits / f64::from(1 << 22)) * 34e3),
    };
    let rounds = unroll.0 as f64 + levels * ((less.0 + 1) as f64 + proof_rounds);
    (rounds, bits / 8.0 + proof_bytes)
}

/// Rounds and bytes from each party of a whole sort, without the table's rows.
pub(super) fn typical_cost(security: Security, n: usize, width: usize) -> (f64, f64) {
    let width = width + number_bits(n);
    let (rounds, bytes) = compare_cost(security, n, width);
    (rounds + 2.0, bytes + 4.0 / 3.0 * n as f64 * width.div_ceil(8) as f64)
}
