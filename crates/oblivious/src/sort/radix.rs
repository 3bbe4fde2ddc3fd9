//! Radix sort for short keys, and the stable partition by one bit.

use math::{X32, Z32};
use mpc::{Label, ProtocolError, Security, Session, Shared, SharedBits, Shuffler, dot, mul};

use super::SortedRows;
use super::quick::number_planes;
use crate::convert::bit_to_ring;
use crate::permute::{Order, apply, open_positions, row_numbers};
use crate::table::{Cells, Table, bits_to_lanes, lanes_to_bits, same};

/// Bits that one pass sorts by.
const DIGIT_BITS: usize = 2;

/// Moves the rows whose bit is zero before those whose bit is one, each in their order.
///
/// - **Shape:** one plane, a row per row of the table.
/// - **Reveals:** nothing.
/// - **Cost:** 6 rounds: 2 products in `Z32` per row, one more, and [`apply`].
/// - **Source:** Chida et al., "An Efficient Secure Three-Party Sorting Protocol with an Honest
///   Majority", ePrint 2019/695.
///
/// # Errors
/// As [`apply`].
pub fn sort_by_bit(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
    table: &Table,
) -> Result<(Order, Table), ProtocolError> {
    s.scope(label, |s| {
        same(s, 1, bit.width())?;
        same(s, table.n_rows(), bit.n_rows())?;
        let to = bit_positions(s, "positions", bit)?;
        Order::of_positions(s, "apply", &to, table)
    })
}

/// Where each row goes in a stable sort by one or two bits.
///
/// Row `i` with digit `v` goes behind all rows of lesser digits and the rows of its own digit
/// before it: to `T_v(i) − 1`, where `T` runs over all zeros, then all ones, and so on. The
/// digit's indicator picks one of the `T_v`.
pub(crate) fn bit_positions(
    s: &mut Session,
    label: impl Into<Label>,
    digit: &SharedBits,
) -> Result<Shared<Z32>, ProtocolError> {
    s.scope(label, |s| {
        let n = digit.n_rows();
        let planes: Vec<SharedBits> = (0..digit.width()).map(|plane| digit.plane(plane)).collect();
        if planes.is_empty() {
            return Ok(row_numbers(s, n));
        }
        // One below the other, so that the planes share a flight.
        let bits = SharedBits::concat(&planes.iter().collect::<Vec<_>>());
        let bits = bit_to_ring::<Z32>(s, "bits", &bits)?;
        let bits: Vec<_> = (0..digit.width()).map(|plane| bits.rows(plane * n..(plane + 1) * n)).collect();
        let one = Shared::constant(s, n, Z32(1));
        let indicators = match bits.as_slice() {
            [a] => vec![one.sub(a), a.clone()],
            [a, b] => {
                let both =
                    in_chunks(s, "both", n, |s, rows| mul(s, "mul", &a.rows(rows.clone()), &b.rows(rows)))?;
                vec![one.sub(a).sub(b).add(&both), a.sub(&both), b.sub(&both), both]
            }
            _ => return Err(crate::table::shape(s, DIGIT_BITS, digit.width())),
        };
        let totals = running_totals(&indicators);
        let steps: Vec<Shared<Z32>> = totals[1..].iter().map(|total| total.sub(&totals[0])).collect();
        let picked = in_chunks(s, "pick", n, |s, rows| {
            let cut = |column: &Shared<Z32>| column.rows(rows.clone());
            let pairs: Vec<_> =
                indicators[1..].iter().zip(&steps).map(|(is, step)| (cut(is), cut(step))).collect();
            dot(s, "dot", &pairs.iter().map(|(is, step)| (is, step)).collect::<Vec<_>>())
        })?;
        Ok(picked.add(&totals[0]).sub(&one))
    })
}

/// Running totals that go on from one column to the next.
fn running_totals(columns: &[Shared<Z32>]) -> Vec<Shared<Z32>> {
    let n = columns[0].len();
    let all = Shared::concat(&columns.iter().collect::<Vec<_>>()).prefix_sum();
    (0..columns.len()).map(|at| all.rows(at * n..(at + 1) * n)).collect()
}

/// Runs `f` on chunks of `n` rows and joins the columns it gives.
fn in_chunks(
    s: &mut Session,
    label: impl Into<Label>,
    n: usize,
    f: impl Fn(&mut Session, std::ops::Range<usize>) -> Result<Shared<Z32>, ProtocolError> + Sync,
) -> Result<Shared<Z32>, ProtocolError> {
    let chunks = s.chunks(label, n, f)?;
    Ok(Shared::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// Sorts by passes over the digits, least significant first. Rows carry, instead of their
/// content, the place that a fresh shuffle gives them; opened in the end, these places are
/// the order. They travel as bits: nobody computes with them.
pub(super) fn sort(s: &mut Session, keys: &SharedBits, table: &Table) -> Result<SortedRows, ProtocolError> {
    let n = keys.n_rows();
    let shuffler = Shuffler::new(s, "draw", n)?;
    let numbers = number_planes(n);
    let places = match numbers.width() {
        0 => SharedBits::public(s, &numbers),
        width => {
            let lanes = bits_to_lanes(&SharedBits::public(s, &numbers));
            lanes_to_bits(&shuffler.unshuffle(s, "places", &lanes)?, width)
        }
    };
    let mut rows = Table::try_new(s, n, vec![keys.clone().into(), places.into()])?;
    for at in (0..keys.width()).step_by(DIGIT_BITS) {
        let left = rows.columns()[0].bits().expect("the keys").clone();
        let n_bits = DIGIT_BITS.min(left.width());
        let to = bit_positions(s, ("digit", at), &left.planes(0..n_bits))?;
        let rest: Cells = left.planes(n_bits..left.width()).into();
        let moved = Table::try_new(s, n, vec![rest, rows.columns()[1].clone()])?;
        rows = apply(s, ("move", at), &to, &moved)?;
    }
    let places = rows.columns()[1].bits().expect("the places").to_word::<X32>();
    let from = open_positions(s, "order", places)?;
    let order = Order::new(shuffler, n, from);
    let whole = Table::try_new(s, n, vec![keys.clone().into()])?.beside(s, table.clone())?;
    let (sorted, table) = order.apply(s, "rows", &whole)?.split_columns(1);
    let keys = sorted.columns()[0].bits().expect("the keys").clone();
    Ok(SortedRows { keys, table, order })
}

/// Rounds and bytes from each party, without the table's rows.
pub(super) fn typical_cost(security: Security, n: usize, width: usize) -> (f64, f64) {
    let (passes, n) = (width.div_ceil(DIGIT_BITS) as f64, n as f64);
    let row_bytes = 4.0 + (width as f64 / 2.0 + n.max(1.0).log2()) / 8.0;
    let pass = 16.0 + 8.0 + 4.0 + 4.0 / 3.0 * row_bytes;
    // Counted: shuffles send half as much again, and each pass opens what has to be proved before.
    let (rounds, bytes) = match security {
        Security::SemiHonest => (7.0, 1.0),
        Security::Malicious => (12.0, 1.2),
    };
    (rounds * passes + 5.0, n * (passes * pass * bytes + 8.0 + width as f64 / 6.0))
}
