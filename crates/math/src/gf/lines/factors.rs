//! Lines times elements, bit by bit.

use super::{LINE_BITS, Line, narrow};
#[cfg(target_arch = "x86_64")]
use super::{four, wide};
use crate::gf::{Field, Gf128};

/// The most factors: a block of 2^7 lines.
const MAX_FACTORS: usize = 128;

/// Elements by which lines are multiplied, laid out for that.
pub struct Factors {
    n: usize,
    /// For the lower and the upper half of a line's elements, and for each eight factors, 16
    /// matrices of 8×8 bits: byte `7 − i` of matrix `t` holds bit `8·t + i` of each factor. Zeros
    /// follow up to an even number of eights.
    matrices: [[[u64; 16]; MAX_FACTORS / 8]; 2],
}

/// Lines and a factor for each.
pub struct Term<'a> {
    /// The factors.
    pub factors: &'a Factors,
    /// A line for each.
    pub lines: &'a [Line],
}

/// [`Factors::add`] of all terms, one or two, to zero and [`Folded::write`], at once.
///
/// # Panics
/// As both.
pub fn fold<const N: usize>(terms: &[Term<'_>; N], out: &mut [Gf128]) {
    let out: &mut [Gf128; LINE_BITS] = out.try_into().expect("a place for each bit");
    #[cfg(target_arch = "x86_64")]
    if four::is_there() {
        // SAFETY: the processor has the instructions.
        return unsafe { wide::fold(terms, out) };
    }
    let mut sums = Folded::zero();
    for Term { factors, lines } in terms {
        let lines = [*lines, &[]];
        narrow::fold(factors.matrices_for(lines), lines, &mut sums.0);
    }
    narrow::elements(&sums.0, out);
}

/// A sum of elements for each bit of a line: the planes of all of them, in an order that depends on
/// the processor.
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Folded(pub(super) [Line; 128]);

impl Folded {
    /// Sums of nothing.
    pub fn zero() -> Self {
        Folded([[0; 8]; 128])
    }

    /// Writes the sum of bit `128·q + j` to `out[4·j + q]`.
    ///
    /// # Panics
    /// If there is not a place for each bit.
    pub fn write(&self, out: &mut [Gf128]) {
        let out = out.try_into().expect("a place for each bit");
        #[cfg(target_arch = "x86_64")]
        if four::is_there() {
            // SAFETY: the processor has the instructions.
            return unsafe { wide::elements(&self.0, out) };
        }
        narrow::elements(&self.0, out);
    }
}

impl Factors {
    /// Lays out up to 128 factors, 8·n or fewer than 8 of them, times `halves[0]` for the lower
    /// halves of lines' elements and times `halves[1]` for the upper ones. They are public.
    ///
    /// # Panics
    /// If there are more.
    pub fn new(factors: &[Gf128], halves: [Gf128; 2]) -> Self {
        let mut out = Factors { n: 0, matrices: [[[0; 16]; MAX_FACTORS / 8]; 2] };
        out.set(factors, halves);
        out
    }

    /// [`Factors::new`] in the place of others.
    ///
    /// # Panics
    /// As [`Factors::new`].
    pub fn set(&mut self, factors: &[Gf128], halves: [Gf128; 2]) {
        assert!(factors.len() <= MAX_FACTORS, "factors for a block of lines");
        self.n = factors.len();
        let eights = self.n.div_ceil(8);
        for (matrices, half) in self.matrices.iter_mut().zip(halves) {
            let (matrices, rest) = matrices.split_at_mut(eights);
            rest.iter_mut().take(1).for_each(|rest| *rest = [0; 16]);
            #[cfg(target_arch = "x86_64")]
            if four::is_there() {
                // SAFETY: the processor has the instructions.
                unsafe { wide::matrices(factors, half, matrices) };
                continue;
            }
            let scaled: Vec<Gf128> = factors.iter().map(|factor| factor.times(half)).collect();
            for (matrices, factors) in matrices.iter_mut().zip(scaled.chunks(8)) {
                *matrices = narrow::matrices(factors);
            }
        }
    }

    /// `sums[j] += Σ_i factor_i · (bit j of line i)`, for the factors of the half that `j` lies in: a line
    /// for each factor, in one piece or in two.
    /// Meanwhile the lines `ahead` are fetched, which are to be folded next.
    ///
    /// # Panics
    /// If the numbers differ, or two pieces are no multiples of eight.
    pub fn add(&self, lines: [&[Line]; 2], ahead: &[&[Line]], sums: &mut Folded) {
        let matrices = self.matrices_for(lines);
        #[cfg(target_arch = "x86_64")]
        if four::is_there() {
            // SAFETY: the processor has the instructions.
            return unsafe { wide::add_folded(matrices, lines, ahead, &mut sums.0) };
        }
        // No more than a hint.
        let _ = ahead;
        narrow::fold(matrices, lines, &mut sums.0);
    }

    /// An even number of matrices, enough for these lines.
    pub(super) fn matrices_for(&self, [first, second]: [&[Line]; 2]) -> [&[[u64; 16]]; 2] {
        assert_eq!(first.len() + second.len(), self.n, "a line for each factor");
        let eights = first.len().is_multiple_of(8) && second.len().is_multiple_of(8);
        assert!(eights || second.is_empty(), "two pieces of eights");
        self.matrices.each_ref().map(|matrices| &matrices[..self.n.div_ceil(16) * 2])
    }
}
