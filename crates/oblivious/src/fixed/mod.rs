//! Numbers with a binary point: products, quotients, roots, exponentials, logarithms.
//!
//! A number is a signed ring element over `2^fraction` whose width in bits is public
//! ([`Format`]). Widths decide what fits: a function whose result might not is given the format
//! to put it in, and returns a `valid` bit with each row. Where `valid` is zero the value means
//! nothing, and no function fails for what is in a row.
//!
//! All functions of one argument are made alike: the argument's bits choose a piece of the
//! function's domain, a [`mpc::lookup`] brings the polynomial of that piece, and one dot product
//! evaluates it. Roots, logarithms and quotients first scale by a power of two, looked up by the
//! leading bit's position, into [1/2, 1].
//!
//! Errors are given as `absolute + |result|·relative` and are measured over the whole domain in
//! `docs/numbers.md`; `ulp` is the result's `2^−fraction`.

mod divide;
mod exp;
mod leading;
mod log;
mod polynomial;
mod root;
mod rounding;
mod sigmoid;

use std::ops::Range;

use math::{Format, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits};

use crate::convert;
pub use divide::{divide, reciprocal};
pub use exp::exp;
pub use log::{ln, log2};
pub use root::{rsqrt, sqrt};
pub use rounding::Rounding;
pub use sigmoid::sigmoid;

/// The widest number: one bit less would be lost to the sign of a product's offset.
const MAX_WIDTH: usize = 63;

/// A secret column of fixed-point numbers.
#[derive(Clone, Debug)]
pub struct Fixed {
    raw: Shared<Z64>,
    format: Format,
}

/// Numbers, and where they mean something.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The numbers; without meaning where not valid.
    pub value: Fixed,
    /// One plane: where the argument was in the function's domain and the result fits.
    pub valid: SharedBits,
}

impl Fixed {
    /// The numbers that ring elements stand for, all of which fit the format: known from their
    /// source, or tested by [`fits`].
    pub fn new(raw: Shared<Z64>, format: Format) -> Self {
        Fixed { raw, format }
    }

    /// The ring elements.
    pub fn raw(&self) -> &Shared<Z64> {
        &self.raw
    }

    /// How they stand for numbers.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Some rows, without copying.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Fixed { raw: self.raw.rows(rows), format: self.format }
    }
}

/// `x·y` in the format `out`, whose fraction may be shorter than the product's own.
///
/// - **Error:** with [`Rounding::Floor`] the product rounded down; with `OneUlp` below one ulp
///   either way, zero in the mean.
/// - **Range:** the formats' widths make overflow impossible, or it is an error: `x.width + y.width
///   ≤ 64`, and the product of the largest magnitudes fits `out`.
/// - **Cost:** `OneUlp`: 3 rounds, 9, 16 and 16 bytes per row and party. `Floor`: a product and
///   [`convert::truncate`].
///
/// # Errors
/// `Width` if products might not fit; `Shape`; `Link`.
pub fn multiply(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    y: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Fixed, ProtocolError> {
    let fraction = x.format.fraction + y.format.fraction;
    let width = x.format.width + y.format.width - 1;
    require(s, width, MAX_WIDTH)?;
    require(s, out.fraction, fraction)?;
    let shift = fraction - out.fraction;
    // The largest product, of both least numbers, has one more bit than the others.
    require(s, width - shift, out.width)?;
    if x.raw.len() != y.raw.len() {
        return Err(ProtocolError::Shape { step: s.step().clone(), left: x.raw.len(), right: y.raw.len() });
    }
    let chunks = s.chunks(label, x.raw.len(), |s, rows| {
        let (x, y) = (x.raw.rows(rows.clone()), y.raw.rows(rows));
        rounding.dot(s, "product", &[(&x, &y)], None, shift)
    })?;
    Ok(Fixed { raw: Shared::concat(&chunks.iter().collect::<Vec<_>>()), format: out })
}

/// The same numbers in another format, with bits after the point cut off or added, and where
/// they fit it.
///
/// - **Error:** as [`multiply`].
/// - **Range:** `valid` where a number lies in `±limit` of the new format; every number of the old
///   one, where the new one is at least as wide.
/// - **Cost:** one truncation if bits are cut off; two comparisons if the format is narrower.
///
/// # Errors
/// `Width` if the old width plus added bits exceed 62; `Link`.
pub fn fits(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    let from = x.format;
    let added = out.fraction.saturating_sub(from.fraction);
    require(s, from.width + added, MAX_WIDTH - 1)?;
    let width = from.width + out.fraction - from.fraction.min(from.width + out.fraction);
    by_chunks(s, label, x.raw.len(), out, |s, rows| {
        let n = rows.len();
        let raw = x.raw.rows(rows).scale(power(added));
        let raw = rounding.shift(s, "cut", &raw, from.fraction.saturating_sub(out.fraction))?;
        if width < out.width || (added == 0 && width == out.width && out.fraction == from.fraction) {
            return Ok((raw, SharedBits::constant(s, n, 1, 1)));
        }
        // −2^{w−1} ≤ x < 2^{w−1}.
        let limit = power(out.width - 1);
        let low = raw.add_constant(s, limit);
        let high = raw.add_constant(s, math::Group::negated(limit));
        let signs = convert::is_negative(s, "range", &Shared::concat(&[&low, &high]))?;
        let (low, high) = (signs.copy_rows(0..n), signs.copy_rows(n..2 * n));
        let low = low.not(s);
        let valid = mpc::and(s, "both", &low, &high)?;
        Ok((raw, valid))
    })
}

/// `2^exponent` in the ring.
fn power(exponent: usize) -> Z64 {
    Z64(1 << exponent)
}

/// Fails unless numbers of `needed` bits fit in `most`.
fn require(s: &Session, needed: usize, most: usize) -> Result<(), ProtocolError> {
    if needed <= most { Ok(()) } else { Err(ProtocolError::Width { step: s.step().clone(), needed, most }) }
}

/// A function of rows, chunk by chunk.
fn by_chunks(
    s: &mut Session,
    label: impl Into<Label>,
    n_rows: usize,
    format: Format,
    f: impl Fn(&mut Session, Range<usize>) -> Result<(Shared<Z64>, SharedBits), ProtocolError> + Sync,
) -> Result<Checked, ProtocolError> {
    let chunks = s.chunks(label, n_rows, f)?;
    let (raw, valid): (Vec<_>, Vec<_>) = chunks.iter().map(|(raw, valid)| (raw, valid)).unzip();
    let raw = Shared::concat(&raw);
    Ok(Checked { value: Fixed { raw, format }, valid: SharedBits::concat(&valid) })
}
