//! Truncation within one unit, lookups and inner products of bits: right, priced, and masked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use buf::Buf;
use math::{Column, Group, Planes, Ring, Z8, Z32, Z64};
use mpc::lab::{self, Lab};
use mpc::{ProtocolError, Security, Session, Shared, SharedBits, SharedRows};
use net::{Interceptor, PartyId, Tag, Verdict};

const SIZES: [usize; 5] = [0, 1, 63, 512, 1300];

fn opened<R: Ring>(s: &mut Session, x: Shared<R>) -> Result<Vec<i128>, ProtocolError> {
    let x = mpc::verify(s, x)?;
    Ok(mpc::open(s, "open", x)?.map_or(Vec::new(), |x| lab::signed(&x)))
}

/// Runs everywhere, and compares what a run costs with what counting says.
fn run(f: impl Fn(&mut Session) -> Result<Vec<i128>, ProtocolError> + Sync) -> Vec<i128> {
    let run = Lab::seeded(5).run(&f);
    assert_eq!(Lab::seeded(5).count(&f).expect("counting succeeds"), run.cost());
    run.agreed()
}

fn spread<R: Ring>(n: usize, seed: u128, bits: u32) -> Column<R> {
    // Any number of `bits` bits, as a signed one.
    Column::from_fn(n, |row| {
        let word = (row as u128 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 40;
        R::from_signed(((word << (128 - bits)) as i128) >> (128 - bits))
    })
}

fn neighbours(got: &[i128], exact: &[i128], m: usize) {
    assert_eq!(got.len(), exact.len());
    for (got, exact) in got.iter().zip(exact) {
        assert!([exact >> m, (exact >> m) + 1].contains(got), "{exact} by 2^{m} gives {got}");
    }
}

fn truncates<R: Ring>(shifts: &[usize]) {
    let edge = 1i128 << (R::BITS - 2);
    for n in SIZES {
        let mut values = spread::<R>(n, 3, R::BITS - 1).items().to_vec();
        let edges = [0, 1, -1, edge - 1, -edge, 1 - edge].map(R::from_signed);
        values.iter_mut().skip(1).zip(edges).for_each(|(value, edge)| *value = edge);
        let values = Column::new(&values);
        for &m in shifts {
            let got = run(|s| {
                let x = lab::deal(s, 9, &values);
                let y = mpc::trunc_1ulp(s, "trunc", &x, m)?;
                opened(s, y)
            });
            neighbours(&got, &lab::signed(&values), m);
        }
    }
}

#[test]
fn a_neighbour_of_the_quotient_in_every_ring() {
    truncates::<Z8>(&[1, 3, 6]);
    truncates::<Z32>(&[1, 16, 30]);
    truncates::<Z64>(&[1, 24, 62]);
}

/// Both neighbours come out, in the proportion of the fraction.
#[test]
fn the_error_of_truncation_has_no_bias() {
    let n = 1 << 15;
    let values = Column::filled(n, Z64(5 << 20 | 3 << 18));
    let got = run(|s| {
        let x = lab::deal(s, 9, &values);
        let y = mpc::trunc_1ulp(s, "trunc", &x, 20)?;
        opened(s, y)
    });
    let sum: i128 = got.iter().sum();
    // 5.75 each; the deviation of the sum is below 80.
    let expected = 5 * n as i128 + 3 * n as i128 / 4;
    assert!((sum - expected).abs() < 400, "{sum} against {expected}");
}

#[test]
fn fixed_point_products_and_their_sums() {
    for n in SIZES {
        let (x, y) = (spread::<Z64>(n, 1, 31), spread::<Z64>(n, 2, 30));
        let plus = spread::<Z64>(n, 4, 60);
        let got = run(|s| {
            let (x, y, plus) = (lab::deal(s, 1, &x), lab::deal(s, 2, &y), lab::deal(s, 3, &plus));
            let one = mpc::dot_trunc_1ulp(s, "one", &[(&x, &y)], None, 24)?;
            let two = mpc::dot_trunc_1ulp(s, "two", &[(&x, &y), (&y, &y)], Some(&plus), 7)?;
            opened(s, Shared::concat(&[&one, &two]))
        });
        let exact = |row: usize| {
            let [x, y, plus] = [&x, &y, &plus].map(|column| column.items()[row].signed());
            (x * y, x * y + y * y + plus)
        };
        neighbours(&got[..n], &(0..n).map(|row| exact(row).0).collect::<Vec<_>>(), 24);
        neighbours(&got[n..], &(0..n).map(|row| exact(row).1).collect::<Vec<_>>(), 7);
    }
}

#[test]
fn a_product_costs_three_rounds() {
    let n = 100;
    let cost = Lab::seeded(1)
        .count(|s| {
            let x = Shared::<Z64>::constant(s, n, Z64(1));
            mpc::dot_trunc_1ulp(s, "product", &[(&x, &x)], None, 24)
        })
        .expect("counting succeeds");
    assert_eq!((cost.rounds, cost.bytes_sent), (3, vec![900, 1600, 1600]));
    let cost = Lab::seeded(1)
        .count(|s| {
            let x = Shared::<Z64>::constant(s, n, Z64(1));
            mpc::trunc_1ulp(s, "trunc", &x, 24)
        })
        .expect("counting succeeds");
    assert_eq!((cost.rounds, cost.bytes_sent), (2, vec![900, 800, 800]));
}

#[test]
fn entries_of_tables_of_every_size() {
    for width in 0..=8 {
        for n in [0, 1, 65, 700] {
            let index: Vec<i128> = (0..n as i128).map(|row| row * 11 % (1 << width)).collect();
            let tables: Vec<Vec<Z64>> =
                (1..3).map(|seed| spread::<Z64>(1 << width, seed, 64).items().to_vec()).collect();
            let got = run(|s| {
                let index = lab::deal_numbers(s, 4, width, &index);
                let tables: Vec<&[Z64]> = tables.iter().map(Vec::as_slice).collect();
                let found = mpc::lookup(s, "lookup", &index, &tables)?;
                opened(s, Shared::concat(&[&found[0], &found[1]]))
            });
            for (at, got) in got.iter().enumerate() {
                let table = &tables[at / n.max(1)];
                assert_eq!(*got, table[index[at % n] as usize].signed(), "{n} rows, {width} bits");
            }
        }
    }
}

#[test]
fn tables_and_columns_of_other_sizes_are_refused() {
    let refused = Lab::seeded(1).plain(|s| {
        let index = SharedBits::constant(s, 3, 2, 1);
        mpc::lookup(s, "lookup", &index, &[&[Z64(0); 5]])
    });
    assert!(matches!(refused, Err(ProtocolError::Shape { left: 4, right: 5, .. })));
    let refused = Lab::seeded(1).plain(|s| {
        let (x, y) = (Shared::constant(s, 3, Z64(1)), Shared::constant(s, 4, Z64(1)));
        mpc::dot_trunc_1ulp(s, "product", &[(&x, &y)], None, 24)
    });
    assert!(matches!(refused, Err(ProtocolError::Shape { left: 3, right: 4, .. })));
    let refused = Lab::seeded(1).plain(|s| {
        let (x, y) = (SharedBits::constant(s, 3, 2, 1), SharedBits::constant(s, 3, 1, 1));
        mpc::bit_dot(s, "dot", &[&[(&x, &y)]])
    });
    assert!(matches!(refused, Err(ProtocolError::Shape { left: 2, right: 1, .. })));
}

#[test]
fn inner_products_of_bits() {
    for n in SIZES {
        let rows = |seed: u128| -> Vec<i128> {
            spread::<Z64>(n, seed, 11).items().iter().map(|item| item.signed()).collect()
        };
        let (x, y) = (rows(1), rows(2));
        let got = run(|s| {
            let (x, y) = (lab::deal_numbers(s, 1, 11, &x), lab::deal_numbers(s, 2, 11, &y));
            let dots = {
                let [low, high] = [0..3, 3..11].map(|planes| (x.planes(planes.clone()), y.planes(planes)));
                mpc::bit_dot(s, "dot", &[&[(&low.0, &low.1), (&high.0, &high.1)], &[(&low.0, &low.1)]])?
            };
            let dots = mpc::verify(s, dots)?;
            Ok(mpc::open_bits(s, "open", dots)?
                .map_or(Vec::new(), |dots: Planes| (0..n).map(|row| dots.row(row) as i128).collect()))
        });
        for (row, got) in got.iter().enumerate() {
            let both = x[row] & y[row];
            let [all, low] = [0x7ff, 7].map(|mask| i128::from((both & mask).count_ones() % 2));
            assert_eq!(*got, all | low << 1);
        }
    }
}

/// No check covers these steps, so malicious sessions do without.
#[test]
fn malicious_sessions_refuse_what_nobody_checks() {
    let lab = Lab::seeded(1).security(Security::Malicious);
    let refused = [
        lab.plain(|s| {
            let x = Shared::constant(s, 3, Z64(1));
            mpc::trunc_1ulp(s, "trunc", &x, 1).map(drop)
        }),
        lab.plain(|s| {
            let x = Shared::constant(s, 3, Z64(1));
            mpc::dot_trunc_1ulp(s, "product", &[(&x, &x)], None, 1).map(drop)
        }),
        lab.plain(|s| {
            let index = SharedBits::constant(s, 3, 1, 1);
            mpc::lookup(s, "lookup", &index, &[&[Z64(0); 2]]).map(drop)
        }),
        lab.plain(|s| {
            let rows = SharedRows::of(s, &[SharedBits::constant(s, 3, 1, 1)]);
            mpc::compare_digits(s, "compare", &rows, &[0, 1], &[1, 2], 1).map(drop)
        }),
    ];
    assert!(refused.iter().all(|r| matches!(r, Err(ProtocolError::Unsupported { .. }))), "{refused:?}");
}

/// Every message, by receiver, step and sender.
#[derive(Default)]
struct Wiretap(Mutex<BTreeMap<(usize, Tag, usize), Vec<u8>>>);

impl Interceptor for Wiretap {
    fn message(&self, from: PartyId, to: PartyId, tag: Tag, payload: &mut Buf) -> Verdict {
        let mut heard = self.0.lock().expect("no test panics while it listens");
        heard.insert((to.index(), tag, from.index()), payload.bytes().to_vec());
        Verdict::Deliver
    }
}

/// For inputs that are the same in every row, what a party sees is uniform, alone and in pairs:
/// the lowest and top bit of each message it receives and of each share of the result that it
/// draws. A mask left out, used twice, or known to the receiver shows as a constant.
fn masked(name: &str, f: impl Fn(&mut Session, usize) -> Result<Vec<Shared<Z64>>, ProtocolError> + Sync) {
    let n = 1 << 14;
    let tap = Arc::new(Wiretap::default());
    let lab = Lab::seeded(7).intercepted(Arc::clone(&tap) as Arc<dyn Interceptor>);
    let held: Vec<_> = lab.run(|s| f(s, n)).all();
    let heard = tap.0.lock().expect("no test panics while it listens");
    for (party, held) in held.iter().enumerate() {
        let mut bits: Vec<Vec<u8>> = Vec::new();
        let mut add = |bytes: &[u8]| {
            let width = bytes.len() / n;
            let significant = if width == 1 { vec![0] } else { vec![0, 8 * width - 1] };
            for bit in significant {
                bits.push((0..n).map(|row| bytes[row * width + bit / 8] >> (bit % 8) & 1).collect());
            }
        };
        heard.iter().filter(|((to, ..), _)| *to == party).for_each(|(_, bytes)| add(bytes));
        for shared in held {
            // y_1 comes by messages; the others are drawn.
            let parts = lab::parts_of(shared);
            let drawn = [(0, 0), (1, 1), (2, 0), (2, 1)].into_iter().filter(|(of, _)| *of == party);
            drawn.for_each(|(_, part)| add(parts[part].bytes().bytes()));
        }
        for a in 0..bits.len() {
            for b in 0..=a {
                let both = bits[a].iter().zip(&bits[b]);
                let ones = both.filter(|(x, y)| if a == b { **x == 1 } else { x != y }).count();
                // Six deviations of a fair coin.
                assert!(
                    ones.abs_diff(n / 2) < 384,
                    "{name}: bits {a} and {b} that party {party} sees: {ones} of {n}"
                );
            }
        }
    }
}

#[test]
fn what_the_parties_see_is_masked() {
    masked("trunc", |s, n| {
        let x = Shared::constant(s, n, Z64(12345 << 20));
        Ok(vec![mpc::trunc_1ulp(s, "trunc", &x, 20)?])
    });
    masked("product", |s, n| {
        let x = Shared::constant(s, n, Z64(12345).negated());
        Ok(vec![mpc::dot_trunc_1ulp(s, "product", &[(&x, &x)], Some(&x), 9)?])
    });
    masked("lookup", |s, n| {
        let index = SharedBits::constant(s, n, 6, 43);
        let table: Vec<Z64> = (0..64).map(Z64).collect();
        mpc::lookup(s, "lookup", &index, &[&table, &table])
    });
}
