//! Honest runs: accepted at the price that counting foretells, and every message is what a slow model
//! makes of the module's header.

use math::gf::{Gf64, Gf128};

use super::model::{Message, Moved, inner, parts_of, relation};
use super::*;
use crate::check::flights::VERDICT;
use crate::check::rounds::{ProverLanes, Transcript, coins, of_prover};
use crate::check::rows::proof::Shape as Size;
use crate::check::rows::transcript::{Statement, Weights};
use crate::check::tests::model::{Hashed, rounds};
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

/// The passes of a proof, from what the prover knows.
fn moved(passes: &[Arc<Pass>], transcript: &Transcript) -> Vec<Moved<Gf128>> {
    let weights = Weights::of(transcript);
    // Each pass begins with an even word.
    let n_words =
        |pass: &Pass| pass.words().map(|lane| pass.lanes[lane].row_bytes.div_ceil(8)).sum::<usize>();
    let mut keys = weights.of_words(0, passes.iter().map(|pass| n_words(pass).next_multiple_of(2)).sum());
    let mut gammas = vec![Gf128(0); passes.iter().map(|pass| 2 * pass.n).sum()];
    weights.of_rows(0, &mut gammas);
    let mut take = |n: usize| gammas.drain(..n).collect();
    let moved = |pass: &Arc<Pass>| {
        let mut of_pass: Vec<Gf64> = keys.drain(..n_words(pass).next_multiple_of(2)).collect();
        of_pass.truncate(n_words(pass));
        // To the right under its first key, then to the left under its second one.
        let messages = [0, 1].map(|slot| {
            let key = (pass.index() + slot) % 3;
            Message {
                from: pass.factor(slot).iter().map(|from| *from as usize).collect(),
                rows: words(pass, |lane| pass.before(key, 1 - slot, lane).bytes().to_vec()),
                masks: words(pass, |lane| match pass.lanes[lane].row_bytes {
                    1 => pass.masks::<X8>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                    2 => pass.masks::<X16>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                    4 => pass.masks::<X32>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                    8 => pass.masks::<X64>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                    _ => pass.masks::<X128>(slot, slot == 0, lane).bytes().bytes().to_vec(),
                }),
                sent: words(pass, |lane| pass.after(key, 1 - slot, lane).bytes().to_vec()),
            }
        });
        Moved { messages, keys: of_pass, gammas: [take(pass.n), take(pass.n)] }
    };
    passes.iter().map(moved).collect()
}

/// The words of each row, by the bytes of its lanes.
fn words(pass: &Pass, column: impl Fn(usize) -> Vec<u8>) -> Vec<Vec<Gf64>> {
    let mut rows = vec![Vec::new(); pass.n];
    for lane in pass.words() {
        let column = column(lane);
        for (row, bytes) in rows.iter_mut().zip(column.chunks(pass.lanes[lane].row_bytes)) {
            row.extend(bytes.chunks(8).map(|bytes| {
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                Gf64(u64::from_le_bytes(word))
            }));
        }
    }
    rows
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
        let named = of_prover(step, prover);
        let coins = coins(&named, &roots(left).0[0]);
        assert_eq!([sent(0, left, prover), sent(0, right, prover)], coins.map(|coin| coin.to_vec()));
        let size = Size::of(passes);
        let statement = Statement::of(core.session_id, step, passes, size);
        let transcript = statement.transcript(prover, &coins);
        let (vectors, claims) = relation(&moved(passes, &transcript));
        assert_eq!(inner(&vectors), claims[0].plus(claims[1]), "the relation holds");
        let lanes = ProverLanes::of(&named, roots(prover).0.each_ref(), 2 * size.rounds(), size.rounds());
        let coins = (lanes.right.as_slice(), [lanes.masks_left, lanes.masks_right]);
        let mut hashed = Hashed::starting(transcript, lanes.salts);
        let told = rounds(parts_of(vectors), claims, coins, &mut hashed, |_, honest, _| honest);
        assert!(told.accepted(), "{shapes:?}");
        let last = *hashed.transcript.state();
        assert_eq!(sent(1, prover, left), [bytemuck::cast_slice(&told.left), &last[..]].concat());
        assert_eq!(sent(1, prover, right), last);
        let [u, v] = told.operands[0];
        let answer = [u, v, told.claims[0]];
        assert_eq!(
            sent(2, left, right),
            [hashed.digests.as_flattened(), bytemuck::cast_slice(&answer)].concat()
        );
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
