//! Running values down sorted rows, and where groups of equal keys begin.
//!
//! Running sums and running XORs over all rows are local (`Shared::prefix_sum`,
//! [`crate::table::Cells::prefix_sum`]); what restarts with each group is here.

use math::{Column, Planes, Ring, Z16};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits, and_many, mul_many};

use crate::compare::{equal, less_than};
use crate::convert::{bit_to_ring, equal_ring};
use crate::rowwise::{rowwise, rowwise_one};
use crate::select::or;
use crate::table::same;

/// Up to this many rows every level works on all rows, in half as many rounds.
const SHORT_ROWS: usize = 1 << 12;

/// Up to this many rows a tree of ORs takes no more rounds than adding up.
const TREE_ROWS: usize = 1 << 7;

/// What a segmented scan keeps of the rows so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// The segment's first row.
    First,
    /// The least unsigned number.
    Min,
    /// The greatest unsigned number.
    Max,
    /// The OR of each plane.
    Or,
    /// The AND of each plane.
    And,
}

/// Where a row's key differs from the row's before it, and in the first row.
///
/// - **Shape:** `keys`: any number of planes; the result has one plane.
/// - **Cost:** `⌈log₂ w⌉` rounds, `w − 1` ANDs per row.
///
/// # Errors
/// `Link`.
pub fn boundaries(
    s: &mut Session,
    label: impl Into<Label>,
    keys: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let above = keys.lag(1);
    let same = rowwise_one(s, label, &[keys, &above], |s, rows| equal(s, "equal", &rows[0], &rows[1]))?;
    Ok(with_first(s, &same.not(s)))
}

/// The plane with a one in its first row.
pub(crate) fn with_first(s: &Session, plane: &SharedBits) -> SharedBits {
    let first = Planes::build(plane.n_rows(), 1, |_, out| {
        out.fill(0);
        out.iter_mut().take(1).for_each(|word| *word = 1);
    });
    plane.and_public(&first.map(|_, word| !word)).xor_public(s, &first)
}

/// Each row moved up by one; `last` fills the row that comes free.
pub(crate) fn lead(s: &Session, plane: &SharedBits, last: bool) -> SharedBits {
    match plane.n_rows() {
        0 => plane.clone(),
        n => {
            let end = SharedBits::constant(s, 1, plane.width(), if last { u128::MAX } else { 0 });
            SharedBits::concat(&[&plane.copy_rows(1..n), &end])
        }
    }
}

/// Combines each row with all rows before it in its segment, itself included.
///
/// - **Shape:** `starts`: one plane, a one where a segment begins (the first row always does);
///   `values`: `n` rows of `w` planes, and so is the result.
/// - **Reveals:** nothing.
/// - **Cost:** up to 4096 rows `⌈log₂ n⌉` levels over all rows, beyond that `2·log₂ n − 12`
///   levels over `2n` rows in all. A level of [`Running::First`] takes 1 round and `w + 1` ANDs
///   per row, the others one more and their comparison, if they make one.
/// - **Source:** Blelloch, "Prefix Sums and Their Applications", 1990.
///
/// # Errors
/// `Shape`; `Link`.
pub fn segmented_scan(
    s: &mut Session,
    label: impl Into<Label>,
    starts: &SharedBits,
    values: &SharedBits,
    running: Running,
) -> Result<SharedBits, ProtocolError> {
    segmented_scan_by(s, label, starts, values, |s, above, own| {
        Ok(Some(match running {
            Running::First => return Ok(None),
            Running::Min => less_than(s, "less", own, above, false)?,
            Running::Max => less_than(s, "less", above, own, false)?,
            Running::Or => own.clone(),
            Running::And => own.not(s),
        }))
    })
}

/// [`segmented_scan`] with an operator of the caller's: `wins(s, above, own)` tells where the
/// row's own value replaces the value of the rows above it, for whole rows (one plane) or for
/// each plane; `None` if it never does. It must be associative.
///
/// # Errors
/// As [`segmented_scan`], and those of `wins`.
pub fn segmented_scan_by(
    s: &mut Session,
    label: impl Into<Label>,
    starts: &SharedBits,
    values: &SharedBits,
    wins: impl Fn(&mut Session, &SharedBits, &SharedBits) -> Result<Option<SharedBits>, ProtocolError> + Sync,
) -> Result<SharedBits, ProtocolError> {
    s.scope(label, |s| {
        same(s, 1, starts.width())?;
        same(s, values.n_rows(), starts.n_rows())?;
        if values.width() == 0 {
            return Ok(values.clone());
        }
        let starts = with_first(s, starts);
        Scan { wins: &wins }.run(s, &starts, values, 0)
    })
}

struct Scan<'a, F> {
    wins: &'a F,
}

impl<F> Scan<'_, F>
where
    F: Fn(&mut Session, &SharedBits, &SharedBits) -> Result<Option<SharedBits>, ProtocolError> + Sync,
{
    fn run(
        &self,
        s: &mut Session,
        starts: &SharedBits,
        values: &SharedBits,
        depth: usize,
    ) -> Result<SharedBits, ProtocolError> {
        let n = values.n_rows();
        if n <= SHORT_ROWS {
            return self.run_short(s, starts, values);
        }
        // Pairs of rows become one row each; their scan gives the second row of each pair, and
        // what lies above the first one of the next.
        let [(starts_even, starts_odd), (values_even, values_odd)] = [starts, values].map(evens_and_odds);
        let full = n / 2;
        let (first_starts, first_values) = (starts_even.copy_rows(0..full), values_even.copy_rows(0..full));
        let (pair_starts, pair_values) =
            self.combine(s, ("pairs", depth), [&first_starts, &first_values], [&starts_odd, &values_odd])?;
        let odd = self.run(s, &pair_starts, &pair_values, depth + 1)?;
        let above = lag_to(s, &odd, n - full);
        let no_start = SharedBits::constant(s, n - full, 1, 0);
        let (_, even) =
            self.combine(s, ("singles", depth), [&no_start, &above], [&starts_even, &values_even])?;
        Ok(interleave(&even, &odd, n))
    }

    /// Row `i` takes in rows `i − 1`, `i − 2`, `i − 4`, … in turn: the segment that begins in
    /// row 0 stops those that reach beyond.
    fn run_short(
        &self,
        s: &mut Session,
        starts: &SharedBits,
        values: &SharedBits,
    ) -> Result<SharedBits, ProtocolError> {
        let (mut starts, mut values) = (starts.clone(), values.clone());
        let mut by = 1;
        while by < values.n_rows() {
            let above = [&starts.lag(by), &values.lag(by)];
            (starts, values) = self.combine(s, ("by", by), above, [&starts, &values])?;
            by *= 2;
        }
        Ok(values)
    }

    /// Takes in the rows above: whether a segment starts anywhere in both, and the value.
    fn combine(
        &self,
        s: &mut Session,
        label: impl Into<Label>,
        [starts_above, above]: [&SharedBits; 2],
        [starts, own]: [&SharedBits; 2],
    ) -> Result<(SharedBits, SharedBits), ProtocolError> {
        let inputs = [starts_above, above, starts, own];
        let mut out = rowwise(s, label, &inputs, |s, rows| {
            let [starts_above, above, starts, own] = [&rows[0], &rows[1], &rows[2], &rows[3]];
            let no_start = [starts_above.not(s), starts.not(s)];
            let no_start = (&no_start[0], &no_start[1]);
            let (keep_own, none) = match (self.wins)(s, above, own)? {
                None => (starts.clone(), None),
                Some(wins) => {
                    // Its own where it wins, and where its segment starts: ¬(¬wins ∧ ¬start).
                    let out = and_many(s, "keep", &[(&wins.not(s), no_start.1), no_start])?;
                    (out[0].not(s), Some(out[1].clone()))
                }
            };
            let differ = above.xor(own);
            let mut flight = vec![(&differ, &keep_own)];
            if none.is_none() {
                flight.push(no_start);
            }
            let out = and_many(s, "select", &flight)?;
            let none = none.unwrap_or_else(|| out[1].clone());
            Ok(vec![none.not(s), out[0].xor(above)])
        })?;
        let values = out.pop().expect("two columns");
        Ok((out.pop().expect("two columns"), values))
    }
}

/// The rows one further down, `n` of them, zeros at the top.
fn lag_to(s: &Session, bits: &SharedBits, n: usize) -> SharedBits {
    let top = SharedBits::constant(s, 1, bits.width(), 0);
    SharedBits::concat(&[&top, bits]).copy_rows(0..n)
}

/// Rows 0, 2, 4, … and rows 1, 3, 5, …
fn evens_and_odds(bits: &SharedBits) -> (SharedBits, SharedBits) {
    let every_second = |first: usize| {
        let n = (bits.n_rows() + 1 - first) / 2;
        bits.map_linear(n, bits.width(), |planes| {
            Planes::build(n, planes.width(), |plane, out| {
                let words = planes.plane(plane);
                let half = |at: usize| words.get(at).map_or(0, |word| even_bits(word >> first));
                for (at, out) in out.iter_mut().enumerate() {
                    *out = half(2 * at) | half(2 * at + 1) << 32;
                }
            })
        })
    };
    (every_second(0), every_second(1))
}

/// Undoes [`evens_and_odds`] for `n` rows.
fn interleave(evens: &SharedBits, odds: &SharedBits, n: usize) -> SharedBits {
    let spread = |bits: &SharedBits, first: usize| {
        bits.map_linear(n, bits.width(), |planes| {
            Planes::build(n, planes.width(), |plane, out| {
                let words = planes.plane(plane);
                for (at, out) in out.iter_mut().enumerate() {
                    let word = words.get(at / 2).map_or(0, |word| word >> (at % 2 * 32));
                    *out = spread_bits(word) << first;
                }
            })
        })
    };
    spread(evens, 0).xor(&spread(odds, 1))
}

/// Bits 0, 2, 4, … as the low 32 bits.
fn even_bits(word: u64) -> u64 {
    let mut x = word & 0x5555_5555_5555_5555;
    for (shift, mask) in STAGES {
        x = (x | x >> shift) & mask;
    }
    x
}

/// Undoes [`even_bits`].
fn spread_bits(word: u64) -> u64 {
    let mut x = word & 0xffff_ffff;
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        x = (x | x << shift) & mask;
    }
    x
}

const STAGES: [(u32, u64); 5] = [
    (1, 0x3333_3333_3333_3333),
    (2, 0x0f0f_0f0f_0f0f_0f0f),
    (4, 0x00ff_00ff_00ff_00ff),
    (8, 0x0000_ffff_0000_ffff),
    (16, 0x0000_0000_ffff_ffff),
];

/// The sum of each row and all rows before it in its segment.
///
/// - **Shape:** as [`segmented_scan`], with ring elements as values.
/// - **Cost:** `⌈log₂ n⌉ + 2` rounds; two elements per row and level.
///
/// # Errors
/// As [`segmented_scan`].
pub fn segmented_sum<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    starts: &SharedBits,
    values: &Shared<R>,
) -> Result<Shared<R>, ProtocolError> {
    s.scope(label, |s| {
        same(s, 1, starts.width())?;
        same(s, values.len(), starts.n_rows())?;
        let goes_on = with_first(s, starts).not(s);
        let mut goes_on = bit_to_ring::<R>(s, "starts", &goes_on)?;
        let mut sums = values.clone();
        let mut by = 1;
        while by < sums.len() {
            let (above, above_goes_on) = (lag_ring(&sums, by), lag_ring(&goes_on, by));
            let chunks = s.chunks(("by", by), sums.len(), |s, rows| {
                let cut = |column: &Shared<R>| column.rows(rows.clone());
                let (own, above, above_goes_on) = (cut(&goes_on), cut(&above), cut(&above_goes_on));
                mul_many(s, "mul", &[(&own, &above), (&own, &above_goes_on)])
            })?;
            let column = |at: usize| Shared::concat(&chunks.iter().map(|out| &out[at]).collect::<Vec<_>>());
            sums = sums.add(&column(0));
            goes_on = column(1);
            by *= 2;
        }
        Ok(sums)
    })
}

/// Each row moved down by `by`, zeros at the top.
fn lag_ring<R: Ring>(column: &Shared<R>, by: usize) -> Shared<R> {
    column.map_linear(column.len(), |part| {
        let items = part.items();
        Column::from_fn(items.len(), |row| row.checked_sub(by).map_or(R::ZERO, |from| items[from]))
    })
}

/// The OR of all rows of one plane: a column of one row, zero if there is none.
///
/// - **Cost:** up to 128 rows `⌈log₂ n⌉` rounds and `n − 1` ANDs in all. Up to 65,535 rows 7
///   rounds: their number is summed up in `Z16`, two elements per row and party, and compared
///   with zero. Beyond that a round for each halving, and as many ANDs as rows.
///
/// # Errors
/// `Shape`; `Link`.
pub fn any_row(
    s: &mut Session,
    label: impl Into<Label>,
    plane: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    s.scope(label, |s| {
        same(s, 1, plane.width())?;
        if plane.n_rows() == 0 {
            return Ok(SharedBits::constant(s, 1, 1, 0));
        }
        let mut plane = plane.clone();
        while plane.n_rows() > 1 {
            let (n, half) = (plane.n_rows(), plane.n_rows() / 2);
            if (TREE_ROWS + 1..1 << 16).contains(&n) {
                let ones = bit_to_ring::<Z16>(s, "ones", &plane)?.total();
                let zero = Shared::constant(s, 1, Z16(0));
                return Ok(equal_ring(s, "none", &ones, &zero)?.not(s));
            }
            let either = or(s, ("rows", n), &plane.copy_rows(0..half), &plane.copy_rows(half..2 * half))?;
            plane =
                if n % 2 == 1 { SharedBits::concat(&[&either, &plane.copy_rows(n - 1..n)]) } else { either };
        }
        Ok(plane)
    })
}

#[cfg(test)]
mod tests;
