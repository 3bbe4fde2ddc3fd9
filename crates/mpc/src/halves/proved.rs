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
use math::{Planes, PlanesMut, kernel};

use super::Carries;
use crate::bits::SharedBits;
use crate::check::AndStep;
use crate::error::ProtocolError;
use crate::prss::{Masks, Root, Use};
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
    let mixed = mixed(s, [&every(&a, 1), &every(&a, 0)]);
    let pairs = [(a.planes(0..single), b.planes(0..single)), (mixed, every(&b, 1))];
    let Digits { handed, generate } = digits(s, &factors, pairs)?;
    let propagate = match single {
        1 => handed,
        _ => SharedBits::stack(&[&sum.planes(1..single), &handed]),
    };
    Ok(Carries { top: sum.plane(n_low), generate, propagate })
}

/// `x ⊕ y` for planes without a part in slot 2.
fn mixed(s: &Session, [x, y]: [&SharedBits; 2]) -> SharedBits {
    let (n_rows, width) = (x.n_rows(), x.width());
    let zero = || Planes::zeroed(n_rows, width);
    let parts = match (index(s), x.parts(), y.parts()) {
        (Some(1), Parts::Two([x, _]), Parts::Two([y, _])) => Parts::Two([x.xor(y), zero()]),
        (Some(2), Parts::Two([_, x]), Parts::Two([_, y])) => Parts::Two([zero(), x.xor(y)]),
        _ => return x.xor(y),
    };
    SharedBits::from_parts(n_rows, width, parts)
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
    let masks = |root: &Root| root.stream(&step, Use::Mask).masks(n_rows, n_gates);
    // The shares of both factors in this party's two slots, and the message.
    let (u, v, sent) = match (&core.role, x.parts()) {
        (Role::Rep3 { index: 0, roots }, Parts::Two([x_0, x_1])) => {
            let mut all = [masks(&roots.0[0]), masks(&roots.0[1])];
            let mut sent = PlanesMut::stale(n_rows, n_gates);
            let [mut a_0, mut a_1] = [(); 2].map(|()| Ripple::new(n_rows, width));
            for at in 0..n_gates {
                let [f_0, f_1] = all.each_mut().map(|masks| masks.plane(at));
                let z = sent.plane_mut(at);
                let other = a_1.carry_alone(at, x_1, f_1);
                a_0.add(at, x_0);
                kernel::carry_message(z, a_0.sum_and_carry(at), other, [f_0, f_1]);
                a_0.carry_along(at, x_0, [z, f_0]);
            }
            let sent = sent.freeze();
            let [a_0, a_1] = [a_0.ended(x_0), a_1.ended(x_1)];
            #[cfg(feature = "lab")]
            let (sent, a_0) = match s.product_of(&step, 0, &sent.dense_bytes()) {
                None => (sent, a_0),
                Some(spoiled) => {
                    let spoiled = Planes::from_buf(spoiled, n_rows, n_gates);
                    let half = ripple_along(x_0, &spoiled, masks(&roots.0[0]));
                    (spoiled, half)
                }
            };
            let ([a_0, c_0], [a_1, c_1]) = (a_0, a_1);
            s.send(&step, 0, third, sent.dense_bytes())?;
            (Parts::Two([a_0, c_1]), Parts::Two([c_0, a_1]), Parts::Two([sent.clone(), sent]))
        }
        (Role::Rep3 { index: 1, roots }, Parts::Two([x_1, _])) => {
            let [a_1, c_1] = ripple_alone(x_1, masks(&roots.0[0]));
            let zero = Planes::zeroed(n_rows, width);
            let nothing = zero.planes(0..n_gates);
            let sent = Parts::Two([nothing.clone(), nothing]);
            (Parts::Two([c_1, zero.clone()]), Parts::Two([a_1, zero]), sent)
        }
        (Role::Rep3 { roots, .. }, Parts::Two([_, x_0])) => {
            let sent = Planes::from_buf(s.recv(&step, 0, first, n_bytes)?, n_rows, n_gates);
            let [a_0, c_0] = ripple_along(x_0, &sent, masks(&roots.0[1]));
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
        twins: Vec::new(),
        z,
        provers: FIRST,
        is_apart: false,
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

/// Adds the carry's share to a summand from the lowest bit on: shares of the sum and of the carries.
struct Ripple {
    sums: PlanesMut,
    carries: PlanesMut,
}

impl Ripple {
    fn new(n_rows: usize, width: usize) -> Self {
        let [sums, mut carries] = [(); 2].map(|()| PlanesMut::stale(n_rows, width));
        carries.plane_mut(0).fill(0);
        Ripple { sums, carries }
    }

    /// Places for the sum at bit `at` and the next carry, and the carry.
    fn places(&mut self, at: usize) -> (&mut [u64], &mut [u64], &[u64]) {
        let stride = self.carries.stride();
        let (low, high) = self.carries.words_mut().split_at_mut((at + 1) * stride);
        (self.sums.plane_mut(at), &mut high[..stride], &low[at * stride..])
    }

    fn sum_and_carry(&mut self, at: usize) -> [&[u64]; 2] {
        [self.sums.plane_mut(at), self.carries.plane_mut(at)]
    }

    /// The half that needs no message: slot 1.
    fn carry_alone(&mut self, at: usize, summand: &Planes, mask: &[u64]) -> [&[u64]; 2] {
        let (sum, next, carry) = self.places(at);
        kernel::carry_alone(sum, next, summand.plane(at), carry, mask);
        self.sum_and_carry(at)
    }

    /// The half that follows the message: slot 0.
    fn carry_along(&mut self, at: usize, summand: &Planes, message: [&[u64]; 2]) {
        let (sum, next, carry) = self.places(at);
        kernel::carry_along(sum, next, summand.plane(at), carry, message);
    }

    /// The sum alone.
    fn add(&mut self, at: usize, summand: &Planes) {
        kernel::xor_of(self.sums.plane_mut(at), summand.plane(at), self.carries.plane_mut(at), 0);
    }

    /// Adds the top bit, of which nothing is carried.
    fn ended(mut self, summand: &Planes) -> [Planes; 2] {
        self.add(summand.width() - 1, summand);
        [self.sums.freeze(), self.carries.freeze()]
    }
}

/// [`Ripple::carry_alone`] up to the top.
fn ripple_alone(summand: &Planes, mut masks: Masks) -> [Planes; 2] {
    let mut ripple = Ripple::new(summand.n_rows(), summand.width());
    for at in 0..summand.width() - 1 {
        ripple.carry_alone(at, summand, masks.plane(at));
    }
    ripple.ended(summand)
}

/// [`Ripple::carry_along`] up to the top.
fn ripple_along(summand: &Planes, sent: &Planes, mut masks: Masks) -> [Planes; 2] {
    let mut ripple = Ripple::new(summand.n_rows(), summand.width());
    for at in 0..summand.width() - 1 {
        ripple.carry_along(at, summand, [sent.plane(at), masks.plane(at)]);
    }
    ripple.ended(summand)
}

/// What [`digits`] computes.
struct Digits {
    /// The products of the factors.
    handed: SharedBits,
    /// The products of the pairs, and in the last ones those of the factors' parts in slots 0 and 1
    /// alone.
    generate: SharedBits,
}

/// A column without a part in slot 2, and one that has no other.
type Pair = (SharedBits, SharedBits);

/// Adds to a plane, by its number and that of its digit, if it has one.
type Add<'a> = dyn Fn(&mut [u64], usize, Option<usize>) + 'a;

/// Two kinds of products in one round: of two factors, by all; and of each pair, by `P_1` and `P_2`. Who
/// has products of both kinds sends them in one message.
fn digits(s: &mut Session, factors: &[SharedBits; 2], pairs: [Pair; 2]) -> Result<Digits, ProtocolError> {
    let (n_rows, n_handed) = (factors[0].n_rows(), factors[0].width());
    let n_carried = pairs.iter().map(|(left, _)| left.width()).sum();
    let (handed_step, carried_step) = (s.begin("hand on")?, s.begin("carry")?);
    let plane_words = words_per_plane(n_rows);
    // The planes of a party's message, and its bytes.
    let n_sent = |index: usize| if index == 0 { n_handed } else { n_handed + n_carried };
    let n_bytes = |index: usize| n_sent(index) * plane_words * 8;
    let core = s.core.clone();
    let [first, second, third] = core.compute;
    let factors = [(factors[0].clone(), factors[1].clone())];
    let Role::Rep3 { index, roots } = &core.role else {
        let messages = [(first, third, n_bytes(0)), (second, first, n_bytes(1)), (third, second, n_bytes(2))];
        s.count_messages(&messages[usize::from(n_handed == 0)..]);
        let nothing = |width| SharedBits::from_parts(n_rows, width, Parts::Zero);
        let (handed, carried) = (nothing(n_handed), nothing(n_carried));
        record(s, handed_step, &factors, handed.clone(), ([true; 3], false))?;
        record(s, carried_step, &pairs, carried.clone(), (OTHERS, true))?;
        return Ok(Digits { handed, generate: carried });
    };
    let (index, index_next) = (*index, (index + 1) % 3);
    let seat = s.seat().expect("a compute party has one");
    let mut sent = PlanesMut::stale(n_rows, n_sent(index));
    let (to_hand, to_carry) = sent.words_mut().split_at_mut(n_handed * plane_words);
    for (out, step, pairs) in [(to_hand, &handed_step, &factors[..]), (to_carry, &carried_step, &pairs[..])] {
        if !out.is_empty() {
            let triples: Vec<_> = pairs.iter().map(|(x, y)| (x, y, None)).collect();
            rep3::and_planes_into(out, roots, step, n_rows, &triples);
        }
    }
    let sent = sent.freeze();
    #[cfg(feature = "lab")]
    let sent = s
        .product_of(&handed_step, 0, &sent.dense_bytes())
        .map_or(sent, |sent| Planes::from_buf(sent, n_rows, n_sent(index)));
    if n_sent(index) > 0 {
        s.send(&handed_step, 0, seat.prev, sent.dense_bytes())?;
    }
    let next = match n_sent(index_next) {
        0 => Planes::zeroed(n_rows, 0),
        width => Planes::from_buf(s.recv(&handed_step, 0, seat.next, n_bytes(index_next))?, n_rows, width),
    };
    // P_0 sends nothing of the second kind.
    let [(handed, carried), (handed_next, carried_next)] =
        [(index, sent), (index_next, next)].map(|(index, planes)| match index {
            0 => (planes, Planes::zeroed(n_rows, n_carried)),
            _ => (planes.planes(0..n_handed), planes.planes(n_handed..n_handed + n_carried)),
        });

    // Of the products of P_0's bits, slot 0 is its message less its own mask, and slot 1 P_1's own
    // product under the mask that the two share. Of the others P_0's message would be masks alone:
    // what P_2 would not know of it moves to slot 1, whose holders do.
    let build = |key: usize, add: &Add<'_>| {
        let stream = |step, width| roots.0[key].stream(step, Use::Mask).masks(n_rows, width);
        let mut masks = [stream(&carried_step, n_carried), stream(&handed_step, n_handed)];
        Planes::build(n_rows, n_carried, |at, out| {
            out.copy_from_slice(masks[0].plane(at));
            let digit = at.checked_sub(n_carried - n_handed);
            if let Some(digit) = digit {
                kernel::xor_words(out, masks[1].plane(digit));
            }
            add(out, at, digit);
        })
    };
    let local = |out: &mut [u64], part: usize, digit: usize| {
        let [(x, y)] = &factors;
        let [x, y] = [x, y].map(|factor| factor.parts().as_slice()[part].plane(digit));
        kernel::add_and(out, x, y);
    };
    let generate = match index {
        0 => {
            let own = build(0, &|out, _, digit| {
                digit.into_iter().for_each(|digit| kernel::xor_words(out, handed.plane(digit)));
            });
            let next = build(1, &|out, at, digit| {
                kernel::xor_words(out, carried_next.plane(at));
                digit.into_iter().for_each(|digit| local(out, 1, digit));
            });
            [own, next]
        }
        1 => {
            let own = build(0, &|out, at, digit| {
                kernel::xor_words(out, carried.plane(at));
                digit.into_iter().for_each(|digit| local(out, 0, digit));
            });
            [own, carried_next.clone()]
        }
        _ => {
            let next = build(1, &|out, _, digit| {
                digit.into_iter().for_each(|digit| kernel::xor_words(out, handed_next.plane(digit)));
            });
            [carried.clone(), next]
        }
    };
    let shared = |width, parts| SharedBits::from_parts(n_rows, width, Parts::Two(parts));
    let handed = shared(n_handed, [handed, handed_next]);
    record(s, handed_step, &factors, handed.clone(), ([true; 3], false))?;
    record(s, carried_step, &pairs, shared(n_carried, [carried, carried_next]), (OTHERS, true))?;
    Ok(Digits { handed, generate: shared(n_carried, generate) })
}

fn record(
    s: &mut Session,
    step: Step,
    pairs: &[Pair],
    z: SharedBits,
    (provers, is_apart): ([bool; 3], bool),
) -> Result<(), ProtocolError> {
    s.record_ands(AndStep {
        step,
        pairs: pairs.to_vec(),
        second: Vec::new(),
        twins: Vec::new(),
        z,
        provers,
        is_apart,
    })
}
