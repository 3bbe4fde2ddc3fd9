//! Division by a power of two with an error below one, for passive adversaries.
//!
//! Two of the three summands lie with `P_0`, the third with `P_1` and `P_2`: so `P_0` knows
//! `a = x_0 + x_1`, the others `b = x_2`, and the kernel of `math::kernel::trunc_first` divides the
//! two sides. What `P_0` sees beyond its shares is masked under `K_2`, what `P_1` sees under
//! `K_0`, and `P_2` sees nothing.

use buf::{Buf, Bytes};
use math::{Column, Group, Ring};

use crate::error::ProtocolError;
use crate::prss::{Roots, Stream, Use};
use crate::rep3;
use crate::session::{Role, Session};
use crate::share::{Parts, Shared};
use crate::step::{Label, Step};

/// `x / 2^m`, as one of the two integers next to it, for ring elements that stand for signed ones.
///
/// - **Shape:** `n` elements with `−2^{k−2} ≤ x < 2^{k−2}`; the result is `⌊x/2^m⌋` or one more,
///   the latter about as often as the fraction says: the mean of the error is below `2^−m`.
/// - **Cost:** 2 rounds; `P_0` sends `n·(R::BYTES + 1)` bytes, `P_1` and `P_2` `n·R::BYTES` each.
/// - **Model:** one passive corruption of three. A cheater changes results unseen: where that
///   matters, use a circuit. Which neighbour comes out depends on the sharing, so the
///   result is that of exact division with random rounding only as far as nobody but the holders
///   of shares sees it together with them.
/// - **Source:** the gap idea of SecureML-style truncation with its wrap computed, as in ePrint
///   2025/200; the product of the two top bits from masked bits.
///
/// # Errors
/// `Unsupported` in malicious sessions; `Link`.
///
/// # Panics
/// If `m` is zero or not less than the ring's width less one.
pub fn trunc_1ulp<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    m: usize,
) -> Result<Shared<R>, ProtocolError> {
    check_shift::<R>(m);
    s.semi_honest_only()?;
    let step = s.begin(label)?;
    let n = x.len();
    let side = match (&s.core.role, x.parts()) {
        (Role::Rep3 { index: 0, .. }, Parts::Two([own, next])) => {
            let offset = offset::<R>();
            Side::Of0(own.zip(next, |own, next| own.plus(next).plus(offset)))
        }
        (Role::Rep3 { index: 1, .. }, Parts::Two([_, next])) => Side::Of1(next.clone()),
        (Role::Rep3 { .. }, Parts::Two([own, _])) => Side::Of2(own.clone()),
        (_, Parts::One([value])) => Side::Plain(value.clone()),
        _ => Side::Nothing,
    };
    divide(s, &step, n, side, m)
}

/// `(plus + Σ_t x_t·y_t) / 2^m`, as [`trunc_1ulp`] of a dot product: fixed-point multiplication.
///
/// - **Shape:** columns of `n` elements; the sum as signed integers is within `±2^{k−2}`.
/// - **Cost:** 3 rounds, however many pairs; `P_0` sends `n·(R::BYTES + 1)` bytes, `P_1` and `P_2`
///   twice `n·R::BYTES` each.
/// - **Model:** as [`trunc_1ulp`].
/// - **Source:** as [`trunc_1ulp`]; the product's messages go to `P_0` alone, and its third summand
///   is drawn rather than sent.
///
/// # Errors
/// `Unsupported` in malicious sessions; `Shape` if the lengths differ; `Link`.
///
/// # Panics
/// As [`trunc_1ulp`].
pub fn dot_trunc_1ulp<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    pairs: &[(&Shared<R>, &Shared<R>)],
    plus: Option<&Shared<R>>,
    m: usize,
) -> Result<Shared<R>, ProtocolError> {
    check_shift::<R>(m);
    s.semi_honest_only()?;
    let step = s.begin(label)?;
    let n = pairs.first().map_or(0, |(x, _)| x.len());
    for column in pairs.iter().flat_map(|(x, y)| [*x, *y]).chain(plus) {
        if column.len() != n {
            return Err(ProtocolError::Shape { step, left: n, right: column.len() });
        }
    }
    let core = s.core.clone();
    let [p0, p1, p2] = core.compute;
    let n_bytes = n * R::BYTES;
    let side = match &core.role {
        Role::Rep3 { index, roots } => {
            // Step 1: b and a mask q under K_2; P_1 and P_2 tell P_0 the rest of the sum.
            let draw = |what: &'static str, key: usize| stream(roots, &step, what, key);
            let cross = |out: &mut [R]| {
                pairs.iter().for_each(|(x, y)| math::kernel::mul_terms(out, rep3::two(x), rep3::two(y)));
            };
            match index {
                0 => {
                    let mut a = Buf::stale(n_bytes);
                    let out: &mut [R] = a.as_mut_slice();
                    out.fill(offset::<R>());
                    cross(out);
                    if let Some(plus) = plus {
                        rep3::two(plus).iter().for_each(|part| math::kernel::add_into(out, part));
                    }
                    for peer in [p1, p2] {
                        let rest = s.recv(&step, 0, peer, n_bytes)?;
                        math::kernel::add_into(out, rest.as_slice());
                    }
                    Side::Of0(a.into())
                }
                1 => {
                    let rest = Column::build(n, |out: &mut [R]| {
                        draw("mask", 1).fill(out);
                        cross(out);
                        if let Some(plus) = plus {
                            math::kernel::add_into(out, rep3::two(plus)[1]);
                        }
                    });
                    s.send(&step, 0, p0, rest.bytes().clone())?;
                    Side::Of1(draw("summand", 1).column(n))
                }
                _ => {
                    let b: Column<R> = draw("summand", 0).column(n);
                    let mask: Column<R> = draw("mask", 0).column(n);
                    let rest = Column::build(n, |out: &mut [R]| {
                        out.fill(R::ZERO);
                        cross(out);
                        math::kernel::sub_into(out, b.items());
                        math::kernel::sub_into(out, mask.items());
                    });
                    s.send(&step, 0, p0, rest.bytes().clone())?;
                    Side::Of2(b)
                }
            }
        }
        Role::Plain => {
            let value = |x: &Shared<R>| x.parts().as_slice()[0].clone();
            let mut sum = plus.map_or_else(|| Column::filled(n, R::ZERO), value);
            for (x, y) in pairs {
                sum = sum.zip(&value(x).zip(&value(y), R::times), R::plus);
            }
            Side::Plain(sum)
        }
        Role::Observer => Side::Nothing,
        Role::Count(_) => {
            s.count_messages(&[(p1, p0, n_bytes), (p2, p0, n_bytes)]);
            Side::Nothing
        }
    };
    divide(s, &step, n, side, m)
}

/// What a party brings to a division.
enum Side<R> {
    /// `x_0 + x_1`, with [`offset`] added.
    Of0(Column<R>),
    /// `x_2`.
    Of1(Column<R>),
    /// `x_2`.
    Of2(Column<R>),
    /// The value.
    Plain(Column<R>),
    /// No values.
    Nothing,
}

/// What makes every value in range non-negative and less than half the ring.
fn offset<R: Ring>() -> R {
    R::ONE.up(R::BITS - 2)
}

fn check_shift<R: Ring>(m: usize) {
    assert!(m > 0 && m < R::BITS as usize - 1, "a shift by at least one bit and less than the width");
}

/// A stream of this step under `K_i` (`key` 0) or `K_{i+1}` (`key` 1).
fn stream(roots: &Roots, step: &Step, what: &'static str, key: usize) -> Stream {
    roots.0[key].stream(&step.child(what.into()), Use::Part)
}

/// Divides both sides and shares the result again.
fn divide<R: Ring>(
    s: &mut Session,
    step: &Step,
    n: usize,
    side: Side<R>,
    m: usize,
) -> Result<Shared<R>, ProtocolError> {
    let core = s.core.clone();
    let [p0, p1, p2] = core.compute;
    let n_bytes = n * R::BYTES;
    let shift = m as u32;
    let draw = |what: &'static str, key: usize| match &core.role {
        Role::Rep3 { roots, .. } => stream(roots, step, what, key),
        _ => unreachable!("only compute parties have sides"),
    };
    let bits_drawn = |key: usize| {
        let mut bits = Buf::stale(n);
        draw("bit", key).fill::<math::X8>(bits.as_mut_slice());
        bits
    };
    let parts = match side {
        Side::Of0(a) => {
            // Step 2: e = a_top ⊕ r and this side's part of the result, masked, to P_1.
            let y_0: Column<R> = draw("result", 0).column(n);
            let rho: Column<R> = draw("product", 0).column(n);
            let mut bits = bits_drawn(0);
            let mut first = Buf::copy_of(y_0.items());
            // One more for rounding up and down alike; the offset leaves as it came.
            let constant = R::ONE.minus(R::ONE.up(R::BITS - 2 - shift));
            math::kernel::trunc_first(
                first.as_mut_slice::<R>(),
                bits.as_mut_slice(),
                a.items(),
                rho.items(),
                constant,
                shift,
            );
            let first: Bytes = first.freeze();
            s.send(step, 1, p1, bits.freeze())?;
            s.send(step, 2, p1, first.clone())?;
            // Step 4: P_1's part completes y_1.
            let second = s.recv(step, 3, p1, n_bytes)?;
            Parts::Two([y_0, sum_of(second, &first)])
        }
        Side::Of1(b) => {
            let y_2: Column<R> = draw("result", 1).column(n);
            let rho = s.recv(step, 4, p2, n_bytes)?;
            let bits = s.recv(step, 1, p0, n)?;
            // Step 3: the other side's part, masked, to P_0.
            let mut second = Buf::copy_of(y_2.items());
            math::kernel::trunc_second(
                second.as_mut_slice::<R>(),
                bits.bytes(),
                b.items(),
                rho.as_slice(),
                shift,
            );
            let second: Bytes = second.freeze();
            s.send(step, 3, p0, second.clone())?;
            let first = s.recv(step, 2, p0, n_bytes)?;
            Parts::Two([sum_of(first, &second), y_2])
        }
        Side::Of2(b) => {
            // Before step 2: a share of r·b_top for P_1; P_0 draws the other.
            let mut rho = Buf::stale(n_bytes);
            draw("product", 1).fill::<R>(rho.as_mut_slice());
            math::kernel::trunc_helper(rho.as_mut_slice::<R>(), bits_drawn(1).as_slice(), b.items());
            s.send(step, 4, p1, rho.freeze())?;
            Parts::Two([draw("result", 0).column(n), draw("result", 1).column(n)])
        }
        Side::Plain(value) => Parts::One([value.map(|item| R::from_signed(item.signed() >> m))]),
        Side::Nothing => {
            s.count_messages(&[(p2, p1, n_bytes), (p0, p1, n + n_bytes)]);
            s.count_messages(&[(p1, p0, n_bytes)]);
            Parts::Zero
        }
    };
    Ok(Shared::from_parts(n, parts))
}

/// A received column with one of this party's added.
fn sum_of<R: Group>(mut received: Buf, own: &Bytes) -> Column<R> {
    math::kernel::add_into(received.as_mut_slice::<R>(), own.as_slice());
    received.into()
}
