//! Comparison and equality of boolean numbers, bit-sliced, at their real widths.

use mpc::{Label, ProtocolError, Session, SharedBits};

/// Where `x < y`.
///
/// - **Shape:** `x` and `y` have `n` rows of `w` planes, in two's complement if `signed`; the
///   result has one plane.
/// - **Cost:** `⌈log₂ w⌉ + 1` rounds; fewer than `3w` ANDs per row.
/// - **Source:** a tree of (generate, propagate) pairs, as in a carry-lookahead adder of which
///   only the last carry is wanted; the lowest node never propagates.
///
/// # Errors
/// `Shape` if the shapes differ; `Link`.
///
/// # Panics
/// If there is no plane.
pub fn less_than(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
    signed: bool,
) -> Result<SharedBits, ProtocolError> {
    assert!(x.width() > 0, "numbers of at least one bit");
    s.scope(label, |s| {
        let top = x.width() - 1;
        let differ = x.xor(y);
        // The sign bit counts the other way: the negative number is the smaller one.
        let g = if signed && y.width() == x.width() {
            let (x_low, y_low) = (x.planes(0..top).not(s), y.planes(0..top));
            let (x_top, y_top) = (x.plane(top), y.plane(top).not(s));
            let parts = match top {
                0 => mpc::and_many(s, "generate", &[(&x_top, &y_top)])?,
                _ => mpc::and_many(s, "generate", &[(&x_low, &y_low), (&x_top, &y_top)])?,
            };
            SharedBits::stack(&parts.iter().collect::<Vec<_>>())
        } else {
            let not_x = x.not(s);
            mpc::and(s, "generate", &not_x, y)?
        };
        let p = differ.planes(1..x.width()).not(s);
        carry_out(s, g, p)
    })
}

/// Where `x < constant` for a public constant, in two's complement if `signed`.
///
/// - **Cost:** `⌈log₂ w⌉` rounds: what one bit generates and propagates is known without talking.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If there is no plane.
pub fn less_than_public(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    constant: u128,
    signed: bool,
) -> Result<SharedBits, ProtocolError> {
    let (g, p) = public_terms(s, x, constant, signed, true);
    s.scope(label, |s| carry_out(s, g, p))
}

/// Where `x > constant` for a public constant, in two's complement if `signed`.
///
/// # Errors
/// As [`less_than_public`].
///
/// # Panics
/// As [`less_than_public`].
pub fn greater_than_public(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    constant: u128,
    signed: bool,
) -> Result<SharedBits, ProtocolError> {
    let (g, p) = public_terms(s, x, constant, signed, false);
    s.scope(label, |s| carry_out(s, g, p))
}

/// What each bit of a comparison with a public constant generates and propagates.
fn public_terms(
    s: &Session,
    x: &SharedBits,
    constant: u128,
    signed: bool,
    less: bool,
) -> (SharedBits, SharedBits) {
    let width = x.width();
    assert!(width > 0, "numbers of at least one bit");
    let bit = |plane: usize| constant >> plane.min(127) & 1 == 1;
    let zero = SharedBits::constant(s, x.n_rows(), 1, 0);
    let g: Vec<SharedBits> = (0..width)
        .map(|plane| {
            // x < c is decided here where x has 0 and c has 1; at the sign it is the other way round.
            let wanted = if signed && plane == width - 1 { !less } else { less };
            match (bit(plane) == wanted, wanted) {
                (false, _) => zero.clone(),
                (true, true) => x.plane(plane).not(s),
                (true, false) => x.plane(plane),
            }
        })
        .collect();
    let p: Vec<SharedBits> =
        (1..width).map(|plane| if bit(plane) { x.plane(plane) } else { x.plane(plane).not(s) }).collect();
    let p = if p.is_empty() { x.planes(0..0) } else { SharedBits::stack(&p.iter().collect::<Vec<_>>()) };
    (SharedBits::stack(&g.iter().collect::<Vec<_>>()), p)
}

/// The carry out of `w` positions: `g` of each, `p` of each but the lowest.
pub(crate) fn carry_out(
    s: &mut Session,
    mut g: SharedBits,
    mut p: SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let mut level = 0;
    while g.width() > 1 {
        // With an odd number of positions the lowest one waits; it needs no partner to propagate.
        let odd = g.width() % 2;
        let pairs = g.width() / 2;
        let (g_low, g_high) = (g.every(odd, 2).planes(0..pairs), g.every(odd + 1, 2));
        let p_high = p.every(odd, 2);
        // All pairs propagate but the lowest, unless a lower position waits.
        let n = pairs - (1 - odd);
        let out = if n == 0 {
            mpc::and_many(s, ("level", level), &[(&p_high, &g_low)])?
        } else {
            let (p_low, p_upper) =
                if odd == 1 { (p.every(0, 2), p.every(1, 2)) } else { (p.every(1, 2), p.every(2, 2)) };
            mpc::and_many(s, ("level", level), &[(&p_high, &g_low), (&p_upper, &p_low.planes(0..n))])?
        };
        let combined = g_high.xor(&out[0]);
        g = if odd == 1 { SharedBits::stack(&[&g.plane(0), &combined]) } else { combined };
        p = if n == 0 { p.planes(0..0) } else { out[1].clone() };
        level += 1;
    }
    Ok(g)
}

/// Where `x = y`.
///
/// - **Cost:** `⌈log₂ w⌉` rounds, `w − 1` ANDs per row.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If the shapes differ.
pub fn equal(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let same = x.xor(y).not(s);
    all_ones(s, label, &same)
}

/// Where `x` is the low bits of a public word. Cost: as [`equal`].
///
/// # Errors
/// `Link`.
pub fn equal_public(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    word: u128,
) -> Result<SharedBits, ProtocolError> {
    let same = x.xor_constant(s, word).not(s);
    all_ones(s, label, &same)
}

/// Where all planes are one; everywhere, if there is no plane.
///
/// - **Cost:** `⌈log₂ w⌉` rounds, `w − 1` ANDs per row.
///
/// # Errors
/// `Link`.
pub fn all_ones(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    if x.width() == 0 {
        return Ok(SharedBits::constant(s, x.n_rows(), 1, 1));
    }
    s.scope(label, |s| {
        let mut x = x.clone();
        let mut level = 0;
        while x.width() > 1 {
            let half = x.width() / 2;
            let both = mpc::and(s, ("level", level), &x.planes(0..half), &x.planes(half..2 * half))?;
            x = if x.width() % 2 == 1 { SharedBits::stack(&[&both, &x.plane(2 * half)]) } else { both };
            level += 1;
        }
        Ok(x)
    })
}

/// Where some plane is one; nowhere, if there is no plane. Cost: as [`all_ones`].
///
/// # Errors
/// `Link`.
pub fn any_one(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
) -> Result<SharedBits, ProtocolError> {
    let none = all_ones(s, label, &x.not(s))?;
    Ok(none.not(s))
}
