//! The halves of a sum in malicious sessions: what `P_0` alone knows, it proves.
//!
//! `P_0` knows both `x_0` and `x_1`, so it can add them up by itself. It does so gate by gate: a
//! carry is an AND of bits in slots 0 and 1 alone, of which `P_1` computes its part without a
//! message and `P_2` gets its part masked. What `P_0` sends is the message of an AND like any
//! other, with the same proof; `P_1` and `P_2` have nothing to send and nothing to prove.
//! Products with bits of `x_2` are the other way round: there `P_0` has nothing to prove.
//!
//! Source: the gates are those of `crate::and`; which of their messages are needed at all is
//! our own observation.

use math::planes::words_per_plane;
use math::{Planes, PlanesMut};

use super::Carries;
use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::error::ProtocolError;
use crate::prss::{Root, Use};
use crate::rep3;
use crate::session::{Role, Session};
use crate::share::Parts;
use crate::step::Step;

/// Who proves a sum that `P_0` computes, and products of its bits with those of `x_2`.
const FIRST: [bool; 3] = [true, false, false];
const OTHERS: [bool; 3] = [false, true, true];

/// `a = x_0 + x_1` and `b = x_2` as sharings.
pub(super) fn share(s: &mut Session, step: Step, x: &SharedBits) -> Result<[SharedBits; 2], ProtocolError> {
    let a = first_half(s, step, x)?;
    Ok([a, second_half(s, x)])
}

/// `a ⊕ b`.
pub(super) fn xor(s: &mut Session, step: Step, x: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let a = first_half(s, step, x)?;
    Ok(joined(s, &a, x))
}

/// What the digits of `a + b` carry, as [`super::Halves::carries`] says.
///
/// A digit of bits `a_1 a_0` and `b_1 b_0` hands a carry on where `(a_1 ⊕ b_1)(a_0 ⊕ b_0)`, an AND
/// of all three parties. Where it does not, `(a_1 ⊕ a_0)·b_1 ⊕ a_1·a_0` is what it carries itself.
/// `P_0`'s message of the first AND holds `a_1·a_0` already, and it has none for the second.
pub(super) fn carries(s: &mut Session, x: &SharedBits) -> Result<Carries, ProtocolError> {
    let step = s.begin("sum")?;
    let a = first_half(s, step, x)?;
    let (b, sum) = (second_half(s, x), joined(s, &a, x));
    let n_low = x.width() - 1;
    // Nobody asks whether the lowest digit hands a carry on: it has one bit, which is simpler.
    let single = (2 - n_low % 2).min(n_low);
    let every = |bits: &SharedBits, at: usize| match n_low - single {
        0 => bits.planes(0..0),
        _ => bits.planes(0..n_low).every(single + at, 2),
    };
    let factors = [every(&sum, 1), every(&sum, 0)];
    let mixed = every(&a, 1).xor(&every(&a, 0));
    let left = SharedBits::stack(&[&a.planes(0..single), &mixed]);
    let right = SharedBits::stack(&[&b.planes(0..single), &every(&b, 1)]);
    let Digits { handed, first, carried } = digits(s, &factors, [left, right])?;
    let own = carried.planes(single..carried.width()).xor(&first);
    Ok(Carries {
        top: sum.plane(n_low),
        generate: SharedBits::stack(&[&carried.planes(0..single), &own]),
        propagate: SharedBits::stack(&[&sum.planes(1..single), &handed]),
    })
}

/// `x_2` as a sharing, without a message.
fn second_half(s: &Session, x: &SharedBits) -> SharedBits {
    let zero = || Planes::zeroed(x.n_rows(), x.width());
    let parts = match (index(s), x.parts()) {
        (Some(0), _) => {
            let zero = zero();
            Parts::Two([zero.clone(), zero])
        }
        (Some(1), Parts::Two([_, next])) => Parts::Two([zero(), next.clone()]),
        (Some(_), Parts::Two([own, _])) => Parts::Two([own.clone(), zero()]),
        _ => Parts::Zero,
    };
    SharedBits::from_parts(x.n_rows(), x.width(), parts)
}

/// `a ⊕ x_2`, for `a` without a part in slot 2.
fn joined(s: &Session, a: &SharedBits, x: &SharedBits) -> SharedBits {
    let parts = match (index(s), a.parts(), x.parts()) {
        (Some(1), Parts::Two([own, _]), Parts::Two([_, next])) => Parts::Two([own.clone(), next.clone()]),
        (Some(2), Parts::Two([_, next]), Parts::Two([own, _])) => Parts::Two([own.clone(), next.clone()]),
        (_, a, _) => a.clone(),
    };
    SharedBits::from_parts(x.n_rows(), x.width(), parts)
}

fn index(s: &Session) -> Option<usize> {
    s.seat().map(|seat| seat.index)
}

/// `a = x_0 + x_1`, in slots 0 and 1.
///
/// With shares `c_0`, `c_1` of the carry and `a_0 = x_0 ⊕ c_0`, `a_1 = x_1 ⊕ c_1` of the sum, the next
/// carry is `c ⊕ (a_0 ⊕ c_1)(c_0 ⊕ a_1)`: an AND of the sharings `(a_0, c_1)` and `(c_0, a_1)`. Its
/// shares are `z_1 = c_1·a_1 ⊕ F(K_1)` and what is left, `z_0`; `P_0` sends `z_0 ⊕ F(K_0)` to `P_2`.
fn first_half(s: &mut Session, step: Step, x: &SharedBits) -> Result<SharedBits, ProtocolError> {
    let (n_rows, width) = (x.n_rows(), x.width());
    let n_gates = width.saturating_sub(1);
    let n_bytes = n_gates * words_per_plane(n_rows) * 8;
    let core = s.core.clone();
    let [first, _, third] = core.compute;
    if n_gates == 0 {
        return Ok(alone(s, x));
    }
    let mask = |root: &Root| root.stream(&step, Use::Mask).planes(n_rows, n_gates);
    // The shares of both factors in this party's two slots, and the message.
    let (u, v, sent) = match (&core.role, x.parts()) {
        (Role::Rep3 { index: 0, roots }, Parts::Two([x_0, x_1])) => {
            let masks = [mask(&roots.0[0]), mask(&roots.0[1])];
            let [a_1, c_1] = ripple_alone(x_1, &masks[1]);
            let mut sent = PlanesMut::stale(n_rows, n_gates);
            let [a_0, c_0] = ripple(x_0, |at, a_0, c_0, z| {
                let others = a_1.plane(at).iter().zip(c_1.plane(at));
                let masks = masks[0].plane(at).iter().zip(masks[1].plane(at));
                let mine = a_0.iter().zip(c_0).zip(others).zip(masks);
                for ((z, sent), (((a_0, c_0), (a_1, c_1)), (f_0, f_1))) in
                    z.iter_mut().zip(sent.plane_mut(at)).zip(mine)
                {
                    *z = (a_0 ^ c_1) & (c_0 ^ a_1) ^ c_1 & a_1 ^ f_1;
                    *sent = *z ^ f_0;
                }
            });
            let sent = sent.freeze();
            #[cfg(feature = "lab")]
            let (sent, [a_0, c_0]) = match s.product_of(&step, 0, &sent.dense_bytes()) {
                None => (sent, [a_0, c_0]),
                Some(spoiled) => {
                    let spoiled = Planes::from_buf(spoiled, n_rows, n_gates);
                    let halves = ripple_along(x_0, &spoiled, &masks[0]);
                    (spoiled, halves)
                }
            };
            s.send(&step, 0, third, sent.dense_bytes())?;
            (Parts::Two([a_0, c_1]), Parts::Two([c_0, a_1]), Parts::Two([sent.clone(), sent]))
        }
        (Role::Rep3 { index: 1, roots }, Parts::Two([x_1, _])) => {
            let [a_1, c_1] = ripple_alone(x_1, &mask(&roots.0[0]));
            let zero = Planes::zeroed(n_rows, width);
            let nothing = zero.planes(0..n_gates);
            let sent = Parts::Two([nothing.clone(), nothing]);
            (Parts::Two([c_1, zero.clone()]), Parts::Two([a_1, zero]), sent)
        }
        (Role::Rep3 { roots, .. }, Parts::Two([_, x_0])) => {
            let sent = Planes::from_buf(s.recv(&step, 0, first, n_bytes)?, n_rows, n_gates);
            let [a_0, c_0] = ripple_along(x_0, &sent, &mask(&roots.0[1]));
            let zero = Planes::zeroed(n_rows, width);
            let sent = Parts::Two([sent.clone(), sent]);
            (Parts::Two([zero.clone(), a_0]), Parts::Two([zero, c_0]), sent)
        }
        _ => {
            s.count_messages(&[(first, third, n_bytes)]);
            (Parts::Zero, Parts::Zero, Parts::Zero)
        }
    };
    // Slot 0 of the sum is the left factor's, slot 1 the right one's.
    let a = match (index(s), &u, &v) {
        (Some(0), Parts::Two([a_0, _]), Parts::Two([_, a_1])) => Parts::Two([a_0.clone(), a_1.clone()]),
        (Some(1), _, Parts::Two([a_1, zero])) => Parts::Two([a_1.clone(), zero.clone()]),
        (Some(_), Parts::Two([zero, a_0]), _) => Parts::Two([zero.clone(), a_0.clone()]),
        _ => Parts::Zero,
    };
    let factor = |parts| SharedBits::from_parts(n_rows, width, parts).planes(0..n_gates);
    let z = SharedBits::from_parts(n_rows, n_gates, sent);
    s.record_ands(AndStep {
        step,
        pairs: vec![(factor(u), factor(v))],
        second: Vec::new(),
        z,
        provers: FIRST,
    })?;
    Ok(SharedBits::from_parts(n_rows, width, a))
}

/// `x_0 + x_1` for one bit, which carries nothing: the parts in slots 0 and 1, and zero in slot 2.
fn alone(s: &Session, x: &SharedBits) -> SharedBits {
    let zero = || Planes::zeroed(x.n_rows(), x.width());
    let parts = match (index(s), x.parts()) {
        (Some(1), Parts::Two([own, _])) => Parts::Two([own.clone(), zero()]),
        (Some(2), Parts::Two([_, next])) => Parts::Two([zero(), next.clone()]),
        (_, parts) => parts.clone(),
    };
    SharedBits::from_parts(x.n_rows(), x.width(), parts)
}

/// Adds the carry's share to a summand from the lowest bit on: shares of the sum and of the
/// carries. `next` gets a plane's number and both, and writes the share of what the carry changes by.
fn ripple(summand: &Planes, mut next: impl FnMut(usize, &[u64], &[u64], &mut [u64])) -> [Planes; 2] {
    let (n_rows, width) = (summand.n_rows(), summand.width());
    let (mut sums, mut carries) = (PlanesMut::stale(n_rows, width), PlanesMut::stale(n_rows, width));
    let mut carry = vec![0; words_per_plane(n_rows)];
    let mut z = carry.clone();
    for at in 0..width {
        let (sum, kept) = (sums.plane_mut(at), carries.plane_mut(at));
        kept.copy_from_slice(&carry);
        math::kernel::xor_of(sum, summand.plane(at), &carry, 0);
        if at + 1 < width {
            next(at, sum, &carry, &mut z);
            math::kernel::xor_words(&mut carry, &z);
        }
    }
    [sums.freeze(), carries.freeze()]
}

/// The half that needs no message: slot 1.
fn ripple_alone(summand: &Planes, mask: &Planes) -> [Planes; 2] {
    ripple(summand, |at, sum, carry, z| {
        z.copy_from_slice(mask.plane(at));
        math::kernel::add_and(z, sum, carry);
    })
}

/// The half that follows the message: slot 0.
fn ripple_along(summand: &Planes, sent: &Planes, mask: &Planes) -> [Planes; 2] {
    ripple(summand, |at, _, _, z| math::kernel::xor_of(z, sent.plane(at), mask.plane(at), 0))
}

/// What [`digits`] computes.
struct Digits {
    /// The products of the factors.
    handed: SharedBits,
    /// The same of the factors' parts in slots 0 and 1 alone.
    first: SharedBits,
    /// The products of bits in slots 0 and 1 with bits in slot 2.
    carried: SharedBits,
}

/// Two kinds of products in one round: of two factors, by all; and of `left`, without a part in
/// slot 2, with `right`, which has no other, by `P_1` and `P_2`.
fn digits(
    s: &mut Session,
    factors: &[SharedBits; 2],
    [left, right]: [SharedBits; 2],
) -> Result<Digits, ProtocolError> {
    let (n_rows, n_handed, n_carried) = (left.n_rows(), factors[0].width(), left.width());
    let (handed_step, carried_step) = (s.begin("hand on")?, s.begin("carry")?);
    let [handed_bytes, carried_bytes] =
        [n_handed, n_carried].map(|width| width * words_per_plane(n_rows) * 8);
    let core = s.core.clone();
    let [first, second, third] = core.compute;
    let Role::Rep3 { index, roots } = &core.role else {
        let handed =
            [(first, third, handed_bytes), (second, first, handed_bytes), (third, second, handed_bytes)];
        let carried = [(second, first, carried_bytes), (third, second, carried_bytes)];
        s.count_messages(&[&handed[if n_handed == 0 { 3 } else { 0 }..], &carried].concat());
        let nothing = |width| SharedBits::from_parts(n_rows, width, Parts::Zero);
        let (handed, carried) = (nothing(n_handed), nothing(n_carried));
        record(s, handed_step, factors, handed.clone(), [true; 3])?;
        record(s, carried_step, &[left, right], carried.clone(), OTHERS)?;
        return Ok(Digits { first: handed.clone(), handed, carried });
    };
    let seat = s.seat().expect("a compute party has one");
    let message = |s: &Session, step: &Step, x: &SharedBits, y: &SharedBits| {
        let z = rep3::and_planes(roots, step, n_rows, x.width(), &[(x, y, None)]);
        #[cfg(feature = "lab")]
        let z = s.product_of(step, 0, &z.dense_bytes()).map_or(z, |z| Planes::from_buf(z, n_rows, x.width()));
        let _ = s;
        z
    };
    let handed = message(s, &handed_step, &factors[0], &factors[1]);
    let carried = if *index == 0 {
        Planes::zeroed(n_rows, n_carried)
    } else {
        message(s, &carried_step, &left, &right)
    };
    if n_handed > 0 {
        s.send(&handed_step, 0, seat.prev, handed.dense_bytes())?;
    }
    if *index != 0 {
        s.send(&carried_step, 0, seat.prev, carried.dense_bytes())?;
    }
    let handed_next = match n_handed {
        0 => handed.clone(),
        _ => Planes::from_buf(s.recv(&handed_step, 0, seat.next, handed_bytes)?, n_rows, n_handed),
    };
    let carried_next = match index {
        2 => Planes::zeroed(n_rows, n_carried),
        _ => Planes::from_buf(s.recv(&carried_step, 0, seat.next, carried_bytes)?, n_rows, n_carried),
    };

    // Slot 0 of the products of P_0's bits is its message less its own mask; slot 1 is P_1's own
    // product under the mask that the two share.
    let mask = |key: usize, step: &Step, width| roots.0[key].stream(step, Use::Mask).planes(n_rows, width);
    let local = |part: usize, key: usize| {
        let [x, y] = [0, 1].map(|factor| &factors[factor].parts().as_slice()[part]);
        x.zip(y, |x, y| x & y).xor(&mask(key, &handed_step, n_handed))
    };
    let part = match index {
        0 => [handed.xor(&mask(0, &handed_step, n_handed)), local(1, 1)],
        1 => [local(0, 0), Planes::zeroed(n_rows, n_handed)],
        _ => [Planes::zeroed(n_rows, n_handed), handed_next.xor(&mask(1, &handed_step, n_handed))],
    };
    // P_0's message of the other products would be masks alone: what P_2 would not know of it moves
    // to slot 1, whose holders do.
    let mask = |key| mask(key, &carried_step, n_carried);
    let shares = match index {
        0 => [mask(0), carried_next.xor(&mask(1))],
        1 => [carried.xor(&mask(0)), carried_next.clone()],
        _ => [carried.clone(), mask(1)],
    };
    let shared = |width, parts| SharedBits::from_parts(n_rows, width, Parts::Two(parts));
    let handed = shared(n_handed, [handed, handed_next]);
    record(s, handed_step, factors, handed.clone(), [true; 3])?;
    record(s, carried_step, &[left, right], shared(n_carried, [carried, carried_next]), OTHERS)?;
    Ok(Digits { handed, first: shared(n_handed, part), carried: shared(n_carried, shares) })
}

fn record(
    s: &mut Session,
    step: Step,
    [x, y]: &[SharedBits; 2],
    z: SharedBits,
    provers: [bool; 3],
) -> Result<(), ProtocolError> {
    s.record_ands(AndStep { step, pairs: vec![(x.clone(), y.clone())], second: Vec::new(), z, provers })
}
