//! Division by a power of two of numbers that two sides hold in two summands.
//!
//! One side holds `a`, the other `b`, with `0 ≤ x' < 2^{k−1}` for `x' = a + b` modulo 2^k. The
//! sum of integers `a + b` is `x'`, or `x' + 2^k` if either top bit is set: two numbers without
//! top bits do not wrap, two with them do, and with one of them the sum is at least 2^{k−1}. So
//! `(a ≫ m) + (b ≫ m) − (a_top + b_top − a_top·b_top)·2^{k−m}` is `⌊x'/2^m⌋` or one less.
//!
//! The product of the top bits comes from masked bits: `e = a_top ⊕ r` and shares of `ρ = r·b_top`
//! give `a_top·b_top = e·b_top + (1 − 2e)·ρ`.

use crate::group::Ring;
use crate::simd::multiversioned;

/// The top bit, as the lowest.
#[inline(always)]
fn top<R: Ring>(x: R) -> R {
    x.down(R::BITS - 1)
}

/// `(1 − 2e)·x` for a bit `e`.
#[inline(always)]
fn signed_by<R: Ring>(e: R, x: R) -> R {
    // x ⊕ −1, plus one, is −x.
    let mask = e.negated();
    R::from_word(x.word() ^ mask.word()).minus(mask)
}

multiversioned! {
    /// The side of `a`: turns random bits (the low ones of `bits`) into `e`, and `out`, a mask to
    /// subtract, into this side's summand of the result plus `constant`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn trunc_first<R: Ring>(out: &mut [R], bits: &mut [u8], a: &[R], rho: &[R], constant: R, m: u32) {
        let n = out.len();
        let (bits, a, rho) = (&mut bits[..n], &a[..n], &rho[..n]);
        let k = R::BITS;
        for i in 0..n {
            let top = top(a[i]);
            let e = (bits[i] & 1) ^ top.word() as u8;
            bits[i] = e;
            let wrap = signed_by(R::from_word(u128::from(e)), rho[i]).minus(top).up(k - m);
            out[i] = a[i].down(m).plus(wrap).plus(constant).minus(out[i]);
        }
    }

    /// The side of `b`, with `e` in the low bits of `bits`: turns `out`, a mask to subtract, into
    /// this side's summand of the result.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn trunc_second<R: Ring>(out: &mut [R], bits: &[u8], b: &[R], rho: &[R], m: u32) {
        let n = out.len();
        let (bits, b, rho) = (&bits[..n], &b[..n], &rho[..n]);
        let k = R::BITS;
        for i in 0..n {
            let top = top(b[i]);
            let e = R::from_word(u128::from(bits[i] & 1));
            let both = R::from_word(top.word() & e.word());
            let wrap = signed_by(e, rho[i]).plus(both).minus(top).up(k - m);
            out[i] = b[i].down(m).plus(wrap).minus(out[i]);
        }
    }

    /// The helper: turns one share of each `r·b_top`, for `r` in the low bits of `bits`, into the
    /// other one.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn trunc_helper<R: Ring>(rho: &mut [R], bits: &[u8], b: &[R]) {
        let n = rho.len();
        let (bits, b) = (&bits[..n], &b[..n]);
        for i in 0..n {
            let both = R::from_word(top(b[i]).word() & u128::from(bits[i]));
            rho[i] = both.minus(rho[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{Group, Z8};
    use crate::simd::at_every_level;

    /// Every value in range, every summand, every random bit, every shift.
    #[test]
    fn neighbours_of_the_quotient_for_all_eight_bit_numbers() {
        at_every_level(|level| {
            for m in 1..7 {
                for r in 0..2u8 {
                    let pairs: Vec<(i16, u8)> =
                        (-64..64).flat_map(|x| (0..=255).map(move |b| (x, b))).collect();
                    let b: Vec<Z8> = pairs.iter().map(|(_, b)| Z8(*b)).collect();
                    let a: Vec<Z8> = pairs.iter().map(|(x, b)| Z8((*x + 64) as u8).minus(Z8(*b))).collect();
                    let n = pairs.len();
                    let share: Vec<Z8> = (0..n).map(|i| Z8((i * 89) as u8)).collect();
                    let mask: Vec<Z8> = (0..n).map(|i| Z8((i * 151) as u8)).collect();
                    let mut other = share.clone();
                    let mut bits = vec![r | 0xa4; n];
                    trunc_helper(&mut other, &bits, &b);
                    let constant = Z8(1).minus(Z8(64 >> m));
                    let mut first = mask.clone();
                    trunc_first(&mut first, &mut bits, &a, &share, constant, m);
                    let mut second = mask.clone();
                    trunc_second(&mut second, &bits, &b, &other, m);
                    for (i, (x, _)) in pairs.iter().enumerate() {
                        let y = first[i].plus(second[i]).plus(mask[i]).plus(mask[i]).signed() as i16;
                        let floor = x >> m;
                        assert!(y == floor || y == floor + 1, "{level:?}: {x} by 2^{m} gives {y}");
                    }
                }
            }
        });
    }
}
