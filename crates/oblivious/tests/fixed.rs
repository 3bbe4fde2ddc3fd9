//! Functions of fixed-point numbers: within what they state, everywhere, at the price counted.

mod survey;

use math::{Column, Format, Z64};
use mpc::lab::{self, Lab};
use mpc::{ProtocolError, Security, Session};
use oblivious::fixed::{self, Fixed, Rounding};
use survey::{Subject, subjects};

const D: Format = Format::DEFAULT;
const WIDE: Format = Format { fraction: 24, width: 60 };

fn surveyed(subject: &Subject, rounding: Rounding, n: usize) {
    let raw = survey::arguments(subject, n);
    let lab = survey::lab();
    let shared = lab.run(|s| survey::run(s, subject, &raw, rounding)).agreed();
    let plain = lab.plain(|s| survey::run(s, subject, &raw, rounding)).expect("a plain run succeeds");
    let name = subject.name;
    for results in [&shared, &plain] {
        let worst = survey::check(subject, &raw, results);
        let (ulps, at) = (worst.ulps, &worst.at);
        let formats = (subject.from, subject.out);
        assert!(worst.part <= 1.0, "{name}, {formats:?}, {rounding:?}: {ulps} ulp at {at:?}");
    }
    if rounding == Rounding::Floor {
        for (shared, plain) in shared.iter().zip(&plain) {
            let same = shared.1 == plain.1 && (!shared.1 || shared == plain);
            assert!(same, "{name}: one result in every session");
        }
    }
}

#[test]
fn functions_keep_to_their_stated_error() {
    for subject in subjects() {
        surveyed(&subject, Rounding::OneUlp, 4000);
    }
}

#[test]
fn rounding_down_gives_one_result_in_every_session() {
    for subject in subjects() {
        surveyed(&subject, Rounding::Floor, 300);
    }
}

/// The form for malicious sessions is the one that rounds down, with the same results.
#[test]
fn malicious_sessions_round_down() {
    for subject in subjects().into_iter().filter(|subject| subject.from == D && subject.out == D) {
        let raw = survey::arguments(&subject, 100);
        let compute = |s: &mut Session| survey::run(s, &subject, &raw, Rounding::of(s));
        let malicious = survey::lab().security(Security::Malicious);
        let expected =
            survey::lab().plain(|s| survey::run(s, &subject, &raw, Rounding::Floor)).expect("a plain run");
        let got = malicious.run(compute).agreed();
        assert!(got.iter().zip(&expected).all(|(a, b)| a.1 == b.1 && (!a.1 || a == b)), "{}", subject.name);
    }
    assert_eq!(survey::lab().plain(|s| Ok(Rounding::of(s))).expect("a session"), Rounding::OneUlp);
}

/// No rows, one, a few, one more than a chunk: as counted, to the byte.
#[test]
fn functions_cost_what_counting_says() {
    for subject in subjects().into_iter().filter(|subject| subject.from == D) {
        for rounding in [Rounding::OneUlp, Rounding::Floor] {
            for n in [0, 1, 100, 513] {
                let raw: Vec<Vec<i64>> = (0..subject.arguments as i64)
                    .map(|column| (0..n as i64).map(|row| (row + 1) << (20 + column)).collect())
                    .collect();
                let f = |s: &mut Session| survey::run(s, &subject, &raw, rounding);
                let run = Lab::seeded(5).run(f);
                let cost = run.cost();
                assert_eq!(Lab::seeded(5).count(f).expect("counting succeeds"), cost, "{}", subject.name);
                let results = run.agreed();
                assert_eq!(results.len(), n);
                assert!(survey::check(&subject, &raw, &results).part <= 1.0, "{}", subject.name);
            }
        }
    }
}

fn products(x: &[i64], y: &[i64], from: [Format; 2], out: Format, rounding: Rounding) -> Vec<i128> {
    let f = |s: &mut Session| {
        let column = |raw: &[i64]| Column::from_fn(raw.len(), |row| Z64(raw[row] as u64));
        let x = Fixed::new(lab::deal(s, 1, &column(x)), from[0]);
        let y = Fixed::new(lab::deal(s, 2, &column(y)), from[1]);
        let z = fixed::multiply(s, "multiply", &x, &y, out, rounding)?;
        assert_eq!(z.format(), out);
        let z = mpc::verify(s, z.raw().clone())?;
        Ok(mpc::open(s, "open", z)?.map_or(Vec::new(), |z| lab::signed(&z)))
    };
    let run = Lab::seeded(2).run(f);
    assert_eq!(Lab::seeded(2).count(f).expect("counting succeeds"), run.cost());
    run.agreed()
}

#[test]
fn products_are_rounded_as_asked() {
    let format = Format { fraction: 24, width: 32 };
    let edge = 1i64 << 31;
    let values = [0, 1, -1, 1 << 24, -(1 << 24), edge - 1, -edge, 12345, -98765];
    let x: Vec<i64> = (0..81).map(|at| values[at / 9]).collect();
    let y: Vec<i64> = (0..81).map(|at| values[at % 9]).collect();
    let down = products(&x, &y, [format; 2], Format { fraction: 24, width: 40 }, Rounding::Floor);
    let near = products(&x, &y, [format; 2], Format { fraction: 24, width: 40 }, Rounding::OneUlp);
    for at in 0..81 {
        let floor = (i128::from(x[at]) * i128::from(y[at])) >> 24;
        assert_eq!(down[at], floor);
        assert!(near[at] == floor || near[at] == floor + 1);
    }
    assert_eq!(products(&[], &[], [format; 2], WIDE, Rounding::OneUlp), []);
}

/// Whatever might not fit is refused before anything is sent.
#[test]
fn formats_that_leave_no_room_are_refused() {
    let refused = |f: &dyn Fn(&mut Session, &Fixed) -> Result<(), ProtocolError>, from: Format| {
        let lab = Lab::seeded(1);
        let run = lab.plain(|s| {
            let x = Fixed::new(lab::deal(s, 1, &Column::new(&[Z64(1)])), from);
            f(s, &x)
        });
        assert!(matches!(run, Err(ProtocolError::Width { .. })), "{run:?}");
    };
    let floor = Rounding::Floor;
    let format = |fraction, width| Format { fraction, width };
    refused(&|s, x| fixed::multiply(s, "f", x, x, WIDE, floor).map(drop), format(24, 33));
    refused(&|s, x| fixed::multiply(s, "f", x, x, format(24, 39), floor).map(drop), format(24, 32 + 1));
    refused(&|s, x| fixed::multiply(s, "f", x, x, format(49, 63), floor).map(drop), format(24, 31));
    refused(&|s, x| fixed::divide(s, "f", x, x, D, floor).map(drop), format(24, 61));
    refused(&|s, x| fixed::divide(s, "f", x, x, format(24, 61), floor).map(drop), D);
    refused(&|s, x| fixed::sqrt(s, "f", x, format(24, 30), floor).map(drop), D);
    refused(&|s, x| fixed::rsqrt(s, "f", x, format(24, 36), floor).map(drop), D);
    refused(&|s, x| fixed::ln(s, "f", x, format(24, 30), floor).map(drop), D);
    refused(&|s, x| fixed::ln(s, "f", x, format(26, 40), floor).map(drop), D);
    refused(&|s, x| fixed::exp(s, "f", x, D, floor).map(drop), format(6, 20));
    refused(&|s, x| fixed::exp(s, "f", x, D, floor).map(drop), format(31, 40));
    refused(&|s, x| fixed::exp(s, "f", x, format(20, 60), floor).map(drop), D);
    refused(&|s, x| fixed::sigmoid(s, "f", x, format(29, 39), floor).map(drop), D);
    refused(&|s, x| fixed::sigmoid(s, "f", x, format(24, 25), floor).map(drop), D);
}

#[test]
fn numbers_that_fit_another_format_are_told_from_others() {
    let (from, out) = (Format { fraction: 10, width: 30 }, Format { fraction: 8, width: 12 });
    let raw: Vec<i64> = vec![0, 1, -1, 8188, 8191, 8192, -8192, -8193, -8196, 1 << 28, -(1 << 28), 4000];
    let f = |s: &mut Session| {
        let column = Column::from_fn(raw.len(), |row| Z64(raw[row] as u64));
        let x = Fixed::new(lab::deal(s, 1, &column), from);
        let checked = fixed::fits(s, "fits", &x, out, Rounding::Floor)?;
        let back = fixed::fits(s, "back", &checked.value, from, Rounding::Floor)?;
        let valid = mpc::verify(s, mpc::SharedBits::stack(&[&checked.valid, &back.valid]))?;
        let valid = mpc::open_bits(s, "valid", valid)?;
        let value = mpc::verify(s, back.value.raw().clone())?;
        let value = mpc::open(s, "value", value)?;
        Ok(value.zip(valid).map(|(value, valid)| {
            (0..raw.len()).map(|row| (lab::signed(&value)[row], valid.row(row))).collect::<Vec<_>>()
        }))
    };
    let got = Lab::seeded(4).run(f).agreed().expect("values");
    for (raw, (value, valid)) in raw.iter().zip(got) {
        let cut = raw >> 2;
        assert_eq!(valid, u128::from((-2048..2048).contains(&cut)) | 2, "{raw}");
        assert_eq!(value, i128::from(cut << 2), "{raw}");
    }
}
