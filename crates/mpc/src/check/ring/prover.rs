//! The prover's side of a proof, once the prime is known.

use buf::Buf;
use math::prime::{LaneSum, Pair, PairVec, Prime, sub_into};

use super::lanes::ProverLanes;
use super::operand::row_weights;
use super::shape::{ROWS, SHARED_POINTS, Shape};
use super::transcript::{Transcript, digest};
use crate::check::rounds::Seed;

/// Places of a row that are extended at a time: all 27 points of both vectors stay in cache.
const TILE: usize = 64;

/// What the prover sends: the left verifier's shares, and the last state to both.
pub(super) struct Proof {
    pub(super) left: Vec<u64>,
    pub(super) last: Seed,
}

/// Proves `⟨u, v⟩ = T_L + T_R`, for vectors that zeros fill up to the shape's length.
pub(super) fn prove(
    shape: Shape,
    transcript: Transcript,
    prime: &Prime,
    operands: [Buf; 2],
    lanes: &ProverLanes,
) -> Proof {
    let mut proof =
        Rounds { transcript, prime, lanes, left: Vec::with_capacity(shape.n_words()), n_rounds: 0 };

    proof.share(&extended(prime, &operands));
    let points = proof.transcript.points(prime, 3);
    let weights = row_weights(prime, &points.iter().map(|point| point.weight(prime)).collect::<Vec<_>>());
    let [mut u, mut v] = operands.map(|w| PairVec::combine(prime, &weights, &rows_of(w.as_slice())));

    while u.len() > 1 {
        let sums = PairVec::products(prime, &mut u, &mut v);
        proof.share(words(&sums.map(|sum| sum.weight(prime))));
        let point = proof.transcript.point(prime).weight(prime);
        u.fold(prime, point);
        v.fold(prime, point);
    }

    // The masking round: the lines through u, v at 0 and the masks at 1. Their product at 0
    // is the claim, which both verifiers hold shares of.
    let (u1, v1) = (lanes.mask_left, lanes.mask_right);
    let times = |a: Pair, b: Pair| a.weight(prime).times(prime, b);
    let slopes = times(u1.minus(prime, u.get(0)), v1.minus(prime, v.get(0)));
    proof.share(words(&[times(u1, v1), slopes]));
    Proof { left: proof.left, last: *proof.transcript.state() }
}

/// The words of two pairs.
fn words(pairs: &[Pair; 2]) -> &[u64] {
    bytemuck::cast_slice(pairs)
}

/// The rounds of a proof: each splits values into two shares and hashes the left one.
struct Rounds<'a> {
    transcript: Transcript,
    prime: &'a Prime,
    lanes: &'a ProverLanes,
    left: Vec<u64>,
    n_rounds: usize,
}

impl Rounds<'_> {
    fn share(&mut self, values: &[u64]) {
        let first = self.left.len();
        let right = &self.lanes.right[first..];
        self.left.extend(values.iter().zip(right).map(|(value, right)| self.prime.minus(*value, *right)));
        self.transcript.absorb(&digest(&self.lanes.salts[self.n_rounds], &self.left[first..]));
        self.n_rounds += 1;
    }
}

fn rows_of(w: &[u64]) -> [&[u64]; ROWS] {
    let n = w.len() / ROWS;
    std::array::from_fn(|row| &w[row * n..(row + 1) * n])
}

/// The inner products of both vectors' extensions at the points of {0, 1, ∞}^3 but zero: point
/// `Σ 3^t·digit_t`, where digit 2 is ∞, the difference between 1 and 0.
fn extended(prime: &Prime, operands: &[Buf; 2]) -> [u64; SHARED_POINTS] {
    let mut sums = [LaneSum::default(); SHARED_POINTS];
    let [mut u, mut v] = [(); 2].map(|()| vec![[0; TILE]; SHARED_POINTS + 1]);
    let [u_rows, v_rows] = operands.each_ref().map(|w| rows_of(w.as_slice()));
    let n = u_rows[0].len();
    for first in (0..n).step_by(TILE) {
        let len = TILE.min(n - first);
        for (rows, points) in [(&u_rows, &mut u), (&v_rows, &mut v)] {
            extend(prime, rows.map(|row| &row[first..first + len]), points);
        }
        for (point, sum) in sums.iter_mut().enumerate() {
            sum.add_products(&u[point + 1][..len], &v[point + 1][..len]);
        }
    }
    sums.map(|sum| prime.weight(prime.total(sum.total())))
}

/// Writes the points of eight rows.
fn extend(prime: &Prime, rows: [&[u64]; ROWS], points: &mut [[u64; TILE]]) {
    let len = rows[0].len();
    for (row, values) in rows.iter().enumerate() {
        let point = (row & 1) + 3 * (row >> 1 & 1) + 9 * (row >> 2);
        points[point][..len].copy_from_slice(values);
    }
    // Digit by digit, once those below it have all three values.
    for (step, starts) in
        [(1, &[0, 3, 9, 12][..]), (3, &[0, 1, 2, 9, 10, 11]), (9, &[0, 1, 2, 3, 4, 5, 6, 7, 8])]
    {
        for start in starts {
            let (low, high) = points.split_at_mut(start + 2 * step);
            sub_into(prime, &mut high[0][..len], &low[start + step][..len], &low[*start][..len]);
        }
    }
}
