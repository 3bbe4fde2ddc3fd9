//! Comparison of numbers whose digits are unrolled: bit `v` of a digit says whether it is `v`.

use crate::simd::multiversioned;

/// One bit of 512 rows.
pub type Line = [u64; 8];

const ZERO: Line = [0; 8];

multiversioned! {
    /// Cross terms of "this digit of `x` is less than that of `y`" and of "they are the same but
    /// for what the parts `xa` and `ya` alone say", for each of `less.len()` digits: `less ^=` the
    /// one and `same ^=` the other.
    ///
    /// Line `(v − 1)·n + k` of each operand says, for 512 rows, whether digit `k` of `n` is `v`.
    /// With `x_v` for that, and `x` for the sum of all `x_v`:
    ///
    /// - less: `y ⊕ ⊕_v [x ≥ v]·y_v`, where `[x ≥ v] = x_v ⊕ x_{v+1} ⊕ …`;
    /// - same: `x ⊕ y ⊕ x·y ⊕ ⊕_v x_v·y_v`, which is one more than whether they are the same.
    ///
    /// # Panics
    /// If the operands differ in length, or `same` has another length than `less`.
    pub fn compare_digits(
        less: &mut [[u64; 8]],
        same: &mut [[u64; 8]],
        x: [&[[u64; 8]]; 2],
        y: [&[[u64; 8]]; 2],
    ) {
        let n = less.len();
        let ([xa, xb], [ya, yb]) = super::cross::of_length(x[0].len(), x, y);
        let values = xa.len() / n.max(1);
        assert_eq!(same.len(), n, "as many digits");
        for digit in 0..n {
            let (mut above_a, mut above_b, mut any_a, mut any_b) = (ZERO, ZERO, ZERO, ZERO);
            let (mut g, mut p) = (less[digit], same[digit]);
            for value in (0..values).rev() {
                let at = value * n + digit;
                let (xa, xb, ya, yb) = (&xa[at], &xb[at], &ya[at], &yb[at]);
                for i in 0..8 {
                    let both = ya[i] ^ yb[i];
                    above_a[i] ^= xa[i];
                    above_b[i] ^= xb[i];
                    any_a[i] ^= ya[i];
                    any_b[i] ^= yb[i];
                    g[i] ^= (above_a[i] & both) ^ (above_b[i] & ya[i]);
                    p[i] ^= (xa[i] & both) ^ (xb[i] & ya[i]);
                }
            }
            for i in 0..8 {
                let both = any_a[i] ^ any_b[i];
                g[i] ^= any_a[i];
                p[i] ^= (above_a[i] & both) ^ (above_b[i] & any_a[i]) ^ above_a[i] ^ any_a[i];
            }
            less[digit] = g;
            same[digit] = p;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use crate::simd::at_every_level;

    /// Two digits of `values + 1` values in three parts, of which parties hold two each: what all
    /// three compute adds up to the comparison.
    #[test]
    fn cross_terms_of_three_add_up_to_the_comparison() {
        for values in [1, 3, 15] {
            let n = 2;
            let digit =
                |side: usize, k: usize, row: usize| (row * 7 + side * 5 + k * 3 + row / 9) % (values + 1);
            let parts = |side: usize| -> [Vec<Line>; 3] {
                let mut parts = [1, 2, 3].map(|key| {
                    let mut lines = vec![ZERO; n * values];
                    Prg::new(&[key + 10 * side as u8; 16]).fill_items(0, &mut lines);
                    lines
                });
                for at in 0..n * values {
                    for row in 0..512 {
                        let is = digit(side, at % n, row) == at / n + 1;
                        let bit = |part: &[Line]| part[at][row / 64] >> (row % 64) & 1;
                        let wrong = bit(&parts[0]) ^ bit(&parts[1]) ^ bit(&parts[2]) ^ u64::from(is);
                        parts[0][at][row / 64] ^= wrong << (row % 64);
                    }
                }
                parts
            };
            let (x, y) = (parts(0), parts(1));
            at_every_level(|level| {
                let (mut less, mut same) = (vec![ZERO; n], vec![ZERO; n]);
                for a in 0..3 {
                    let b = (a + 1) % 3;
                    compare_digits(&mut less, &mut same, [&x[a], &x[b]], [&y[a], &y[b]]);
                }
                for k in 0..n {
                    for row in 0..512 {
                        let bit = |lines: &[Line]| lines[k][row / 64] >> (row % 64) & 1 == 1;
                        let (x, y) = (digit(0, k, row), digit(1, k, row));
                        assert_eq!((bit(&less), !bit(&same)), (x < y, x == y), "{level:?}: {x} and {y}");
                    }
                }
            });
        }
    }
}
