//! Randomness that two uses or two proofs share, and challenges that do not hang on what they are about:
//! what each gives away or lets pass.

use math::Group;
use math::gf::{Field, Gf128};

use super::alone::Alone;
use super::attacks::{guess_otherwise, last_of};
use crate::check::rounds::Seed;

const GATES: usize = 40;

/// The right verifier's share of the first value.
fn first_right(alone: &Alone) -> Gf128 {
    alone.lanes.right.as_slice()[0]
}

/// The first value that a prover shares: it hangs on gates and coins alone.
fn first_value(alone: &Alone) -> Gf128 {
    alone.prove().left()[0].plus(first_right(alone))
}

/// Proofs of `P_0` and of `P_1`, of the same ANDs: what the right verifier of the one lacks, `x_1` and `y_1`,
/// is what the left one of the other has. Bit `row` of `x_1` may be guessed otherwise.
fn neighbours(is_shared: bool, otherwise: Option<usize>) -> [Alone; 2] {
    let turned = |alone, at| match otherwise {
        Some(row) => guess_otherwise(alone, at, row),
        None => alone,
    };
    let first = turned(Alone::new(11, GATES), 2);
    let mut second = Alone::new(12, GATES);
    let own = Alone::new(11, GATES);
    (second.gates[0], second.gates[1]) = (own.gates[2].clone(), own.gates[3].clone());
    // Twice, so that the claim fits the operands.
    let mut second = turned(guess_otherwise(guess_otherwise(second, 0, 0), 0, 0), 0);
    if is_shared {
        // Both under K_1: the right verifier's shares of the one, the left mask of the other.
        second.lanes.masks_left[0] = first_right(&first);
    }
    [first, second]
}

/// `P_2` verifies the first proof from the left and the second one from the right. If `R`-shares and left
/// masks had one lane, it could test guesses of what it lacks.
#[test]
fn a_lane_for_two_uses_answers_guesses() {
    let fits = |is_shared: bool, guess: [Alone; 2]| {
        let [first, second] = neighbours(is_shared, None);
        let share = first.prove().left()[0];
        let proof = second.prove();
        let (digests, seen) = second.left(second.left_claim(), &proof).expect("an honest proof");
        // What the mask would be, and what the operand would become under it.
        let masks = [share.plus(first_value(&guess[0])), Gf128::ONE];
        let made_up = guess[1].left_under(guess[1].left_claim(), &digests, &proof.last, proof.left(), masks);
        made_up.expect("the prover's own state").operands[0] == seen.operands[0]
    };
    for row in [0, 7, GATES - 1] {
        assert!(fits(true, neighbours(true, None)), "a right guess");
        assert!(!fits(true, neighbours(true, Some(row))), "bit {row} guessed wrongly");
        assert!(!fits(false, neighbours(false, None)), "of lanes apart nothing fits");
    }
}

/// Under the masks of another proof, with other coins, the masks cancel in what the left verifier sees.
#[test]
fn a_second_proof_of_one_batch_answers_guesses() {
    let again = |mut alone: Alone| {
        alone.coins[1] = [9; 32];
        alone
    };
    // What the left verifier knows of both: its shares of the first value.
    let seen = |second_lanes: u64| {
        let mut second = again(Alone::new(13, GATES));
        second.lanes = Alone::new(second_lanes, GATES).lanes;
        Alone::new(13, GATES).prove().left()[0].plus(second.prove().left()[0])
    };
    let made_up = |guess: &dyn Fn() -> Alone| first_value(&guess()).plus(first_value(&again(guess())));
    let right = || Alone::new(13, GATES);
    assert_eq!(seen(13), made_up(&right), "a right guess");
    assert_ne!(seen(14), made_up(&right), "of masks of its own nothing fits");
    // Of y' where the left factor is one: elsewhere it changes no product.
    let world = right();
    for row in (0..GATES).filter(|row| world.gates[0].bit(*row, 0) != world.gates[2].bit(*row, 0)) {
        let wrong = || guess_otherwise(Alone::new(13, GATES), 3, row);
        assert_ne!(seen(13), made_up(&wrong), "bit {row} guessed wrongly");
    }
}

/// A prover that knows its challenges before it shares its values proves first and errs later: it changes one
/// share by as much as the claim is off. Where the digests of shares decide on challenges, that changes them.
#[test]
fn under_challenges_that_bind_nothing_later_errors_are_repaired() {
    let honest = Alone::new(15, GATES);
    let proof = honest.prove();
    let (digests, fine) = honest.left(honest.left_claim(), &proof).expect("an honest proof");
    for row in [0, GATES / 2, GATES - 1] {
        let mut wrong = Alone::new(15, GATES);
        wrong.gates[4] = wrong.gates[4].map(|word, e| e ^ u64::from(word == row / 64) << (row % 64));
        let follow = |digests: &[Seed], last: &Seed, shares: &[Gf128]| {
            let left = wrong.left_under(wrong.left_claim(), digests, last, shares, wrong.lanes.masks_left);
            let left = left.expect("the state of these digests");
            let right = wrong.right(wrong.right_claim(), digests, last).expect("the same");
            (left.claim, right.agrees_with(&left.told()))
        };
        let (claim, is_accepted) = follow(&digests, &proof.last, proof.left());
        assert!(!is_accepted, "AND {row} is wrong");
        for at in [0, proof.left().len() - 1] {
            // The claim grows with a share as a line does.
            let mut shares = proof.left().to_vec();
            shares[at] = shares[at].plus(Gf128::ONE);
            let slope = follow(&digests, &proof.last, &shares).0.plus(claim);
            shares[at] = proof.left()[at].plus(fine.claim.plus(claim).times(slope.inverse()));
            assert!(follow(&digests, &proof.last, &shares).1, "the mutant takes wrong AND {row}, repaired");
            // The real challenges are those of the shares that were sent.
            let digests = wrong.left_claim().digests(&shares, &wrong.lanes.salts);
            let last = last_of(&wrong, &digests);
            assert_ne!(last, proof.last);
            assert!(!follow(&digests, &last, &shares).1, "the real verifier refuses AND {row}");
        }
    }
}
