//! Comparison and equality of boolean numbers, bit-sliced, at their real widths.

use mpc::{Label, ProtocolError, Session, SharedBits};

/// Where `x < y`.
///
/// - **Shape:** `x` and `y` have `n` rows of `w` planes, in two's complement if `signed`; the
///   result has one plane.
/// - **Cost:** `⌈log₂ w⌉ + 1` rounds; fewer than `2½·w` ANDs per row.
/// - **Source:** a tree of (generate, propagate) pairs, as in a carry-lookahead adder of which
///   only the last carry is wanted; the lowest node never propagates. Its leaves are pairs of
///   bits in which the lower decides where the upper does not: three ANDs instead of four.
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
        // The topmost bit that differs decides, and does so as y's bit says: at the sign as x's,
        // since the negative number is the smaller one.
        let decides = match signed {
            true => SharedBits::stack(&[&y.planes(0..x.width() - 1), &x.plane(x.width() - 1)]),
            false => y.clone(),
        };
        decided(s, &decides, &x.xnor(s, y))
    })
}

/// What the topmost position says that does not hand on: `t` of each position, `p` where it hands
/// on what the positions below it say. The lowest hands on a zero.
///
/// - **Cost:** `⌈log₂ w⌉ + 1` rounds; fewer than `2½·w` ANDs per row.
pub(crate) fn decided(s: &mut Session, t: &SharedBits, p: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let n = t.width();
    // Positions in pairs; the lowest is alone if their number is odd.
    let single = n % 2;
    let [t_low, t_high] = [single, single + 1].map(|at| t.every(at.min(n), 2));
    let [p_low, p_high] = [single, single + 1].map(|at| p.every(at.min(n), 2));
    let [first_t, first_p] =
        [(t, &t_low), (p, &p_low)].map(|(w, low)| SharedBits::stack(&[&w.planes(0..single), low]));
    let mut out = mpc::and_onto(s, "lower", &[(&first_t, &first_p, Some(&first_t))])?;
    let lower = out.pop().expect("one product");
    let (alone, lower) = (lower.planes(0..single), lower.planes(single..lower.width()));
    if lower.width() == 0 {
        return Ok(alone);
    }
    // t_high where it decides, else what the lower one says: t_high ⊕ p_high ∧ (t_high ⊕ lower). The lowest
    // pair, or the one alone, hands nothing on.
    let decides = t_high.xor(&lower);
    let p_low = p_low.planes(1 - single..p_low.width());
    let (mut pairs, p) = mpc::and_twin(s, "upper", &[(&p_high, &decides, Some(&t_high))], &p_low)?;
    carry_out(s, SharedBits::stack(&[&alone, &pairs.pop().expect("one product")]), p)
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

/// [`less_than_public`] for each of several constants, side by side: a plane for each.
///
/// # Errors
/// As [`less_than_public`].
///
/// # Panics
/// As [`less_than_public`], and if there is no constant.
pub fn less_than_each(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    constants: &[u128],
    signed: bool,
) -> Result<SharedBits, ProtocolError> {
    let numbered: Vec<(usize, u128)> = constants.iter().copied().enumerate().collect();
    let planes = crate::fork::each(s, label, &numbered, &|s, (at, constant)| {
        less_than_public(s, ("constant", *at), x, *constant, signed)
    })?;
    Ok(SharedBits::stack(&planes.iter().collect::<Vec<_>>()))
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
pub(crate) fn carry_out(s: &mut Session, g: SharedBits, p: SharedBits) -> Result<SharedBits, ProtocolError> {
    tree(s, g, p, |low, _| low.clone())
}

/// [`carry_out`] where `g` is any bit at positions that propagate: `p` selects what comes from below.
pub(crate) fn selected_carry_out(
    s: &mut Session,
    g: SharedBits,
    p: SharedBits,
) -> Result<SharedBits, ProtocolError> {
    tree(s, g, p, SharedBits::xor)
}

/// Both: `instead` is what changes in a position that propagates, from what is below and its own `g`.
fn tree(
    s: &mut Session,
    mut g: SharedBits,
    mut p: SharedBits,
    instead: impl Fn(&SharedBits, &SharedBits) -> SharedBits,
) -> Result<SharedBits, ProtocolError> {
    // With an odd number of positions, the lowest one waits; it needs no partner to propagate.
    // While one waits below, all others propagate.
    let mut low: Option<SharedBits> = None;
    let mut level = 0;
    loop {
        let n = g.width();
        if low.is_none() && n % 2 == 1 {
            low = Some(g.plane(0));
            g = g.planes(1..n);
            continue;
        }
        let label = ("level", level);
        match &low {
            // The waiting one goes on waiting, and the others pair up among themselves.
            Some(_) if n > 0 && n.is_multiple_of(2) => {
                let [g_low, g_high, p_low, p_high] =
                    [g.every(0, 2), g.every(1, 2), p.every(0, 2), p.every(1, 2)];
                let low = instead(&g_low, &g_high);
                let (out, handed) = mpc::and_twin(s, label, &[(&p_high, &low, Some(&g_high))], &p_low)?;
                [g] = <[_; 1]>::try_from(out).expect("one product");
                p = handed;
            }
            Some(waiting) if n > 0 => {
                let (first_p, first_g) = (p.plane(0), g.plane(0));
                let waiting = instead(waiting, &first_g);
                let first = (&first_p, &waiting, Some(&first_g));
                let [g_low, g_high] = [1, 2].map(|at| g.every(at.min(n), 2));
                let [p_low, p_high] = [1, 2].map(|at| p.every(at.min(n), 2));
                let g_low = instead(&g_low, &g_high);
                let mut out = if n == 1 {
                    [g, p] = [g.planes(0..0), p.planes(0..0)];
                    mpc::and_onto(s, label, &[first])?
                } else {
                    let (mut out, handed) =
                        mpc::and_twin(s, label, &[first, (&p_high, &g_low, Some(&g_high))], &p_low)?;
                    (g, p) = (out.pop().expect("two products"), handed);
                    out
                };
                low = out.pop();
            }
            Some(_) => return Ok(low.expect("just seen")),
            // All pair up, and nobody asks whether the lowest pair propagates.
            None => {
                let [g_low, g_high, p_high] = [g.every(0, 2), g.every(1, 2), p.every(0, 2)];
                let g_low = instead(&g_low, &g_high);
                let p_low = p.every(1, 2);
                let (mut out, handed) = mpc::and_twin(s, label, &[(&p_high, &g_low, Some(&g_high))], &p_low)?;
                (g, p) = (out.pop().expect("one product"), handed);
            }
        }
        level += 1;
    }
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
        // With an odd number of planes, one waits for the next odd number.
        let mut x = x.clone();
        let mut waiting: Option<SharedBits> = None;
        let mut level = 0;
        loop {
            let (n, half) = (x.width(), x.width() / 2);
            let (low, high, last) = (x.planes(0..half), x.planes(half..2 * half), x.planes(2 * half..n));
            let pair = match &waiting {
                Some(waiting) if n % 2 == 1 => Some((&last, waiting)),
                _ => None,
            };
            let halves = (half > 0).then_some((&low, &high));
            let pairs: Vec<_> = halves.into_iter().chain(pair).collect();
            if pairs.is_empty() {
                return Ok(waiting.unwrap_or(x));
            }
            let mut out = mpc::and_many(s, ("level", level), &pairs)?;
            waiting = match pair {
                Some(_) => out.pop(),
                None if n % 2 == 1 => Some(last),
                None => waiting,
            };
            x = out.pop().unwrap_or_else(|| x.planes(0..0));
            level += 1;
        }
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
