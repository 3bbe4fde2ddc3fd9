//! The rounds of the proof over any prime that is 3 modulo 4, and how often lies pass over small ones.

/// Integers modulo a prime; pairs `[a, b]` stand for `a + b·i`.
#[derive(Clone, Copy)]
pub(super) struct Field(pub(super) u64);

type Two = [u64; 2];

impl Field {
    pub(super) fn add(self, a: u64, b: u64) -> u64 {
        ((u128::from(a) + u128::from(b)) % u128::from(self.0)) as u64
    }

    pub(super) fn sub(self, a: u64, b: u64) -> u64 {
        self.add(a, self.0 - b)
    }

    pub(super) fn mul(self, a: u64, b: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(self.0)) as u64
    }

    pub(super) fn half(self, x: u64) -> u64 {
        ((u128::from(x) + u128::from(self.0) * u128::from(x & 1)) / 2) as u64
    }

    fn plus(self, a: Two, b: Two) -> Two {
        [self.add(a[0], b[0]), self.add(a[1], b[1])]
    }

    fn minus(self, a: Two, b: Two) -> Two {
        [self.sub(a[0], b[0]), self.sub(a[1], b[1])]
    }

    fn times(self, a: Two, b: Two) -> Two {
        let re = self.sub(self.mul(a[0], b[0]), self.mul(a[1], b[1]));
        [re, self.add(self.mul(a[0], b[1]), self.mul(a[1], b[0]))]
    }

    /// By trial: for small primes.
    fn inverse(self, a: Two) -> Two {
        let mut all = (0..self.0).flat_map(|re| (0..self.0).map(move |im| [re, im]));
        all.find(|b| self.times(a, *b) == [1, 0]).expect("zero has no inverse")
    }

    fn sum(self, terms: impl IntoIterator<Item = Two>) -> Two {
        terms.into_iter().fold([0, 0], |sum, term| self.plus(sum, term))
    }

    /// `zero·(1 − r) + one·r + infinity·(r² − r)`.
    fn parabola(self, zero: Two, one: Two, infinity: Two, r: Two) -> Two {
        let square = self.times(r, r);
        self.sum([
            self.times(zero, self.minus([1, 0], r)),
            self.times(one, r),
            self.times(infinity, self.minus(square, r)),
        ])
    }
}

/// Where challenges come from.
pub(super) trait Challenges {
    /// Takes the left share of a round.
    fn absorb(&mut self, left: &[u64]);
    fn points(&mut self, n: usize) -> Vec<Two>;
}

/// What a proof comes to.
pub(super) struct Told {
    pub(super) left: Vec<u64>,
    pub(super) operands: [Two; 2],
    pub(super) claims: [Two; 2],
}

impl Told {
    pub(super) fn accepted(&self, field: Field) -> bool {
        field.times(self.operands[0], self.operands[1]) == field.plus(self.claims[0], self.claims[1])
    }
}

/// All three roles. `bend` may change a round's two values, given by how much the claim is off and
/// whether the round is the masking one; the honest prover leaves them.
pub(super) fn play(
    field: Field,
    operands: [Vec<u64>; 2],
    claims: [u64; 2],
    (right, masks): (&[u64], [Two; 2]),
    challenges: &mut impl Challenges,
    bend: impl Fn(Two, [Two; 2], bool) -> [Two; 2],
) -> Told {
    let mut left: Vec<u64> = Vec::new();
    let mut share = |values: &[u64], challenges: &mut dyn Challenges| -> [Vec<u64>; 2] {
        let right = right[left.len()..][..values.len()].to_vec();
        let mine: Vec<u64> =
            values.iter().zip(&right).map(|(value, right)| field.sub(*value, *right)).collect();
        challenges.absorb(&mine);
        left.extend_from_slice(&mine);
        [mine, right]
    };

    // Eight rows, extended to {0, 1, ∞}^3.
    let digits = |point: usize| [point % 3, point / 3 % 3, point / 9];
    let n = operands[0].len() / 8;
    let at_point = |w: &[u64], point: usize, at: usize| {
        (0..8).fold(0, |sum, row| {
            let bits = [row & 1, row >> 1 & 1, row >> 2];
            let factors = digits(point).into_iter().zip(bits);
            let is_there = factors.clone().all(|(digit, bit)| digit == 2 || digit == bit);
            let is_negative = factors.filter(|(digit, bit)| (*digit, *bit) == (2, 0)).count() % 2 == 1;
            match (is_there, is_negative) {
                (false, _) => sum,
                (true, false) => field.add(sum, w[row * n + at]),
                (true, true) => field.sub(sum, w[row * n + at]),
            }
        })
    };
    let value = |point: usize| {
        let [u, v] = &operands;
        (0..n).fold(0, |sum, at| field.add(sum, field.mul(at_point(u, point, at), at_point(v, point, at))))
    };
    let shares = share(&(1..27).map(value).collect::<Vec<_>>(), challenges);
    let r = challenges.points(3);
    let lagrange = |point: usize| {
        digits(point).into_iter().zip(&r).fold([1, 0], |product, (digit, r)| {
            let one: Two = [u64::from(digit == 1), 0];
            let factor = field.parabola([u64::from(digit == 0), 0], one, [u64::from(digit == 2), 0], *r);
            field.times(product, factor)
        })
    };
    let mut claims: [Two; 2] = [0, 1].map(|verifier| {
        let shares = &shares[verifier];
        let bits = (1..27).filter(|point| !digits(*point).contains(&2));
        let zero = bits.fold(claims[verifier], |rest, point| field.sub(rest, shares[point - 1]));
        let all = std::iter::once(&zero).chain(shares).enumerate();
        field.sum(all.map(|(point, share)| field.times([*share, 0], lagrange(point))))
    });
    let eq = |row: usize| {
        r.iter().enumerate().fold([1, 0], |product, (t, r)| {
            let factor = if row >> t & 1 == 1 { *r } else { field.minus([1, 0], *r) };
            field.times(product, factor)
        })
    };
    let [mut u, mut v] = operands.map(|w| -> Vec<Two> {
        let folded = |at: usize| field.sum((0..8).map(|row| field.times([w[row * n + at], 0], eq(row))));
        (0..n).map(folded).collect()
    });

    let inner = |u: &[Two], v: &[Two]| field.sum(u.iter().zip(v).map(|(u, v)| field.times(*u, *v)));
    let slope = |w: &[Two]| -> Vec<Two> {
        let (low, high) = w.split_at(w.len() / 2);
        low.iter().zip(high).map(|(low, high)| field.minus(*high, *low)).collect()
    };
    let at = |w: &[Two], r: Two| -> Vec<Two> {
        w.iter().zip(slope(w)).map(|(low, slope)| field.plus(*low, field.times(r, slope))).collect()
    };
    let off =
        |claims: [Two; 2], u: &[Two], v: &[Two]| field.minus(field.plus(claims[0], claims[1]), inner(u, v));
    let pairs = |shares: &[u64]| [[shares[0], shares[1]], [shares[2], shares[3]]];
    while u.len() > 1 {
        let half = u.len().div_ceil(2);
        for w in [&mut u, &mut v] {
            w.resize(2 * half, [0, 0]);
        }
        let honest = [inner(&u[..half], &v[..half]), inner(&slope(&u), &slope(&v))];
        let shares = share(bend(off(claims, &u, &v), honest, false).as_flattened(), challenges);
        let r = challenges.points(1)[0];
        claims = [0, 1].map(|verifier| {
            let [zero, infinity] = pairs(&shares[verifier]);
            field.parabola(zero, field.minus(claims[verifier], zero), infinity, r)
        });
        (u, v) = (at(&u, r), at(&v, r));
    }
    let [u1, v1] = masks;
    let honest = [field.times(u1, v1), field.times(field.minus(u1, u[0]), field.minus(v1, v[0]))];
    let shares = share(bend(off(claims, &u, &v), honest, true).as_flattened(), challenges);
    let r = challenges.points(1)[0];
    claims = [0, 1].map(|verifier| {
        let [one, infinity] = pairs(&shares[verifier]);
        field.parabola(claims[verifier], one, infinity, r)
    });
    Told { left, operands: [at(&[u[0], u1], r)[0], at(&[v[0], v1], r)[0]], claims }
}

/// Fair coins from a seed.
struct Fair(u64, Field);

impl Fair {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.word() % n
    }

    fn element(&mut self) -> u64 {
        let Field(p) = self.1;
        self.below(p)
    }
}

impl Challenges for Fair {
    fn absorb(&mut self, _: &[u64]) {}

    fn points(&mut self, n: usize) -> Vec<Two> {
        let mut point = || loop {
            let point = [self.element(), self.element()];
            if point[1] != 0 || point[0] > 1 {
                return point;
            }
        };
        (0..n).map(|_| point()).collect()
    }
}

/// Within four standard deviations.
fn assert_near(passed: usize, runs: usize, expected: f64) {
    let rate = passed as f64 / runs as f64;
    let deviation = (expected * (1.0 - expected) / runs as f64).sqrt();
    assert!((rate - expected).abs() < 4.0 * deviation, "{rate:.4} against {expected:.4}");
}

#[test]
fn over_a_toy_field_the_best_bent_rounds_pass_as_often_as_predicted() {
    let field = Field(7);
    let mut fair = Fair(1, field);
    // An error polynomial with two roots of the cheater's choice, c·(X − a)·(X − b).
    let bend = |off: Two, honest: [Two; 2], masking: bool| {
        let (a, b) = ([3, 1], [2, 5]);
        let (at_zero, at_one) =
            (field.times(a, b), field.times(field.minus([1, 0], a), field.minus([1, 0], b)));
        let claim = if masking { at_zero } else { field.plus(at_zero, at_one) };
        let c = field.times(off, field.inverse(claim));
        let first = if masking { at_one } else { at_zero };
        [field.plus(honest[0], field.times(c, first)), field.plus(honest[1], c)]
    };
    let runs = 6000;
    let passed = (0..runs).filter(|_| {
        let [u, v] = [(); 2].map(|()| (0..24).map(|_| fair.element()).collect::<Vec<_>>());
        let inner = u.iter().zip(&v).fold(0, |sum, (u, v)| field.add(sum, field.mul(*u, *v)));
        let right: Vec<u64> = (0..60).map(|_| fair.element()).collect();
        let masks = [(); 2].map(|()| [fair.element(), fair.element()]);
        let wrong = 1 + fair.below(6);
        let claims = [field.add(inner, wrong), 0];
        // The first round is honest, and hides the error with 0, 1 or more of its points.
        play(field, [u, v], claims, (&right[..], masks), &mut fair, bend).accepted(field)
    });
    let passed = passed.count();
    // The error of an honest first round is constant, off·λ_0 with λ_0 = Π (1 − r_t), which never
    // vanishes, since no point is 1. Three elements a row: two rounds more and the masking one.
    assert_near(passed, runs, 1.0 - (1.0 - 2.0 / 47.0_f64).powi(3));
}

/// The integers `c` of products modulo 2^8, the quotients of subsets that a prover rounds down, and
/// whether each is whole.
fn hides(fair: &mut Fair, subsets: &[Vec<bool>], wrong: usize, error: i64) -> bool {
    let c: Vec<i64> = (0..subsets[0].len())
        .map(|at| (fair.below(1 << 9) as i64) << 8 | if at == wrong { error } else { 0 })
        .collect();
    subsets.iter().all(|subset| {
        let sum: i64 = c.iter().zip(subset).filter(|(_, is_in)| **is_in).map(|(c, _)| c).sum();
        sum % 256 == 0
    })
}

#[test]
fn over_few_subsets_a_wrong_product_passes_as_often_as_predicted() {
    let mut fair = Fair(2, Field(7));
    let (runs, kappa) = (8000, 3);
    for error in [1, 128, 255] {
        let single = (0..runs).filter(|_| {
            let subsets: Vec<Vec<bool>> =
                (0..kappa).map(|_| (0..5).map(|_| fair.below(2) == 1).collect()).collect();
            let wrong = fair.below(5) as usize;
            hides(&mut fair, &subsets, wrong, error)
        });
        assert_near(single.count(), runs, 0.125);
        // One entry of three by two: it is in a subset if its row and its column are.
        let entry = (0..runs).filter(|_| {
            let mut lines = |n: usize| -> Vec<bool> { (0..n).map(|_| fair.below(2) == 1).collect() };
            let subsets: Vec<Vec<bool>> = (0..kappa)
                .map(|_| {
                    let (rows, columns) = (lines(3), lines(2));
                    rows.iter().flat_map(|row| columns.iter().map(move |column| row & column)).collect()
                })
                .collect();
            let wrong = fair.below(6) as usize;
            hides(&mut fair, &subsets, wrong, error)
        });
        assert_near(entry.count(), runs, 0.75_f64.powi(3));
    }
}

#[test]
fn modulo_a_small_prime_weights_hide_an_error_as_often_as_predicted() {
    for p in [7, 11, 19] {
        let field = Field(p);
        let mut fair = Fair(p, field);
        let runs = 8000;
        // What four subsets are off by, not all multiples of p.
        let passed = (0..runs).filter(|_| {
            let off = [fair.element(), 1 + fair.below(p - 1), 0, fair.element()];
            let sum = off.iter().fold(0, |sum, off| field.add(sum, field.mul(*off, fair.element())));
            sum == 0
        });
        assert_near(passed.count(), runs, 1.0 / p as f64);
    }
}
