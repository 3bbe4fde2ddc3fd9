//! The proof a second time, slowly and over any field: gate by gate, as the module's header says
//! it, without lines, extensions in place or late factors.

use math::gf::Gf128;

use crate::check::bits::shape::{Entries, Entry, Kind, LineCounts, Scale, Shape};
use crate::check::bits::tests::alone::{Alone, singles};
use crate::check::bits::transcript::weight_stream;
use crate::check::tests::model::{
    Binary, Challenges, Fair, Hashed, Told, Toy, assert_near, best_bend, product, rounds, sum,
};

/// Gates of a batch, as bits: `x`, `y`, `x'`, `y'`, `e`, `f`.
pub(super) struct Gates {
    pub(super) bits: [Vec<bool>; 6],
    pub(super) k: usize,
    pub(super) n_blocks: usize,
    pub(super) cells: Vec<[Entries; 2]>,
}

/// The weights and the right verifier's and the masks' randomness.
pub(super) struct Coins<F> {
    /// For the lower and the upper half of each block's elements.
    pub(super) betas: Vec<[F; 2]>,
    pub(super) omegas: [F; 4],
    pub(super) right: Vec<F>,
    /// The left verifier's of `u` and `v`, and the right one's.
    pub(super) masks: [[F; 2]; 2],
}

/// All three roles. `bend` may change a round's two values when it knows by how much the claim
/// is off; the honest prover leaves them.
pub(super) fn play<F: Binary>(
    gates: &Gates,
    coins: &Coins<F>,
    challenges: &mut impl Challenges<F>,
    bend: impl Fn(F, [F; 2], bool) -> [F; 2],
) -> Told<F> {
    let (k, n_blocks) = (gates.k, gates.n_blocks);
    let line = 4 * F::BITS;
    let gate = |b: usize, row: usize, pos: usize| (b << k | row) * line + pos;
    let bit = |operand: usize, at: usize| gates.bits[operand].get(at).copied().unwrap_or(false);
    let element = |bit: bool| if bit { F::ONE } else { F::ZERO };
    let places = || (0..n_blocks).flat_map(|b| (0..line).map(move |pos| (b, pos)));
    let weight = |b: usize, pos: usize| {
        let (omega, half) = (coins.omegas[pos / F::BITS], F::BITS / 2);
        let beta = coins.betas[b][pos % F::BITS / half];
        product([beta, omega, omega, F::power_of_x(pos % half)])
    };

    // The claims of each row.
    let rows = |operand: usize| -> Vec<F> {
        let row = |row: usize| {
            sum(places().map(|(b, pos)| element(bit(operand, gate(b, row, pos))).mul(weight(b, pos))))
        };
        (0..1 << k).map(row).collect()
    };
    let row_claims = [rows(4), rows(5)];

    // The skipped rounds.
    let digit = |point: usize, t: usize| point / 3usize.pow(t as u32) % 3;
    let matches =
        |point: usize, row: usize| (0..k).all(|t| digit(point, t) == 2 || digit(point, t) == row >> t & 1);
    let at_point = |point: usize, b: usize, pos: usize, operand: usize| {
        let rows = (0..1 << k).filter(|row| matches(point, *row));
        rows.fold(false, |sum, row| sum ^ bit(operand, gate(b, row, pos)))
    };
    let shared: Vec<usize> =
        (0..3usize.pow(k as u32)).filter(|point| (0..k).any(|t| digit(*point, t) == 2)).collect();
    let values: Vec<F> = shared
        .iter()
        .map(|point| {
            sum(places().map(|(b, pos)| {
                let [x, y, x_next, y_next] = [0, 1, 2, 3].map(|operand| at_point(*point, b, pos, operand));
                element((x ^ x_next) & (y ^ y_next)).mul(weight(b, pos))
            }))
        })
        .collect();
    let right = coins.right[..values.len()].to_vec();
    let left: Vec<F> = values.iter().zip(&right).map(|(value, right)| value.add(*right)).collect();
    challenges.absorb(&left);
    let shares = [left, right];
    let r = challenges.points(k);
    let lagrange = |point: usize| {
        product((0..k).map(|t| match digit(point, t) {
            0 => F::ONE.add(r[t]),
            1 => r[t],
            _ => r[t].mul(r[t]).add(r[t]),
        }))
    };
    let claims: [F; 2] = [0, 1].map(|verifier| {
        let at_bits = (0..3usize.pow(k as u32)).filter(|point| !shared.contains(point)).map(|point| {
            let row = (0..k).map(|t| digit(point, t) << t).sum::<usize>();
            row_claims[verifier][row].mul(lagrange(point))
        });
        let at_others =
            shared.iter().zip(&shares[verifier]).map(|(point, share)| share.mul(lagrange(*point)));
        sum(at_bits).add(sum(at_others))
    });

    // What is left is an inner product of long vectors: square roots of the weights on both sides, or the
    // whole weight on one.
    let eq = |row: usize| product((0..k).map(|t| if row >> t & 1 == 1 { r[t] } else { F::ONE.add(r[t]) }));
    let folded = |operand: usize, entry: &Entry, pos: usize| {
        let rows = (0..1 << k).map(|row| element(bit(operand, gate(entry.block(), row, pos))).mul(eq(row)));
        let beta = coins.betas[entry.block()][pos % F::BITS / (F::BITS / 2)];
        let scale = match entry.scale {
            Scale::One => F::ONE,
            Scale::Root => beta.root(),
            Scale::Whole => beta,
        };
        // What the position adds is on both sides.
        let position = product([coins.omegas[pos / F::BITS], F::power_of_x(pos % (F::BITS / 2)).root()]);
        sum(rows).mul(scale).mul(position)
    };
    // Of the left verifier's parts, and of the right one's: u of left factors, v of right ones.
    let vector = |verifier: usize, factor: usize| -> Vec<F> {
        let elements = |cell: &[Entries; 2]| {
            let entries = cell[factor];
            let element =
                |pos| sum(entries.iter().flatten().map(|entry| folded(2 * verifier + factor, entry, pos)));
            (0..line).map(element).collect::<Vec<_>>()
        };
        let mut vector: Vec<F> = gates.cells.iter().flat_map(elements).collect();
        vector.resize(gates.cells.len().next_power_of_two() * line, F::ZERO);
        vector
    };
    let parts = [0, 1].map(|verifier| [vector(verifier, 0), vector(verifier, 1)]);
    let rest = rounds(parts, claims, (&coins.right[values.len()..], coins.masks), challenges, bend);
    Told { left: [&shares[0][..], &rest.left].concat(), ..rest }
}

#[test]
fn every_message_is_the_slow_models() {
    let by_size = [1, 600, 512 * 5, 512 * 16, 512 * 33].map(|n: usize| (n, singles(n.div_ceil(512))));
    // What large batches take, at sizes that the model bears.
    let by_skip = [(512 * 37, singles(37).with_skip(5)), (512 * 40, singles(40).with_skip(6))];
    // All kinds, alone and behind others, in whole blocks: single, sums, twins, rounds on bits.
    let with_kinds = [
        ([0, 1, 0], 0),
        ([0, 4, 0], 1),
        ([3, 2, 0], 0),
        ([8, 12, 0], 2),
        ([0, 0, 1], 0),
        ([0, 0, 3], 0),
        ([2, 0, 4], 1),
        ([4, 8, 4], 2),
        ([0, 8, 24], 3),
    ]
    .map(|([single, sums, twins], skip)| {
        let n_lines = LineCounts { single, sums, twins };
        (512 * n_lines.total(), Shape::of(n_lines).with_skip(skip))
    });
    for (n, shape) in by_size.into_iter().chain(by_skip).chain(with_kinds) {
        let alone = Alone::with_shape(n as u64, n, shape);
        let mut stream = weight_stream(&alone.transcript());
        let mut take = |bytes: usize| {
            let mut element = [0; 16];
            stream.fill(&mut element[..bytes]);
            Gf128(u128::from_le_bytes(element))
        };
        let coins = Coins {
            betas: {
                let mut betas: Vec<_> = (0..shape.n_claims()).map(|_| [take(8), take(8)]).collect();
                betas.extend_from_within(shape.blocks(Kind::FirstTerm));
                betas
            },
            omegas: [0; 4].map(|_| take(16)),
            right: alone.lanes.right.as_slice().to_vec(),
            masks: [alone.lanes.masks_left, alone.lanes.masks_right],
        };
        let gates = Gates {
            bits: std::array::from_fn(|operand| {
                // Second terms claim nothing.
                let n = if operand < 4 { n } else { n.min(shape.n_claims() * shape.block_lines() * 512) };
                (0..n).map(|row| alone.gates[operand].bit(row, 0)).collect()
            }),
            k: shape.skip(),
            n_blocks: shape.n_blocks(),
            cells: (0..shape.n_cells()).map(|at| shape.cell(at)).collect(),
        };
        let mut hashed = Hashed::starting(alone.transcript(), alone.lanes.salts.clone());
        let told = play(&gates, &coins, &mut hashed, |_, honest, _| honest);
        assert!(told.accepted(), "{n} gates");

        let proof = alone.prove();
        assert_eq!(proof.left(), told.left, "{n} gates");
        assert_eq!(&proof.last, hashed.transcript.state(), "{n} gates");
        let (digests, left) = alone.left(alone.left_claim(), &proof).expect("an honest proof");
        assert_eq!(digests, hashed.digests, "{n} gates");
        let right = alone.right(alone.right_claim(), &digests, &proof.last).expect("an honest proof");
        assert_eq!([left.operands, right.operands], told.operands, "{n} gates");
        assert_eq!([left.claim, right.claim], told.claims, "{n} gates");
        assert!(right.agrees_with(&left.told()));
    }
}

/// How often wrong gates of one element pass over GF(2^8), with 2^k lines of 32 gates to each of two
/// blocks: one at a random place, and those whose place differs in the bits of an `offset`.
fn passes(runs: usize, k: usize, offsets: &[usize], bend: impl Fn(Toy, [Toy; 2], bool) -> [Toy; 2]) -> f64 {
    let n = 64 << k;
    let mut fair = Fair::seeded(k as u64);
    let mut accepted = 0;
    for _ in 0..runs {
        let mut bits: [Vec<bool>; 6] =
            std::array::from_fn(|_| (0..n).map(|_| fair.byte() & 1 == 1).collect());
        let [x, y, x_next, y_next, e, f] = &mut bits;
        for (gate, e) in e.iter_mut().enumerate() {
            *e = (x[gate] ^ x_next[gate]) & (y[gate] ^ y_next[gate]) ^ f[gate];
        }
        let wrong = fair.byte() as usize % n;
        offsets.iter().for_each(|offset| bits[4][wrong ^ offset] ^= true);
        let mut toy = |mask: u8| Toy(fair.byte() & mask);
        let coins = Coins {
            // Half as many bits as an element has, as in the large field.
            betas: vec![[toy(15), toy(15)], [toy(15), toy(15)]],
            omegas: [0; 4].map(|_| toy(255)),
            right: (0..200).map(|_| toy(255)).collect(),
            masks: [[toy(255), toy(255)], [toy(255), toy(255)]],
        };
        let shape = singles(2).with_skip(0);
        let gates = Gates { bits, k, n_blocks: 2, cells: vec![shape.cell(0), shape.cell(1)] };
        accepted += usize::from(play(&gates, &coins, &mut fair, &bend).accepted());
    }
    accepted as f64 / runs as f64
}

#[test]
fn over_a_toy_field_a_wrong_gate_passes_as_often_as_its_weight_is_zero() {
    let runs = 4000;
    let rate = passes(runs, 2, &[0], |_, honest, _| honest);
    assert_near(rate, 1.0 - (15.0 / 16.0) * (255.0 / 256.0), runs);
}

#[test]
fn over_a_toy_field_two_wrong_gates_cancel_across_halves_as_often_as_predicted() {
    let runs = 4000;
    // Bits j and j + 4 of an element, its halves' j-th: (β_{b,0} + β_{b,1})·ω_q²·X^j vanishes if the
    // β of four bits agree, or if ω_q is zero. With one β for both halves it always would.
    let rate = passes(runs, 2, &[0, 4], |_, honest, _| honest);
    assert_near(rate, 1.0 - (15.0 / 16.0) * (255.0 / 256.0), runs);
}

#[test]
fn over_a_toy_field_the_best_bent_rounds_pass_as_often_as_predicted() {
    let runs = 4000;
    let rate = passes(runs, 2, &[0], best_bend);
    // Two blocks of 32 positions: six rounds and the masking one.
    let weights = (15.0 / 16.0) * (255.0 / 256.0);
    assert_near(rate, 1.0 - weights * (1.0 - 2.0_f64 / 254.0).powi(7), runs);
}
