//! The relation a second time, slowly and over any field, as the module's header says it; and how often
//! lies pass over GF(2^8), where words are hashed in GF(2^4).

use math::gf::{Field, Gf64, Gf128};

use crate::check::tests::model::{Binary, Fair, Toy, assert_near, best_bend, rounds, sum};

/// A field, and the one of half as many bits that words are hashed in.
pub(super) trait Hashing: Binary {
    type Word: Copy;
    /// `Σ κ_c·word_c`, taken for a polynomial of low degree.
    fn hash(keys: &[Self::Word], words: &[Self::Word]) -> Self;
}

impl Hashing for Gf128 {
    type Word = Gf64;

    fn hash(keys: &[Gf64], words: &[Gf64]) -> Self {
        let terms = keys.iter().zip(words).map(|(key, word)| key.times(*word));
        Gf128(terms.fold(0, |sum, term| sum ^ u128::from(term.0)))
    }
}

impl Hashing for Toy {
    /// Four bits.
    type Word = u8;

    fn hash(keys: &[u8], words: &[u8]) -> Self {
        let times = |a: u8, b: u8| {
            (0..4).rev().fold(0, |product, bit| {
                // Modulo X^4 + X + 1.
                let carry = (product >> 3) * 0b1_0011;
                product << 1 ^ carry ^ ((b >> bit & 1) * a)
            })
        };
        Toy(keys.iter().zip(words).fold(0, |sum, (key, word)| sum ^ times(*key, *word)))
    }
}

/// One of the prover's messages of a pass, as rows of words.
pub(super) struct Message<W> {
    /// The factor: where each row comes from.
    pub(super) from: Vec<usize>,
    /// What the receiver had before.
    pub(super) rows: Vec<Vec<W>>,
    pub(super) masks: Vec<Vec<W>>,
    /// What it was sent.
    pub(super) sent: Vec<Vec<W>>,
}

/// A pass: the message to the right and that to the left, and its weights.
pub(super) struct Moved<F: Hashing> {
    pub(super) messages: [Message<F::Word>; 2],
    /// `κ`, for each word.
    pub(super) keys: Vec<F::Word>,
    /// `γ`, for each row of each message.
    pub(super) gammas: [Vec<F>; 2],
}

/// Both vectors, filled up, and what the left and the right verifier know of the claim.
pub(super) fn relation<F: Hashing>(passes: &[Moved<F>]) -> ([Vec<F>; 2], [F; 2]) {
    let (mut vectors, mut claims) = ([Vec::new(), Vec::new()], [F::ZERO; 2]);
    for Moved { messages, keys, gammas } in passes {
        // Whoever holds the key of a message knows factor and masks, the other one rows and message: the
        // left verifier holds that of the message to the right.
        for (holder, (message, gammas)) in messages.iter().zip(gammas).enumerate() {
            let hashed =
                |rows: &[Vec<F::Word>]| -> Vec<F> { rows.iter().map(|words| F::hash(keys, words)).collect() };
            let weighted = |rows: &[Vec<F::Word>]| {
                sum(hashed(rows).iter().zip(gammas).map(|(hash, gamma)| hash.mul(*gamma)))
            };
            let place = |row| message.from.iter().position(|from| *from == row).expect("a permutation");
            vectors[holder].extend((0..gammas.len()).map(|row| gammas[place(row)]));
            vectors[1 - holder].extend(hashed(&message.rows));
            claims[holder] = claims[holder].add(weighted(&message.masks));
            claims[1 - holder] = claims[1 - holder].add(weighted(&message.sent));
        }
    }
    for vector in &mut vectors {
        vector.resize(vector.len().next_power_of_two().max(4), F::ZERO);
    }
    (vectors, claims)
}

/// Each verifier knows one vector, and zeros of the other one.
pub(super) fn parts_of<F: Binary>([u, v]: [Vec<F>; 2]) -> [[Vec<F>; 2]; 2] {
    let zeros = || vec![F::ZERO; u.len()];
    [[u.clone(), zeros()], [zeros(), v]]
}

pub(super) fn inner<F: Binary>([u, v]: &[Vec<F>; 2]) -> F {
    sum(u.iter().zip(v).map(|(u, v)| u.mul(*v)))
}

/// Rows and words of each of two passes: twelve elements, four rounds and the masking one.
const SHAPES: [(usize, usize); 2] = [(4, 2), (2, 3)];
const ROUNDS: i32 = 4 + 1;

const RUNS: usize = 20_000;
/// And for what always passes.
const FEW: usize = 1_000;

/// Honest passes under fair weights.
fn honest(fair: &mut Fair) -> Vec<Moved<Toy>> {
    SHAPES
        .map(|(n, n_words)| {
            let messages = [(); 2].map(|()| {
                let mut column = || -> Vec<Vec<u8>> {
                    (0..n).map(|_| (0..n_words).map(|_| fair.byte() & 15).collect()).collect()
                };
                let (rows, masks) = (column(), column());
                let mut from: Vec<usize> = (0..n).collect();
                (1..n).for_each(|at| from.swap(at, fair.byte() as usize % (at + 1)));
                let sent = masks.iter().zip(&from).map(|(mask, from)| {
                    mask.iter().zip(&rows[*from]).map(|(mask, word)| mask ^ word).collect()
                });
                Message { sent: sent.collect(), from, rows, masks }
            });
            let keys = (0..n_words).map(|_| fair.byte() & 15).collect();
            let gammas = [(); 2].map(|()| (0..n).map(|_| Toy(fair.byte())).collect());
            Moved { messages, keys, gammas }
        })
        .into()
}

/// How often a lie passes.
fn rate(
    runs: usize,
    seed: u64,
    lie: impl Fn(&mut Fair, &mut [Moved<Toy>]),
    bend: impl Fn(Toy, [Toy; 2], bool) -> [Toy; 2],
) -> f64 {
    let mut fair = Fair::seeded(seed);
    let passes = |_: &usize| {
        let mut moved = honest(&mut fair);
        lie(&mut fair, &mut moved);
        let (vectors, claims) = relation(&moved);
        let right: Vec<Toy> = (0..2 * ROUNDS).map(|_| Toy(fair.byte())).collect();
        let masks = [(); 2].map(|()| [Toy(fair.byte()), Toy(fair.byte())]);
        let told = rounds(parts_of(vectors), claims, (&right, masks), &mut fair, &bend);
        assert_eq!(told.left.len(), right.len());
        told.accepted()
    };
    (0..runs).filter(passes).count() as f64 / runs as f64
}

fn as_it_is(_: Toy, honest: [Toy; 2], _: bool) -> [Toy; 2] {
    honest
}

/// Adds an error other than zero to words, given as pass, message, row and word.
fn add(fair: &mut Fair, moved: &mut [Moved<Toy>], places: &[[usize; 4]]) {
    let error = 1 + fair.byte() % 15;
    for [pass, message, row, word] in places {
        moved[*pass].messages[*message].sent[*row][*word] ^= error;
    }
}

/// `κ` or `γ` vanishes: what an error in one row passes with.
const ZERO_WEIGHT: f64 = 1.0 - (15.0 / 16.0) * (255.0 / 256.0);

#[test]
fn over_a_toy_field_honest_rows_always_pass() {
    assert_eq!(rate(FEW, 1, |_, _| (), as_it_is), 1.0);
    assert_eq!(rate(FEW, 2, |_, _| (), best_bend), 1.0);
}

/// Whatever the message.
#[test]
fn over_a_toy_field_a_changed_word_passes_as_often_as_its_weights_are_zero() {
    for (seed, (pass, message)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
        let lie = |fair: &mut Fair, moved: &mut [Moved<Toy>]| add(fair, moved, &[[pass, message, 1, 1]]);
        assert_near(rate(RUNS, seed as u64, lie, as_it_is), ZERO_WEIGHT, RUNS);
        // The weight of the row alone, which hashes hide.
        let with_a_hash = |fair: &mut Fair, moved: &mut [Moved<Toy>]| {
            lie(fair, moved);
            moved[pass].keys[1] = 1;
        };
        assert_near(rate(RUNS, seed as u64, with_a_hash, as_it_is), 1.0 / 256.0, RUNS);
    }
}

/// Exchanges what two rows of a message hold below their masks.
fn swap(moved: &mut [Moved<Toy>]) {
    let Message { from, rows, sent, .. } = &mut moved[0].messages[1];
    for word in 0..SHAPES[0].1 {
        let difference = rows[from[0]][word] ^ rows[from[3]][word];
        [0, 3].iter().for_each(|row: &usize| sent[*row][word] ^= difference);
    }
}

#[test]
fn over_a_toy_field_swapped_rows_pass_as_often_as_predicted() {
    // One row in 256 equals another one of two words.
    let are_told_apart = (255.0 / 256.0) * (1.0 - ZERO_WEIGHT);
    assert_near(rate(RUNS, 10, |_, moved| swap(moved), as_it_is), 1.0 - are_told_apart, RUNS);
    let with_equal_weights = |_: &mut Fair, moved: &mut [Moved<Toy>]| {
        swap(moved);
        moved[0].gammas[1] = vec![moved[0].gammas[1][0]; SHAPES[0].0];
    };
    assert_eq!(rate(FEW, 11, with_equal_weights, as_it_is), 1.0, "under one weight nobody sees it");
}

/// The same error twice: under one weight for both places it is gone, under two as rarely as their sum is
/// zero.
#[test]
fn over_a_toy_field_equal_errors_cancel_as_often_as_predicted() {
    type Places = [[usize; 4]; 2];
    type Weaken = fn(&mut [Moved<Toy>]);
    let cases: [(Places, f64, Weaken); 4] = [
        // In two words of a row: κ + κ'.
        ([[0, 0, 1, 0], [0, 0, 1, 1]], ZERO_WEIGHT, |moved| moved[0].keys[1] = moved[0].keys[0]),
        // In two rows of a message: γ + γ'.
        ([[0, 0, 1, 0], [0, 0, 2, 0]], ZERO_WEIGHT, |moved| moved[0].gammas[0][2] = moved[0].gammas[0][1]),
        // In a row of either message.
        ([[0, 0, 1, 0], [0, 1, 1, 0]], ZERO_WEIGHT, |moved| moved[0].gammas[1] = moved[0].gammas[0].clone()),
        // In two passes, whose words have other keys: both hashes are zero, or γ·h + γ'·h' is.
        ([[0, 0, 1, 0], [1, 0, 1, 0]], 1.0 - (255.0_f64 / 256.0).powi(2), |moved| {
            moved[1].gammas[0][1] = moved[0].gammas[0][1];
            moved[1].keys[0] = moved[0].keys[0];
        }),
    ];
    for (seed, (places, expected, weaken)) in (20..).zip(cases) {
        assert_near(rate(RUNS, seed, |fair, moved| add(fair, moved, &places), as_it_is), expected, RUNS);
        let with_equal_weights = |fair: &mut Fair, moved: &mut [Moved<Toy>]| {
            add(fair, moved, &places);
            weaken(moved);
        };
        assert_eq!(rate(FEW, seed, with_equal_weights, as_it_is), 1.0, "{places:?} under one weight");
    }
}

#[test]
fn over_a_toy_field_the_best_bent_rounds_pass_as_often_as_predicted() {
    let lie = |fair: &mut Fair, moved: &mut [Moved<Toy>]| add(fair, moved, &[[1, 1, 0, 2]]);
    let rate = rate(RUNS, 30, lie, best_bend);
    assert_near(rate, 1.0 - (1.0 - ZERO_WEIGHT) * (1.0 - 2.0_f64 / 254.0).powi(ROUNDS), RUNS);
}
