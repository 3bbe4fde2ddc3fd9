use std::collections::BTreeMap;

use math::{Column, Z64};
use mpc::lab::{self, Lab};
use mpc::{Params, Security, Shared, open, open_bits, verify};

use super::*;

/// A unique side: key, whether it takes part, and a payload.
type Row = (u16, bool, u64);

struct Case {
    /// Of keys.
    width: usize,
    unique: Vec<Row>,
    keys: Vec<(u16, bool)>,
}

/// Of each row: whether it matched, and the payload in bits and in a ring; whether it all is
/// broken; of each unique row, whether it was found.
type Outcome = (Vec<bool>, Vec<u64>, Vec<u64>, bool, Vec<bool>);

fn planes(s: &Session, seed: u64, width: usize, values: impl Iterator<Item = i128>) -> SharedBits {
    lab::deal_numbers(s, seed, width, &values.collect::<Vec<_>>())
}

fn run(s: &mut Session, case: &Case, method: Method) -> Result<Option<Outcome>, ProtocolError> {
    let unique = &case.unique;
    let payload = vec![
        planes(s, 1, 40, unique.iter().map(|row| i128::from(row.2))).into(),
        lab::deal(s, 2, &Column::from_fn(unique.len(), |row| Z64(unique[row].2))).into(),
    ];
    let unique = JoinSide {
        keys: &planes(s, 3, case.width, unique.iter().map(|row| i128::from(row.0))),
        valid: &planes(s, 4, 1, unique.iter().map(|row| i128::from(row.1))),
        payload: &Table::try_new(s, unique.len(), payload)?,
    };
    let keys = planes(s, 5, case.width, case.keys.iter().map(|row| i128::from(row.0)));
    let valid = planes(s, 6, 1, case.keys.iter().map(|row| i128::from(row.1)));
    let found = lookup(s, "lookup", unique, &keys, &valid, method)?;
    let payload = found.payload.into_columns();
    let mut show = |label, bits: &SharedBits| {
        let bits = verify(s, bits.clone())?;
        let bits = open_bits(s, label, bits)?;
        Ok::<_, ProtocolError>(
            bits.map(|bits| (0..bits.n_rows()).map(|row| bits.row(row) as u64).collect::<Vec<_>>()),
        )
    };
    let matched = show("matched", &found.matched)?;
    let bits = show("bits", payload[0].bits().expect("bits"))?;
    let broken = show("broken", &found.broken)?;
    let used = show("used", &found.used)?;
    let ring = verify(s, Shared::<Z64>::try_from(payload[1].clone()).expect("a ring"))?;
    let ring = open(s, "ring", ring)?;
    let (Some(matched), Some(bits), Some(ring), Some(broken), Some(used)) =
        (matched, bits, ring, broken, used)
    else {
        return Ok(None);
    };
    let ring = ring.items().iter().map(|item| item.0).collect();
    let truth = |bits: &[u64]| bits.iter().map(|bit| *bit == 1).collect();
    Ok(Some((truth(&matched), bits, ring, broken == [1], truth(&used))))
}

fn expected(case: &Case) -> Outcome {
    let taking_part = || case.unique.iter().filter(|row| row.1);
    let by_key: BTreeMap<u16, u64> = taking_part().map(|row| (row.0, row.2)).collect();
    let found: Vec<Option<u64>> =
        case.keys.iter().map(|(key, valid)| by_key.get(key).copied().filter(|_| *valid)).collect();
    let payload: Vec<u64> = found.iter().map(|found| found.unwrap_or(0)).collect();
    (
        found.iter().map(Option::is_some).collect(),
        payload.clone(),
        payload,
        by_key.len() < taking_part().count(),
        case.unique.iter().map(|row| row.1 && case.keys.contains(&(row.0, true))).collect(),
    )
}

fn check_each_way(case: &Case) {
    METHODS.iter().for_each(|method| check(case, *method, &Lab::seeded(1)));
}

/// All pairs are compared, or rows are sorted in one of two ways.
const METHODS: [Method; 3] = [Method::Auto, Method::Quick, Method::Radix];

/// `n` unique rows and `m` that look up, some of either not taking part.
fn case(n: usize, m: usize, seed: u8) -> Case {
    let noise = math::Prg::new(&[seed; 16]).permutation(64);
    let unique: Vec<Row> = (0..n)
        .map(|row| (noise[row] as u16, noise[row] % 4 != 1, u64::from(noise[row]) * 0x1_2345_6789))
        .collect();
    let keys = (0..m).map(|row| ((noise[row * 7 % 64] % 50) as u16, row % 5 != 2)).collect();
    Case { width: 6, unique, keys }
}

fn check(case: &Case, method: Method, lab: &Lab) {
    let f = |s: &mut Session| run(s, case, method);
    let outcome = expected(case);
    let real = lab.run(f);
    if method != Method::Quick {
        assert_eq!(real.cost(), lab.count(f).expect("counting succeeds"));
    }
    assert!(real.agreed().as_ref() == Some(&outcome), "{method:?}");
    assert!(lab.plain(f).expect("the oracle joins") == Some(outcome), "{method:?} in clear");
}

#[test]
fn rows_find_the_payload_of_their_key() {
    for (n, m) in [(0, 0), (0, 3), (3, 0), (1, 1), (2, 5), (40, 65), (50, 513)] {
        for method in METHODS {
            check(&case(n, m, (n + m) as u8), method, &Lab::seeded(n as u64));
        }
    }
}

#[test]
fn rows_that_take_no_part_match_nothing() {
    // Key zero looks like a row that is not there, and like the padding.
    let unique = vec![(0, false, 7), (0, false, 8), (3, false, 9)];
    let keys = vec![(0, true), (3, true), (1, true)];
    check_each_way(&Case { width: 6, unique, keys });
    let unique = vec![(5, true, 7), (5, false, 8), (0, false, 9)];
    let keys = vec![(5, true), (5, false), (0, true), (6, true), (4, true)];
    check_each_way(&Case { width: 6, unique, keys });
    let unique = vec![(0, true, 7)];
    check(&Case { width: 6, unique, keys: vec![(0, false); 3] }, Method::Auto, &Lab::seeded(3));
    // Many rows of one key that take no part, whose payloads are no multiple of each other's.
    let unique = vec![(5, false, 1), (5, true, 20), (5, false, 300), (6, false, 4000), (6, false, 50_000)];
    let keys = vec![(6, true), (5, false), (5, true), (7, true), (5, false), (6, false)];
    check_each_way(&Case { width: 6, unique, keys });
}

#[test]
fn a_key_that_comes_twice_is_noticed() {
    for (unique, broken) in [
        (vec![(1, true, 1), (1, true, 2)], true),
        (vec![(9, true, 1), (1, true, 2), (9, true, 3)], true),
        (vec![(1, true, 1), (1, false, 2)], false),
        (vec![(1, false, 1), (1, false, 2)], false),
    ] {
        let case = Case { width: 6, unique, keys: vec![(1, true)] };
        assert_eq!(expected(&case).3, broken);
        for method in METHODS {
            let run = Lab::seeded(1).run(|s| run(s, &case, method)).agreed();
            assert_eq!(run.expect("opened").3, broken);
        }
    }
}

#[test]
fn chunks_and_threads_change_nothing() {
    let case = case(60, 1100, 5);
    let params =
        |threads, in_flight, chunk_rows| Params { threads, in_flight, chunk_rows, ..Params::default() };
    for params in [vec![params(1, 1, 512)], vec![params(3, 4, 1024), params(1, 1, 1024), params(2, 8, 1024)]]
    {
        check(&case, Method::Auto, &Lab::seeded(1).params(&params));
        check(&case, Method::Radix, &Lab::seeded(1).params(&params));
    }
}

#[test]
fn observers_follow_shapes_and_misfits_are_refused() {
    let case = case(5, 9, 1);
    let all = Lab::seeded(1).parties(4).run(|s| run(s, &case, Method::Auto)).all();
    assert_eq!((all[0].is_some(), all[3].is_some()), (true, false));

    let s = &mut Session::plain(Params::default());
    let bits = |s: &Session, n, width| SharedBits::constant(s, n, width, 0);
    let (keys, valid, payload) = (bits(s, 3, 4), bits(s, 3, 1), Table::empty(3));
    let side = JoinSide { keys: &keys, valid: &valid, payload: &payload };
    let (other, other_valid) = (bits(s, 2, 5), bits(s, 2, 1));
    let refused = lookup(s, "lookup", side, &other, &other_valid, Method::Auto);
    assert!(matches!(refused, Err(ProtocolError::Shape { left: 5, right: 4, .. })));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_tables(
        unique in proptest::collection::btree_map(0u16..64, (proptest::bool::ANY, 0u64..1 << 40), 0..30),
        keys in proptest::collection::vec((0u16..64, proptest::bool::ANY), 0..40),
        backwards in proptest::bool::ANY,
        sorted in proptest::bool::ANY,
    ) {
        let mut unique: Vec<Row> = unique.into_iter().map(|(key, (valid, payload))| (key, valid, payload)).collect();
        if backwards {
            unique.reverse();
        }
        let case = Case { width: 6, unique, keys };
        check(&case, if sorted { Method::Quick } else { Method::Auto }, &Lab::seeded(1));
    }
}

#[test]
fn members_of_a_set_are_found_however_often_they_are_in_it() {
    for (n_set, n) in [(0, 3), (3, 0), (1, 1), (5, 9), (64, 130), (300, 40)] {
        let set: Vec<(u16, bool)> = (0..n_set).map(|row| (row as u16 * 5 % 23, row % 3 != 1)).collect();
        let keys: Vec<(u16, bool)> = (0..n).map(|row| (row as u16 * 7 % 29, row % 4 != 1)).collect();
        let expected: Vec<u64> =
            keys.iter().map(|(key, valid)| u64::from(*valid && set.contains(&(*key, true)))).collect();
        for method in METHODS {
            let f = |s: &mut Session| {
                let deal = |seed, rows: &[(u16, bool)]| {
                    let keys = planes(s, seed, 5, rows.iter().map(|row| row.0.into()));
                    (keys, planes(s, seed + 1, 1, rows.iter().map(|row| row.1.into())))
                };
                let ((set, set_valid), (keys, valid)) = (deal(1, &set), deal(3, &keys));
                let found = member(s, "member", (&set, &set_valid), &keys, &valid, method)?;
                let found = verify(s, found)?;
                let found = open_bits(s, "found", found)?;
                Ok(found.map(|bits| (0..bits.n_rows()).map(|row| bits.row(row) as u64).collect::<Vec<_>>()))
            };
            let run = Lab::seeded(5).run(f);
            if method != Method::Quick {
                assert_eq!(run.cost(), Lab::seeded(5).count(f).expect("counting succeeds"));
            }
            assert_eq!(run.agreed().expect("opened"), expected, "{n_set} and {n}, {method:?}");
        }
    }
}

/// Sides by key, of one key the rows that take part first: enough of them that pairs do not pay.
fn case_in_order() -> Case {
    let mut unique: Vec<Row> =
        (0..4200_u32).map(|row| ((row % 60) as u16, row < 45, u64::from(row) * 0x1_2345_6789)).collect();
    unique.sort_by_key(|row| (row.0, !row.1));
    let mut keys: Vec<(u16, bool)> = (0..4100_u32).map(|row| ((row * 7 % 64) as u16, row % 5 != 2)).collect();
    keys.sort_by_key(|row| (row.0, !row.1));
    Case { width: 60, unique, keys }
}

/// A lab whose parties take their links for long ones, so that a network's few rounds pay.
fn far_apart(security: Security) -> Lab {
    let link = net::LinkProfile { delay: std::time::Duration::from_millis(75), ..net::LinkProfile::INSTANT };
    Lab::seeded(1).params(&[Params::over(link, 2)]).security(security)
}

#[test]
fn sides_that_come_in_order_are_merged() {
    let case = case_in_order();
    for security in [Security::SemiHonest, Security::Malicious] {
        let lab = far_apart(security);
        let merged = lab.run(|s| run(s, &case, Method::Merge));
        let (rounds, sorted) = (merged.cost().rounds, lab.count(|s| run(s, &case, Method::Quick)));
        assert!(rounds * 5 < sorted.expect("counting succeeds").rounds * 4, "{rounds} rounds");
        assert!(merged.agreed() == Some(expected(&case)), "{security:?}");
    }
    check(&case, Method::Merge, &far_apart(Security::SemiHonest));
}

/// An owner whose rows do not come in order could make matches disappear.
#[test]
fn malicious_sessions_notice_sides_that_do_not_come_in_order() {
    for side in 0..2 {
        let mut case = case_in_order();
        match side {
            0 => case.unique.swap(40, 4100),
            _ => case.keys.swap(0, 4099),
        }
        let run = far_apart(Security::Malicious).run(|s| run(s, &case, Method::Merge));
        let says = |outcome: &Result<_, ProtocolError>| {
            matches!(outcome, Err(ProtocolError::PeerDeviated { deviation: mpc::Deviation::OutOfOrder, .. }))
        };
        assert!(run.outcomes.iter().any(says), "side {side}");
        assert!(run.outcomes.iter().all(Result::is_err), "side {side}");
    }
}
