//! Pairs `a + b·i` with `i² = −1`.

use bytemuck::{Pod, Zeroable};

use buf::Buf;

use super::slices;
use super::{Prime, Sum};

/// An element `re + im·i` of the field of p² elements.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Pair {
    /// The real part.
    pub re: u64,
    /// The imaginary part.
    pub im: u64,
}

impl From<u64> for Pair {
    fn from(re: u64) -> Self {
        Pair { re, im: 0 }
    }
}

impl Pair {
    /// `self + other`.
    #[inline(always)]
    pub fn plus(self, prime: &Prime, other: Pair) -> Pair {
        Pair { re: prime.plus(self.re, other.re), im: prime.plus(self.im, other.im) }
    }

    /// `self − other`.
    #[inline(always)]
    pub fn minus(self, prime: &Prime, other: Pair) -> Pair {
        Pair { re: prime.minus(self.re, other.re), im: prime.minus(self.im, other.im) }
    }

    /// `self · other / 2^64`.
    #[inline(always)]
    pub fn times(self, prime: &Prime, other: Pair) -> Pair {
        let (re, im) = (prime.times(self.re, other.re), prime.times(self.im, other.im));
        let (across, back) = (prime.times(self.re, other.im), prime.times(self.im, other.re));
        Pair { re: prime.minus(re, im), im: prime.plus(across, back) }
    }

    /// The value's weight: `self · 2^64`.
    pub fn weight(self, prime: &Prime) -> Pair {
        Pair { re: prime.weight(self.re), im: prime.weight(self.im) }
    }
}

/// A vector of pairs: real parts, imaginary parts, in pooled memory.
pub struct PairVec {
    parts: [Buf; 2],
    n: usize,
}

/// A view of a [`PairVec`].
#[derive(Clone, Copy)]
pub struct PairSlice<'a> {
    pub(super) re: &'a [u64],
    pub(super) im: &'a [u64],
}

impl PairVec {
    /// The weights with which the elements of a vector of length `n` enter its fold at `points`,
    /// weights too. Point by point the vector is cut in halves, the first one the longer if they
    /// differ, and replaced by `first + point·(second − first)`; one element remains.
    ///
    /// # Panics
    /// If the points do not bring `n` elements down to one.
    pub fn fold_weights(prime: &Prime, n: usize, points: &[Pair]) -> PairVec {
        let lengths: Vec<usize> =
            std::iter::successors(Some(n), |n| Some(n.div_ceil(2))).take(points.len() + 1).collect();
        assert_eq!(lengths.last(), Some(&1), "points for each halving");
        let mut out = PairVec::stale(n);
        out.n = 1;
        let [re, im] = out.parts_mut(1);
        (re[0], im[0]) = (prime.weight(1), 0);
        for (point, n) in points.iter().zip(&lengths).rev() {
            let half = std::mem::replace(&mut out.n, *n);
            let [re, im] = out.parts_mut(*n);
            let (re, re_high) = re.split_at_mut(half);
            let (im, im_high) = im.split_at_mut(half);
            slices::split_weights(prime, *point, [re, im], [re_high, im_high]);
        }
        out
    }

    /// Room for `n` pairs and one more, of no particular values.
    fn stale(n: usize) -> Self {
        PairVec { parts: [(); 2].map(|()| Buf::stale(8 * (n + 1))), n }
    }

    /// The first `n` pairs that there is room for.
    fn parts_mut(&mut self, n: usize) -> [&mut [u64]; 2] {
        self.parts.each_mut().map(|part| &mut part.as_mut_slice()[..n])
    }

    /// `Σ_row weights[row] · rows[row][j] / 2^64` for each `j`.
    ///
    /// # Panics
    /// If the rows differ in length or are not as many as the weights.
    pub fn combine(prime: &Prime, weights: &[Pair; 8], rows: &[&[u64]; 8]) -> PairVec {
        let n = rows[0].len();
        let mut out = PairVec::stale(n);
        let [re, im] = out.parts_mut(n);
        slices::combine(prime, weights, rows, re, im);
        out
    }

    /// These pairs.
    pub fn new(pairs: &[Pair]) -> Self {
        let mut out = PairVec::stale(pairs.len());
        let [re, im] = out.parts_mut(pairs.len());
        for ((re, im), pair) in re.iter_mut().zip(im).zip(pairs) {
            (*re, *im) = (pair.re, pair.im);
        }
        out
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The pair at a place.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, at: usize) -> Pair {
        let PairSlice { re, im } = self.as_slice();
        Pair { re: re[at], im: im[at] }
    }

    /// The whole vector.
    pub fn as_slice(&self) -> PairSlice<'_> {
        let [re, im] = self.parts.each_ref().map(|part| &part.as_slice()[..self.n]);
        PairSlice { re, im }
    }

    /// Folds the vector at a point, a weight: see [`PairVec::fold_weights`].
    pub fn fold(&mut self, prime: &Prime, point: Pair) {
        let half = self.even_half();
        let [re, im] = self.parts_mut(2 * half);
        let (re, re_high) = re.split_at_mut(half);
        let (im, im_high) = im.split_at_mut(half);
        slices::fold(prime, point, [re, im], [re_high, im_high]);
        self.n = half;
    }

    /// `[Σ u·v, Σ (u' − u)·(v' − v)] / 2^64` over the pairs of the first halves and, with a dash,
    /// of the second ones.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn products(prime: &Prime, u: &mut PairVec, v: &mut PairVec) -> [Pair; 2] {
        let half = u.even_half();
        assert_eq!(v.even_half(), half, "vectors of one length");
        let [u, v] = [u.as_slice(), v.as_slice()];
        let mut sums = [[Sum::default(); 3]; 2];
        slices::half_products(prime, half, [u.re, u.im], [v.re, v.im], &mut sums);
        sums.map(|[real, imaginary, across]| Pair {
            re: prime.minus(prime.total(real), prime.total(imaginary)),
            im: prime.total(across),
        })
    }

    /// A zero makes the length even.
    fn even_half(&mut self) -> usize {
        if self.len() % 2 == 1 {
            let at = self.n;
            let [re, im] = self.parts_mut(at + 1);
            (re[at], im[at]) = (0, 0);
            self.n += 1;
        }
        self.n / 2
    }
}

impl<'a> PairSlice<'a> {
    /// The pairs from `first` on, `n` of them.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn part(self, first: usize, n: usize) -> Self {
        PairSlice { re: &self.re[first..first + n], im: &self.im[first..first + n] }
    }

    /// Adds `Σ self·values` to the sums of both parts.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_products(self, values: &[u64], sums: &mut [Sum; 2]) {
        slices::add_pair_products(sums, self.re, self.im, values);
    }
}
