use std::collections::BTreeMap;

use math::{Column, Group, Z8, Z64, Z128};
use mpc::lab::{self, Lab};
use mpc::{Params, open, open_bits, verify};

use super::*;

/// A key, whether the row takes part, a value, and whether that is there.
type Row = (u16, bool, u32, bool);

/// A group: its key, its rows, its values, their sum, least and greatest, and the sum of all.
type Expected = (u64, u64, u64, Option<u64>, Option<u64>, Option<u64>, u64, u64);

fn planes(s: &Session, seed: u64, width: usize, values: impl Iterator<Item = i128>) -> SharedBits {
    lab::deal_numbers(s, seed, width, &values.collect::<Vec<_>>())
}

fn shown(s: &mut Session, at: usize, cells: &Cells) -> Result<Option<Vec<u64>>, ProtocolError> {
    fn ring<G: Group>(s: &mut Session, x: &Shared<G>) -> Result<Option<Vec<u64>>, ProtocolError> {
        let x = verify(s, x.clone())?;
        Ok(open(s, "open", x)?.map(|x| x.items().iter().map(|item| item.word() as u64).collect()))
    }
    s.scope(("shown", at), |s| match cells {
        Cells::Bits(bits) => {
            let bits = verify(s, bits.clone())?;
            let bits = open_bits(s, "open", bits)?;
            Ok(bits.map(|bits| (0..bits.n_rows()).map(|row| bits.row(row) as u64).collect()))
        }
        Cells::Ring8(x) => ring(s, x),
        Cells::Ring64(x) => ring(s, x),
        Cells::Ring128(x) => ring(s, x),
        _ => unreachable!("no such column here"),
    })
}

fn run(
    s: &mut Session,
    rows: &[Row],
    at_most: Option<usize>,
    method: Method,
) -> Result<Option<Vec<Expected>>, ProtocolError> {
    let n = rows.len();
    let keys = planes(s, 1, 5, rows.iter().map(|row| i128::from(row.0)));
    let valid = planes(s, 2, 1, rows.iter().map(|row| i128::from(row.1)));
    let values = planes(s, 3, 32, rows.iter().map(|row| i128::from(row.2)));
    let present = planes(s, 4, 1, rows.iter().map(|row| i128::from(row.3)));
    let along = planes(s, 5, 70, rows.iter().map(|row| i128::from(row.0) * 3));
    let some = Some(present.clone());
    let aggregates = [
        Aggregate::Rows,
        Aggregate::Count(present.clone()),
        Aggregate::Sum {
            values: lab::deal(s, 6, &Column::from_fn(n, |row| Z64(rows[row].2.into()))).into(),
            present: some.clone(),
        },
        Aggregate::Min { values: values.clone(), present: some.clone() },
        Aggregate::Max { values: values.clone(), present: some },
        Aggregate::Sum {
            values: lab::deal(s, 7, &Column::from_fn(n, |row| Z128(rows[row].2.into()))).into(),
            present: None,
        },
    ];
    let along = Table::try_new(s, n, vec![along.into()])?;
    let rows = Rows { keys: &keys, valid: &valid, along: &along };
    let groups = group_by(s, "group", rows, &aggregates, at_most, method)?;
    let mut columns = vec![groups.valid.into(), groups.keys.into()];
    for aggregate in groups.aggregates {
        columns.push(aggregate.values);
        columns.extend(aggregate.present.map(Cells::from));
    }
    columns.extend(groups.along.into_columns());
    let mut list = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        match shown(s, at, column)? {
            Some(shown) => list.push(shown),
            None => {
                return columns[at + 1..]
                    .iter()
                    .enumerate()
                    .try_for_each(|(next, column)| shown(s, at + 1 + next, column).map(|_| ()))
                    .map(|()| None);
            }
        }
    }
    let valid = &list[0];
    let n_groups = valid.iter().filter(|valid| **valid == 1).count();
    assert!(valid[..n_groups].iter().all(|valid| *valid == 1), "groups come first");
    let optional = |at: usize, row: usize| (list[at + 1][row] == 1).then(|| list[at][row]);
    let group = |row: usize| {
        (
            list[1][row],
            list[2][row],
            list[3][row],
            optional(4, row),
            optional(6, row),
            optional(8, row),
            list[10][row],
            list[11][row],
        )
    };
    Ok(Some((0..n_groups).map(group).collect()))
}

fn expected(rows: &[Row]) -> Vec<Expected> {
    let mut groups: BTreeMap<u16, Vec<&Row>> = BTreeMap::new();
    rows.iter().filter(|row| row.1).for_each(|row| groups.entry(row.0).or_default().push(row));
    let group = |(key, rows): (&u16, &Vec<&Row>)| {
        let present: Vec<u64> = rows.iter().filter(|row| row.3).map(|row| row.2.into()).collect();
        (
            u64::from(*key),
            rows.len() as u64,
            present.len() as u64,
            (!present.is_empty()).then(|| present.iter().sum()),
            present.iter().min().copied(),
            present.iter().max().copied(),
            rows.iter().map(|row| u64::from(row.2)).sum(),
            u64::from(*key) * 3,
        )
    };
    groups.iter().map(group).collect()
}

fn rows_of(n: usize, n_keys: u32, seed: u8) -> Vec<Row> {
    let noise = math::Prg::new(&[seed; 16]).permutation(n + 1000);
    let row = |x: &u32| ((x % n_keys) as u16, x % 5 != 1, x.wrapping_mul(0x9e37_79b9), x % 3 != 1);
    noise.iter().take(n).map(row).collect()
}

fn check(rows: &[Row], at_most: Option<usize>, method: Method, lab: &Lab) {
    let f = |s: &mut Session| run(s, rows, at_most, method);
    let real = lab.run(f);
    if method == Method::Radix {
        assert_eq!(real.cost(), lab.count(f).expect("counting succeeds"));
    }
    assert!(real.agreed() == Some(expected(rows)), "{} rows by {method:?}", rows.len());
    assert!(lab.plain(f).expect("the oracle groups") == Some(expected(rows)), "{method:?} in clear");
}

#[test]
fn groups_agree_with_plaintext() {
    for (n, n_keys) in [(0, 1), (1, 1), (2, 1), (3, 30), (65, 7), (513, 30)] {
        check(&rows_of(n, n_keys, n as u8), None, Method::Auto, &Lab::seeded(n as u64));
    }
    check(&rows_of(40, 6, 1), None, Method::Quick, &Lab::seeded(1));
    check(&rows_of(20, 6, 1), None, Method::Radix, &Lab::seeded(1));
}

#[test]
fn one_group_none_and_nothing_but_missing_values() {
    let with = |valid, present| (0..70).map(|row| (9, valid, row, present)).collect::<Vec<Row>>();
    for (valid, present) in [(true, true), (false, true), (true, false), (false, false)] {
        check(&with(valid, present), None, Method::Auto, &Lab::seeded(1));
    }
}

#[test]
fn a_bound_on_the_number_of_groups_cuts_the_result() {
    let rows = rows_of(100, 7, 3);
    check(&rows, Some(7), Method::Auto, &Lab::seeded(1));
    check(&rows, Some(1000), Method::Auto, &Lab::seeded(1));
}

/// With 7 valid keys of 9, rows of either kind of the others, what a bound cuts off is told.
#[test]
fn more_groups_than_the_bound_are_noticed() {
    let rows: Vec<Row> = (0..90).map(|row| (row % 9, row % 9 < 7, 1, true)).collect();
    for at_most in [0, 1, 6, 7, 8, 89, 90, 91] {
        let f = |s: &mut Session| {
            let keys = planes(s, 1, 5, rows.iter().map(|row| i128::from(row.0)));
            let valid = planes(s, 2, 1, rows.iter().map(|row| i128::from(row.1)));
            let along = Table::try_new(s, rows.len(), vec![keys.clone().into()])?;
            let rows = Rows { keys: &keys, valid: &valid, along: &along };
            let some = Some(at_most);
            let groups = group_by(s, "group", rows, &[Aggregate::Rows], some, Method::Radix)?;
            let distinct = distinct(s, "distinct", rows, some, Method::Radix)?;
            let [of_groups, of_keys] = [groups.overflow, distinct.overflow];
            assert_eq!(of_groups.is_some(), at_most < 90);
            assert_eq!(of_keys.is_some(), at_most < 90);
            let mut list = Vec::new();
            let pairs = [(of_groups, groups.valid, groups.keys, groups.along)].into_iter().chain([(
                of_keys,
                distinct.valid,
                distinct.keys,
                distinct.along,
            )]);
            for (at, (overflow, valid, keys, along)) in pairs.enumerate() {
                let overflow = overflow.unwrap_or_else(|| SharedBits::constant(s, 1, 1, 0));
                let along = along.columns()[0].clone();
                for (column, cells) in [overflow.into(), valid.into(), keys.into(), along].iter().enumerate()
                {
                    list.push(shown(s, 4 * at + column, cells)?);
                }
            }
            Ok(list)
        };
        let lab = Lab::seeded(1);
        let run = lab.run(f);
        assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
        let list: Vec<Vec<u64>> = run.agreed().into_iter().map(|column| column.expect("opened")).collect();
        for one in list.chunks(4) {
            assert_eq!(one[0], [u64::from(at_most < 7)], "{at_most}");
            assert_eq!(one[1].len(), at_most.min(90));
            assert_eq!(one[2], one[3]);
            let kept: Vec<u64> =
                one[1].iter().zip(&one[2]).filter(|(valid, _)| **valid == 1).map(|(_, key)| *key).collect();
            assert_eq!(kept, (0..at_most.min(7) as u64).collect::<Vec<_>>());
        }
    }
}

/// 256 rows that count are as many as none in `Z8`, where sharings of zero do not add up to
/// zero beyond it either.
#[test]
fn rows_that_count_are_not_counted_in_a_narrow_ring() {
    let n = 512;
    let f = |s: &mut Session| {
        let first = planes(s, 1, 1, (0..n).map(|row| i128::from(row < n / 2)));
        let all = SharedBits::constant(s, n, 1, 1);
        let values = lab::deal(s, 2, &Column::from_fn(n, |row| Z8(row as u8)));
        let sum = [Aggregate::Sum { values: values.into(), present: Some(first.clone()) }];
        let rows = Rows { keys: &first, valid: &all, along: &Table::empty(n) };
        let groups = group_by(s, "group", rows, &sum, Some(2), Method::Radix)?;
        let found = &groups.aggregates[0];
        let total = shown(s, 0, &found.values)?;
        let present = shown(s, 1, &found.present.clone().expect("values may be missing").into())?;
        Ok((total, present))
    };
    let total = (0..n as u64 / 2).sum::<u64>() % 256;
    assert_eq!(Lab::seeded(1).run(f).agreed(), (Some(vec![0, total]), Some(vec![0, 1])));
}

#[test]
fn chunks_and_threads_change_nothing() {
    let rows = rows_of(1100, 25, 3);
    let params =
        |threads, in_flight, chunk_rows| Params { threads, in_flight, chunk_rows, ..Params::default() };
    for params in [vec![params(1, 1, 512)], vec![params(3, 4, 1024), params(1, 1, 1024), params(2, 8, 1024)]]
    {
        check(&rows, None, Method::Auto, &Lab::seeded(1).params(&params));
    }
}

#[test]
fn distinct_keeps_one_of_equal_rows() {
    for (n, n_keys) in [(0, 1), (1, 1), (2, 1), (65, 7), (200, 30)] {
        let rows = rows_of(n, n_keys, 9);
        let f = |s: &mut Session| {
            let keys = planes(s, 1, 5, rows.iter().map(|row| i128::from(row.0)));
            let valid = planes(s, 2, 1, rows.iter().map(|row| i128::from(row.1)));
            let along = Table::try_new(s, n, vec![keys.clone().into()])?;
            let rows = Rows { keys: &keys, valid: &valid, along: &along };
            let distinct = distinct(s, "distinct", rows, None, Method::Radix)?;
            let columns = [distinct.valid.into(), distinct.keys.into(), distinct.along.columns()[0].clone()];
            let mut list = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                list.push(shown(s, at, column)?);
            }
            Ok(list)
        };
        let lab = Lab::seeded(n as u64);
        let run = lab.run(f);
        assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
        let list: Vec<Vec<u64>> = run.agreed().into_iter().map(|column| column.expect("opened")).collect();
        assert_eq!(list[1], list[2]);
        let kept: Vec<u64> = (0..n).filter(|row| list[0][*row] == 1).map(|row| list[1][row]).collect();
        let mut keys: Vec<u64> = rows.iter().filter(|row| row.1).map(|row| row.0.into()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(kept, keys);
    }
}

#[test]
fn sums_over_bits_are_refused() {
    let s = &mut Session::plain(Params::default());
    let bits = SharedBits::constant(s, 2, 1, 0);
    let rows = Rows { keys: &bits, valid: &bits, along: &Table::empty(2) };
    for present in [None, Some(bits.clone())] {
        let at = usize::from(present.is_some());
        let sum = [Aggregate::Sum { values: bits.clone().into(), present }];
        let refused = group_by(s, ("group", at), rows, &sum, None, Method::Auto);
        assert!(matches!(refused, Err(ProtocolError::Unsupported { .. })));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_rows(
        rows in proptest::collection::vec((0u16..6, proptest::bool::ANY, 0u32.., proptest::bool::ANY), 0..40),
        at_most in proptest::option::of(6usize..50),
    ) {
        check(&rows, at_most, Method::Auto, &Lab::seeded(1));
    }
}
