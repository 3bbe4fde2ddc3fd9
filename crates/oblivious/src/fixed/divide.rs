//! Quotients.

use math::fixed::Piecewise;
use math::{Format, Group, Z64};
use mpc::{Label, ProtocolError, Session, Shared, SharedBits};

use super::leading::Leading;
use super::polynomial::{self, Tables};
use super::{Checked, Fixed, MAX_WIDTH, Rounding, by_chunks, power, require};
use crate::convert;

/// Bits that choose a piece of [1/2, 1].
const PIECE: usize = 7;

/// Bits of slack by which a valid quotient stays below the limit, so that errors cannot carry it over.
const SLACK: usize = 20;

/// `a / b` in the format `out`.
///
/// - **Domain:** all `a` and `b`. `valid` where `b ≠ 0` and `|a/b| ≤ (1 − 2^{−c})·limit` of `out`, for
///   `c = out.width − 1 − e` up to 20, `e = b.fraction + out.fraction − a.fraction`; where even
///   `|a| / ulp(b)` fits, everywhere but at zero.
/// - **Error:** at most `2.5 ulp + |a/b|·(2^−r + 2^−25)`, `r = 61 − out.width` up to 28 (22 by default).
/// - **Cost:** by default formats 35 rounds and at most 186 bytes per row and party; `Floor` 107
///   and 992.
/// - **Source:** reciprocals on [1/2, 1] by 128 parabolas in place of
///   an iteration.
///
/// # Errors
/// `Width` if `b` or `out` has more than 60 bits, or their difference leaves no room; `Shape`;
/// `Link`.
pub fn divide(
    s: &mut Session,
    label: impl Into<Label>,
    a: &Fixed,
    b: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    if a.raw.len() != b.raw.len() {
        return Err(ProtocolError::Shape { step: s.step().clone(), left: a.raw.len(), right: b.raw.len() });
    }
    let plan = Plan::new(s, a.format, b.format, out)?;
    let tables = Tables::new(&Piecewise::fit(0.5, 0.5 / 128.0, 1 << PIECE, 2, false, |x| 1.0 / x));
    by_chunks(s, label, a.raw.len(), out, |s, rows| {
        let (a, b) = (a.raw.rows(rows.clone()), b.raw.rows(rows));
        plan.run(s, &a, &b, &tables, rounding)
    })
}

/// `1 / b` in the format `out`: [`divide`] of one.
///
/// # Errors
/// As [`divide`].
pub fn reciprocal(
    s: &mut Session,
    label: impl Into<Label>,
    b: &Fixed,
    out: Format,
    rounding: Rounding,
) -> Result<Checked, ProtocolError> {
    let one = Fixed::new(Shared::constant(s, b.raw.len(), Z64(1)), Format { fraction: 0, width: 2 });
    divide(s, label, &one, b, out, rounding)
}

/// How a quotient's bits are laid out. With `b = ±2^q·β` and `m` bits of magnitude,
/// `a/b·2^e = ±a·2^{m−q} · 1/β · 2^{e−m}`.
struct Plan {
    b_width: usize,
    /// Bits after the point of `1/β`.
    reciprocal: usize,
    /// Bits cut off `±a·2^{m−q}`.
    first: usize,
    /// Bits cut off the product.
    second: usize,
    /// How `a` and `b` are compared, unless all quotients fit.
    bound: Option<Bound>,
}

/// What numbers are multiplied by to be compared, and the bits of their sum.
struct Bound {
    to_a: Z64,
    to_b: Z64,
    width: usize,
}

impl Plan {
    fn new(s: &Session, a: Format, b: Format, out: Format) -> Result<Self, ProtocolError> {
        require(s, b.width, MAX_WIDTH - 3)?;
        require(s, out.width, MAX_WIDTH - 3)?;
        require(s, a.width, MAX_WIDTH - 1)?;
        require(s, a.fraction, b.fraction + out.fraction)?;
        let e = b.fraction + out.fraction - a.fraction;
        let m = b.width - 1;
        // The product of a quotient below 2^{out.width−1} and its unit stays below 2^61.
        let room = MAX_WIDTH - 1 - out.width;
        let reciprocal = (room.max(2) - 1).min(28).max((e + 1).saturating_sub(m));
        require(s, reciprocal, 40)?;
        let first = (reciprocal + m).saturating_sub(e + room);
        let second = reciprocal + m - e - first;
        let all_fit = a.width + e < out.width;
        // ±a·2^{m−q} before bits are cut off it, where the quotient fits.
        let widest = (a.width + m).min((out.width + m).saturating_sub(e).max(a.width));
        require(s, widest, MAX_WIDTH)?;
        let bound = if all_fit {
            None
        } else {
            // |a|·2^e against |b|·2^c, both less what they have in common, with bits for the slack.
            let c = out.width - 1;
            let (to_a, to_b) = (e.saturating_sub(c), c.saturating_sub(e));
            let widest = (a.width + to_a).max(b.width + to_b);
            require(s, widest + 1, MAX_WIDTH - 1)?;
            let slack = SLACK.saturating_sub(to_b).min(MAX_WIDTH - 2 - widest);
            let to_b = to_b + slack;
            Some(Bound {
                to_a: power(to_a + slack),
                to_b: power(to_b).minus(power(to_b.saturating_sub(SLACK))),
                width: widest + slack + 1,
            })
        };
        Ok(Plan { b_width: b.width, reciprocal, first, second, bound })
    }

    fn run(
        &self,
        s: &mut Session,
        a: &Shared<Z64>,
        b: &Shared<Z64>,
        tables: &Tables,
        rounding: Rounding,
    ) -> Result<(Shared<Z64>, SharedBits), ProtocolError> {
        let bits = convert::ring_to_bits(s, "bits", b, self.b_width)?;
        let leading = s.scope("leading", |s| Leading::find(s, &bits, PIECE))?;
        let valid = match &self.bound {
            None => leading.nonzero.clone(),
            Some(Bound { to_a, to_b, width }) => {
                s.scope("bound", |s| smaller(s, &a.scale(*to_a), &b.scale(*to_b), *width))?
            }
        };
        let ((numerator, powers), coefficients) = s.join(
            |s| {
                // The sign is one more bit of the index.
                let index = SharedBits::stack(&[&leading.position, &leading.sign]);
                let both = |entry: &dyn Fn(usize) -> Z64| -> Vec<Z64> {
                    let half = leading.by_position(entry);
                    half.iter().copied().chain(half.iter().map(|item| item.negated())).collect()
                };
                let scale = both(&|q| leading.scale(q));
                let shift = both(&|q| power(leading.magnitude - q));
                let factors = if scale == shift {
                    rounding.lookup(s, "factors", &index, &[&scale])?
                } else {
                    rounding.lookup(s, "factors", &index, &[&scale, &shift])?
                };
                let beta = leading.scaled(s, b, &factors[0], rounding)?;
                let numerator =
                    rounding.dot(s, "numerator", &[(a, &factors[factors.len() - 1])], None, self.first)?;
                Ok((numerator, polynomial::powers(s, &beta, 2, rounding)?))
            },
            |s| tables.at(s, &leading.piece, rounding),
        )?;
        let reciprocal = polynomial::evaluate(s, &coefficients, &powers, self.reciprocal, rounding)?;
        let quotient = rounding.dot(s, "quotient", &[(&numerator, &reciprocal)], None, self.second)?;
        Ok((quotient, valid))
    }
}

/// Where `|x| ≤ |y|`, but for one sign of both where they are equal in size; nowhere that `y` is
/// zero. Sums of both have `width` bits.
fn smaller(
    s: &mut Session,
    x: &Shared<Z64>,
    y: &Shared<Z64>,
    width: usize,
) -> Result<SharedBits, ProtocolError> {
    // x − y and x + y have different signs exactly where y is larger.
    let n = x.len();
    let both = Shared::concat(&[&x.sub(y), &x.add(y)]);
    let signs = convert::is_negative_within(s, "signs", &both, width)?;
    Ok(signs.copy_rows(0..n).xor(&signs.copy_rows(n..2 * n)))
}
