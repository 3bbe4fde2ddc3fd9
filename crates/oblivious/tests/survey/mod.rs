//! Functions of fixed-point numbers over their whole domains, against `f64`: for a test and for
//! the table in `docs/numbers.md`.

use math::{Column, Format, Z64};
use mpc::lab::{self, Lab};
use mpc::{ProtocolError, Session};
use oblivious::fixed::{self, Checked, Fixed, Rounding};

/// What a function is computed with.
type Compute = fn(&mut Session, &[Fixed], Format, Rounding) -> Result<Checked, ProtocolError>;

/// One function in one pair of formats.
pub struct Subject {
    pub name: &'static str,
    pub arguments: usize,
    pub from: Format,
    pub out: Format,
    pub compute: Compute,
    /// The function itself.
    pub exact: fn(&[f64]) -> f64,
    /// Where a result must be valid, for arguments and the result itself.
    pub domain: fn(&[f64], f64, Format) -> bool,
    /// The stated error: units in the last place, absolute, and relative.
    pub bound: [f64; 3],
}

/// The largest error found.
#[derive(Clone, Debug)]
pub struct Worst {
    /// As a part of what is stated.
    pub part: f64,
    /// In the last place.
    pub ulps: f64,
    pub at: Vec<f64>,
}

const D: Format = Format::DEFAULT;
const NARROW: Format = Format { fraction: 16, width: 31 };
const WIDE: Format = Format { fraction: 24, width: 48 };

fn anywhere(_: &[f64], _: f64, _: Format) -> bool {
    true
}

/// What `rsqrt` calls `p`.
fn root_bits(from: Format, out: Format) -> i32 {
    (61 - out.fraction as i32 - from.fraction.div_ceil(2) as i32).min(30)
}

/// All that the table lists.
pub fn subjects() -> Vec<Subject> {
    let mut list = Vec::new();
    for (from, out) in [(D, D), (NARROW, NARROW), (NARROW, WIDE)] {
        let relative = 2f64.powi(-(61 - out.width as i32).min(28)) + 2f64.powi(-25);
        list.push(Subject {
            name: "divide",
            arguments: 2,
            from,
            out,
            compute: |s, x, out, rounding| fixed::divide(s, "f", &x[0], &x[1], out, rounding),
            exact: |x| x[0] / x[1],
            domain: |x, y, out| x[1] != 0.0 && y.abs() < out.limit() * (1.0 - 2f64.powi(-12)),
            bound: [2.5, 0.0, relative],
        });
        list.push(Subject {
            name: "reciprocal",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::reciprocal(s, "f", &x[0], out, rounding),
            exact: |x| 1.0 / x[0],
            domain: |x, y, out| x[0] != 0.0 && y.abs() < out.limit() * (1.0 - 2f64.powi(-9)),
            bound: [2.5, 0.0, relative],
        });
    }
    for (from, out) in [(D, D), (NARROW, NARROW), (D, NARROW)] {
        list.push(Subject {
            name: "sqrt",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::sqrt(s, "f", &x[0], out, rounding),
            exact: |x| x[0].sqrt(),
            domain: |x, _, _| x[0] >= 0.0,
            bound: [1.5, 0.0, 2f64.powi(-26)],
        });
        list.push(Subject {
            name: "rsqrt",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::rsqrt(s, "f", &x[0], out, rounding),
            exact: |x| 1.0 / x[0].sqrt(),
            domain: |x, _, _| x[0] > 0.0,
            bound: [1.5, 0.0, 2f64.powi(1 - root_bits(from, out)) + 2f64.powi(-25)],
        });
        list.push(Subject {
            name: "ln",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::ln(s, "f", &x[0], out, rounding),
            exact: |x| x[0].ln(),
            domain: |x, _, _| x[0] > 0.0,
            bound: [1.2, 2f64.powi(-24), 0.0],
        });
        list.push(Subject {
            name: "log2",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::log2(s, "f", &x[0], out, rounding),
            exact: |x| x[0].log2(),
            domain: |x, _, _| x[0] > 0.0,
            bound: [1.2, 2f64.powi(-24), 0.0],
        });
        list.push(Subject {
            name: "exp",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::exp(s, "f", &x[0], out, rounding),
            exact: |x| x[0].exp(),
            domain: |x, _, out| x[0] < (2.0 * out.limit().ln()).floor() / 2.0,
            bound: [2.2, 0.0, 2f64.powi(-(62 - out.width as i32).min(30)) + 2f64.powi(-26)],
        });
        list.push(Subject {
            name: "sigmoid",
            arguments: 1,
            from,
            out,
            compute: |s, x, out, rounding| fixed::sigmoid(s, "f", &x[0], out, rounding),
            exact: |x| 1.0 / (1.0 + (-x[0]).exp()),
            domain: anywhere,
            bound: [1.0, 2f64.powi(-22), 0.0],
        });
    }
    list
}

/// Raw arguments: all around powers of two and piece boundaries, and `n` more, half of them spread
/// evenly over sizes and half over the range.
pub fn arguments(subject: &Subject, n: usize) -> Vec<Vec<i64>> {
    let (width, fraction) = (subject.from.width as u32, subject.from.fraction as u32);
    let (least, most) = (-(1i64 << (width - 1)), (1i64 << (width - 1)) - 1);
    let mut edges: Vec<i64> = vec![0, least, least + 1, most];
    for bit in 0..width - 1 {
        edges.extend((-2..=2).map(|by| (1i64 << bit) + by));
    }
    for piece in 0..200 {
        // Around multiples of a quarter, a half, and pieces of [1, 2].
        let steps = [piece << (fraction - 2), piece << (fraction - 1), (128 + piece) << fraction >> 7];
        edges.extend(steps.iter().flat_map(|at| [at - 1, *at, at + 1]));
    }
    let mirrored: Vec<i64> = edges.iter().flat_map(|x| [*x, x.wrapping_neg()]).collect();
    let random = |at: u64| {
        let word = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (word ^ word >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let spread = |at: u64| {
        let word = random(at) as i64;
        let size = random(at ^ 0x5555_0000) % u64::from(width);
        if at.is_multiple_of(2) { word >> (64 - width) } else { (word >> (64 - width)) >> size }
    };
    let first: Vec<i64> =
        mirrored.into_iter().chain((0..n as u64).map(spread)).map(|x| x.clamp(least, most)).collect();
    let mut all = vec![first];
    if subject.arguments == 2 {
        // The divisors; dividends in another order, and some about as large as limits allow.
        let n = all[0].len();
        let dividends = (0..n).map(|at| all[0][(at * 7919 + 11) % n]).collect();
        all.insert(0, dividends);
    }
    all
}

/// Every valid result's error. Fails if validity differs from the domain.
pub fn check(subject: &Subject, raw: &[Vec<i64>], results: &[(i128, bool)]) -> Worst {
    let mut worst = Worst { part: 0.0, ulps: 0.0, at: Vec::new() };
    for (row, (result, valid)) in results.iter().enumerate() {
        let x: Vec<f64> = raw.iter().map(|raw| raw[row] as f64 * subject.from.ulp()).collect();
        let exact = (subject.exact)(&x);
        let expected = (subject.domain)(&x, exact, subject.out);
        let near_limit = subject.arguments == 2 || subject.name == "reciprocal";
        if expected || !near_limit || x[subject.arguments - 1] == 0.0 || exact.abs() > subject.out.limit() {
            assert_eq!(*valid, expected, "{} {:?} to {:?} at {x:?}", subject.name, subject.from, subject.out);
        }
        if *valid {
            let ulp = subject.out.ulp();
            let error = (*result as f64 * ulp - exact).abs();
            let stated = subject.bound[0] * ulp + subject.bound[1] + subject.bound[2] * exact.abs();
            if error / stated > worst.part {
                worst = Worst { part: error / stated, ulps: error / ulp, at: x };
            }
        }
    }
    worst
}

/// The results in a session: numbers and validity.
pub fn run(
    s: &mut Session,
    subject: &Subject,
    raw: &[Vec<i64>],
    rounding: Rounding,
) -> Result<Vec<(i128, bool)>, ProtocolError> {
    let columns: Vec<Fixed> = raw
        .iter()
        .zip(1..)
        .map(|(raw, seed)| {
            let column = Column::from_fn(raw.len(), |row| Z64(raw[row] as u64));
            Fixed::new(lab::deal(s, seed, &column), subject.from)
        })
        .collect();
    let checked = (subject.compute)(s, &columns, subject.out, rounding)?;
    let value = mpc::verify(s, checked.value.raw().clone())?;
    let value = mpc::open(s, "open value", value)?;
    let valid = mpc::verify(s, checked.valid)?;
    let valid = mpc::open_bits(s, "open valid", valid)?;
    Ok(match (value, valid) {
        (Some(value), Some(valid)) => {
            lab::signed(&value).into_iter().enumerate().map(|(row, x)| (x, valid.bit(row, 0))).collect()
        }
        _ => Vec::new(),
    })
}

/// The lab that surveys run in.
pub fn lab() -> Lab {
    Lab::seeded(3).params(&[mpc::Params { chunk_rows: 8192, ..mpc::Params::default() }])
}
