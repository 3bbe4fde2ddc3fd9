//! Between boolean and arithmetic numbers.
//!
//! What ends in a tree of carries starts from two of the three summands of a sharing, which one
//! party adds up by itself ([`mpc::Halves`]).

use math::{Column, Ring};
use mpc::{Carries, Halves, Label, ProtocolError, Security, Session, Shared, SharedBits};

use crate::adder::{self, Carry};
use crate::rowwise::{rowwise, rowwise_one};

/// Widths up to which a number is converted bit by bit: `w·k` bits in 2 rounds against fewer
/// bits in about nine.
const BITWISE: usize = 10;

/// The low `width` bits of ring elements.
///
/// - **Shape:** `n` elements; the result has `n` rows of `width` planes.
/// - **Cost:** `⌈log₂ w⌉ + 2` rounds.
/// - **Source:** the three summands are boolean sharings already; carry-save and prefix adder.
///   Semi-honest: of two, one is input and the other is a sharing already.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If the ring has fewer bits.
pub fn ring_to_bits<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    width: usize,
) -> Result<SharedBits, ProtocolError> {
    assert!(width <= R::BITS as usize, "the ring has {} bits", R::BITS);
    let n = x.len();
    let chunks = s.chunks(label, n, |s, rows| {
        let x = x.rows(rows);
        let [a, b] = Halves::new(s, &x, None, R::ZERO, width)?.share(s, "one half")?;
        adder::add(s, "sum", &a, &b, Carry::None)
    })?;
    Ok(SharedBits::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// One secret bit per row as zero or one in the ring.
///
/// - **Cost:** 2 rounds, two elements per row and party.
/// - **Source:** the three XOR summands are ring sharings already; `a ⊕ b = a + b − 2ab`, twice.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If there is not exactly one plane.
pub fn bit_to_ring<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    bit: &SharedBits,
) -> Result<Shared<R>, ProtocolError> {
    weighted_bits(s, label, bit, &[R::ONE])
}

/// `Σ_i weight_i·bit_i` over the planes of each row.
///
/// - **Cost:** 2 rounds, `w + 1` elements per row and party: the second product is a dot product.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If there are not as many weights as planes.
pub fn weighted_bits<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    bits: &SharedBits,
    weights: &[R],
) -> Result<Shared<R>, ProtocolError> {
    assert_eq!(bits.width(), weights.len(), "a weight for each plane");
    let n = bits.n_rows();
    if weights.is_empty() {
        return Ok(Shared::constant(s, n, R::ZERO));
    }
    let chunks = s.chunks(label, n, |s, rows| {
        let bits = bits.rows(rows);
        let lifted: Vec<[Shared<R>; 3]> = (0..bits.width()).map(|plane| bits.plane(plane).lift(s)).collect();
        let pairs: Vec<_> = lifted.iter().map(|[a, b, _]| (a, b)).collect();
        let products = mpc::mul_many(s, "first", &pairs)?;
        let two = R::ONE.plus(R::ONE);
        // t = a + b − 2ab; then the weighted sum of t + c − 2tc.
        let halves: Vec<Shared<R>> =
            lifted.iter().zip(&products).map(|([a, b, _], ab)| a.add(b).sub(&ab.scale(two))).collect();
        let scaled: Vec<Shared<R>> = lifted
            .iter()
            .zip(weights)
            .map(|([_, _, c], weight)| c.scale(weight.times(two).negated()))
            .collect();
        let pairs: Vec<_> = halves.iter().zip(&scaled).collect();
        let mut sum = mpc::dot(s, "second", &pairs)?;
        for ((half, [_, _, c]), weight) in halves.iter().zip(&lifted).zip(weights) {
            sum = sum.add(&half.add(c).scale(*weight));
        }
        Ok(sum)
    })?;
    Ok(Shared::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// A boolean number as a ring element.
///
/// - **Shape:** `n` rows of `w` planes, in two's complement if `signed`; `n` elements modulo 2^k.
/// - **Cost:** up to ten bits: 2 rounds, `w + 1` elements per row and party. Wider: about
///   `⌈log₂ k⌉ + 3` rounds and `7k` bits; then values masked by two others are shown to two parties.
/// - **Model:** opens, so it cannot run in a chunk.
///
/// # Errors
/// `Link`; `OpenInChunk` for wide numbers.
pub fn bits_to_ring<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &SharedBits,
    signed: bool,
) -> Result<Shared<R>, ProtocolError> {
    let k = R::BITS as usize;
    let width = x.width().min(k);
    let x = x.planes(0..width);
    if width <= BITWISE {
        let weight = |plane: usize| {
            let weight = R::from_word(1 << plane);
            if signed && plane == width - 1 { weight.negated() } else { weight }
        };
        return weighted_bits(s, label, &x, &(0..width).map(weight).collect::<Vec<_>>());
    }
    s.scope(label, |s| {
        let masks = mpc::word_masks::<R>(s, "masks", x.n_rows())?;
        let [z1, z2] = &masks.bits;
        let difference = rowwise_one(s, "difference", &[&x, z1, z2], |s, inputs| {
            let [x, z1, z2] = inputs else { unreachable!("three inputs") };
            let x = if signed { x.sign_extended(k) } else { x.resized(s, k) };
            // x − z1 − z2 = x + ¬z1 + ¬z2 + 2: one of the two enters as the free lowest carry bit.
            let (z1, z2) = (z1.not(s), z2.not(s));
            let [sum, carry] = adder::carry_save(s, "three to two", [&x, &z1, &z2])?;
            adder::add(s, "sum", &sum, &carry.xor_constant(s, 1), Carry::One)
        })?;
        let difference = mpc::verify(s, difference)?;
        mpc::word_finish(s, masks, difference)
    })
}

/// Ring elements in a wider ring, where each stands for a signed integer of at most
/// `width` bits in two's complement.
///
/// - **Cost:** as [`ring_to_bits`] of `width` bits and [`bits_to_ring`].
///
/// # Errors
/// As those.
pub fn widen<R: Ring, S: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    width: usize,
) -> Result<Shared<S>, ProtocolError> {
    s.scope(label, |s| {
        let bits = ring_to_bits(s, "to bits", x, width.min(R::BITS as usize))?;
        bits_to_ring(s, "to ring", &bits, true)
    })
}

/// Where the signed integer that a ring element stands for is negative: its top bit.
///
/// - **Cost:** `⌈log₂ k⌉ + 2` rounds; the carry into the top bit alone is computed. Semi-honest:
///   `⌈log₂ k⌉ + 1` rounds, about `2k` bits per row and party.
///
/// # Errors
/// `Link`.
pub fn is_negative<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
) -> Result<SharedBits, ProtocolError> {
    sign(s, label, x, None, R::BITS as usize)
}

/// [`is_negative`] for integers that fit in `width` bits with their sign.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If the ring has fewer bits, or the width is less than two.
pub fn is_negative_within<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    width: usize,
) -> Result<SharedBits, ProtocolError> {
    assert!((2..=R::BITS as usize).contains(&width), "a sign and a bit at least");
    sign(s, label, x, None, width)
}

/// Where `x − y` is negative as a signed integer: where `x < y`, if the difference has no
/// overflow. Cost: as [`is_negative`].
///
/// # Errors
/// `Shape` if the lengths differ; `Link`.
pub fn less_than_ring<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    y: &Shared<R>,
) -> Result<SharedBits, ProtocolError> {
    sign(s, label, x, Some(y), R::BITS as usize)
}

/// The top one of the low `k` bits of `x − minus`. The difference exists chunk by chunk.
fn sign<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    minus: Option<&Shared<R>>,
    k: usize,
) -> Result<SharedBits, ProtocolError> {
    same_length(s, x, minus)?;
    let chunks = s.chunks(label, x.len(), |s, rows| {
        let (x, minus) = (x.rows(rows.clone()), minus.map(|minus| minus.rows(rows)));
        let halves = Halves::new(s, &x, minus.as_ref(), R::ZERO, k)?;
        let Carries { top, generate, propagate } = halves.carries(s, "digits")?;
        let carry = match s.security() {
            Security::SemiHonest => crate::compare::carry_out(s, generate, propagate)?,
            Security::Malicious => crate::compare::selected_carry_out(s, generate, propagate)?,
        };
        Ok(top.xor(&carry))
    })?;
    Ok(SharedBits::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// Chunks take rows of both: a shorter column would end the first of them with a panic.
fn same_length<R: Ring>(s: &Session, x: &Shared<R>, other: Option<&Shared<R>>) -> Result<(), ProtocolError> {
    match other {
        Some(other) if other.len() != x.len() => {
            Err(ProtocolError::Shape { step: s.step().clone(), left: x.len(), right: other.len() })
        }
        _ => Ok(()),
    }
}

/// Where `x = y` for ring elements.
///
/// - **Cost:** `⌈log₂ k⌉ + 2` rounds and about `2k` ANDs: `x − y = a + b + c` is zero where
///   `a ⊕ b ⊕ c` and twice the majority add up to zero, which is tested without carries.
///   Semi-honest: `⌈log₂ k⌉ + 1` rounds and `k − 1` ANDs: `a + b` is zero where `a` is `−b`.
///
/// # Errors
/// `Shape` if the lengths differ; `Link`.
pub fn equal_ring<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    y: &Shared<R>,
) -> Result<SharedBits, ProtocolError> {
    let k = R::BITS as usize;
    same_length(s, x, Some(y))?;
    let chunks = s.chunks(label, x.len(), |s, rows| {
        let (x, y) = (x.rows(rows.clone()), y.rows(rows));
        // −b is the complement of b − 1.
        let same = Halves::new(s, &x, Some(&y), R::ZERO.minus(R::ONE), k)?.xor(s, "one half")?;
        crate::compare::all_ones(s, "all", &same)
    })?;
    Ok(SharedBits::concat(&chunks.iter().collect::<Vec<_>>()))
}

/// `⌊x / 2^m⌋` for ring elements that stand for signed integers, exactly, over the whole range.
///
/// - **Cost:** `⌈log₂ k⌉ + 4` rounds; about `4k` ANDs and eight ring elements per row.
/// - **Source:** `⌊x'/2^m⌋ = Σ(x_i ≫ m) + c_m − c_k·2^{k−m}` for the summands of `x' = x +
///   2^{k−1}`, where `c_m` and `c_k` are the carries out of the low `m` and all `k` bits.
///
/// # Errors
/// `Link`.
///
/// # Panics
/// If `m` is not less than the ring's width.
pub fn truncate<R: Ring>(
    s: &mut Session,
    label: impl Into<Label>,
    x: &Shared<R>,
    m: usize,
) -> Result<Shared<R>, ProtocolError> {
    let k = R::BITS as usize;
    assert!(m < k, "a shift by less than the width");
    if m == 0 {
        return Ok(x.clone());
    }
    let offset = x.add_constant(s, R::from_word(1 << (k - 1)));
    s.scope(label, |s| {
        let summands = SharedBits::split(s, &offset, k);
        let [a, b, c] = &summands;
        let carries = rowwise(s, "carries", &[a, b, c], |s, inputs| {
            let [a, b, c] = inputs else { unreachable!("three inputs") };
            let (ac, bc) = (a.xor(c), b.xor(c));
            let majority = mpc::and(s, "majority", &ac, &bc)?.xor(c);
            let zero = SharedBits::constant(s, a.n_rows(), 1, 0);
            let sum = ac.xor(b);
            let shifted = SharedBits::stack(&[&zero, &majority.planes(0..k - 1)]);
            // Out of the low m bits: the majority of bit m−1, and the carry of sum + 2·majority.
            let g = mpc::and(s, "generate", &sum, &shifted)?;
            let p = sum.xor(&shifted);
            let low = s.scope("low", |s| crate::compare::carry_out(s, g.planes(0..m), p.planes(1..m)))?;
            let all = s.scope("all", |s| crate::compare::carry_out(s, g.clone(), p.planes(1..k)))?;
            Ok(vec![SharedBits::stack(&[&majority.plane(m - 1), &low, &majority.plane(k - 1), &all])])
        })?;
        let up = R::from_word(1 << (k - m)).negated();
        let correction = weighted_bits(s, "correction", &carries[0], &[R::ONE, R::ONE, up, up])?;
        let floors =
            offset.map_summands(s, |part: &Column<R>| part.map(|item| R::from_word(item.word() >> m)));
        let base = R::from_word(1 << (k - 1 - m)).negated();
        Ok(floors.add(&correction).add_constant(s, base))
    })
}
