//! The rounds a second time, slowly and over any binary field, for the models of the proofs that have
//! them; and a field that is small enough to see how often lies pass.

use math::gf::{Field, Gf128};

use crate::check::rounds::{Seed, Transcript, digest};

/// A binary field, its elements polynomials of degree below `BITS`.
pub(in crate::check) trait Binary: Copy + PartialEq + std::fmt::Debug {
    const BITS: usize;
    const ZERO: Self;
    const ONE: Self;
    fn power_of_x(exponent: usize) -> Self;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;

    fn root(self) -> Self {
        (1..Self::BITS).fold(self, |power, _| power.mul(power))
    }
}

impl Binary for Gf128 {
    const BITS: usize = 128;
    const ZERO: Self = Gf128(0);
    const ONE: Self = Gf128(1);
    fn power_of_x(exponent: usize) -> Self {
        Gf128(1 << exponent)
    }
    fn add(self, other: Self) -> Self {
        Gf128(self.0 ^ other.0)
    }
    fn mul(self, other: Self) -> Self {
        self.times(other)
    }
}

/// GF(2^8), modulus X^8 + X^4 + X^3 + X + 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::check) struct Toy(pub(in crate::check) u8);

impl Binary for Toy {
    const BITS: usize = 8;
    const ZERO: Self = Toy(0);
    const ONE: Self = Toy(1);
    fn power_of_x(exponent: usize) -> Self {
        Toy(1 << exponent)
    }
    fn add(self, other: Self) -> Self {
        Toy(self.0 ^ other.0)
    }
    fn mul(self, other: Self) -> Self {
        let mut product = 0;
        for bit in (0..8).rev() {
            let carry = (product >> 7) * 0x1b;
            product = (product << 1) ^ carry ^ ((other.0 >> bit & 1) * self.0);
        }
        Toy(product)
    }
}

/// Where the proof's challenges come from.
pub(in crate::check) trait Challenges<F> {
    /// Takes the left share of a round.
    fn absorb(&mut self, left: &[F]);
    fn points(&mut self, n: usize) -> Vec<F>;
}

/// What a proof comes to.
pub(in crate::check) struct Told<F> {
    pub(in crate::check) left: Vec<F>,
    /// Of `u` and of `v`, of the left verifier and of the right one.
    pub(in crate::check) operands: [[F; 2]; 2],
    pub(in crate::check) claims: [F; 2],
}

impl<F: Binary> Told<F> {
    pub(in crate::check) fn accepted(&self) -> bool {
        let [left, right] = self.operands;
        left[0].add(right[0]).mul(left[1].add(right[1])) == self.claims[0].add(self.claims[1])
    }
}

pub(in crate::check) fn sum<F: Binary>(terms: impl IntoIterator<Item = F>) -> F {
    terms.into_iter().fold(F::ZERO, F::add)
}

pub(in crate::check) fn product<F: Binary>(factors: impl IntoIterator<Item = F>) -> F {
    factors.into_iter().fold(F::ONE, F::mul)
}

/// The rounds that halve two vectors, and the masking one, in all three roles. `bend` may change a
/// round's two values when it knows by how much the claim is off, and whether the round is the masking
/// one; the honest prover leaves them. `parts` are the left verifier's summands of both vectors, then the right
/// one's, and so are the masks; `right` are the right verifier's shares.
pub(in crate::check) fn rounds<F: Binary>(
    mut parts: [[Vec<F>; 2]; 2],
    mut claims: [F; 2],
    (right, masks): (&[F], [[F; 2]; 2]),
    challenges: &mut impl Challenges<F>,
    bend: impl Fn(F, [F; 2], bool) -> [F; 2],
) -> Told<F> {
    let mut left = Vec::new();
    let mut share = |values: [F; 2], challenges: &mut dyn Challenges<F>| -> [[F; 2]; 2] {
        let right = [right[left.len()], right[left.len() + 1]];
        let mine = [values[0].add(right[0]), values[1].add(right[1])];
        challenges.absorb(&mine);
        left.extend_from_slice(&mine);
        [mine, right]
    };
    let inner = |u: &[F], v: &[F]| sum(u.iter().zip(v).map(|(u, v)| u.mul(*v)));
    let at = |w: &[F], r: F| -> Vec<F> {
        let (low, high) = w.split_at(w.len() / 2);
        low.iter().zip(high).map(|(low, high)| low.mul(F::ONE.add(r)).add(high.mul(r))).collect()
    };
    let slope = |w: &[F]| -> Vec<F> {
        let (low, high) = w.split_at(w.len() / 2);
        low.iter().zip(high).map(|(low, high)| low.add(*high)).collect()
    };
    let off = |claims: [F; 2], u: &[F], v: &[F]| claims[0].add(claims[1]).add(inner(u, v));
    let parabola = |zero: F, one: F, infinity: F, r: F| {
        sum([zero.mul(F::ONE.add(r)), one.mul(r), infinity.mul(r.mul(r).add(r))])
    };
    let total = |parts: &[[Vec<F>; 2]; 2], at: usize| -> Vec<F> {
        parts[0][at].iter().zip(&parts[1][at]).map(|(left, right)| left.add(*right)).collect()
    };
    while parts[0][0].len() > 1 {
        let (u, v) = (total(&parts, 0), total(&parts, 1));
        let half = u.len() / 2;
        let honest = [inner(&u[..half], &v[..half]), inner(&slope(&u), &slope(&v))];
        let shares = share(bend(off(claims, &u, &v), honest, false), challenges);
        let r = challenges.points(1)[0];
        claims = [0, 1].map(|verifier| {
            let zero = shares[verifier][0];
            parabola(zero, claims[verifier].add(zero), shares[verifier][1], r)
        });
        parts = parts.each_ref().map(|part| part.each_ref().map(|w| at(w, r)));
    }
    let (u, v) = (total(&parts, 0), total(&parts, 1));
    let [u1, v1] = [0, 1].map(|at| masks[0][at].add(masks[1][at]));
    let honest = [u1.mul(v1), u[0].add(u1).mul(v[0].add(v1))];
    let shares = share(bend(off(claims, &u, &v), honest, true), challenges);
    let r = challenges.points(1)[0];
    claims = [0, 1].map(|verifier| parabola(claims[verifier], shares[verifier][0], shares[verifier][1], r));
    let masked = |verifier: usize| [0, 1].map(|w| at(&[parts[verifier][w][0], masks[verifier][w]], r)[0]);
    Told { left, operands: [masked(0), masked(1)], claims }
}

/// What a cheater does best whose claim is off: a parabola that is off by as much, and right at two points
/// of its choice.
pub(in crate::check) fn best_bend(off: Toy, honest: [Toy; 2], is_masking: bool) -> [Toy; 2] {
    // x^254.
    let inverse = |x: Toy| (0..253).fold(x, |power, _| power.mul(x));
    let (a, b) = (Toy(5), Toy(9));
    let (sum, product) = (a.add(b), a.mul(b));
    if is_masking {
        // At 0 the claim stands, off as it is: c·(X + a)·(X + b) with c·a·b = off.
        let c = off.mul(inverse(product));
        [honest[0].add(c.mul(Toy(1).add(sum).add(product))), honest[1].add(c)]
    } else {
        // The values at 0 and 1 add up to the claim: c·(1 + a + b) = off.
        let c = off.mul(inverse(Toy(1).add(sum)));
        [honest[0].add(c.mul(product)), honest[1].add(c)]
    }
}

/// The real transcript.
pub(in crate::check) struct Hashed {
    pub(in crate::check) transcript: Transcript,
    salts: Vec<Seed>,
    pub(in crate::check) digests: Vec<Seed>,
}

impl Hashed {
    pub(in crate::check) fn starting(transcript: Transcript, salts: Vec<Seed>) -> Self {
        Hashed { transcript, salts, digests: Vec::new() }
    }
}

impl Challenges<Gf128> for Hashed {
    fn absorb(&mut self, left: &[Gf128]) {
        let digest = digest(&self.salts[self.digests.len()], left);
        self.transcript.absorb(&digest);
        self.digests.push(digest);
    }

    fn points(&mut self, n: usize) -> Vec<Gf128> {
        let mut stream = self.transcript.point_stream();
        let mut points = Vec::new();
        while points.len() < n {
            let mut bytes = [0; 16];
            stream.fill(&mut bytes);
            let point = u128::from_le_bytes(bytes);
            if point != 0 && point != 1 {
                points.push(Gf128(point));
            }
        }
        points
    }
}

/// Fair coins from a seed.
pub(in crate::check) struct Fair(u64);

impl Fair {
    pub(in crate::check) fn seeded(seed: u64) -> Self {
        Fair(seed)
    }

    pub(in crate::check) fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x >> 56) as u8
    }
}

impl Challenges<Toy> for Fair {
    fn absorb(&mut self, _: &[Toy]) {}

    fn points(&mut self, n: usize) -> Vec<Toy> {
        let mut point = || loop {
            let byte = self.byte();
            if byte > 1 {
                return Toy(byte);
            }
        };
        (0..n).map(|_| point()).collect()
    }
}

/// Within four standard deviations.
pub(in crate::check) fn assert_near(rate: f64, expected: f64, runs: usize) {
    let deviation = (expected * (1.0 - expected) / runs as f64).sqrt();
    assert!((rate - expected).abs() < 4.0 * deviation, "{rate:.4} against {expected:.4}");
}
