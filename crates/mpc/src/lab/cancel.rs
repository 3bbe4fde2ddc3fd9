//! What a cheater makes of coins that it knows too early.

use math::{Group, Ring, Z64};

use crate::bits::SharedBits;
use crate::check::ring::Foreseen;
use crate::check::{AndStep, Form, ProductStep, RingBatch, bits, rows};
use crate::prss::Use;
use crate::session::{Role, Session};
use crate::share::Shared;
use crate::shuffle::FORWARD;
use crate::shuffle::stages::Pass;
use crate::step::Label;

/// What a compute party may add to the first and the second 64 bits of its product in an AND of
/// one plane of up to 512 rows, alone in its batch, so that the proof passes all the same: if it
/// knows the coins of the left and the right verifier before.
pub fn cancelling_errors(
    s: &Session,
    label: impl Into<Label>,
    x: &SharedBits,
    y: &SharedBits,
    coins: &[[u8; 32]; 2],
) -> [u64; 2] {
    let prover = s.seat().expect("a compute party").index;
    let step = s.step().child(label.into());
    let check = step.child("check bits".into());
    // Of the product itself, a statement holds the shape alone.
    let and = AndStep {
        step,
        pairs: vec![(x.clone(), y.clone())],
        second: Vec::new(),
        twins: Vec::new(),
        z: x.clone(),
        provers: [true; 3],
        is_apart: false,
    };
    bits::cancelling(s, &check, &[and], prover, coins)
}

/// What a compute party may add to both halves of any row of its messages in a shuffle of one lane of
/// 128-bit words, alone in its batch, so that the proof passes all the same: if it knows the coins of
/// the left and the right verifier before.
pub fn hidden_words(
    s: &Session,
    label: impl Into<Label>,
    lane: &Shared<math::X128>,
    coins: &[[u8; 32]; 2],
) -> [u64; 2] {
    let prover = s.seat().expect("a compute party").index;
    let step = s.step().child(label.into());
    let check = step.child("check rows".into());
    let pass = Pass::counted(step, lane.len(), &FORWARD, &[lane.clone().into()]);
    let keys = rows::word_keys(s, &check, pass, prover, coins);
    // Both summands of their hash are one product.
    [keys[1].0, keys[0].0]
}

/// What a cheater makes of the coins of a ring proof that it knows too early.
pub struct Slips {
    /// Which of its products to change by half the ring.
    pub wrong: Vec<bool>,
    /// What to add to each quotient that it shares.
    pub additions: Vec<i128>,
}

/// Changes to the products of one step, alone in its batch, that pass the proof if a compute party
/// knows the first coins before it sends them.
pub fn hidden_products(
    s: &Session,
    label: impl Into<Label>,
    factors: [&Shared<Z64>; 2],
    coins: &[[u8; 32]; 2],
) -> Slips {
    let label = label.into();
    let selections = foreseen(s, label, factors).selections(coins);
    let (wrong, halves) = (even(&selections), halves(s, label, factors));
    let additions = (0..64).map(|t| {
        let members = selections.iter().zip(wrong.iter().zip(&halves));
        let members = members.filter(|(word, (wrong, _))| **wrong && **word >> t & 1 == 1);
        // Two halves of the ring are one of what the quotient counts.
        members.map(|(_, (_, half))| half).sum::<i128>() / 2
    });
    Slips { additions: additions.collect(), wrong }
}

/// What passes if the first product is wrong by half the ring and the party knows all coins before it
/// shares the quotients.
pub fn repaired_quotients(
    s: &Session,
    label: Label,
    factors: [&Shared<Z64>; 2],
) -> impl Fn(&[[u8; 32]; 3]) -> Vec<i128> + Send + use<> {
    let half = halves(s, label, factors)[0];
    let foreseen = foreseen(s, label, factors);
    move |[left, right, second]| {
        let coins = [*left, *right];
        let (word, prime) = (foreseen.selections(&coins)[0], foreseen.prime(&coins, second));
        // Half of one, modulo the prime.
        (0..64).map(|t| half * i128::from((word >> t & 1) * (prime / 2 + 1))).collect()
    }
}

/// By how many halves of 2^64 a product's quotient grows if the product changes by half the ring: one
/// more where what the left verifier knows becomes less, one less where it becomes more.
fn halves(s: &Session, label: impl Into<Label>, [x, y]: [&Shared<Z64>; 2]) -> Vec<i128> {
    let step = s.step().child(label.into());
    let Role::Rep3 { roots, .. } = &s.core.role else { unreachable!("a compute party cheats") };
    let right = roots.0[1].stream(&step, Use::Mask).column::<Z64>(x.len());
    let part = |x: &Shared<Z64>, part: usize, at: usize| x.parts().as_slice()[part].items()[at];
    let half = |at: usize| {
        let cross = part(x, 0, at).times(part(y, 1, at)).plus(part(x, 1, at).times(part(y, 0, at)));
        if cross.minus(right.items()[at]).0 >> 63 == 1 { 1 } else { -1 }
    };
    (0..x.len()).map(half).collect()
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
