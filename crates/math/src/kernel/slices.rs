//! Element by element: what is local in every protocol.

use crate::group::{Group, Ring};
use crate::simd::multiversioned;

multiversioned! {
    /// `out[i] += x[i]` in the group.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_into<G: Group>(out: &mut [G], x: &[G]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out = out.plus(*x);
        }
    }

    /// `out[i] -= x[i]` in the group.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn sub_into<G: Group>(out: &mut [G], x: &[G]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out = out.minus(*x);
        }
    }

    /// `out[i] ^= x[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn xor_into(out: &mut [u8], x: &[u8]) {
        assert_eq!(out.len(), x.len(), "slices of one length");
        for (out, x) in out.iter_mut().zip(x) {
            *out ^= x;
        }
    }

    /// `out[i] += x[index[i]]` in the group.
    ///
    /// # Panics
    /// If the lengths differ, or an index leaves `x`.
    pub fn add_gathered<G: Group>(out: &mut [G], x: &[G], index: &[u32]) {
        assert_eq!(out.len(), index.len(), "slices of one length");
        for (out, from) in out.iter_mut().zip(index) {
            *out = out.plus(x[*from as usize]);
        }
    }

    /// `out[i] -= x[index[i]]` in the group.
    ///
    /// # Panics
    /// If the lengths differ, or an index leaves `x`.
    pub fn sub_gathered<G: Group>(out: &mut [G], x: &[G], index: &[u32]) {
        assert_eq!(out.len(), index.len(), "slices of one length");
        for (out, from) in out.iter_mut().zip(index) {
            *out = out.minus(x[*from as usize]);
        }
    }

    /// `out = Σ plus − Σ minus + constant`, over one or two columns each way, or none to take away.
    ///
    /// # Panics
    /// If the lengths differ, or for other numbers of columns.
    pub fn sum_of<G: Group>(out: &mut [G], plus: &[&[G]], minus: &[&[G]], constant: G) {
        let n = out.len();
        assert!(plus.iter().chain(minus).all(|x| x.len() == n), "slices of one length");
        match (plus, minus) {
            ([a], []) => for i in 0..n { out[i] = a[i].plus(constant); },
            ([a], [c]) => for i in 0..n { out[i] = a[i].minus(c[i]).plus(constant); },
            ([a, b], []) => for i in 0..n { out[i] = a[i].plus(b[i]).plus(constant); },
            ([a, b], [c, d]) => {
                for i in 0..n {
                    out[i] = a[i].plus(b[i]).minus(c[i].plus(d[i])).plus(constant);
                }
            }
            _ => panic!("one or two columns each way"),
        }
    }

    /// `Σ x[i]` in the group.
    pub fn sum<G: Group>(x: &[G]) -> G {
        x.iter().fold(G::ZERO, |sum, x| sum.plus(*x))
    }

    /// `Σ x[i]·y[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot<R: Ring>(x: &[R], y: &[R]) -> R {
        assert_eq!(x.len(), y.len(), "slices of one length");
        x.iter().zip(y).fold(R::ZERO, |sum, (x, y)| sum.plus(x.times(*y)))
    }

    /// The cross terms of a dot product: `Σ xa[i]·(ya[i] + yb[i]) + xb[i]·ya[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot_terms<R: Ring>(x: [&[R]; 2], y: [&[R]; 2]) -> R {
        let n = x[0].len();
        let ([xa, xb], [ya, yb]) = super::cross::of_length(n, x, y);
        let mut sum = R::ZERO;
        for i in 0..n {
            sum = sum.plus(xa[i].times(ya[i].plus(yb[i]))).plus(xb[i].times(ya[i]));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{X16, Z8, Z32, Z64, Z128};
    use crate::simd::at_every_level;

    fn adds_and_subtracts<G: Group>() {
        at_every_level(|level| {
            for n in [0, 1, 63, 64, 65, 129] {
                let x: Vec<G> = (0..n).map(|i| G::from_word((u128::MAX / 7).wrapping_mul(i))).collect();
                let y: Vec<G> = (0..n).map(|i| G::from_word((u128::MAX / 11).wrapping_mul(i + 1))).collect();
                let mut out = y.clone();
                add_into(&mut out, &x);
                let sums: Vec<G> = x.iter().zip(&y).map(|(x, y)| x.plus(*y)).collect();
                assert_eq!(out, sums, "{level:?}");
                sub_into(&mut out, &x);
                assert_eq!(out, y, "{level:?}");
                let (constant, z) = (G::from_word(77), &sums[..]);
                for (plus, minus) in [
                    (vec![&x[..]], vec![]),
                    (vec![&x], vec![z]),
                    (vec![&x, &y], vec![]),
                    (vec![&x, &y], vec![z, &x]),
                ] {
                    sum_of(&mut out, &plus, &minus, constant);
                    for (i, out) in out.iter().enumerate() {
                        let up = plus.iter().fold(constant, |sum, x| sum.plus(x[i]));
                        assert_eq!(*out, minus.iter().fold(up, |sum, x| sum.minus(x[i])), "{level:?}");
                    }
                }
            }
        });
    }

    #[test]
    fn sums_and_differences_are_the_groups() {
        adds_and_subtracts::<Z8>();
        adds_and_subtracts::<Z128>();
        adds_and_subtracts::<X16>();
    }

    fn accumulates<R: Ring>() {
        at_every_level(|level| {
            for n in [0, 1, 7, 64, 65, 300] {
                let column = |k: u128| -> Vec<R> {
                    (0..n).map(|i| R::from_word((u128::MAX / 13).wrapping_mul(i as u128 * 4 + k))).collect()
                };
                let [xa, xb, ya, yb] = [1, 2, 3, 4].map(column);
                let mut product = R::ZERO;
                let mut terms = R::ZERO;
                let mut total = R::ZERO;
                for i in 0..n {
                    let own = xa[i].times(ya[i]);
                    product = product.plus(own);
                    terms = terms.plus(own).plus(xa[i].times(yb[i])).plus(xb[i].times(ya[i]));
                    total = total.plus(xa[i]);
                }
                assert_eq!(sum(&xa), total, "{level:?}");
                assert_eq!(dot(&xa, &ya), product, "{level:?}");
                assert_eq!(dot_terms([&xa, &xb], [&ya, &yb]), terms, "{level:?}");

                let back: Vec<u32> = (0..n as u32).rev().collect();
                let mut out = ya.clone();
                add_gathered(&mut out, &xa, &back);
                let moved = (0..n).map(|i| ya[i].plus(xa[n - 1 - i]));
                assert_eq!(out, moved.collect::<Vec<_>>(), "{level:?}");
                sub_gathered(&mut out, &xa, &back);
                assert_eq!(out, ya, "{level:?}");
            }
        });
    }

    #[test]
    fn totals_products_and_gathers() {
        accumulates::<Z8>();
        accumulates::<Z32>();
        accumulates::<Z64>();
        accumulates::<Z128>();
    }

    #[test]
    fn xor_touches_every_bit() {
        at_every_level(|level| {
            for n in [0, 1, 3, 64, 65] {
                let mut bytes = vec![0x5a; n];
                xor_into(&mut bytes, &vec![0xff; n]);
                assert_eq!(bytes, vec![0xa5; n], "{level:?}");
            }
        });
    }
}
