//! The steps that operators are made of: `oblivious` under the operator's
//! numbered labels, on the engine's own types.

use math::{Ring as RingElement, Z64, Z128};
use mpc::{ProtocolError, Session, Shared, SharedBits, verify};

use crate::context::{Context, Result};
use crate::number::Ring;

type Step<T> = std::result::Result<T, ProtocolError>;

/// `x ∧ y`; a side of one plane stands for copies of it.
pub(crate) fn and(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("and", |s| mpc::and(s, "planes", x, y))
}

/// Several ANDs in one flight.
pub(crate) fn and_many(cx: &mut Context, pairs: &[(&SharedBits, &SharedBits)]) -> Result<Vec<SharedBits>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    cx.step("and", |s| mpc::and_many(s, "planes", pairs))
}

/// One bit AND each of several columns, in one flight.
pub(crate) fn and_each(
    cx: &mut Context,
    bit: &SharedBits,
    columns: &[&SharedBits],
) -> Result<Vec<SharedBits>> {
    let pairs: Vec<_> = columns.iter().map(|column| (bit, *column)).collect();
    and_many(cx, &pairs)
}

/// The AND of several planes, of which there is one at least.
pub(crate) fn and_all(cx: &mut Context, list: Vec<SharedBits>) -> Result<SharedBits> {
    let stacked = SharedBits::stack(&list.iter().collect::<Vec<_>>());
    Ok(all_set(cx, vec![stacked])?.remove(0))
}

/// The OR of several planes, of which there is one at least.
pub(crate) fn or_all(cx: &mut Context, list: Vec<SharedBits>) -> Result<SharedBits> {
    let inverted = list.iter().map(|plane| plane.not(cx.session())).collect();
    let none = and_all(cx, inverted)?;
    Ok(none.not(cx.session()))
}

/// For each column, where all of its planes are set; all in one chain of flights.
pub(crate) fn all_set(cx: &mut Context, mut columns: Vec<SharedBits>) -> Result<Vec<SharedBits>> {
    while columns.iter().any(|column| column.width() > 1) {
        let halves: Vec<(SharedBits, SharedBits)> = columns
            .iter()
            .filter(|column| column.width() > 1)
            .map(|column| {
                let half = column.width() / 2;
                (column.planes(0..half), column.planes(half..2 * half))
            })
            .collect();
        let pairs: Vec<_> = halves.iter().map(|(low, high)| (low, high)).collect();
        let mut products = and_many(cx, &pairs)?.into_iter();
        for column in columns.iter_mut().filter(|column| column.width() > 1) {
            let product = products.next().expect("one product per pair");
            *column = match column.width() % 2 {
                0 => product,
                _ => SharedBits::stack(&[&product, &column.plane(column.width() - 1)]),
            };
        }
    }
    Ok(columns)
}

/// For each pair, where both sides are equal.
pub(crate) fn equal_each(cx: &mut Context, pairs: &[(SharedBits, SharedBits)]) -> Result<Vec<SharedBits>> {
    let same = pairs.iter().map(|(x, y)| x.xor(y).not(cx.session())).collect();
    all_set(cx, same)
}

/// Where both sides are equal.
pub(crate) fn equal(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    Ok(equal_each(cx, &[(x.clone(), y.clone())])?.remove(0))
}

/// Where `x < y`, both in two's complement if `signed`, else without sign.
pub(crate) fn less(cx: &mut Context, x: &SharedBits, y: &SharedBits, signed: bool) -> Result<SharedBits> {
    cx.step("less", |s| less_in(s, x, y, signed))
}

fn less_in(s: &mut Session, x: &SharedBits, y: &SharedBits, signed: bool) -> Step<SharedBits> {
    let (x, y) = if signed { (flip_top(s, x), flip_top(s, y)) } else { (x.clone(), y.clone()) };
    let mut g = mpc::and(s, "generate", &x.not(s), &y)?;
    let mut p = x.xor(&y).not(s);
    let mut level = 0;
    while g.width() > 1 {
        let width = g.width();
        let n = width / 2;
        let every = |bits: &SharedBits, first: usize| {
            let planes: Vec<SharedBits> = (0..n).map(|at| bits.plane(first + 2 * at)).collect();
            SharedBits::stack(&planes.iter().collect::<Vec<_>>())
        };
        let (p_high, g_low, p_low) = (every(&p, 1), every(&g, 0), every(&p, 0));
        let out = mpc::and_many(s, ("level", level), &[(&p_high, &g_low), (&p_high, &p_low)])?;
        let g_next = every(&g, 1).xor(&out[0]);
        let p_next = out[1].clone();
        (g, p) = if width % 2 == 1 {
            let top = width - 1;
            (SharedBits::stack(&[&g_next, &g.plane(top)]), SharedBits::stack(&[&p_next, &p.plane(top)]))
        } else {
            (g_next, p_next)
        };
        level += 1;
    }
    Ok(g)
}

fn flip_top(s: &Session, x: &SharedBits) -> SharedBits {
    let top = x.width() - 1;
    let flipped = x.plane(top).not(s);
    if top == 0 { flipped } else { SharedBits::stack(&[&x.planes(0..top), &flipped]) }
}

/// `x` where `bit` is set, else `y`.
pub(crate) fn select(
    cx: &mut Context,
    bit: &SharedBits,
    x: &SharedBits,
    y: &SharedBits,
) -> Result<SharedBits> {
    Ok(and(cx, bit, &x.xor(y))?.xor(y))
}

/// `x + y` modulo 2^width, planes of one width.
pub(crate) fn add(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("add", |s| Ok(add_in(s, x, y, false)?.0))
}

/// `x - y` modulo 2^width, planes of one width.
pub(crate) fn subtract(cx: &mut Context, x: &SharedBits, y: &SharedBits) -> Result<SharedBits> {
    cx.step("subtract", |s| {
        let y = y.not(s);
        Ok(add_in(s, x, &y, true)?.0)
    })
}

/// The sum and the carry out of its top plane.
fn add_in(s: &mut Session, x: &SharedBits, y: &SharedBits, carry_in: bool) -> Step<(SharedBits, SharedBits)> {
    let width = x.width();
    let sum = x.xor(y);
    let g = mpc::and(s, "generate", x, y)?;
    let mut g: Vec<SharedBits> = (0..width).map(|plane| g.plane(plane)).collect();
    let mut p: Vec<SharedBits> = (0..width).map(|plane| sum.plane(plane)).collect();
    if carry_in {
        g[0] = g[0].xor(&p[0]);
    }
    let mut span = 1;
    while span < width {
        let blocks: Vec<usize> = (span..width).step_by(2 * span).collect();
        let stacks: Vec<SharedBits> = blocks
            .iter()
            .map(|mid| SharedBits::stack(&p[*mid..(mid + span).min(width)].iter().collect::<Vec<_>>()))
            .collect();
        let pairs: Vec<(&SharedBits, &SharedBits)> = blocks
            .iter()
            .zip(&stacks)
            .flat_map(|(mid, upper)| [(upper, &g[mid - 1]), (upper, &p[mid - 1])])
            .collect();
        let out = mpc::and_many(s, ("span", span), &pairs)?;
        for (mid, both) in blocks.iter().zip(out.chunks(2)) {
            for at in 0..both[0].width() {
                g[mid + at] = g[mid + at].xor(&both[0].plane(at));
                p[mid + at] = both[1].plane(at);
            }
        }
        span *= 2;
    }
    let first = SharedBits::constant(s, x.n_rows(), 1, carry_in.into());
    let carries: Vec<&SharedBits> = std::iter::once(&first).chain(&g[..width - 1]).collect();
    Ok((sum.xor(&SharedBits::stack(&carries)), g[width - 1].clone()))
}

/// `a + b + c + carries` modulo 2^width.
fn add_three(s: &mut Session, [a, b, c]: [&SharedBits; 3], carry: bool) -> Step<SharedBits> {
    let width = a.width();
    let sum = a.xor(b).xor(c);
    let majority = mpc::and(s, "majority", &a.xor(c), &b.xor(c))?.xor(c);
    let first = SharedBits::constant(s, a.n_rows(), 1, carry.into());
    let shifted =
        if width == 1 { first } else { SharedBits::stack(&[&first, &majority.planes(0..width - 1)]) };
    Ok(add_in(s, &sum, &shifted, carry)?.0)
}

/// Planes as arithmetic shares, with the top plane as sign if `signed`.
pub(crate) fn bits_to_ring<R: RingElement>(
    cx: &mut Context,
    bits: &SharedBits,
    signed: bool,
) -> Result<Shared<R>> {
    let width = R::BITS as usize;
    let wide = if signed { bits.sign_extended(width) } else { bits.resized(cx.session(), width) };
    if bits.width() == 1 && !signed {
        return bit_to_ring(cx, bits);
    }
    cx.step("to_ring", |s| {
        let masks = mpc::word_masks::<R>(s, "masks", wide.n_rows())?;
        let (a, b) = (masks.bits[0].not(s), masks.bits[1].not(s));
        let difference = add_three(s, [&wide, &a, &b], true)?;
        let difference = verify(s, difference)?;
        mpc::word_finish(s, masks, difference)
    })
}

/// The low planes of arithmetic shares.
pub(crate) fn ring_to_bits(cx: &mut Context, ring: &Ring, width: usize) -> Result<SharedBits> {
    let split_width = match ring {
        Ring::Z64(_) => width.min(64),
        Ring::Z128(_) => width.min(128),
    };
    let bits = cx.step("to_bits", |s| {
        let [a, b, c] = match ring {
            Ring::Z64(x) => SharedBits::split(s, x, split_width),
            Ring::Z128(x) => SharedBits::split(s, x, split_width),
        };
        add_three(s, [&a, &b, &c], false)
    })?;
    Ok(bits.sign_extended(width))
}

/// One plane as zeros and ones of a ring.
pub(crate) fn bit_to_ring<R: RingElement>(cx: &mut Context, bit: &SharedBits) -> Result<Shared<R>> {
    cx.step("bit_to_ring", |s| {
        let [a, b, c] = bit.lift::<R>(s);
        let two = R::ONE.plus(R::ONE);
        let ab = mpc::mul(s, "first", &a, &b)?;
        let t = a.add(&b).sub(&ab.scale(two));
        let tc = mpc::mul(s, "second", &t, &c)?;
        Ok(t.add(&c).sub(&tc.scale(two)))
    })
}

/// The number where `bit` is set, else zero.
pub(crate) fn inject(cx: &mut Context, bit: &SharedBits, ring: &Ring) -> Result<Ring> {
    Ok(match ring {
        Ring::Z64(x) => {
            let bit = bit_to_ring::<Z64>(cx, bit)?;
            Ring::Z64(cx.step("inject", |s| mpc::mul(s, "product", &bit, x))?)
        }
        Ring::Z128(x) => {
            let bit = bit_to_ring::<Z128>(cx, bit)?;
            Ring::Z128(cx.step("inject", |s| mpc::mul(s, "product", &bit, x))?)
        }
    })
}

/// Products in one ring.
pub(crate) fn multiply(cx: &mut Context, x: &Ring, y: &Ring) -> Result<Ring> {
    Ok(match (x, y) {
        (Ring::Z64(x), Ring::Z64(y)) => Ring::Z64(cx.step("multiply", |s| mpc::mul(s, "product", x, y))?),
        (Ring::Z128(x), Ring::Z128(y)) => Ring::Z128(cx.step("multiply", |s| mpc::mul(s, "product", x, y))?),
        _ => return Err(cx.wrong_plan("a product of two rings")),
    })
}

/// Quotient and remainder of unsigned numbers; all ones and the dividend where
/// the divisor is zero.
pub(crate) fn divide(
    cx: &mut Context,
    dividend: &SharedBits,
    divisor: &SharedBits,
) -> Result<(SharedBits, SharedBits)> {
    cx.step("divide", |s| {
        let width = divisor.width();
        let wide = divisor.resized(s, width + 1).not(s);
        let mut rest = SharedBits::constant(s, dividend.n_rows(), width, 0);
        let mut quotient = Vec::with_capacity(dividend.width());
        for plane in (0..dividend.width()).rev() {
            let shifted = SharedBits::stack(&[&dividend.plane(plane), &rest]);
            let (rest_next, fits) = s.scope(("digit", plane), |s| {
                let (difference, fits) = add_in(s, &shifted, &wide, true)?;
                let kept = mpc::and(s, "keep", &fits, &difference.xor(&shifted))?.xor(&shifted);
                Ok::<_, ProtocolError>((kept.planes(0..width), fits))
            })?;
            rest = rest_next;
            quotient.push(fits);
        }
        quotient.reverse();
        Ok((SharedBits::stack(&quotient.iter().collect::<Vec<_>>()), rest))
    })
}
