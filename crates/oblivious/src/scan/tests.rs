use math::{Column, Z64};
use mpc::lab::{self, Lab};
use mpc::{Params, open, open_bits, verify};

use super::*;

fn numbers(n: usize, below: i128, seed: u8) -> Vec<i128> {
    let noise = math::Prg::new(&[seed; 16]).permutation(n + 100);
    noise.iter().take(n).map(|word| i128::from(*word) * 0x9e37_79b9 % below).collect()
}

fn opened(
    s: &mut Session,
    label: &'static str,
    bits: SharedBits,
) -> Result<Option<Vec<u128>>, ProtocolError> {
    let bits = verify(s, bits)?;
    Ok(open_bits(s, label, bits)?.map(|bits| (0..bits.n_rows()).map(|row| bits.row(row)).collect()))
}

fn running(starts: &[i128], values: &[i128], f: impl Fn(u128, u128) -> u128) -> Vec<u128> {
    let mut above = 0;
    let step = |(row, (start, value)): (usize, (&i128, &i128))| {
        let own = *value as u128;
        above = if row == 0 || *start == 1 { own } else { f(above, own) };
        above
    };
    starts.iter().zip(values).enumerate().map(step).collect()
}

fn check(n: usize, every: i128, lab: &Lab) {
    let starts: Vec<i128> = numbers(n, every, 1).iter().map(|x| i128::from(*x == 0)).collect();
    let values = numbers(n, 500, 2);
    let f = |s: &mut Session| {
        let starts = lab::deal_numbers(s, 1, 1, &starts);
        let values = lab::deal_numbers(s, 2, 9, &values);
        let mut out = Vec::new();
        for (at, running) in
            [Running::First, Running::Min, Running::Max, Running::Or, Running::And].into_iter().enumerate()
        {
            let scanned = segmented_scan(s, ("scan", at), &starts, &values, running)?;
            out.push(s.scope(("opened", at), |s| opened(s, "open", scanned))?);
        }
        Ok(out)
    };
    let run = lab.run(f);
    assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
    let run = run.agreed();
    assert_eq!(lab.plain(f).expect("the oracle scans"), run);
    let expected = [
        running(&starts, &values, |above, _| above),
        running(&starts, &values, u128::min),
        running(&starts, &values, u128::max),
        running(&starts, &values, |a, b| a | b),
        running(&starts, &values, |a, b| a & b),
    ];
    assert_eq!(run, expected.map(Some), "{n} rows");
}

#[test]
fn scans_restart_with_each_segment() {
    for (n, every) in [(0, 2), (1, 2), (2, 1), (3, 9), (65, 4), (513, 30), (700, 1 << 40)] {
        check(n, every, &Lab::seeded(n as u64));
    }
}

#[test]
fn long_scans_go_by_pairs() {
    let params = [Params { threads: 2, in_flight: 4, chunk_rows: 2048, ..Params::default() }];
    for n in [SHORT_ROWS + 1, 2 * SHORT_ROWS + 3] {
        check(n, 700, &Lab::seeded(n as u64).params(&params));
    }
}

#[test]
fn boundaries_are_where_keys_change() {
    for n in [0, 1, 2, 65, 600] {
        for (below, width) in [(1, 1), (3, 2), (1 << 30, 64), (1, 0)] {
            let mut keys = numbers(n, below, 3);
            keys.sort_unstable();
            let f = |s: &mut Session| {
                let keys = lab::deal_numbers(s, 1, width, &keys);
                let starts = boundaries(s, "boundaries", &keys)?;
                let ends = lead(s, &starts, true);
                Ok((opened(s, "starts", starts)?, opened(s, "ends", ends)?))
            };
            let lab = Lab::seeded(1);
            let run = lab.run(f);
            assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
            let (starts, ends) = run.agreed();
            let expected: Vec<u128> =
                (0..n).map(|row| u128::from(row == 0 || keys[row] != keys[row - 1])).collect();
            let up: Vec<u128> = (0..n).map(|row| if row + 1 == n { 1 } else { expected[row + 1] }).collect();
            assert_eq!((starts, ends), (Some(expected), Some(up)));
        }
    }
}

#[test]
fn sums_restart_with_each_segment() {
    for n in [0, 1, 2, 65, 600] {
        let starts: Vec<i128> = numbers(n, 5, 1).iter().map(|x| i128::from(*x == 0)).collect();
        let values = numbers(n, 1 << 29, 2);
        let f = |s: &mut Session| {
            let starts = lab::deal_numbers(s, 1, 1, &starts);
            let values = lab::deal(s, 2, &Column::from_fn(n, |row| Z64(values[row] as u64)));
            let sums = segmented_sum(s, "sum", &starts, &values)?;
            let sums = verify(s, sums)?;
            Ok(open(s, "open", sums)?.map(|sums| sums.items().iter().map(|sum| u128::from(sum.0)).collect()))
        };
        let lab = Lab::seeded(1);
        let run = lab.run(f);
        assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
        let sums: Option<Vec<u128>> = run.agreed();
        assert_eq!(sums, Some(running(&starts, &values, |a, b| a + b)));
    }
}

#[test]
fn one_row_of_many_is_enough_for_the_or_of_all() {
    for n in [0usize, 1, 2, 3, 64, 65, 129, 1000] {
        for set in [None, Some(0), Some(n / 2), n.checked_sub(1)] {
            let set = set.filter(|row| *row < n);
            let f = |s: &mut Session| {
                let rows: Vec<i128> = (0..n).map(|row| i128::from(Some(row) == set)).collect();
                let any = any_row(s, "any", &lab::deal_numbers(s, 1, 1, &rows))?;
                opened(s, "open", any)
            };
            let lab = Lab::seeded(1);
            let run = lab.run(f);
            assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
            assert_eq!(run.agreed(), Some(vec![u128::from(set.is_some())]), "{n} rows");
        }
    }
}

#[test]
fn as_many_rows_as_there_are_do_not_add_up_to_none() {
    for n in [128usize, 256, 65_535, 65_536, 131_072] {
        let f = |s: &mut Session| {
            let rows = lab::deal_bits(s, 1, &Planes::zeroed(n, 1).map(|_, word| !word));
            let any = any_row(s, "any", &rows)?;
            opened(s, "open", any)
        };
        assert_eq!(Lab::seeded(1).run(f).agreed(), Some(vec![1]), "{n} rows");
    }
}

#[test]
fn splitting_into_halves_is_undone() {
    let s = &mut Session::plain(Params::default());
    for n in [0, 1, 2, 63, 64, 65, 127, 128, 129, 1100] {
        let rows = numbers(n, 1 << 20, 4);
        let bits = lab::deal_numbers(s, 1, 21, &rows);
        let (even, odd) = evens_and_odds(&bits);
        let label = |at| ("halves", 4 * n + at);
        let mut show = |at, bits: SharedBits| {
            s.scope(label(at), |s| opened(s, "open", bits)).expect("opens").expect("has data")
        };
        let all: Vec<u128> = rows.iter().map(|row| *row as u128).collect();
        assert_eq!(show(0, even.clone()), all.iter().copied().step_by(2).collect::<Vec<_>>());
        assert_eq!(show(1, odd.clone()), all.iter().copied().skip(1).step_by(2).collect::<Vec<_>>());
        assert_eq!(show(2, interleave(&even, &odd, n)), all);
    }
}
