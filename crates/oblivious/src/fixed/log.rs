//! Logarithms.

use math::fixed::{self, Piecewise};
use math::{Format, Z64};
use mpc::{Label, ProtocolError, Session};

use super::leading::Leading;
use super::polynomial::{self, BITS, Tables};
use super::root::valid;
use super::{Checked, Fixed, MAX_WIDTH, Rounding, by_chunks, require};
use crate::convert;

/// Bits that choose a piece of [1/2, 1].
const PIECE: usize = 7;

/// Bits fewer that a logarithm has after the point than polynomials do: it may be as large as 64.
const LARGER: usize = 5;

/// The natural logarithm, in the format `out`.
///
/// - **Domain:** `valid` where `x > 0`.
/// - **Error:** at most `1.2 ulp + 2^−24`.
/// - **Cost:** by default formats 27 rounds and at most 132 bytes per row and party; `Floor` 70
///   and 724.
/// - **Source:** logarithms on [1/2, 1] by 128 parabolas.
///
/// # Errors
/// `Width` if `x` has more than 60 bits, `out` more than 25 after the point, or not the 7 before it
/// that any logarithm fits in; `Link`.
pub fn ln(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    logarithm(s, label, x, out, rounding, 1.0)
}

/// The logarithm to base two, as [`ln`].
///
/// # Errors
/// As [`ln`].
pub fn log2(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    logarithm(s, label, x, out, rounding, 1.0 / std::f64::consts::LN_2)
}

fn logarithm(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
    factor: f64,
) -> Result<Checked, ProtocolError> {
    let format = x.format;
    require(s, format.width, MAX_WIDTH - 2)?;
    require(s, out.fraction, BITS - LARGER)?;
    require(s, out.fraction + 7, out.width)?;
    // ln(2^q·β / 2^f) = ln β + (q − f)·ln 2, all of it with `LARGER` bits fewer.
    let unit = fixed::power_of_two(-(LARGER as i32));
    let pieces = Piecewise::fit(0.5, 0.5 / 128.0, 1 << PIECE, 2, false, |x| fixed::ln(x) * factor * unit);
    let tables = Tables::new(&pieces);
    let whole = |q: usize| {
        let exponent = q as f64 - format.fraction as f64;
        let value = exponent * std::f64::consts::LN_2 * factor * unit;
        fixed::scaled(&[value], 2 * BITS)[0]
    };
    by_chunks(s, label, x.raw.len(), out, |s, rows| {
        let x = x.raw.rows(rows);
        let bits = convert::ring_to_bits(s, "bits", &x, format.width)?;
        let leading = s.scope("leading", |s| Leading::find(s, &bits, PIECE))?;
        let valid = valid(s, &leading, false)?;
        let ((whole, powers), mut coefficients) = s.join(
            |s| {
                let scale: Vec<Z64> = leading.by_position(|q| leading.scale(q));
                let whole = leading.by_position(whole);
                let found = rounding.lookup(s, "factors", &leading.position, &[&scale, &whole])?;
                let beta = leading.scaled(s, &x, &found[0], rounding)?;
                Ok((found[1].clone(), polynomial::powers(s, &beta, 2, rounding)?))
            },
            |s| tables.at(s, &leading.piece, rounding),
        )?;
        coefficients[0] = coefficients[0].add(&whole);
        let log = polynomial::evaluate(s, &coefficients, &powers, out.fraction + LARGER, rounding)?;
        Ok((log, valid))
    })
}
