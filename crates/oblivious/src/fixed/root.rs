//! Square roots and their reciprocals.

use math::fixed::Piecewise;
use math::{Format, Z64};
use mpc::{Label, ProtocolError, Session, SharedBits};

use super::leading::Leading;
use super::polynomial::{self, BITS, Tables};
use super::{Checked, Fixed, MAX_WIDTH, Rounding, by_chunks, power, require};
use crate::convert;

/// Bits that choose a piece of [1/2, 1], beside the one that says whether to take its double: for
/// roots, and for their reciprocals, which bend more.
const PIECE: [usize; 2] = [6, 7];

/// Bits after the point that a root must have room for before it is multiplied by its power.
const LEAST: usize = 16;

/// `√x` in the format `out`.
///
/// - **Domain:** `valid` where `x ≥ 0`. A format in which the root of the largest `x` does not fit
///   is refused.
/// - **Error:** at most `1.5 ulp + √x·2^−26`.
/// - **Cost:** by default formats 27 rounds and at most 141 bytes per row and party; `Floor` 85
///   and 810.
/// - **Source:** roots on [1/2, 2] by parabolas in place of an iteration.
///
/// # Errors
/// `Width` if the root might not fit, or the bits of scaling do not; `Link`.
pub fn sqrt(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    root(s, label, x, out, rounding, false)
}

/// `1/√x` in the format `out`.
///
/// - **Domain:** `valid` where `x > 0`. A format in which `1/√ulp` does not fit is refused.
/// - **Error:** at most `1.5 ulp + (2^(1 − p) + 2^−25)/√x`, `p = 61 − out.fraction − ⌈x.fraction/2⌉` up
///   to 30 (25 by default).
/// - **Cost, source, errors:** as [`sqrt`].
pub fn rsqrt(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    root(s, label, x, out, rounding, true)
}

fn root(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
    inverse: bool,
) -> Result<Checked, ProtocolError> {
    let (format, piece) = (x.format, PIECE[usize::from(inverse)]);
    require(s, format.width, MAX_WIDTH - 2)?;
    let magnitude = format.width - 1;
    // √(2^q·β / 2^f) = √(2^odd·β) · 2^half for q − f = 2·half + odd; the power is 2^bits after
    // the point of `out` come to it, and `cut` less bits of the polynomial.
    let half = |q: usize| (q as i32 - format.fraction as i32).div_euclid(2);
    let odd = |q: usize| (q + format.fraction) % 2;
    let bits = |q: usize| out.fraction as i32 + if inverse { -half(q) } else { half(q) };
    let (least, most) = if inverse { (bits(magnitude), bits(0)) } else { (bits(0), bits(magnitude)) };
    // Roots of [1/2, 2], and their reciprocals, are at most √2.
    require(s, (most + 2).max(0) as usize, out.width)?;
    let cut = (-least).max(0) as usize;
    // The polynomial, at most √2, keeps what leaves room for the largest power.
    let taken = (most.max(0) as usize) + cut;
    require(s, taken + LEAST, MAX_WIDTH - 2)?;
    let fraction = BITS.min(MAX_WIDTH - 2 - taken);
    let factor = |q: usize| power((bits(q) + cut as i32) as usize);
    let tables = {
        let n = 1usize << piece;
        let table = |double: f64| {
            Piecewise::fit(0.5, 0.5 / n as f64, n, 2, false, move |beta| {
                let root = (beta * double).sqrt();
                if inverse { 1.0 / root } else { root }
            })
        };
        let (mut pieces, doubles) = (table(1.0), table(2.0));
        pieces.coefficients.iter_mut().zip(doubles.coefficients).for_each(|(all, more)| all.extend(more));
        Tables::new(&pieces)
    };
    by_chunks(s, label, x.raw.len(), out, |s, rows| {
        let x = x.raw.rows(rows);
        let planes = convert::ring_to_bits(s, "bits", &x, format.width)?;
        let leading = s.scope("leading", |s| Leading::find(s, &planes, piece))?;
        let valid = valid(s, &leading, !inverse)?;
        let ((factor, powers), coefficients) = s.join(
            |s| {
                let scale = leading.by_position(|q| leading.scale(q));
                // Zero has the lowest position and no power.
                let factor = leading.by_position(|q| if q == 0 { Z64(0) } else { factor(q) });
                let found = rounding.lookup(s, "factors", &leading.position, &[&scale, &factor])?;
                let beta = leading.scaled(s, &x, &found[0], rounding)?;
                Ok((found[1].clone(), polynomial::powers(s, &beta, 2, rounding)?))
            },
            |s| {
                let lowest = leading.position.plane(0);
                let odd = if odd(0) == 1 { lowest.not(s) } else { lowest };
                tables.at(s, &SharedBits::stack(&[&leading.piece, &odd]), rounding)
            },
        )?;
        let root = polynomial::evaluate(s, &coefficients, &powers, fraction, rounding)?;
        let root = rounding.dot(s, "root", &[(&root, &factor)], None, fraction + cut)?;
        Ok((root, valid))
    })
}

/// Where a number is positive, or zero if that is allowed.
pub(super) fn valid(s: &mut Session, leading: &Leading, zero: bool) -> Result<SharedBits, ProtocolError> {
    let positive = leading.sign.not(s);
    if zero { Ok(positive) } else { mpc::and(s, "positive", &positive, &leading.nonzero) }
}
