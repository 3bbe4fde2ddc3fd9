use std::collections::BTreeMap;

use math::{Planes, Z32};
use mpc::lab::{self, Lab};
use mpc::{Params, Security, Shared, open, open_bits, verify};
use net::LinkProfile;

use super::quick::Suffix;
use super::*;
use crate::permute::row_numbers;
use crate::table::Cells;

fn rows_of(planes: Option<Planes>) -> Vec<u128> {
    let planes = planes.expect("opened");
    (0..planes.n_rows()).map(|row| planes.row(row)).collect()
}

fn open_numbers(
    s: &mut Session,
    label: &'static str,
    cells: &Cells,
) -> Result<Option<Vec<u32>>, ProtocolError> {
    let numbers = verify(s, Shared::<Z32>::try_from(cells.clone()).expect("Z32"))?;
    Ok(open(s, label, numbers)?.map(|numbers| numbers.items().iter().map(|number| number.0).collect()))
}

/// Keys as bits, and the row numbers beside them: in bits and in a ring.
fn deal(s: &Session, width: usize, keys: &[i128]) -> Result<(SharedBits, Table), ProtocolError> {
    let n = keys.len();
    let numbers: Vec<i128> = (0..n as i128).collect();
    let columns = vec![row_numbers(s, n).into(), lab::deal_numbers(s, 5, 33, &numbers).into()];
    Ok((lab::deal_numbers(s, 4, width, keys), Table::try_new(s, n, columns)?))
}

fn keys_of(n: usize, distinct: i128, seed: u64) -> Vec<i128> {
    let noise = math::Prg::new(&[seed as u8; 16]).permutation(n + 1000);
    noise.iter().take(n).map(|key| i128::from(*key) * 0x9e37_79b9 % distinct).collect()
}

/// Keys and row numbers, from a ring and from bits, as sorted; row numbers brought into the order
/// again; row numbers brought back.
type Opened = (Vec<u128>, Vec<u32>, Vec<u128>, Vec<u32>, Vec<u32>);

/// Everything a sort gives, opened.
fn sorted(
    s: &mut Session,
    width: usize,
    keys: &[i128],
    method: Method,
) -> Result<Option<Opened>, ProtocolError> {
    let (keys, table) = deal(s, width, keys)?;
    let sorted = sort(s, "sort", &keys, &table, method)?;
    opened_rows(s, &table, sorted)
}

/// Everything that rows in order have, opened.
fn opened_rows(s: &mut Session, table: &Table, sorted: SortedRows) -> Result<Option<Opened>, ProtocolError> {
    let again = sorted.order.apply(s, "again", table)?;
    let back = sorted.order.restore(s, "back", &sorted.table)?;
    let ring = open_numbers(s, "ring", &sorted.table.columns()[0])?;
    let again = open_numbers(s, "again opened", &again.columns()[0])?;
    let back = open_numbers(s, "back opened", &back.columns()[0])?;
    let keys = verify(s, sorted.keys)?;
    let keys = open_bits(s, "keys", keys)?;
    let bits = verify(s, sorted.table.columns()[1].bits().expect("bits").clone())?;
    let bits = open_bits(s, "bits", bits)?;
    let (Some(ring), Some(again), Some(back)) = (ring, again, back) else { return Ok(None) };
    Ok(Some((rows_of(keys), ring, rows_of(bits), again, back)))
}

fn expected(keys: &[i128], width: usize) -> Opened {
    let low = |key: i128| if width == 0 { 0 } else { key as u128 & u128::MAX >> (128 - width) };
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    order.sort_by_key(|row| low(keys[*row as usize]));
    let sorted = order.iter().map(|row| low(keys[*row as usize])).collect();
    let bits = order.iter().map(|row| u128::from(*row)).collect();
    (sorted, order.clone(), bits, order, (0..keys.len() as u32).collect())
}

#[test]
fn both_methods_sort_and_keep_the_order_of_equal_keys() {
    for (n, width, distinct) in [
        (0, 8, 1),
        (1, 8, 1),
        (2, 1, 2),
        (3, 64, 1 << 30),
        (65, 7, 100),
        (97, 0, 1),
        (130, 5, 1),
        (513, 3, 8),
        (700, 64, 300),
    ] {
        let keys = keys_of(n, distinct, n as u64);
        for method in [Method::Quick, Method::Radix, Method::Auto] {
            if width > 8 && method == Method::Radix {
                continue;
            }
            let lab = Lab::seeded(n as u64);
            let f = |s: &mut Session| sorted(s, width, &keys, method);
            assert_eq!(lab.run(f).agreed(), Some(expected(&keys, width)), "{n} rows, {method:?}");
            assert_eq!(lab.plain(f).expect("the oracle sorts"), Some(expected(&keys, width)));
        }
    }
}

#[test]
fn malicious_sessions_sort_too() {
    let lab = Lab::seeded(2).security(Security::Malicious);
    for (n, width, distinct) in [(0, 8, 1), (1, 8, 1), (97, 0, 1), (300, 64, 100)] {
        let keys = keys_of(n, distinct, n as u64);
        let f = |s: &mut Session| sorted(s, width, &keys, Method::Quick);
        assert_eq!(lab.run(f).agreed(), Some(expected(&keys, width)), "{n} rows");
    }
}

#[test]
fn wide_keys_use_every_bit() {
    let keys = [i128::MIN, 3, -1, i128::MAX, 1 << 100, 0];
    let f = |s: &mut Session| sorted(s, 128, &keys, Method::Quick);
    assert_eq!(Lab::seeded(1).run(f).agreed(), Some(expected(&keys, 128)));
}

#[test]
fn counting_gives_the_cost_of_the_order_that_came() {
    for (n, width) in [(0, 4), (1, 4), (2, 4), (90, 4), (200, 9), (1300, 20)] {
        let keys = keys_of(n, 50, 1);
        let lab = Lab::seeded(n as u64);
        let run = lab.run(|s| {
            let (keys, table) = deal(s, width, &keys)?;
            let sorted = sort(s, "sort", &keys, &table, Method::Quick)?;
            Ok(sorted.order.opened().expect("values exist").to_vec())
        });
        let cost = run.cost();
        let opened = run.agreed();
        let counted = lab.count(|s| {
            let (keys, table) = deal(s, width, &keys)?;
            count_quicksort(s, "sort", &keys, &table, &opened)
        });
        assert_eq!(cost, counted.expect("counting succeeds"), "{n} rows");

        let radix = |s: &mut Session| {
            let (keys, table) = deal(s, width, &keys)?;
            sort(s, "sort", &keys, &table, Method::Radix).map(|_| ())
        };
        assert_eq!(lab.run(radix).cost(), lab.count(radix).expect("counting succeeds"));
    }
}

#[test]
fn estimates_are_near_what_random_orders_cost() {
    for (n, width) in [(90, 64), (1 << 13, 10), (40_000, 30)] {
        let lab = Lab::seeded(0).params(&[Params {
            threads: 1,
            in_flight: 1,
            chunk_rows: 1 << 15,
            ..Params::default()
        }]);
        let counted = |opened: Option<&[u32]>| {
            lab.count(|s| {
                let keys = SharedBits::constant(s, n, width, 0);
                match opened {
                    Some(opened) => count_quicksort(s, "sort", &keys, &Table::empty(n), opened),
                    None => sort(s, "sort", &keys, &Table::empty(n), Method::Quick).map(|_| ()),
                }
            })
            .expect("counting succeeds")
        };
        let opened = math::Prg::new(&[9; 16]).permutation(n);
        let (exact, typical) = (counted(Some(&opened)), counted(None));
        let ratio = |a: u64, b: u64| a as f64 / b as f64;
        assert!((0.95..1.05).contains(&ratio(exact.bytes_sent[0], typical.bytes_sent[0])), "{n}");
        assert!((0.8..1.25).contains(&ratio(exact.rounds.into(), typical.rounds.into())), "{n}");
        let (rounds, bytes) = quick::typical_cost(Security::SemiHonest, n, width);
        let mean = exact.bytes_sent.iter().sum::<u64>() as f64 / 3.0;
        assert!((0.9..1.1).contains(&(bytes / mean)), "{n}: {bytes} of {mean}");
        assert!((0.8..1.25).contains(&(rounds / f64::from(exact.rounds))), "{n}: {rounds}");
    }
}

#[test]
fn radix_costs_what_its_formula_says() {
    for (security, n, width) in [(Security::SemiHonest, 2000, 6), (Security::Malicious, 8000, 40)] {
        let cost = Lab::seeded(0)
            .security(security)
            .count(|s| {
                let keys = SharedBits::constant(s, n, width, 0);
                sort(s, "sort", &keys, &Table::empty(n), Method::Radix).map(|_| ())
            })
            .expect("counting succeeds");
        let (rounds, bytes) = radix::typical_cost(security, n, width);
        assert!((0.9..1.1).contains(&(rounds / f64::from(cost.rounds))), "{rounds} of {}", cost.rounds);
        let mean = cost.bytes_sent.iter().sum::<u64>() as f64 / 3.0;
        assert!((0.9..1.1).contains(&(bytes / mean)), "{bytes} of {mean}");
    }
}

#[test]
fn short_keys_take_the_radix_sort() {
    let here = Params::default();
    assert_eq!(Method::Auto.for_shape(1 << 20, 1, &here), Method::Radix);
    assert_eq!(Method::Auto.for_shape(1 << 20, 40, &here), Method::Quick);
    assert_eq!(Method::Auto.for_shape(50, 12, &here), Method::Quick);
    assert_eq!(Method::Quick.for_shape(1 << 20, 1, &here), Method::Quick);
}

#[test]
fn long_links_prefer_the_sort_of_fewer_rounds_and_slow_ones_that_of_fewer_bytes() {
    let over = |milliseconds, mbits| Params::over(LinkProfile::wan(milliseconds, mbits), 1);
    let (n, width) = (100_000, 20);
    let of = |params: &Params| Method::Auto.for_shape(n, width, params);
    assert_eq!(of(&over(0, 10)), Method::Quick);
    assert_eq!(of(&over(150, 1000)), Method::Radix);
    for params in [over(0, 10), over(150, 1000)] {
        let time = |method: Method| method.typical_time(n, width, &params);
        assert_eq!(time(Method::Auto), time(Method::Quick).min(time(Method::Radix)));
    }
}

#[test]
fn chunks_and_threads_change_nothing() {
    let keys = keys_of(1500, 700, 3);
    let params =
        |threads, in_flight, chunk_rows| Params { threads, in_flight, chunk_rows, ..Params::default() };
    let with = |params: &[Params]| {
        let lab = Lab::seeded(7).params(params);
        lab.run(|s| {
            let (keys, table) = deal(s, 12, &keys)?;
            let quick = sort(s, "quick", &keys, &table, Method::Quick)?;
            let radix = sort(s, "radix", &keys, &table, Method::Radix)?;
            let shares = |rows: &SortedRows| {
                let planes =
                    lab::parts_of_bits(&rows.keys).iter().map(|part| rows_of(Some(part.clone()))).collect();
                let opened = rows.order.opened().expect("values exist").to_vec();
                (opened, Vec::<Vec<u128>>::clone(&planes))
            };
            Ok((shares(&quick), shares(&radix)))
        })
        .all()
    };
    let one = with(&[params(1, 1, 512)]);
    assert_eq!(with(&[params(4, 6, 512)]), one);
    assert_eq!(with(&[params(1, 1, 1024), params(3, 5, 1024), params(2, 2, 1024)]), one);
}

#[test]
fn observers_follow_shapes() {
    let run = Lab::seeded(1).parties(4).run(|s| {
        let (keys, table) = deal(s, 6, &keys_of(40, 30, 1))?;
        let quick = sort(s, "quick", &keys, &table, Method::Quick)?;
        let radix = sort(s, "radix", &keys, &quick.table, Method::Radix)?;
        let back = radix.order.restore(s, "back", &radix.table)?;
        Ok((back.n_rows(), back.width_bits(), radix.keys.width()))
    });
    assert_eq!(run.all(), vec![(40, 65, 6); 4]);
}

#[test]
fn rows_of_another_number_are_refused() {
    let mut s = Session::plain(Params::default());
    let keys = SharedBits::constant(&s, 3, 2, 0);
    let refused = sort(&mut s, "sort", &keys, &Table::empty(4), Method::Auto);
    assert!(matches!(refused, Err(ProtocolError::Shape { left: 3, right: 4, .. })));
}

#[test]
fn one_bit_parts_rows_and_keeps_their_order() {
    let bits = [1, 0, 1, 1, 0, 0, 1];
    let f = |s: &mut Session| {
        let (bit, table) = deal(s, 1, &bits)?;
        let (order, parted) = sort_by_bit(s, "part", &bit, &table)?;
        let back = order.restore(s, "back", &parted)?;
        Ok((
            open_numbers(s, "parted", &parted.columns()[0])?,
            open_numbers(s, "back opened", &back.columns()[0])?,
        ))
    };
    let run = Lab::seeded(1).run(f);
    assert_eq!(run.cost(), Lab::seeded(1).count(f).expect("counting succeeds"));
    let (parted, back) = run.agreed();
    assert_eq!(parted.expect("opened"), [1, 4, 5, 0, 2, 3, 6]);
    assert_eq!(back.expect("opened"), [0, 1, 2, 3, 4, 5, 6]);
}

/// χ² of the opened orders of four rows against the uniform distribution, over fixed seeds.
fn chi_squared(keys: [i128; 4], method: Method, suffix: Suffix) -> f64 {
    let n_runs = 480;
    let mut counts = BTreeMap::new();
    for seed in 0..n_runs {
        let order = Lab::seeded(seed).run(|s| {
            let keys = lab::deal_numbers(s, seed, 3, &keys);
            let rows = match method {
                Method::Radix => radix::sort(s, &keys, &Table::empty(4))?,
                _ => quick::sort(s, &keys, &Table::empty(4), suffix)?,
            };
            Ok(rows.order.opened().expect("values exist").to_vec())
        });
        *counts.entry(order.agreed()).or_insert(0u32) += 1;
    }
    let expected = f64::from(n_runs as u32) / 24.0;
    let missing = f64::from(24 - counts.len() as u32) * expected;
    missing + counts.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum::<f64>()
}

/// Goal: opened outcomes say nothing about the keys. Whatever the keys, the order that all
/// outcomes follow from is uniform: χ² with 23 degrees of freedom stays under 60 (p ≈ 4·10⁻⁵).
#[test]
fn what_is_opened_does_not_depend_on_the_keys() {
    for keys in [[1, 2, 3, 4], [7, 7, 7, 7], [5, 0, 5, 0], [4, 3, 2, 1]] {
        for method in [Method::Quick, Method::Radix] {
            let chi = chi_squared(keys, method, Suffix::RowNumber);
            assert!(chi < 60.0, "{keys:?} by {method:?}: χ² = {chi}");
        }
    }
}

/// The same test sees a sort that leaves equal keys equal.
#[test]
fn keys_without_row_numbers_would_show_which_are_equal() {
    assert!(chi_squared([1, 2, 3, 4], Method::Quick, Suffix::Missing) < 60.0);
    assert!(chi_squared([7, 7, 7, 7], Method::Quick, Suffix::Missing) > 1000.0);
    assert!(chi_squared([5, 0, 5, 0], Method::Quick, Suffix::Missing) > 1000.0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_keys(
        keys in proptest::collection::vec(0i128.., 0..150),
        width in 0usize..=128,
        method in proptest::sample::select(vec![Method::Auto, Method::Quick]),
    ) {
        let run = Lab::seeded(1).run(|s| sorted(s, width, &keys, method)).agreed();
        assert!(run == Some(expected(&keys, width)), "{width} bits by {method:?}");
    }
}

#[test]
fn merged_runs_come_out_as_a_sort_has_them() {
    for (runs, width, distinct) in [
        (vec![], 8, 1),
        (vec![0, 1], 8, 1),
        (vec![1, 1], 1, 2),
        (vec![70, 60], 5, 1),
        (vec![300, 213], 20, 1 << 18),
        (vec![64, 0, 3, 100, 9], 7, 40),
    ] {
        let n = runs.iter().sum();
        let mut keys = keys_of(n, distinct, n as u64);
        let mut rest = keys.as_mut_slice();
        for run in &runs {
            rest.split_off_mut(..*run).expect("a run").sort_unstable();
        }
        let f = |s: &mut Session| {
            let (keys, table) = deal(s, width, &keys)?;
            let merged = merge(s, "merge", &keys, &table, &runs)?;
            opened_rows(s, &table, merged)
        };
        for security in [Security::SemiHonest, Security::Malicious] {
            let lab = Lab::seeded(n as u64).security(security);
            let run = lab.run(f);
            if security == Security::SemiHonest {
                assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
            }
            assert_eq!(run.agreed(), Some(expected(&keys, width)), "{runs:?}, {security:?}");
        }
        assert_eq!(Lab::seeded(0).plain(f).expect("the oracle merges"), Some(expected(&keys, width)));
    }
}
