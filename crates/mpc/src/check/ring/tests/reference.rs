//! The proof a second time, slowly: product by product in whole numbers, and rounds over any prime, as
//! the module's header says it, without tiles, tables or Montgomery's form.

#![allow(
    clippy::needless_range_loop,
    clippy::type_complexity,
    reason = "a model reads as its derivation does"
)]

use math::prime::{Pair, Prime};

use super::model::{Challenges, Field, play};
use super::*;
use crate::check::flights::VERDICT;
use crate::check::ring::integer::Integer;
use crate::check::ring::lanes::{self, ProverLanes};
use crate::check::ring::shape::{ROWS, Shape};
use crate::check::ring::transcript::{Challenge, Selections, Statement, Transcript, digest};
use crate::check::ring::word::{Word, each_ring};
use crate::check::rounds::{self, Seed};
use crate::check::tests::watched;
use crate::prss::{Root, Use};
use crate::shuffle::stages::Pass;

/// One product of numbers: `c = Σ (x·y' + y·x') − e − f`.
struct Gate {
    bits: u32,
    c: Integer,
    e: Integer,
    f: Integer,
    subsets: Vec<bool>,
}

/// What a prover's batch comes to.
#[derive(Default)]
struct Sides {
    gates: Vec<Gate>,
    /// Elements of both vectors: the subset's weight or the gate's number, bits of the ring, numbers.
    elements: Vec<(Weight, u32, [Integer; 2])>,
    /// Of these, which have their weight in the right vector.
    right: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Weight {
    Gate(usize),
    Subset(usize),
}

fn integer<R: Ring>(x: R) -> Integer {
    Integer::from_parts([0, 32, 64, 96].map(|shift| u64::from((x.word() >> shift) as u32)))
}

/// Where the next selections are.
#[derive(Default)]
struct Place {
    gate: usize,
    block: u64,
}

impl Sides {
    fn add<R: Word>(
        &mut self,
        product: &ProductStep<R>,
        [own, next]: [&Root; 2],
        selections: &Selections,
        place: &mut Place,
        n_subsets: usize,
    ) {
        if let Form::Moved(pass, lane) = &product.form {
            return self.add_moved::<R>(pass, *lane, selections, place, n_subsets);
        }
        let n = product.z.len();
        let [mask, f] = [own, next].map(|root| root.stream(&product.step, Use::Mask).column::<R>(n));
        let z = |at: usize| product.z.parts().as_slice()[0].items()[at].minus(mask.items()[at]);
        let f = |at: usize| f.items()[at];
        let part = |x: &Shared<R>, part: usize, at: usize| x.parts().as_slice()[part].items()[at];
        match &product.form {
            Form::Rows(segments) => {
                let mut first = 0;
                for pairs in segments {
                    let n = pairs[0].0.len();
                    let gates: Vec<Vec<_>> =
                        (0..n).map(|row| pairs.iter().map(|(x, y)| (x, row, y, row)).collect()).collect();
                    self.add_gates(
                        &gates,
                        &|at| z(first + at),
                        &|at| f(first + at),
                        selections,
                        place,
                        n_subsets,
                    );
                    // Pair by pair, one factor after the other.
                    let numbers = self.gates.len() - n;
                    for (x, y) in pairs {
                        for (a, b) in [(x, y), (y, x)] {
                            self.elements.extend((0..n).map(|row| {
                                let both = [integer(part(a, 0, row)), integer(part(b, 1, row))];
                                (Weight::Gate(numbers + row), R::BITS, both)
                            }));
                        }
                    }
                    first += n;
                }
            }
            Form::Inner(x, y) => {
                let terms: Vec<_> = (0..x.len()).map(|at| (x, at, y, at)).collect();
                self.add_gates(&[terms], &z, &f, selections, place, n_subsets);
                for (a, b) in [(x, y), (y, x)] {
                    let gate = Weight::Gate(self.gates.len() - 1);
                    self.elements.extend(
                        (0..x.len())
                            .map(|at| (gate, R::BITS, [integer(part(a, 0, at)), integer(part(b, 1, at))])),
                    );
                }
            }
            Form::Moved(..) => unreachable!("seen to above"),
            Form::Matrix { x, y, shape: [rows, inner, columns] } => {
                let [of_rows, of_columns] = selections.of_matrix(&mut place.block, [*rows, *columns]);
                let is_in = |words: &[u64; 3], t: usize| words[t / 64] >> (t % 64) & 1 == 1;
                for row in 0..*rows {
                    for column in 0..*columns {
                        let at = row * columns + column;
                        let (mut c, mut e) = (Integer::default(), integer(z(at)));
                        for k in 0..*inner {
                            let (i, j) = (row * inner + k, k * columns + column);
                            let [x, x_next] = [0, 1].map(|p| integer(part(x, p, i)));
                            let [y, y_next] = [0, 1].map(|p| integer(part(y, p, j)));
                            c = c.plus(&x.times(&y_next)).plus(&y.times(&x_next));
                            // What the left verifier knows is not reduced.
                            e = e.minus(&x.times(&y));
                        }
                        let subsets = (0..n_subsets)
                            .map(|t| is_in(&of_rows[row], t) && is_in(&of_columns[column], t))
                            .collect();
                        let f = integer(f(at));
                        self.gates.push(Gate { bits: R::BITS, c: c.minus(&e).minus(&f), e, f, subsets });
                    }
                }
                let sum_x = |p: usize, t: usize, k: usize| {
                    (0..*rows)
                        .filter(|row| is_in(&of_rows[*row], t))
                        .fold(Integer::default(), |sum, row| sum.plus(&integer(part(x, p, row * inner + k))))
                };
                let sum_y = |p: usize, t: usize, k: usize| {
                    (0..*columns)
                        .filter(|column| is_in(&of_columns[*column], t))
                        .fold(Integer::default(), |sum, column| {
                            sum.plus(&integer(part(y, p, k * columns + column)))
                        })
                };
                for is_second in [false, true] {
                    for (t, k) in (0..n_subsets).flat_map(|t| (0..*inner).map(move |k| (t, k))) {
                        let both = match is_second {
                            false => [sum_x(0, t, k), sum_y(1, t, k)],
                            true => [sum_y(0, t, k), sum_x(1, t, k)],
                        };
                        self.elements.push((Weight::Subset(t), R::BITS, both));
                    }
                }
            }
        }
    }

    /// The two messages of a prover: of what it shares with its right neighbour, moved by its first
    /// key's factor, and the other way round.
    fn add_moved<R: Word>(
        &mut self,
        pass: &Pass,
        lane: usize,
        selections: &Selections,
        place: &mut Place,
        n_subsets: usize,
    ) {
        for is_right in [true, false] {
            let slot = usize::from(!is_right);
            let key = (pass.index() + slot) % 3;
            let x: &[R] = pass.before(key, 1 - slot, lane).as_slice();
            let message: &[R] = pass.after(key, 1 - slot, lane).as_slice();
            let masks = pass.masks::<R>(slot, is_right, lane);
            let from = pass.factor(slot);
            let first = self.gates.len();
            for row in 0..pass.n {
                let (moved, mask) = (x[from[row] as usize], masks.items()[row]);
                assert_eq!(moved.plus(mask), message[row]);
                let known = [integer(mask.negated()), integer(message[row])];
                let [e, f] = if is_right { known } else { [known[1], known[0]] };
                let word = selections.gates()[place.gate];
                place.gate += 1;
                let subsets = (0..n_subsets).map(|t| t < 64 && word >> t & 1 == 1).collect();
                self.gates.push(Gate { bits: R::BITS, c: integer(moved).minus(&e).minus(&f), e, f, subsets });
            }
            for row in 0..pass.n {
                let to = (0..pass.n).find(|to| from[*to] as usize == row).expect("a permutation");
                let (one, x) = (Integer::from_word(1, 0), integer(x[row]));
                if !is_right {
                    self.right.push(self.elements.len());
                }
                let both = if is_right { [one, x] } else { [x, one] };
                self.elements.push((Weight::Gate(first + to), R::BITS, both));
            }
        }
    }

    fn add_gates<R: Word>(
        &mut self,
        gates: &[Vec<(&Shared<R>, usize, &Shared<R>, usize)>],
        z: &dyn Fn(usize) -> R,
        f: &dyn Fn(usize) -> R,
        selections: &Selections,
        place: &mut Place,
        n_subsets: usize,
    ) {
        for (at, terms) in gates.iter().enumerate() {
            let (mut c, mut e) = (Integer::default(), z(at));
            for (x, i, y, j) in terms {
                let [x, x_next] = [0, 1].map(|p| x.parts().as_slice()[p].items()[*i]);
                let [y, y_next] = [0, 1].map(|p| y.parts().as_slice()[p].items()[*j]);
                c = c.plus(&integer(x).times(&integer(y_next))).plus(&integer(y).times(&integer(x_next)));
                e = e.minus(x.times(y));
            }
            let word = selections.gates()[place.gate];
            place.gate += 1;
            let subsets = (0..n_subsets).map(|t| t < 64 && word >> t & 1 == 1).collect();
            let (e, f) = (integer(e), integer(f(at)));
            self.gates.push(Gate { bits: R::BITS, c: c.minus(&e).minus(&f), e, f, subsets });
        }
    }
}

/// The real transcript.
struct Hashed<'a> {
    transcript: Transcript,
    prime: &'a Prime,
    salts: Vec<Seed>,
    digests: Vec<Seed>,
}

impl Challenges for Hashed<'_> {
    fn absorb(&mut self, left: &[u64]) {
        let digest = digest(&self.salts[self.digests.len()], left);
        self.transcript.absorb(&digest);
        self.digests.push(digest);
    }

    fn points(&mut self, n: usize) -> Vec<[u64; 2]> {
        self.transcript.points(self.prime, n).into_iter().map(|Pair { re, im }| [re, im]).collect()
    }
}

fn compare(seed: u64, steps: &[RingStep]) {
    let (run, messages) = watched(seed, None, |s| {
        let batch = batch_of(s, steps)?;
        let step = s.begin("check")?;
        prove(s, &step, &batch)?;
        Ok((s.core.clone(), step, batch))
    });
    let parties = run.all();
    let roots = |party: usize| match &parties[party].0.role {
        crate::session::Role::Rep3 { roots, .. } => roots,
        _ => unreachable!("three parties compute"),
    };
    let sent = |part: u8, from: usize, to: usize| messages[&(from, to, part)].clone();
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        let (core, step, batch) = &parties[prover];
        let shape = Shape::of(batch);
        let named = rounds::of_prover(step, prover);
        let [own, next] = &roots(prover).0;
        let [c_left, c_right, second] = lanes::coins(&named, &roots(left).0[0]);
        assert_eq!(
            [sent(0, left, prover), sent(0, right, prover)],
            [c_left, c_right].map(|coin| coin.to_vec())
        );
        assert_eq!(sent(2, left, prover), second);

        let statement = Statement::of(core.session_id, step, batch, shape);
        let mut transcript = Transcript::new(&statement, prover, &[c_left, c_right]);
        let selections = Selections::of(&transcript, shape);
        let (mut sides, mut place) = (Sides::default(), Place::default());
        each_ring!(batch, list => for product in list {
            sides.add(product, [own, next], &selections, &mut place, shape.n_subsets());
        });

        // Quotients.
        let right_quotients = lanes::right_quotients(&named, next, shape);
        let left_quotients: Vec<Integer> = (0..shape.n_subsets())
            .map(|t| {
                let members = sides.gates.iter().filter(|gate| gate.subsets[t]);
                let whole =
                    members.fold(Integer::default(), |sum, gate| sum.plus(&gate.c.shifted_down(gate.bits)));
                whole.minus(&right_quotients[t])
            })
            .collect();
        let bytes: Vec<u8> = left_quotients.iter().flat_map(|share| share.to_bytes()).collect();
        assert_eq!(sent(1, prover, left), bytes, "quotients of {steps:?}");

        // The claim.
        transcript.absorb(&second);
        let challenge = Challenge::of(&transcript, shape);
        let prime = &challenge.prime;
        let field = Field(prime.value());
        let down = |x: u64, bits: u32| (0..bits).fold(x, |x, _| field.half(x));
        let gamma = |gate: &Gate| {
            let members = challenge.betas.iter().zip(&gate.subsets).filter(|(_, is_in)| **is_in);
            down(members.fold(0, |sum, (beta, _)| field.add(sum, *beta)), gate.bits)
        };
        let sum = |terms: &mut dyn Iterator<Item = u64>| terms.fold(0, |sum, term| field.add(sum, term));
        let claim = |term: &dyn Fn(&Gate) -> Integer, quotients: &[Integer]| {
            let gates =
                sum(&mut sides.gates.iter().map(|gate| field.mul(gamma(gate), term(gate).element(prime))));
            let betas = challenge.betas.iter().zip(quotients);
            field.add(gates, sum(&mut betas.map(|(beta, share)| field.mul(*beta, share.element(prime)))))
        };
        let claims = [claim(&|gate| gate.e, &left_quotients), claim(&|gate| gate.f, &right_quotients)];
        let weight = |weight: Weight, bits: u32| match weight {
            Weight::Gate(at) => gamma(&sides.gates[at]),
            Weight::Subset(t) => down(challenge.betas[t], bits),
        };
        let vector = |is_right: bool| -> Vec<u64> {
            let elements = sides.elements.iter().enumerate();
            let element = |(at, (of, bits, both)): (usize, &(Weight, u32, [Integer; 2]))| {
                let number = both[usize::from(is_right)].element(prime);
                let is_weighed = sides.right.contains(&at) == is_right;
                if is_weighed { field.mul(weight(*of, *bits), number) } else { number }
            };
            elements.map(element).collect()
        };
        let [mut u, mut v] = [vector(false), vector(true)];
        assert_eq!(u.len(), shape.n_elements);
        for w in [&mut u, &mut v] {
            w.resize(ROWS * shape.row_len(), 0);
        }

        // The rounds.
        let lanes = ProverLanes::of(&named, [own, next], shape, prime);
        let salts = lanes.salts.clone();
        let mut hashed = Hashed { transcript, prime, salts, digests: Vec::new() };
        let masks = [lanes.mask_left, lanes.mask_right].map(|mask| [mask.re, mask.im]);
        let told = play(field, [u, v], claims, (&lanes.right[..], masks), &mut hashed, |_, honest, _| honest);
        assert!(told.accepted(field), "{steps:?}");
        let last = *hashed.transcript.state();
        assert_eq!(sent(3, prover, left), [bytemuck::cast_slice(&told.left), &last[..]].concat());
        assert_eq!(sent(3, prover, right), last);
        let answer = [told.operands[0], told.claims[0]];
        let digests: &[u8] = hashed.digests.as_flattened();
        assert_eq!(sent(4, left, right), [digests, bytemuck::cast_slice(answer.as_flattened())].concat());
        assert_eq!(sent(VERDICT, left, prover), [1]);
    }
}

#[test]
fn every_message_is_the_slow_models() {
    for (seed, ring) in [8, 16, 32, 64, 128].into_iter().enumerate() {
        compare(seed as u64, &[(ring, Dot(5, 1))]);
        compare(seed as u64, &[(ring, Dot(3, 2)), (ring, Many(vec![2, 1])), (ring, Inner(9))]);
        compare(seed as u64, &[(ring, Matrix([2, 3, 2])), (ring, Dot(4, 1)), (ring, Matrix([1, 1, 5]))]);
    }
    compare(9, &[(128, Dot(2, 1)), (8, Matrix([2, 1, 2])), (64, Dot(7, 1)), (16, Inner(3)), (32, Dot(1, 3))]);
    compare(10, &[(64, Dot(700, 1))]);
    compare(11, &[(8, Moved(3, false)), (64, Moved(5, true)), (128, Moved(2, false)), (64, Dot(2, 1))]);
    compare(12, &[(32, Moved(40, true)), (16, Moved(1, false)), (64, Matrix([2, 1, 2]))]);
}
