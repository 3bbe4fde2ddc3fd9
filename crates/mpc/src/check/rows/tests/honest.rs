//! Honest runs: accepted at the price that counting foretells, and every message is what a slow model
//! makes of the module's header.

use math::gf::{Field, Gf64, Gf128};

use super::*;
use crate::check::flights::VERDICT;
use crate::check::rounds::{self, ProverLanes, Seed, Transcript, digest};
use crate::check::rows::proof::Shape as Size;
use crate::check::rows::transcript::{Statement, Weights};
use crate::check::tests::watched;
use crate::lab::Lab;
use crate::session::Role;

const BATCHES: &[&[Shape]] = &[
    TINY,
    &[(1, false, &[128])],
    &[(1, true, &[64])],
    &[(2, true, &[16, 32])],
    &[(7, false, &[8, 16, 32, 64, 128])],
    &[(5, true, &[64, 8, 64]), (4, false, &[128, 128]), (9, true, &[32])],
];

#[test]
fn honest_passes_are_accepted_at_the_price_counted() {
    let large: &[Shape] = &[(1300, false, &[64, 16]), (513, true, &[128])];
    for (seed, shapes) in BATCHES.iter().chain([&large]).enumerate() {
        let lab = Lab::seeded(seed as u64);
        let honest = lab.run(|s| run(s, shapes));
        let counted = lab.count(|s| run(s, shapes)).expect("counting succeeds");
        assert!(honest.outcomes.iter().all(Result::is_ok), "{shapes:?}: {:?}", honest.outcomes);
        assert_eq!(honest.cost(), counted, "{shapes:?}");
    }
}

/// `Σ κ_c·word_c` of a row, by what its lanes hold there.
fn hash(keys: &[Gf64], lanes: &[Vec<u8>]) -> Gf128 {
    let words = lanes.iter().flat_map(|lane| lane.chunks(8)).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        Gf64(u64::from_le_bytes(word))
    });
    let sum = words.zip(keys).fold(Gf64(0), |sum, (word, key)| sum.plus(word.times(*key)));
    Gf128(sum.0.into())
}

/// Both vectors and both claims of a prover, from what it knows.
fn relation(passes: &[Arc<Pass>], transcript: &Transcript) -> ([Vec<Gf128>; 2], [Gf128; 2]) {
    let weights = Weights::of(transcript);
    let ([mut u, mut v], mut claims) = ([Vec::new(), Vec::new()], [Gf128(0); 2]);
    let (mut next_word, mut next_row) = (0, 0);
    for pass in passes {
        let bytes = |lane: usize| pass.lanes[lane].row_bytes;
        let n_words = pass.words().map(|lane| bytes(lane).div_ceil(8)).sum::<usize>();
        let keys = weights.of_words(next_word, n_words);
        next_word += n_words + n_words % 2;
        // To the right under its first key, then to the left under its second one.
        for slot in [0, 1] {
            let mut gamma = vec![Gf128(0); pass.n];
            weights.of_rows(next_row, &mut gamma);
            next_row += pass.n;
            let key = (pass.index() + slot) % 3;
            let row_of = |column: &[u8], lane: usize, row: usize| {
                column[row * bytes(lane)..(row + 1) * bytes(lane)].to_vec()
            };
            let hashed = |column: &dyn Fn(usize) -> Vec<u8>| -> Vec<Gf128> {
                let row = |row| {
                    hash(
                        &keys,
                        &pass.words().map(|lane| row_of(&column(lane), lane, row)).collect::<Vec<_>>(),
                    )
                };
                (0..pass.n).map(row).collect()
            };
            let x = hashed(&|lane| pass.before(key, 1 - slot, lane).bytes().to_vec());
            let message = hashed(&|lane| pass.after(key, 1 - slot, lane).bytes().to_vec());
            let masks = hashed(&|lane| match bytes(lane) {
                1 => pass.masks::<X8>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                2 => pass.masks::<X16>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                4 => pass.masks::<X32>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                8 => pass.masks::<X64>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                _ => pass.masks::<X128>(slot, slot == 0, lane).bytes().bytes().to_vec(),
            });
            let from = pass.factor(slot);
            let place = |row| (0..pass.n).find(|to| from[*to] as usize == row).expect("a permutation");
            let moved = (0..pass.n).map(|row| gamma[place(row)]);
            let (of_map, of_rows) = if slot == 0 { (&mut u, &mut v) } else { (&mut v, &mut u) };
            of_map.extend(moved);
            of_rows.extend(x);
            let sum = |list: &[Gf128]| {
                list.iter().zip(&gamma).fold(Gf128(0), |sum, (x, weight)| sum.plus(x.times(*weight)))
            };
            claims[slot] = claims[slot].plus(sum(&masks));
            claims[1 - slot] = claims[1 - slot].plus(sum(&message));
        }
    }
    ([u, v], claims)
}

fn compare(seed: u64, shapes: &[Shape]) {
    let (run, messages) = watched(seed, None, |s| {
        let passes = batch_of(s, shapes)?;
        let step = s.begin("check")?;
        prove(s, &step, &passes)?;
        Ok((s.core.clone(), step, passes))
    });
    let parties = run.all();
    let roots = |party: usize| match &parties[party].0.role {
        Role::Rep3 { roots, .. } => roots,
        _ => unreachable!("three parties compute"),
    };
    let sent = |part: u8, from: usize, to: usize| messages[&(from, to, part)].clone();
    for (prover, (core, step, passes)) in parties.iter().enumerate() {
        let (left, right) = ((prover + 2) % 3, (prover + 1) % 3);
        let named = rounds::of_prover(step, prover);
        let coins = rounds::coins(&named, &roots(left).0[0]);
        assert_eq!([sent(0, left, prover), sent(0, right, prover)], coins.map(|coin| coin.to_vec()));
        let size = Size::of(passes);
        let statement = Statement::of(core.session_id, step, passes, size);
        let mut transcript = statement.transcript(prover, &coins);
        let ([mut u, mut v], mut claims) = relation(passes, &transcript);
        let product =
            |u: &[Gf128], v: &[Gf128]| u.iter().zip(v).fold(Gf128(0), |sum, (u, v)| sum.plus(u.times(*v)));
        assert_eq!(product(&u, &v), claims[0].plus(claims[1]), "the relation holds");
        for w in [&mut u, &mut v] {
            w.resize(size.n_elements.next_power_of_two(), Gf128(0));
        }
        let (n_elements, n_rounds) = (2 * size.rounds(), size.rounds());
        let ProverLanes { right: shares, salts, mask_left, mask_right } =
            ProverLanes::of(&named, roots(prover).0.each_ref(), n_elements, n_rounds);
        let (shares, masks) = (shares.as_slice::<[Gf128; 2]>(), [mask_left, mask_right]);
        let (mut lefts, mut digests): (Vec<[Gf128; 2]>, Vec<Seed>) = (Vec::new(), Vec::new());
        let mut is_last = false;
        while !is_last {
            is_last = u.len() == 1;
            let halves = |w: &[Gf128], mask: Gf128| match w {
                [one] => (vec![*one], vec![mask]),
                _ => (w[..w.len() / 2].to_vec(), w[w.len() / 2..].to_vec()),
            };
            let (u_low, u_high) = halves(&u, masks[0]);
            let (v_low, v_high) = halves(&v, masks[1]);
            let sums =
                |a: &[Gf128], b: &[Gf128]| a.iter().zip(b).map(|(a, b)| a.plus(*b)).collect::<Vec<_>>();
            let infinity = product(&sums(&u_low, &u_high), &sums(&v_low, &v_high));
            // In the last round the value at 0 is the claim, and that at 1 is shared.
            let first = if is_last { product(&u_high, &v_high) } else { product(&u_low, &v_low) };
            let at = lefts.len();
            lefts.push([first.plus(shares[at][0]), infinity.plus(shares[at][1])]);
            digests.push(digest(&salts[at], &lefts[at]));
            transcript.absorb(&digests[at]);
            let r = transcript.point();
            for (claim, [one_or_zero, infinity]) in claims.iter_mut().zip([lefts[at], shares[at]]) {
                let (zero, one) =
                    if is_last { (*claim, one_or_zero) } else { (one_or_zero, claim.plus(one_or_zero)) };
                // zero·(1 + r) + one·r + infinity·(r² + r)
                let ends = zero.times(Gf128::ONE.plus(r)).plus(one.times(r));
                *claim = ends.plus(infinity.times(r.times(r).plus(r)));
            }
            let fold = |low: &[Gf128], high: &[Gf128]| -> Vec<Gf128> {
                low.iter().zip(high).map(|(low, high)| low.plus(r.times(low.plus(*high)))).collect()
            };
            (u, v) = (fold(&u_low, &u_high), fold(&v_low, &v_high));
        }
        assert_eq!(u[0].times(v[0]), claims[0].plus(claims[1]), "{shapes:?}");
        let last = *transcript.state();
        assert_eq!(sent(1, prover, left), [bytemuck::cast_slice(&lefts), &last[..]].concat());
        assert_eq!(sent(1, prover, right), last);
        let answer = [u[0], claims[0]];
        assert_eq!(sent(2, left, right), [digests.as_flattened(), bytemuck::cast_slice(&answer)].concat());
        assert_eq!(sent(VERDICT, left, prover), [1]);
        assert_eq!(sent(VERDICT, right, prover), [1]);
    }
}

#[test]
fn every_message_is_the_slow_models() {
    for (seed, shapes) in BATCHES.iter().enumerate() {
        compare(seed as u64, shapes);
    }
}
