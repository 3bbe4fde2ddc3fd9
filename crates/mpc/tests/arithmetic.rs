//! Each step against plaintext, with its exact price.

use math::{Column, Planes, Ring, X64, Z8, Z16, Z32, Z64, Z128};
use mpc::lab::{self, Lab};
use mpc::{Params, ProtocolError, Security, Session, Shared};
use net::PartyId;

/// Sizes that meet every edge: none, one, odd, a word's, a cache line's and a chunk's boundary.
const SIZES: [usize; 8] = [0, 1, 5, 64, 65, 511, 512, 1300];

fn column<R: Ring>(n: usize, seed: u128) -> Column<R> {
    Column::from_fn(n, |row| {
        let mixed = (row as u128 + seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        R::from_word(match row % 5 {
            0 => u128::MAX,
            1 => 1 << (R::BITS - 1),
            2 => 0,
            _ => mixed ^ mixed >> 67,
        })
    })
}

fn bits(n: usize, width: usize, seed: u128) -> Planes {
    math::pack::planes(&column::<Z128>(n, seed), width)
}

fn rows(planes: &Planes) -> Vec<u128> {
    (0..planes.n_rows()).map(|row| planes.row(row)).collect()
}

/// Runs `f` in the lab, in clear and counting: equal answers at the price counted. `rounds` are
/// those of a semi-honest session and of a malicious one, if it can run there.
fn check<T: PartialEq + std::fmt::Debug + Send>(
    n_parties: usize,
    rounds: (u32, Option<u32>),
    f: impl Fn(&mut Session) -> Result<Option<T>, ProtocolError> + Sync,
) -> T {
    let semi_honest = (Security::SemiHonest, Some(rounds.0));
    let plain = Lab::seeded(7).plain(&f).expect("the oracle succeeds").expect("the oracle has values");
    for (security, rounds) in [semi_honest, (Security::Malicious, rounds.1)] {
        let Some(rounds) = rounds else { continue };
        let lab = Lab::seeded(7).parties(n_parties).security(security);
        let run = lab.run(&f);
        let cost = lab.count(&f).expect("counting succeeds");
        assert_eq!(run.cost(), cost, "the price counted is the price paid");
        assert_eq!(run.rounds, rounds, "{security:?}");
        let opened: Vec<T> = run.all().into_iter().flatten().collect();
        assert!(!opened.is_empty());
        for value in opened {
            assert_eq!(value, plain, "{security:?}");
        }
    }
    plain
}

/// No proof covers products in rings yet.
const RING: Option<u32> = None;

fn products<R: Ring>() {
    for n in SIZES {
        let (x, y) = (column::<R>(n, 1), column::<R>(n, 2));
        let got = check(3, (2, RING), |s| {
            let (x, y) = (lab::deal(s, 1, &x), lab::deal(s, 2, &y));
            let z = mpc::mul(s, "mul", &x, &y)?;
            let z = mpc::verify(s, z)?;
            Ok(mpc::open(s, "open", z)?.map(|z| z.items().to_vec()))
        });
        let want: Vec<R> = x.items().iter().zip(y.items()).map(|(x, y)| x.times(*y)).collect();
        assert_eq!(got, want);

        let got = check(3, (2, RING), |s| {
            let (x, y) = (lab::deal(s, 1, &x), lab::deal(s, 2, &y));
            let pairs = mpc::mul_many(s, "many", &[(&x, &y), (&x, &x)])?;
            let z = pairs[0].sub(&pairs[1]);
            let z = mpc::verify(s, z)?;
            Ok(mpc::open(s, "open", z)?.map(|z| z.items().to_vec()))
        });
        let want: Vec<R> =
            x.items().iter().zip(y.items()).map(|(x, y)| x.times(*y).minus(x.times(*x))).collect();
        assert_eq!(got, want);

        let got = check(3, (2, RING), |s| {
            let (x, y) = (lab::deal(s, 1, &x), lab::deal(s, 2, &y));
            let z = mpc::inner_product(s, "inner", &x, &y)?;
            let z = mpc::verify(s, z)?;
            Ok(mpc::open(s, "open", z)?.map(|z| z.items().to_vec()))
        });
        let want = x.items().iter().zip(y.items()).fold(R::ZERO, |sum, (x, y)| sum.plus(x.times(*y)));
        assert_eq!(got, [want]);
    }
}

#[test]
fn products_agree_with_plaintext_in_every_ring() {
    products::<Z8>();
    products::<Z16>();
    products::<Z32>();
    products::<Z64>();
    products::<Z128>();
}

#[test]
fn a_matrix_product_sends_its_result_only() {
    // The second one is cut into pieces of rows, one for each thread.
    for [rows, inner, columns] in [[3, 5, 2], [131, 4, 7]] {
        let (x, y) = (column::<Z64>(rows * inner, 3), column::<Z64>(inner * columns, 4));
        let f = |s: &mut Session| {
            let (x, y) = (lab::deal(s, 1, &x), lab::deal(s, 2, &y));
            let z = mpc::matmul(s, "matmul", &x, &y, [rows, inner, columns])?;
            let z = mpc::verify(s, z)?;
            Ok(mpc::open(s, "open", z)?.map(|z| z.items().to_vec()))
        };
        let got = check(3, (2, RING), f);
        for row in 0..rows {
            for col in 0..columns {
                let want = (0..inner).fold(Z64(0), |sum, k| {
                    math::Group::plus(sum, x.items()[row * inner + k].times(y.items()[k * columns + col]))
                });
                assert_eq!(got[row * columns + col], want);
            }
        }
        // The product and its opening.
        assert_eq!(Lab::seeded(1).run(f).bytes_sent, [2 * 8 * (rows * columns) as u64; 3]);
    }
}

#[test]
fn and_agrees_with_plaintext_and_a_bit_costs_a_bit() {
    for n in SIZES {
        let (x, y, bit) = (bits(n, 13, 1), bits(n, 13, 2), bits(n, 1, 3));
        let got = check(3, (2, Some(if n == 0 { 2 } else { 6 })), |s| {
            let (x, y, bit) =
                (lab::deal_bits(s, 1, &x), lab::deal_bits(s, 2, &y), lab::deal_bits(s, 3, &bit));
            let all = mpc::and_many(s, "and", &[(&x, &y), (&bit, &x), (&y, &bit)])?;
            let all = mpc::SharedBits::stack(&all.iter().collect::<Vec<_>>()).not(s);
            let all = mpc::verify(s, all)?;
            Ok(mpc::open_bits(s, "open", all)?.map(|all| rows(&all)))
        });
        for (row, got) in got.into_iter().enumerate() {
            let (x, y, bit) = (x.row(row), y.row(row), if bit.bit(row, 0) { 0x1fff } else { 0 });
            assert_eq!(!got & 0x7f_ffff_ffff, x & y | (x & bit) << 13 | (y & bit) << 26);
        }
    }
    let run = Lab::seeded(1).run(|s| {
        let x = lab::deal_bits(s, 1, &bits(4096, 10, 1));
        mpc::and(s, "and", &x, &x)
    });
    assert_eq!(run.bytes_sent, [4096 * 10 / 8; 3]);
}

#[test]
fn anybody_can_give_and_anybody_can_learn() {
    let (numbers, flags) = (column::<Z32>(700, 5), bits(700, 3, 6));
    for owner in 0..5 {
        for recipient in 0..5 {
            let (owner, recipient) = (PartyId::from_index(owner), PartyId::from_index(recipient));
            let (want_numbers, want_flags) = (numbers.items().to_vec(), rows(&flags));
            let f = |s: &mut Session| {
                let mine = s.me() == owner || s.n_parties() == 1;
                let numbers = mpc::input(s, "numbers", owner, 700, mine.then_some(&numbers))?;
                let flags = mpc::input_bits(s, "flags", owner, [700, 3], mine.then_some(&flags))?;
                let (numbers, flags) = (mpc::verify(s, numbers)?, mpc::verify(s, flags)?);
                let numbers = mpc::open_to(s, "to", recipient, numbers)?;
                let flags = mpc::open_bits_to(s, "bits to", recipient, flags)?;
                Ok(numbers.map(|n| n.items().to_vec()).zip(flags.map(|f| rows(&f))))
            };
            for security in [Security::SemiHonest, Security::Malicious] {
                let lab = Lab::seeded(3).parties(5).security(security);
                let run = lab.run(f);
                assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
                for (party, outcome) in run.all().into_iter().enumerate() {
                    let want =
                        (party == recipient.index()).then(|| (want_numbers.clone(), want_flags.clone()));
                    assert_eq!(outcome, want, "party {party}");
                }
            }
        }
    }
}

#[test]
fn conversions_that_cost_nothing_add_up() {
    for n in SIZES {
        let x = column::<Z64>(n, 9);
        let bit = bits(n, 1, 10);
        check(3, (2, Some(2)), |s| {
            let shared = lab::deal(s, 1, &x);
            let [a, b, c] = mpc::SharedBits::split(s, &shared, 64);
            let [a, b, c] = [a, b, c].map(|summand| mpc::verify(s, summand).expect("outside chunks"));
            let ((a, b), c) = s.join(
                |s| Ok((mpc::open_bits(s, "a", a)?, mpc::open_bits(s, "b", b)?)),
                |s| mpc::open_bits(s, "c", c),
            )?;
            let (Some(a), Some(b), Some(c)) = (a, b, c) else { return Ok(None) };
            for row in 0..n {
                let sum = (a.row(row) as u64).wrapping_add(b.row(row) as u64).wrapping_add(c.row(row) as u64);
                assert_eq!(sum, x.items()[row].0);
            }
            Ok(Some(()))
        });
        check(3, (3, Some(3)), |s| {
            let shared = lab::deal_bits(s, 1, &bit);
            let lifted = shared.lift::<Z16>(s).map(|part| mpc::verify(s, part).expect("outside chunks"));
            let [a, b, c] = lifted;
            let a = mpc::open(s, "a", a)?;
            let b = mpc::open(s, "b", b)?;
            let c = mpc::open(s, "c", c)?;
            let (Some(a), Some(b), Some(c)) = (a, b, c) else { return Ok(None) };
            for row in 0..n {
                let [a, b, c] = [&a, &b, &c].map(|part| part.items()[row].0);
                assert!(a <= 1 && b <= 1 && c <= 1);
                assert_eq!((a ^ b ^ c) == 1, bit.bit(row, 0));
            }
            Ok(Some(()))
        });
    }
}

#[test]
fn a_boolean_number_becomes_arithmetic() {
    // The caller's circuit is left out: with x = z_1 + z_2 the difference is zero.
    let f = |s: &mut Session| {
        let masks = mpc::word_masks::<Z64>(s, "masks", 100)?;
        let zero = mpc::SharedBits::constant(s, 100, 64, 0);
        let shown = masks.bits.each_ref().map(|bits| mpc::verify(s, bits.clone()).expect("outside chunks"));
        let zero = mpc::verify(s, zero)?;
        let x = mpc::word_finish(s, masks, zero)?;
        let x = mpc::verify(s, x)?;
        let x = mpc::open(s, "x", x)?;
        let [a, b] = shown;
        let (a, b) = (mpc::open_bits(s, "a", a)?, mpc::open_bits(s, "b", b)?);
        let (Some(x), Some(a), Some(b)) = (x, a, b) else { return Ok(None) };
        for row in 0..100 {
            assert_eq!(x.items()[row].0, (a.row(row) as u64).wrapping_add(b.row(row) as u64));
        }
        Ok(Some(()))
    };
    for security in [Security::SemiHonest, Security::Malicious] {
        let lab = Lab::seeded(5).security(security);
        assert_eq!(lab.run(f).cost(), lab.count(f).expect("counting succeeds"));
        lab.plain(f).expect("the oracle succeeds");
    }
}

#[test]
fn zero_is_told_from_everything_else() {
    for (values, fine) in
        [(vec![0u64; 40], true), (vec![0, 0, 1], false), (vec![1 << 63], false), (vec![], true)]
    {
        let x = Column::from_fn(values.len(), |row| X64(values[row]));
        let f = |s: &mut Session| {
            let x: Shared<X64> = lab::deal(s, 1, &x);
            let x = mpc::verify(s, x)?;
            mpc::check_zero(s, "zero", x)
        };
        for security in [Security::SemiHonest, Security::Malicious] {
            let lab = Lab::seeded(2).security(security);
            let run = lab.run(f);
            if fine {
                assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
                run.all();
            } else {
                let deviated = |out: &Result<_, _>| matches!(out, Err(ProtocolError::PeerDeviated { .. }));
                assert!(run.outcomes.iter().any(deviated));
                assert!(run.outcomes.iter().all(Result::is_err));
            }
        }
    }
}

#[test]
fn a_step_runs_once() {
    let run = Lab::seeded(1).run(|s| {
        let x = lab::deal(s, 1, &column::<Z8>(3, 1));
        mpc::mul(s, "twice", &x, &x)?;
        mpc::mul(s, "twice", &x, &x)
    });
    // Whoever is first stops the session, which may reach another in its first product.
    let stopped = |out: &Result<_, ProtocolError>| out.as_ref().is_err_and(ProtocolError::is_remote_abort);
    let reused = |out: &Result<_, _>| matches!(out, Err(ProtocolError::StepReused { .. }));
    assert!(run.outcomes.iter().all(|out| reused(out) || stopped(out)));
    assert!(run.outcomes.iter().any(reused));
}

#[test]
fn shapes_must_match_and_chunks_cannot_open() {
    let run = Lab::seeded(1).run(|s| {
        let (x, y) = (lab::deal(s, 1, &column::<Z8>(3, 1)), lab::deal(s, 2, &column::<Z8>(4, 1)));
        mpc::mul(s, "odd", &x, &y)
    });
    assert!(
        run.outcomes.iter().all(|out| matches!(out, Err(ProtocolError::Shape { left: 3, right: 4, .. })))
    );
    let run = Lab::seeded(1).run(|s| {
        s.chunks("work", 10, |s, _| {
            let x = lab::deal(s, 1, &column::<Z8>(3, 1));
            let x = mpc::verify(s, x)?;
            mpc::open(s, "open", x)
        })
    });
    assert!(run.outcomes.iter().all(|out| matches!(out, Err(ProtocolError::OpenInChunk { .. }))));
}

#[test]
fn forks_end_alike_for_every_number_of_threads_and_chunk_size() {
    let (x, y) = (bits(5000, 9, 1), bits(5000, 9, 2));
    let f = |s: &mut Session| {
        let (x, y) = (lab::deal_bits(s, 1, &x), lab::deal_bits(s, 2, &y));
        let parts = s.chunks("outer", 5000, |s, rows| {
            let (x, y) = (x.rows(rows.clone()), y.rows(rows.clone()));
            let inner = s.chunks("inner", rows.len(), |s, rows| {
                let (x, y) = (x.rows(rows.clone()), y.rows(rows));
                let (a, b) = s.join(|s| mpc::and(s, "a", &x, &y), |s| mpc::and(s, "b", &x, &x))?;
                mpc::and(s, "c", &a, &b)
            })?;
            Ok(mpc::SharedBits::concat(&inner.iter().collect::<Vec<_>>()))
        })?;
        let all = mpc::SharedBits::concat(&parts.iter().collect::<Vec<_>>());
        let all = mpc::verify(s, all)?;
        Ok(mpc::open_bits(s, "open", all)?.map(|all| rows(&all)))
    };
    let want: Vec<u128> = (0..5000).map(|row| x.row(row) & y.row(row)).collect();
    for chunk_rows in [512, 2048, 1 << 15] {
        for threads in [[1, 1, 1], [2, 2, 2], [8, 8, 8], [1, 2, 8]] {
            let params = threads.map(|threads| Params {
                threads,
                in_flight: 2 * threads,
                chunk_rows,
                ..Params::default()
            });
            let lab = Lab::seeded(4).params(&params);
            let run = lab.run(f);
            assert_eq!(run.cost(), lab.count(f).expect("counting succeeds"));
            assert_eq!(run.agreed(), Some(want.clone()));
        }
    }
}
