//! Each rule of the proof, by the attack that it prevents: the attack works on a proof
//! without the rule, and fails on the real one.

use math::Group;
use math::gf::{Field, Gf128};

use super::alone::{Alone, product, singles};
use super::*;
use crate::check::bits::parties::{ANSWER, COIN, PROOF};
use crate::check::rounds::{self, Outcome, ProverLanes, Seed, digest};
use crate::check::tests::{self, Messages};
use crate::error::Deviation;
use crate::lab::Lab;

const GATES: usize = 40;

/// The last state that these digests lead to.
pub(super) fn last_of(alone: &Alone, digests: &[Seed]) -> Seed {
    let mut transcript = alone.transcript();
    digests.iter().for_each(|digest| transcript.absorb(digest));
    *transcript.state()
}

/// Another world in which bit `row` of operand `at` is guessed the other way round, and `e` or `f`
/// follows.
pub(super) fn guess_otherwise(mut alone: Alone, at: usize, row: usize) -> Alone {
    let turned = |word, bits| bits ^ u64::from(word == row / 64) << (row % 64);
    alone.gates[at] = alone.gates[at].map(turned);
    let [x, y, x_next, y_next, e, f] = &alone.gates;
    let products = product([x, y, x_next, y_next]);
    let (term, other) = if at < 2 { (4, f) } else { (5, e) };
    alone.gates[term] = products.zip(other, |a, b| a ^ b);
    alone
}

/// A digest of one's neighbour's share says nothing: its salt is unknown. Without salts, the right
/// verifier tells a right guess of the left one's inputs from a wrong one.
#[test]
fn unsalted_digests_answer_guesses() {
    let world = || Alone::new(1, GATES);
    let unsalted = vec![[0; 32]; world().lanes.salts.len()];
    let salts = world().lanes.salts.clone();
    for row in 0..GATES {
        // All rounds but the last: that one holds the mask, which the right verifier lacks.
        let seen = |mut alone: Alone, salts: &[Seed]| {
            alone.lanes.salts = salts.to_vec();
            let mut digests = alone.left_claim().digests(alone.prove().left(), salts);
            digests.pop();
            digests
        };
        let right = seen(world(), &unsalted);
        let wrong = seen(guess_otherwise(world(), 0, row), &unsalted);
        assert_ne!(right, wrong, "without salts, digests give bit {row} away");
        let real = seen(world(), &salts);
        assert!(real.iter().all(|digest| !right.contains(digest) && !wrong.contains(digest)));
    }
}

/// A left verifier that sends a false digest, and `û_L` and `v̂_L` such that the right one's masks cancel.
/// Gives what it then sends if the right verifier's bit `row` were as in `guess`.
fn chosen_answer(alone: &Alone, mut guess: Alone) -> ([Gf128; 3], Vec<Seed>) {
    let proof = alone.prove();
    let (digests, _) = alone.left(alone.left_claim(), &proof).expect("an honest proof");
    let mut false_digests = digests.clone();
    false_digests[0][0] ^= 1;

    // What both hold before masking under the real challenges, and the right one under the false ones too.
    let of_left = |masks| {
        let left = alone.left_under(alone.left_claim(), &digests, &proof.last, proof.left(), masks);
        left.expect("its own last state")
    };
    let mut of_right = |digests: &[Seed], masks| {
        guess.lanes.masks_right = masks;
        guess.right(guess.right_claim(), digests, &last_of(alone, digests)).expect("the state it would have")
    };
    let (left, _) = unmasked(of_left);
    let (right, _) = unmasked(|masks| of_right(&digests, masks));
    let (right_then, point) = unmasked(|masks| of_right(&false_digests, masks));
    let chosen = [0, 1].map(|at| {
        let rest = left[at].plus(right[at]).plus(right_then[at]).times(Gf128::ONE.plus(point));
        rest.plus(point.times(alone.lanes.masks_left[at]))
    });

    // The right verifier's shares if the guess were right and its masks were zero: round by
    // round, what is missing from the left shares to the values.
    guess.lanes.masks_right = [Gf128(0); 2];
    let mut first = 0;
    for n in alone.shape.round_lengths() {
        let guessed = guess.prove();
        let missing = guessed.left()[first..].iter().zip(&proof.left()[first..]).take(n);
        for (share, (left, real)) in
            guess.lanes.right.as_mut_slice::<Gf128>()[first..].iter_mut().zip(missing)
        {
            *share = share.plus(*left).plus(*real);
        }
        first += n;
    }
    let last = last_of(alone, &false_digests);
    let right = guess.right(guess.right_claim(), &false_digests, &last).expect("the state it would have");
    let [u, v] = [0, 1].map(|at| chosen[at].plus(right.operands[at]));
    ([chosen[0], chosen[1], u.times(v).plus(right.claim)], false_digests)
}

/// The operands before masking, and the masking point, of what a verifier is left with under these masks.
fn unmasked(mut outcome: impl FnMut([Gf128; 2]) -> Outcome) -> ([Gf128; 2], Gf128) {
    let [zero, one] = [0, 1].map(|mask| outcome([Gf128(mask); 2]).operands);
    let point = zero[0].plus(one[0]);
    (zero.map(|masked| masked.times(Gf128::ONE.plus(point).inverse())), point)
}

/// Without the right verifier's comparison of the last states, its verdict confirms or refutes a
/// guess of its inputs.
#[test]
fn a_chosen_operand_under_false_digests_answers_guesses() {
    for row in [0, 7, GATES - 1] {
        let alone = Alone::new(2, GATES);
        let proof = alone.prove();
        let right = Alone::new(2, GATES);
        let wrong = guess_otherwise(Alone::new(2, GATES), 3, row);
        for (guess, is_right) in [(right, true), (wrong, false)] {
            let (answer, digests) = chosen_answer(&alone, guess);
            // The mutant compares nothing: any last state is its own.
            let mutant = alone.right(alone.right_claim(), &digests, &last_of(&alone, &digests));
            let verdict = mutant.expect("the state it has").agrees_with(&answer);
            assert_eq!(verdict, is_right, "row {row}: the mutant's verdict is the answer");
            let real = alone.right(alone.right_claim(), &digests, &proof.last);
            assert!(real.is_none(), "the real verifier stops before it looks");
        }
    }
}

/// A false coin to the prover makes the left verifier follow other challenges than the proof:
/// without its comparison, what it sends is an equation in its inputs that the right
/// verifier could not have made up.
#[test]
fn answers_to_a_proof_under_a_false_coin_tell_more_than_the_verdict() {
    let alone = Alone::new(3, GATES);
    let mut fooled = Alone::new(3, GATES);
    fooled.coins[1][0] ^= 1;
    let is_made_up = |coins: &Alone| {
        let proof = coins.prove();
        let digests = alone.left_claim().digests(proof.left(), &alone.lanes.salts);
        // The mutant compares nothing.
        let last = last_of(&alone, &digests);
        let masks = alone.lanes.masks_left;
        let left = alone.left_under(alone.left_claim(), &digests, &last, proof.left(), masks);
        let left = left.expect("its own state");
        assert_eq!(
            alone.left(alone.left_claim(), &proof).is_some(),
            proof.last == last,
            "the real one looks"
        );
        let right = alone.right(alone.right_claim(), &digests, &last).expect("its own state");
        right.agrees_with(&left.told())
    };
    assert!(is_made_up(&alone), "an honest answer follows from û_L, v̂_L and the right verifier's view");
    assert!(!is_made_up(&fooled), "one to a fooled prover does not");
}

/// A left verifier of an honest proof that changes what it tells, and guesses by how much its claim then has to
/// change. Without the right verifier's masks, the verdict confirms or refutes a guess of its inputs; with
/// them, it refuses whatever is guessed.
#[test]
fn a_changed_answer_to_an_honest_proof_answers_no_guesses() {
    let verdict = |has_masks: bool, changed: usize, guess: &dyn Fn(Alone) -> Alone| {
        let world = || {
            let mut alone = Alone::new(4, GATES);
            if !has_masks {
                alone.lanes.masks_right = [Gf128(0); 2];
            }
            alone
        };
        let alone = world();
        let proof = alone.prove();
        let (digests, left) = alone.left(alone.left_claim(), &proof).expect("an honest proof");
        let right = |alone: &Alone| {
            alone.right(alone.right_claim(), &digests, &proof.last).expect("the prover's own state")
        };
        // What the right verifier holds if the guess is right, as far as its masks are known.
        let mut guess = guess(world());
        guess.lanes.masks_right = [Gf128(0); 2];
        let guessed = right(&guess);
        let mut told = left.told();
        let delta = Gf128(0x1234_5678_9abc_def0);
        let other = told[1 - changed].plus(guessed.operands[1 - changed]);
        told[changed] = told[changed].plus(delta);
        told[2] = told[2].plus(delta.times(other));
        right(&alone).agrees_with(&told)
    };
    for row in [0, 7, GATES - 1] {
        for (changed, operand) in [(0, 3), (1, 2)] {
            let wrongly = |alone| guess_otherwise(alone, operand, row);
            assert!(verdict(false, changed, &|alone| alone), "without masks, a right guess passes");
            assert!(!verdict(false, changed, &wrongly), "and a wrong one of bit {row} does not");
            assert!(!verdict(true, changed, &|alone| alone), "with masks, not even a right one passes");
            assert!(!verdict(true, changed, &wrongly));
        }
    }
}

/// Whatever a left verifier changes of its answer to an honest proof is refused, also where its own terms
/// would cancel.
#[test]
fn every_changed_answer_to_an_honest_proof_is_refused() {
    let alone = Alone::new(6, GATES);
    let proof = alone.prove();
    let (digests, left) = alone.left(alone.left_claim(), &proof).expect("an honest proof");
    let right = alone.right(alone.right_claim(), &digests, &proof.last).expect("the prover's own state");
    let (delta, epsilon) = (Gf128(1 << 90 | 5), Gf128(77));
    let changes = [
        [delta, Gf128::ZERO, Gf128::ZERO],
        [Gf128::ZERO, delta, Gf128::ZERO],
        [Gf128::ZERO, Gf128::ZERO, delta],
        [delta, epsilon, Gf128::ZERO],
        [delta, epsilon, delta.times(epsilon)],
        [delta, delta, delta.square()],
    ];
    assert!(right.agrees_with(&left.told()));
    for change in changes {
        let told = [0, 1, 2].map(|at| left.told()[at].plus(change[at]));
        assert!(!right.agrees_with(&told), "{change:?}");
    }
}

/// Runs a batch with one bit changed: how the parties say that somebody deviated, and what was sent.
fn changed(from: usize, to: usize, part: u8, at: isize) -> (Vec<Option<Deviation>>, Messages) {
    tests::changed((from, to, part), at, |s| run(s, &tiny()))
}

#[test]
fn after_a_false_coin_the_left_verifier_keeps_its_answer() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        for verifier in [left, right] {
            let (deviations, sent) = changed(verifier, prover, COIN, -1);
            assert_eq!(deviations[left], Some(Deviation::ProofsDiffer), "{deviations:?}");
            assert!(!sent.contains_key(&(left, right, ANSWER)), "{sent:?}");
        }
    }
}

#[test]
fn after_another_last_state_the_right_verifier_says_nothing_about_the_answer() {
    for prover in 0..3 {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        let (deviations, _) = changed(prover, right, PROOF, -1);
        assert_eq!(deviations[right], Some(Deviation::ProofsDiffer), "{deviations:?}");
        // The same for a digest: the answer's last byte belongs to its claim, so that is a
        // false proof, while the first bytes are digests.
        let (deviations, _) = changed(left, right, ANSWER, -1);
        assert_eq!(deviations[right], Some(Deviation::FalseProof), "{deviations:?}");
    }
}

/// Two uses under one label would be one stream. Each prover's proof takes six, each under
/// one key, beside the masks of the products under all three.
#[test]
fn every_use_of_randomness_has_a_stream_of_its_own() {
    let shapes = [(3, vec![(1, 1)]), (70, vec![(2, 2)])];
    let products = tests::streams(|s| batch_of(s, &shapes).map(drop));
    assert_eq!(products, 3 * shapes.len());
    let proofs = tests::streams(|s| run(s, &shapes));
    assert_eq!(proofs, products + 3 * 6);
}

/// Within one stream, places are apart: no salt, share or coin comes twice in three proofs.
#[test]
fn no_value_of_a_lane_comes_twice() {
    let lanes = Lab::seeded(7).run(|s| {
        let step = s.begin("check")?;
        let crate::session::Role::Rep3 { roots, index, .. } = &s.core.role else { unreachable!() };
        let shape = singles(40);
        let mut halves: Vec<u128> = Vec::new();
        let mut add = |seed: &Seed| halves.extend(bytemuck::cast_slice::<u8, u128>(&seed[..]));
        let of = |prover: usize| rounds::of_prover(&step, prover);
        let mine = ProverLanes::of(&of(*index), roots.0.each_ref(), shape.n_elements(), shape.n_digests());
        mine.salts.iter().for_each(&mut add);
        rounds::coins(&of((index + 1) % 3), &roots.0[0]).iter().for_each(&mut add);
        halves.extend(
            mine.right
                .as_slice::<Gf128>()
                .iter()
                .chain(&mine.masks_left)
                .chain(&mine.masks_right)
                .map(|element| element.0),
        );
        Ok(halves)
    });
    let all: Vec<u128> = lanes.all().concat();
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert_ne!(digest(&[0; 32], &[]), digest(&[1; 32], &[]));
}
