//! The loops over words and pairs.

#[cfg(target_arch = "x86_64")]
use super::ifma;
use super::{Pair, Prime, Sum};
use crate::simd::multiversioned;

/// How many elements a loop of [`super::ifma`] took care of: none where there are no such instructions.
macro_rules! vectored {
    ($call:expr) => {{
        #[cfg(target_arch = "x86_64")]
        let done = match ifma::available() {
            // SAFETY: just tested.
            true => unsafe { $call },
            false => 0,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        done
    }};
}

multiversioned! {
    /// `out = a − b`, of elements.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn sub_into(prime: &Prime, out: &mut [u64], a: &[u64], b: &[u64]) {
        let n = out.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in 0..n {
            out[i] = prime.minus(a[i], b[i]);
        }
    }

    /// `out = a·b/2^64`, of elements and words.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn scale_into(prime: &Prime, out: &mut [u64], a: &[u64], b: &[u64]) {
        let n = out.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in vectored!(ifma::scale_into(prime, out, a, b))..n {
            out[i] = prime.times(a[i], b[i]);
        }
    }

    /// `out = low + 2^64·high` modulo the prime, of words `[low, high]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn reduce_into(prime: &Prime, out: &mut [u64], words: &[[u64; 2]]) {
        assert_eq!(out.len(), words.len(), "an element for each two words");
        let square = [prime.square; 64];
        for (out, words) in out.chunks_mut(64).zip(words.chunks(64)) {
            let mut high = [0; 64];
            high.iter_mut().zip(words).for_each(|(high, words)| *high = words[1]);
            scale_into(prime, out, &square[..out.len()], &high[..out.len()]);
            for (out, [low, _]) in out.iter_mut().zip(words) {
                *out = prime.plus(*out, prime.reduce(*low));
            }
        }
    }

    pub(super) fn add_products(sum: &mut Sum, a: &[u64], b: &[u64]) {
        assert_eq!(a.len(), b.len(), "slices of one length");
        let done = vectored!(ifma::add_products(sum, a, b));
        let mut sums = [*sum, Sum::default()];
        let (a_two, a_rest) = a[done..].as_chunks::<2>();
        let (b_two, b_rest) = b[done..].as_chunks::<2>();
        for (a, b) in a_two.iter().zip(b_two) {
            sums[0].add_product(a[0], b[0]);
            sums[1].add_product(a[1], b[1]);
        }
        for (a, b) in a_rest.iter().zip(b_rest) {
            sums[0].add_product(*a, *b);
        }
        *sum = sums[0].plus(sums[1]);
    }

    pub(super) fn add_pair_products(sums: &mut [Sum; 2], re: &[u64], im: &[u64], values: &[u64]) {
        let n = values.len();
        assert_eq!([re.len(), im.len()], [n, n], "slices of one length");
        let done = vectored!(ifma::add_pair_products(sums, re, im, values));
        let [mut real, mut imaginary] = *sums;
        for i in done..n {
            real.add_product(re[i], values[i]);
            imaginary.add_product(im[i], values[i]);
        }
        *sums = [real, imaginary];
    }

    /// Splits each weight `w` of `low` into `w·(1 − point)`, which stays, and `w·point`, of which
    /// `high` takes as many as it holds.
    pub(super) fn split_weights(prime: &Prime, point: Pair, low: [&mut [u64]; 2], high: [&mut [u64]; 2]) {
        let ([re, im], [re_high, im_high]) = (low, high);
        let n = re.len();
        let im = &mut im[..n];
        let done = vectored!(ifma::split_weights(prime, point, [&mut *re, &mut *im], [&mut *re_high, &mut *im_high]));
        for i in done..n {
            let weight = Pair { re: re[i], im: im[i] };
            let upper = weight.times(prime, point);
            let lower = weight.minus(prime, upper);
            (re[i], im[i]) = (lower.re, lower.im);
            if i < re_high.len() {
                (re_high[i], im_high[i]) = (upper.re, upper.im);
            }
        }
    }

    pub(super) fn fold(prime: &Prime, point: Pair, low: [&mut [u64]; 2], high: [&mut [u64]; 2]) {
        let ([re, im], [re_high, im_high]) = (low, high);
        let n = re.len();
        let (im, re_high, im_high) = (&mut im[..n], &re_high[..n], &im_high[..n]);
        for i in vectored!(ifma::fold(prime, point, [&mut *re, &mut *im], [re_high, im_high]))..n {
            let first = Pair { re: re[i], im: im[i] };
            let second = Pair { re: re_high[i], im: im_high[i] };
            let out = first.plus(prime, point.times(prime, second.minus(prime, first)));
            (re[i], im[i]) = (out.re, out.im);
        }
    }

    /// Adds to each sum of the real, the imaginary and the mixed products: `u·v` over the first
    /// halves, and the product of the differences of both halves.
    pub(super) fn half_products(prime: &Prime, half: usize, u: [&[u64]; 2], v: [&[u64]; 2], sums: &mut [[Sum; 3]; 2]) {
        let parts = [u[0], u[1], v[0], v[1]].map(|part| &part[..2 * half]);
        let done = vectored!(ifma::half_products(prime, half, parts, sums));
        let [u_re, u_im, v_re, v_im] = parts;
        let [mut zero, mut infinity] = *sums;
        for i in done..half {
            let (a, b, c, d) = (u_re[i], u_im[i], v_re[i], v_im[i]);
            zero[0].add_product(a, c);
            zero[1].add_product(b, d);
            zero[2].add_product(a, d);
            zero[2].add_product(b, c);
            let a = prime.minus(u_re[half + i], a);
            let b = prime.minus(u_im[half + i], b);
            let c = prime.minus(v_re[half + i], c);
            let d = prime.minus(v_im[half + i], d);
            infinity[0].add_product(a, c);
            infinity[1].add_product(b, d);
            infinity[2].add_product(a, d);
            infinity[2].add_product(b, c);
        }
        *sums = [zero, infinity];
    }

    pub(super) fn combine(prime: &Prime, weights: &[Pair; 8], rows: &[&[u64]; 8], re: &mut [u64], im: &mut [u64]) {
        let n = re.len();
        let rows = rows.map(|row| {
            assert_eq!(row.len(), n, "rows of one length");
            &row[..n]
        });
        let im = &mut im[..n];
        for i in vectored!(ifma::combine(prime, weights, &rows, re, im))..n {
            let mut sums = [Sum::default(); 2];
            for (weight, row) in weights.iter().zip(&rows) {
                sums[0].add_product(weight.re, row[i]);
                sums[1].add_product(weight.im, row[i]);
            }
            (re[i], im[i]) = (prime.total(sums[0]), prime.total(sums[1]));
        }
    }
}

impl Sum {
    /// The sum of both.
    #[inline(always)]
    fn plus(self, other: Sum) -> Sum {
        let (low, carry) = self.low.overflowing_add(other.low);
        Sum { low, top: self.top.wrapping_add(other.top).wrapping_add(u64::from(carry)) }
    }
}
