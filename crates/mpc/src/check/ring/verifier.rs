//! The two verifiers' sides of a proof.

use math::prime::{Pair, Prime};
use subtle::ConstantTimeEq;

use super::operand::{Folded, row_weights};
use super::shape::{SHARED_POINTS, Shape};
use super::transcript::{Transcript, digest};
use crate::check::rounds::Seed;

/// What a verifier is left with after the challenges: a share of the claim, and its
/// operand, masked.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub(super) operand: Pair,
    pub(super) claim: Pair,
}

/// The points of a proof, as weights, and the state after them.
pub(super) struct Points {
    skip: Vec<Pair>,
    rounds: Vec<Pair>,
    mask: Pair,
}

/// The digests of the left shares.
pub(super) fn digests(shape: Shape, words: &[u64], salts: &[Seed]) -> Vec<Seed> {
    let mut rest = words;
    let rounds = shape.round_lengths().zip(salts);
    rounds.map(|(n, salt)| digest(salt, rest.split_off(..n).expect("a share of the proof's size"))).collect()
}

impl Points {
    /// The challenges that the digests give. `None` unless the last state is the prover's: nothing
    /// else of the proof has been looked at by then.
    pub(super) fn of(
        mut transcript: Transcript,
        prime: &Prime,
        digests: &[Seed],
        last: &[u8],
    ) -> Option<Self> {
        let lifted = |point: Pair| point.weight(prime);
        let (first, rest) = digests.split_first().expect("a digest for each round");
        transcript.absorb(first);
        let skip = transcript.points(prime, 3).into_iter().map(lifted).collect();
        let mut rounds: Vec<Pair> = Vec::with_capacity(rest.len());
        for digest in rest {
            transcript.absorb(digest);
            rounds.push(lifted(transcript.point(prime)));
        }
        let mask = rounds.pop().expect("the masking round is one");
        bool::from(transcript.state()[..].ct_eq(last)).then_some(Points { skip, rounds, mask })
    }

    /// A vector that is folded at these points as it is made.
    pub(super) fn folded<'a>(&self, prime: &'a Prime, shape: Shape) -> Folded<'a> {
        Folded::new(prime, shape, &self.rounds)
    }

    /// Goes through all rounds: `claim` is this verifier's share of the sum, `words` that of the
    /// proof, `operand` its vector and `mask` what hides it.
    pub(super) fn outcome(
        &self,
        prime: &Prime,
        claim: u64,
        words: &[u64],
        operand: &Folded<'_>,
        mask: Pair,
    ) -> Outcome {
        let (first, rest) = words.split_at(SHARED_POINTS);
        let mut claim = self.skipped(prime, claim, first);
        let rest: &[[Pair; 2]] = bytemuck::cast_slice(rest);
        let (last, rounds) = rest.split_last().expect("the masking round is one");
        for ([zero, infinity], r) in rounds.iter().zip(&self.rounds) {
            claim = parabola(prime, *zero, claim.minus(prime, *zero), *infinity, *r);
        }
        claim = parabola(prime, claim, last[0], last[1], self.mask);
        let operand = operand.total(&row_weights(prime, &self.skip));
        let operand = operand.plus(prime, self.mask.times(prime, mask.minus(prime, operand)));
        Outcome { operand, claim }
    }

    /// This verifier's share of the sum at the first round's points.
    fn skipped(&self, prime: &Prime, claim: u64, shared: &[u64]) -> Pair {
        // The eight points of bits add up to the claim.
        let bits = (1..=SHARED_POINTS).filter(|point| [1, 3, 9].iter().all(|power| point / power % 3 != 2));
        let zero = bits.fold(claim, |rest, point| prime.minus(rest, shared[point - 1]));
        let mut sums: Vec<Pair> = std::iter::once(&zero).chain(shared).map(|sum| Pair::from(*sum)).collect();
        for r in &self.skip {
            let lines = sums.as_chunks::<3>().0.iter();
            sums = lines.map(|[zero, one, infinity]| parabola(prime, *zero, *one, *infinity, *r)).collect();
        }
        sums[0]
    }
}

/// The parabola through `zero` at 0 and `one` at 1 with the leading coefficient `infinity`, at `r`,
/// a weight.
fn parabola(prime: &Prime, zero: Pair, one: Pair, infinity: Pair, r: Pair) -> Pair {
    let slope = one.minus(prime, zero).minus(prime, infinity).plus(prime, r.times(prime, infinity));
    zero.plus(prime, r.times(prime, slope))
}

impl Outcome {
    /// Whether `û·v̂ = T_L + T_R`, for the left verifier's outcome.
    pub(super) fn agrees_with(&self, prime: &Prime, left: &Outcome) -> bool {
        let product = self.operand.weight(prime).times(prime, left.operand);
        let sum = self.claim.plus(prime, left.claim);
        bool::from(product.re.ct_eq(&sum.re) & product.im.ct_eq(&sum.im))
    }
}
