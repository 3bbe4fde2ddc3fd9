//! Joins of which neither side is unique: all pairs of equal keys, up to a public number.

use math::{Column, Planes, Z32, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits, and_many};

use super::{JoinSide, from_starts, goes_on, lookup, sort_both};
use crate::compare::greater_than_public;
use crate::convert::{bit_to_ring, ring_to_bits};
use crate::select::keep_where;
use crate::sort::{Method, SortedRows, sort, sort_by_bit};
use crate::table::{Cells, Table, same, shape};

/// All pairs of rows with equal keys.
#[derive(Debug)]
pub struct Expanded {
    /// The left row's payload of each pair; anything where there is no pair.
    pub left: Table,
    /// The right row's payload.
    pub right: Table,
    /// One plane: which rows hold a pair. They come first.
    pub valid: SharedBits,
    /// One plane, row by row of the left side: which rows have a partner.
    pub left_used: SharedBits,
    /// The same of the right side.
    pub right_used: SharedBits,
    /// One bit, for the whole join: whether there are more pairs than there is room for. Then the
    /// rest is worth nothing.
    pub overflow: SharedBits,
}

/// Pairs rows of equal keys, of which either side may hold each key many times.
///
/// - **SQL:** `left JOIN right ON left.key = right.key`; with `left_used` and `right_used` the outer ones.
/// - **Shape:** `n` and `m` rows in, `at_most` out, the valid ones first: by the left row and then by
///   the right one, in the order of their keys. `at_most` is one at least.
/// - **Reveals:** nothing, not the number of pairs.
/// - **Cost:** sorts of `n + m` rows by the key, of `n + 1 + at_most` rows with the left payload by a
///   position of `log₂ at_most + 1` bits, and of `m + at_most` rows with the right payload by
///   one of `log₂ m` bits; five partitions by one bit and their ways back, and conversions of
///   `n + 2m + at_most` positions to bits.
/// - **Model:** as [`sort()`].
/// - **Source:** Krastnikov, Kerschbaum and Stebila, "Efficient Oblivious Database Joins", VLDB
///   2020: each left row is repeated as often as it has partners, and each repetition knows which of
///   them is its own. What that paper distributes and fills down is here a sort among the places of
///   the pairs, and running totals of differences as in [`lookup`].
///
/// # Errors
/// `Shape`; as [`sort()`].
pub fn expand(
    s: &mut Session,
    label: impl Into<Label>,
    left: JoinSide<'_>,
    right: JoinSide<'_>,
    at_most: usize,
    method: Method,
) -> Result<Expanded, ProtocolError> {
    s.scope(label, |s| {
        for side in [&left, &right] {
            same(s, side.payload.n_rows(), side.keys.n_rows())?;
            same(s, side.payload.n_rows(), side.valid.n_rows())?;
            same(s, 1, side.valid.width())?;
        }
        same(s, left.keys.width(), right.keys.width())?;
        if at_most == 0 || at_most > u32::MAX as usize {
            return Err(shape(s, 1, at_most));
        }
        if left.payload.n_rows() == 0 || right.payload.n_rows() == 0 {
            return none(s, left, right, at_most);
        }
        let partners = s.scope("partners", |s| partners(s, left, right, method))?;
        // What is sorted from here on came in no order.
        let method = if method == Method::Merge { Method::Auto } else { method };
        let slots = s.scope("slots", |s| fill_slots(s, left.payload, &partners, at_most, method))?;
        let width = bits_for(right.payload.n_rows() - 1).max(1);
        let (ranks, partner) = s.join(
            |s| ring_to_bits(s, "ranks", &partners.rank, width),
            |s| ring_to_bits(s, "partner", &slots.partner, width),
        )?;
        let right = JoinSide { keys: &ranks, valid: &partners.right_used, payload: right.payload };
        let found = lookup(s, "right", right, &partner, &slots.valid, method)?;
        let total = ring_to_bits(s, "total", &partners.total, Z64_BITS)?;
        let overflow = greater_than_public(s, "overflow", &total, at_most as u128, false)?;
        Ok(Expanded {
            left: slots.payload,
            right: found.payload,
            valid: found.matched,
            left_used: partners.left_used,
            right_used: partners.right_used,
            overflow,
        })
    })
}

const Z64_BITS: usize = 64;

/// Bits that hold every number up to `most`.
fn bits_for(most: usize) -> usize {
    (usize::BITS - most.leading_zeros()) as usize
}

/// A join with an empty side.
fn none(
    s: &Session,
    left: JoinSide<'_>,
    right: JoinSide<'_>,
    at_most: usize,
) -> Result<Expanded, ProtocolError> {
    let zeros = |table: &Table| {
        let columns = table.columns().iter().map(|column| column.zeros_like(s, at_most)).collect();
        Table::try_new(s, at_most, columns)
    };
    let never = |n| SharedBits::constant(s, n, 1, 0);
    Ok(Expanded {
        left: zeros(left.payload)?,
        right: zeros(right.payload)?,
        valid: never(at_most),
        left_used: never(left.payload.n_rows()),
        right_used: never(right.payload.n_rows()),
        overflow: never(1),
    })
}

/// What each row knows of its partners. Right rows that take part have a rank in the order of keys,
/// so that the partners of one left row are neighbours.
struct Partners {
    /// Of each left row: where its pairs begin.
    begin: Shared<Z32>,
    /// Of each left row: the rank of its first partner.
    first: Shared<Z32>,
    left_used: SharedBits,
    /// Of each right row that takes part.
    rank: Shared<Z32>,
    right_used: SharedBits,
    /// How many pairs there are.
    total: Shared<Z64>,
}

fn partners(
    s: &mut Session,
    left: JoinSide<'_>,
    right: JoinSide<'_>,
    method: Method,
) -> Result<Partners, ProtocolError> {
    let (n, m) = (left.payload.n_rows(), right.payload.n_rows());
    let n_all = n + m;
    // As in a lookup: of one key left rows come first, then right ones, then those that take no part.
    let valid = SharedBits::concat(&[left.valid, right.valid]);
    let keys = SharedBits::concat(&[left.keys, right.keys]);
    let zeros = |n| SharedBits::constant(s, n, 1, 0);
    let is_left = SharedBits::concat(&[left.valid, &zeros(m)]);
    let is_right = SharedBits::concat(&[&zeros(n), right.valid]);
    let sides = Table::try_new(s, n_all, vec![SharedBits::stack(&[&is_left, &is_right]).into()])?;
    let sorted = sort_both(s, &SharedBits::stack(&[&valid.not(s), &keys]), &sides, [n, m], method)?;
    let sides = sorted.table.columns()[0].bits().expect("two planes");
    let (is_left, is_right) = (sides.plane(0), sides.plane(1));
    let starts = goes_on(s, &sorted.keys)?.not(s);

    // What a run's first row knows of the rows above: how many right rows there are, and whether the
    // run before ends with one, in which case it has one; of itself, whether the run has a left row.
    let ones = SharedBits::concat(&[&is_left, &is_right, &starts]);
    let (ones, known) = s.join(
        |s| bit_to_ring::<Z64>(s, "ones", &ones),
        |s| and_many(s, "known", &[(&starts, &is_right.lag(1)), (&starts, &is_left)]),
    )?;
    let [lefts, rights, begins] = [0, 1, 2].map(|at| ones.rows(at * n_all..(at + 1) * n_all));
    let up_to = rights.prefix_sum();
    let above = up_to.sub(&rights);
    let first = keep_where(s, "first", &begins, &above)?;
    let columns: Vec<Cells> = vec![first.into(), known[0].clone().into(), known[1].clone().into()];
    let (order, apart) = sort_by_bit(s, "starts", &starts, &Table::try_new(s, n_all, columns)?)?;
    let [first, ends, has_left] = <[Cells; 3]>::try_from(apart.into_columns()).expect("three columns");
    let first = Shared::<Z64>::try_from(first).expect("a ring");
    // Below the last run comes the end: rows before the first run hold zeros, and so does its own start.
    let last = n_all - 1..n_all;
    let count = Shared::concat(&[&first.rows(1..n_all), &up_to.rows(last.clone())]).sub(&first);
    let ends = ends.bits().expect("one plane").copy_rows(1..n_all);
    let has_right = SharedBits::concat(&[&ends, &is_right.copy_rows(last.clone())]);
    let columns: Vec<Cells> = vec![first.into(), count.into(), has_right.into(), has_left];
    let of_runs = Table::try_new(s, n_all, columns)?.deltas();
    let of_runs = order.restore(s, "among", &of_runs)?.prefix_sum();
    let [first, count, has_right, has_left] =
        <[Cells; 4]>::try_from(of_runs.into_columns()).expect("four columns");
    let [first, count] = [first, count].map(|column| Shared::<Z64>::try_from(column).expect("a ring"));
    let [has_right, has_left] = [has_right, has_left].map(|column| column.bits().expect("a bit").clone());

    let (pairs, used) = s.join(
        |s| keep_where(s, "pairs", &lefts, &count),
        |s| and_many(s, "used", &[(&is_left, &has_right), (&is_right, &has_left)]),
    )?;
    let end = pairs.prefix_sum();
    let columns: Vec<Cells> = vec![
        end.sub(&pairs).narrow::<Z32>().into(),
        first.narrow::<Z32>().into(),
        above.narrow::<Z32>().into(),
        SharedBits::stack(&[&used[0], &used[1]]).into(),
    ];
    let back = sorted.order.restore(s, "back", &Table::try_new(s, n_all, columns)?)?;
    let [begin, first, rank, used] = <[Cells; 4]>::try_from(back.into_columns()).expect("four columns");
    let ring = |column: Cells, rows| Shared::<Z32>::try_from(column).expect("a ring").rows(rows);
    let used = used.bits().expect("two planes");
    Ok(Partners {
        begin: ring(begin, 0..n),
        first: ring(first, 0..n),
        left_used: used.plane(0).copy_rows(0..n),
        rank: ring(rank, n..n_all),
        right_used: used.plane(1).copy_rows(n..n_all),
        total: end.rows(last),
    })
}

/// The places of the pairs, with what the left side puts there.
struct Slots {
    payload: Table,
    valid: SharedBits,
    /// The rank of the right row.
    partner: Shared<Z32>,
}

fn fill_slots(
    s: &mut Session,
    payload: &Table,
    partners: &Partners,
    at_most: usize,
    method: Method,
) -> Result<Slots, ProtocolError> {
    let n = payload.n_rows();
    // A left row comes right before the slot where its pairs begin; where several would, those without
    // a partner come first, by the lowest bit, since the slot takes after the last. Behind the last
    // pair comes a row that holds nothing.
    let width = bits_for(at_most);
    let begin = Shared::concat(&[&partners.begin, &partners.total.narrow::<Z32>()]);
    let begin = ring_to_bits(s, "begin", &begin, width)?;
    let one = |n| SharedBits::constant(s, n, 1, 1);
    let has_pair = SharedBits::concat(&[&partners.left_used, &one(1)]);
    let numbers = math::pack::planes(&Column::from_fn(at_most, |slot| Z32(slot as u32)), width);
    let slots = SharedBits::stack(&[&one(at_most), &SharedBits::public(s, &numbers)]);
    let keys = SharedBits::concat(&[&SharedBits::stack(&[&has_pair, &begin]), &slots]);
    let columns: Vec<Cells> =
        vec![partners.left_used.clone().into(), partners.first.sub(&partners.begin).into()];
    let rows = Table::try_new(s, n, columns)?.beside(s, payload.clone())?;
    let zeros = rows.columns().iter().map(|column| column.zeros_like(s, 1 + at_most)).collect();
    let rows = rows.concat(s, &Table::try_new(s, 1 + at_most, zeros)?)?;
    let is_slot = Planes::from_bools(&(0..n + 1 + at_most).map(|row| row > n).collect::<Vec<_>>());
    let is_slot = Table::try_new(s, n + 1 + at_most, vec![SharedBits::public(s, &is_slot).into()])?;
    let SortedRows { keys, table, order } = sort(s, "sort", &keys, &is_slot.beside(s, rows)?, method)?;
    let (is_slot, table) = table.split_columns(1);
    let is_slot = is_slot.columns()[0].bits().expect("one plane").clone();
    let filled = from_starts(s, &SortedRows { keys, table, order }, &is_slot)?;
    // Of a run the first row says nothing here.
    let (_, filled) = filled.slice(n + 1..n + 1 + at_most).split_columns(1);
    let (own, payload) = filled.split_columns(2);
    let [valid, shift] = <[Cells; 2]>::try_from(own.into_columns()).expect("two columns");
    let slot = Column::from_fn(at_most, |slot| Z32(slot as u32));
    let partner = Shared::<Z32>::try_from(shift).expect("a ring").add_public(s, &slot);
    Ok(Slots { payload, valid: valid.bits().expect("one plane").clone(), partner })
}

#[cfg(test)]
mod tests {
    use mpc::lab::{self, Lab};
    use mpc::{open, open_bits, verify};

    use super::*;

    /// A key and whether the row takes part; its payload is its number.
    type Row = (u16, bool);

    /// The pairs, which rows of either side have one, and whether there are too many.
    type Outcome = (Vec<(u64, u64)>, Vec<bool>, Vec<bool>, bool);

    fn expected(left: &[Row], right: &[Row], at_most: usize) -> Outcome {
        let mut pairs = Vec::new();
        for (i, l) in left.iter().enumerate() {
            for (j, r) in right.iter().enumerate().filter(|(_, r)| l.1 && r.1 && l.0 == r.0) {
                pairs.push((l.0, i as u64 + 1, j as u64 + 1));
                let _ = r;
            }
        }
        let used = |at: fn(&(u16, u64, u64)) -> u64, n: usize| {
            (1..=n as u64).map(|row| pairs.iter().any(|pair| at(pair) == row)).collect()
        };
        let (left_used, right_used) = (used(|pair| pair.1, left.len()), used(|pair| pair.2, right.len()));
        pairs.sort();
        let overflow = pairs.len() > at_most;
        (pairs.into_iter().map(|(_, i, j)| (i, j)).collect(), left_used, right_used, overflow)
    }

    fn run(
        s: &mut Session,
        left: &[Row],
        right: &[Row],
        at_most: usize,
        method: Method,
    ) -> Result<Option<Outcome>, ProtocolError> {
        let numbers = |n: usize| (1..=n as i128).collect::<Vec<_>>();
        let mut sides = Vec::new();
        for (seed, rows) in [(10, left), (20, right)] {
            let bits = |seed, width, values: Vec<i128>| lab::deal_numbers(s, seed, width, &values);
            let keys = bits(seed, 7, rows.iter().map(|row| row.0.into()).collect());
            let valid = bits(seed + 1, 1, rows.iter().map(|row| row.1.into()).collect());
            let ring = lab::deal(s, seed + 2, &Column::from_fn(rows.len(), |row| Z64(row as u64 + 1)));
            let columns = vec![bits(seed + 3, 9, numbers(rows.len())).into(), ring.into()];
            sides.push((keys, valid, Table::try_new(s, rows.len(), columns)?));
        }
        let side = |at: usize| {
            let (keys, valid, payload): &(SharedBits, SharedBits, Table) = &sides[at];
            JoinSide { keys, valid, payload }
        };
        let out = expand(s, "expand", side(0), side(1), at_most, method)?;
        let mut show = |label, bits: &SharedBits| {
            let bits = verify(s, bits.clone())?;
            let bits = open_bits(s, label, bits)?;
            Ok::<_, ProtocolError>(
                bits.map(|bits| (0..bits.n_rows()).map(|row| bits.row(row) as u64).collect::<Vec<_>>()),
            )
        };
        let bits = |table: &Table| table.columns()[0].bits().expect("bits").clone();
        let shown = [
            show("valid", &out.valid)?,
            show("left", &bits(&out.left))?,
            show("right", &bits(&out.right))?,
            show("left used", &out.left_used)?,
            show("right used", &out.right_used)?,
            show("overflow", &out.overflow)?,
        ];
        let mut rings = Vec::new();
        for (label, table) in [("left ring", &out.left), ("right ring", &out.right)] {
            let ring = Shared::<Z64>::try_from(table.columns()[1].clone()).expect("a ring");
            let ring = verify(s, ring)?;
            rings.push(open(s, label, ring)?);
        }
        let [Some(valid), Some(lefts), Some(rights), Some(left_used), Some(right_used), Some(overflow)] =
            shown
        else {
            return Ok(None);
        };
        let truths = |bits: Vec<u64>| bits.into_iter().map(|bit| bit == 1).collect();
        let n_pairs = valid.iter().filter(|valid| **valid == 1).count();
        if overflow[0] == 0 {
            assert!(valid[..n_pairs].iter().all(|valid| *valid == 1), "pairs come first");
            for (ring, bits) in rings.iter().flatten().zip([&lefts, &rights]) {
                let ring: Vec<u64> = ring.items()[..n_pairs].iter().map(|item| item.0).collect();
                assert_eq!(ring, bits[..n_pairs], "both forms of a payload move alike");
            }
        }
        let pairs = (0..n_pairs).map(|slot| (lefts[slot], rights[slot])).collect();
        Ok(Some((pairs, truths(left_used), truths(right_used), overflow[0] == 1)))
    }

    fn check(left: &[Row], right: &[Row], at_most: usize, method: Method) {
        let outcome = expected(left, right, at_most);
        let f = |s: &mut Session| run(s, left, right, at_most, method);
        let lab = Lab::seeded(3);
        let real = lab.run(f);
        if method == Method::Radix {
            assert_eq!(real.cost(), lab.count(f).expect("counting succeeds"));
        }
        for got in [real.agreed(), lab.plain(f).expect("the oracle joins")] {
            let got = got.expect("opened");
            assert_eq!(got.3, outcome.3, "overflow of {at_most}");
            // Partners are known also where there is no room for all of them.
            assert_eq!((&got.1, &got.2), (&outcome.1, &outcome.2));
            assert!(got.3 || got.0 == outcome.0, "{:?}\n expected {:?}", got.0, outcome.0);
        }
    }

    fn rows(n: usize, keys: u16, seed: u8) -> Vec<Row> {
        let noise = math::Prg::new(&[seed; 16]).permutation(128);
        (0..n).map(|row| (noise[row % 128] as u16 % keys, noise[(row * 7 + 3) % 128] % 5 != 1)).collect()
    }

    #[test]
    fn every_pair_of_one_key_comes_out() {
        for (n, m, keys) in
            [(0, 0, 1), (0, 2, 3), (3, 0, 3), (1, 1, 1), (2, 5, 2), (30, 41, 6), (65, 17, 100)]
        {
            let (left, right) = (rows(n, keys, 1), rows(m, keys, 2));
            let n_pairs = expected(&left, &right, 0).0.len();
            for method in [Method::Auto, Method::Radix, Method::Quick] {
                check(&left, &right, n_pairs.max(1), method);
                check(&left, &right, n_pairs + 9, method);
            }
        }
    }

    #[test]
    fn rows_without_a_partner_lie_between_others() {
        let valid = |keys: &[u16]| keys.iter().map(|key| (*key, true)).collect::<Vec<_>>();
        check(&valid(&[0, 1, 1, 2, 3, 5, 5]), &valid(&[1, 4, 5, 5, 0, 6]), 7, Method::Auto);
        check(&valid(&[9, 9, 9]), &valid(&[8, 8]), 5, Method::Radix);
        check(&[(4, false), (4, true), (4, false)], &[(4, true), (4, false), (4, true)], 2, Method::Radix);
    }

    #[test]
    fn too_many_pairs_are_noticed() {
        let left: Vec<Row> = vec![(1, true); 5];
        let right: Vec<Row> = vec![(1, true); 7];
        for at_most in [1, 2, 16, 33, 34, 35] {
            check(&left, &right, at_most, Method::Radix);
        }
    }
}
