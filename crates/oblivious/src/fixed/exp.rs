//! Exponentials.

use math::fixed::{self, Piecewise};
use math::{Format, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits};

use super::polynomial::{self, BITS, Tables};
use super::{Checked, Fixed, MAX_WIDTH, Rounding, by_chunks, power, require};
use crate::{compare, convert};

/// Bits before the point that are looked at: e^−32 is zero in any format.
const WHOLE: usize = 5;

/// Bits that choose a polynomial, after the first one behind the point.
const PIECE: usize = 6;

/// `e^x` in the format `out`.
///
/// - **Domain:** `valid` up to the largest multiple of ½ whose exponential fits `out`, 9.5 by default.
///   Below −32 the result is zero.
/// - **Error:** at most `2.2 ulp + e^x·(2^−r + 2^−26)`, `r = 62 − out.width` up to 30 (23 by default).
/// - **Cost:** by default formats 27 rounds and at most 123 bytes per row and party; `Floor` 74
///   and 721.
/// - **Source:** `e^x = e^h·e^t` for the multiple `h` of ½ below `x`, the one looked up and the
///   other one of 64 parabolas.
///
/// # Errors
/// `Width` unless `x` has 7 to 30 bits after the point and at most 60 in all, and `out` has room for
/// e^−0.5 and 20 bits beside its limit; `Link`.
pub fn exp(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    let format = x.format;
    require(s, format.width, MAX_WIDTH - 2)?;
    require(s, format.fraction, BITS)?;
    require(s, PIECE + 1, format.fraction)?;
    require(s, out.fraction + 1, out.width)?;
    // e^h has the bits of `out`, e^t what leaves room for the product's limit.
    let whole = out.width - 1 - out.fraction;
    let room = MAX_WIDTH - 2 - whole;
    require(s, out.fraction + 16, room)?;
    let rest = (room - out.fraction).min(BITS);
    let steps = (2.0 * fixed::ln(out.limit())).floor() as i64;
    let first = -(1i64 << (WHOLE + 1));
    let n = 1usize << (WHOLE + 2);
    let starts: Vec<f64> = (0..n as i64).map(|at| (first + at) as f64 / 2.0).collect();
    // What is past the limit is not valid and must not leave the ring either.
    let powers_of_e: Vec<f64> =
        starts.iter().map(|h| if 2.0 * h >= steps as f64 { 0.0 } else { fixed::exp(*h) }).collect();
    let powers_of_e = fixed::scaled(&powers_of_e, out.fraction);
    let starts = fixed::scaled(&starts, format.fraction);
    let length = 0.5 / f64::from(1 << PIECE);
    let tables = Tables::new(&Piecewise::fit(0.0, length, 1 << PIECE, 2, false, fixed::exp));
    let limit = (steps - first).clamp(0, n as i64) as u128;
    by_chunks(s, label, x.raw.len(), out, |s, rows| {
        let x = x.raw.rows(rows);
        let bits = convert::ring_to_bits(s, "bits", &x, format.width)?;
        let piece = bits.planes(format.fraction - 1 - PIECE..format.fraction - 1);
        let range = Range::of(s, &bits, format.fraction - 1, WHOLE + 2)?;
        let index = match &range.inside {
            Some(inside) => mpc::and_bit(s, "index", inside, &range.index)?,
            None => range.index.clone(),
        };
        let below = if limit >> index.width() > 0 {
            SharedBits::constant(s, index.n_rows(), 1, 1)
        } else {
            compare::less_than_public(s, "limit", &index, limit, false)?
        };
        let valid = match &range.above {
            Some(above) => {
                let not_above = above.not(s);
                mpc::and(s, "valid", &below, &not_above)?
            }
            None => below,
        };
        let ((power_of_e, powers), coefficients) = s.join(
            |s| {
                let found = rounding.lookup(s, "power", &index, &[&powers_of_e, &starts])?;
                let t = variable(&x, &found[1], format.fraction);
                Ok((found[0].clone(), polynomial::powers(s, &t, 2, rounding)?))
            },
            |s| tables.at(s, &piece, rounding),
        )?;
        let small = polynomial::evaluate(s, &coefficients, &powers, rest, rounding)?;
        let product = rounding.dot(s, "product", &[(&power_of_e, &small)], None, rest)?;
        Ok((product, valid))
    })
}

/// The top bits of numbers around zero, and which lie beyond.
pub(super) struct Range {
    /// `width` planes from one on, the sign inverted: the number of the step from the least one.
    pub index: SharedBits,
    /// Where the bits above all equal the sign, unless there are none.
    pub inside: Option<SharedBits>,
    /// Where they do not and the sign is positive.
    pub above: Option<SharedBits>,
}

impl Range {
    /// Reads planes from `first` on of numbers in two's complement.
    pub fn of(s: &mut Session, bits: &SharedBits, first: usize, width: usize) -> Result<Self, ProtocolError> {
        let end = first + width;
        let index = bits.sign_extended(end).planes(first..end).xor_constant(s, 1 << (width - 1));
        if bits.width() <= end {
            return Ok(Range { index, inside: None, above: None });
        }
        let top = bits.width() - 1;
        let sign = bits.plane(top);
        let same = bits.planes(end - 1..top).xor(&sign.broadcast(top + 1 - end)).not(s);
        let inside = compare::all_ones(s, "inside", &same)?;
        let (outside, positive) = (inside.not(s), sign.not(s));
        let above = mpc::and(s, "above", &outside, &positive)?;
        Ok(Range { index, inside: Some(inside), above: Some(above) })
    }
}

/// Numbers of `fraction` bits after the point, less the starts of their pieces, as variables.
pub(super) fn variable(x: &Shared<Z64>, start: &Shared<Z64>, fraction: usize) -> Shared<Z64> {
    x.sub(start).scale(power(BITS - fraction))
}
