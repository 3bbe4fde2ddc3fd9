//! What a cheater makes of coins that it knows too early.

use math::Z64;

use crate::bits::SharedBits;
use crate::check::ring::Foreseen;
use crate::check::{AndStep, Form, ProductStep, RingBatch, bits};
use crate::session::Session;
use crate::share::Shared;
use crate::step::Label;

/// What a compute party may add to the first and the second 128 bits of its product in an AND of
/// one plane of up to 512 rows, alone in its batch, so that the proof passes all the same: if it
/// knows the coins of the left and the right verifier before.
pub fn cancelling_errors(
    s: &Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
    coins: &[[u8; 32]; 2],
) -> [u128; 2] {
    let prover = s.seat().expect("a compute party").index;
    let step = s.step().child(label.into());
    let check = step.child("check bits".into());
    // Of the product itself, a statement holds the shape alone.
    let and = AndStep { step, pairs: vec![(x.clone(), y.clone())], z: x.clone(), provers: [true; 3] };
    bits::cancelling(s, &check, &[and], prover, coins)
}

/// What a cheater makes of the coins of a ring proof that it knows too early.
pub struct Slips {
    /// Which of its products to change by half the ring.
    pub wrong: Vec<bool>,
    /// What to add to each quotient that it shares.
    pub additions: Vec<u64>,
}

/// Changes to the products of one step, alone in its batch, that pass the proof if a compute party
/// knows the first coins before it sends them.
pub fn hidden_products(
    s: &Session,
    label: impl Into<Label>,
    factors: [&Shared<Z64>; 2],
    coins: &[[u8; 32]; 2],
) -> Slips {
    let selections = foreseen(s, label, factors).selections(coins);
    let wrong = even(&selections);
    let additions = (0..64).map(|t| {
        let members = selections.iter().zip(&wrong).filter(|(word, wrong)| **wrong && **word >> t & 1 == 1);
        // Two halves of the ring are one of what the quotient counts.
        members.count() as u64 / 2
    });
    Slips { additions: additions.collect(), wrong }
}

/// What passes if the first product is wrong by half the ring and the party knows all coins before it
/// shares the quotients.
pub fn repaired_quotients(
    s: &Session,
    label: Label,
    factors: [&Shared<Z64>; 2],
) -> impl Fn(&[[u8; 32]; 3]) -> Vec<u64> + Send + use<> {
    let foreseen = foreseen(s, label, factors);
    move |[left, right, second]| {
        let coins = [*left, *right];
        let (word, prime) = (foreseen.selections(&coins)[0], foreseen.prime(&coins, second));
        // Half of one, modulo the prime.
        (0..64).map(|t| (word >> t & 1) * (prime / 2 + 1)).collect()
    }
}

fn foreseen(s: &Session, label: impl Into<Label>, [x, y]: [&Shared<Z64>; 2]) -> Foreseen {
    let step = s.step().child(label.into());
    let form = Form::Rows(vec![vec![(x.clone(), y.clone())]]);
    let mut batch = RingBatch::default();
    // Of the product itself, a statement holds the shape alone.
    batch.push(ProductStep { step: step.clone(), form, z: x.clone() });
    Foreseen::of(s, &step.child("check ring".into()), &batch)
}

/// Some of the words, such that each bit is set in an even number of them.
///
/// # Panics
/// If there are not more words than bits.
fn even(words: &[u64]) -> Vec<bool> {
    let mut rows: Vec<(u64, Vec<bool>)> = (words.iter().enumerate())
        .map(|(at, word)| (*word, (0..words.len()).map(|other| other == at).collect()))
        .collect();
    let mut first = 0;
    for bit in 0..64 {
        let Some(pivot) = (first..rows.len()).find(|row| rows[*row].0 >> bit & 1 == 1) else { continue };
        rows.swap(first, pivot);
        let (word, members) = rows[first].clone();
        for row in &mut rows[first + 1..] {
            if row.0 >> bit & 1 == 1 {
                row.0 ^= word;
                row.1.iter_mut().zip(&members).for_each(|(a, b)| *a ^= b);
            }
        }
        first += 1;
    }
    rows.swap_remove(first).1
}
