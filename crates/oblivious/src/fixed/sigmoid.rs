//! The logistic function.

use math::Format;
use math::fixed::{self, Piecewise};
use mpc::{Label, ProtocolError, Session, SharedBits};

use super::exp::{Range, variable};
use super::polynomial::{self, BITS, Tables};
use super::{Checked, Fixed, MAX_WIDTH, Rounding, by_chunks, require};
use crate::convert;

/// The function is constant beyond ±16.
const WHOLE: usize = 4;

/// Bits after the point that choose a piece.
const PARTS: usize = 2;

/// `1 / (1 + e^−x)` in the format `out`.
///
/// - **Domain:** all `x`.
/// - **Error:** at most `1 ulp + 2^−22`, near ±1.2 and ±2.3; 2^−23 beyond ±15.75.
/// - **Cost:** by default formats 24 rounds and at most 114 bytes per row and party; `Floor` 70
///   and 562.
/// - **Source:** 126 polynomials of degree three and two constants.
///
/// # Errors
/// `Width` unless `x` has 2 to 30 bits after the point and at most 60 in all, and `out` has at most
/// 28 after the point and two before it; `Link`.
pub fn sigmoid(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    let format = x.format;
    require(s, format.width, MAX_WIDTH - 2)?;
    require(s, format.fraction, BITS)?;
    require(s, PARTS, format.fraction)?;
    require(s, out.fraction, BITS - 2)?;
    require(s, out.fraction + 2, out.width)?;
    let bits = WHOLE + 1 + PARTS;
    let n = 1usize << bits;
    let length = fixed::power_of_two(-(PARTS as i32));
    let lowest = -fixed::power_of_two(WHOLE as i32);
    let logistic = |x: f64| 1.0 / (1.0 + fixed::exp(-x));
    let mut pieces = Piecewise::fit(lowest, length, n, 3, true, logistic);
    // The outermost pieces stand for all beyond them: halfway between their inner ends and the limits.
    for (power, values) in pieces.coefficients.iter_mut().enumerate() {
        let outer = logistic(lowest + length) / 2.0;
        (values[0], values[n - 1]) = if power == 0 { (outer, 1.0 - outer) } else { (0.0, 0.0) };
    }
    let mut tables = Tables::new(&pieces);
    let starts: Vec<f64> = (0..n).map(|at| lowest + at as f64 * length).collect();
    tables.push(fixed::scaled(&starts, format.fraction));
    by_chunks(s, label, x.raw.len(), out, |s, rows| {
        let n_rows = rows.len();
        let x = x.raw.rows(rows);
        let planes = convert::ring_to_bits(s, "bits", &x, format.width)?;
        let range = Range::of(s, &planes, format.fraction - PARTS, bits)?;
        let index = match (&range.inside, &range.above) {
            (Some(inside), Some(above)) => {
                mpc::and_bit(s, "index", inside, &range.index)?.xor(&above.broadcast(bits))
            }
            _ => range.index,
        };
        let mut coefficients = tables.at(s, &index, rounding)?;
        let start = coefficients.pop().expect("a start for each piece");
        let powers = polynomial::powers(s, &variable(&x, &start, format.fraction), 3, rounding)?;
        let value = polynomial::evaluate(s, &coefficients, &powers, out.fraction, rounding)?;
        Ok((value, SharedBits::constant(s, n_rows, 1, 1)))
    })
}
