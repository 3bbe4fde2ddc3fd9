//! What the challenges of a proof hang on, and what is drawn from them.

use std::sync::Arc;

use math::gf::{Gf64, Gf128};
use math::prg::Prg;

use super::proof::Shape;
use crate::shuffle::stages::Pass;
use crate::step::Step;

/// A verifier's coin, a salt, a digest, or the state of a transcript.
pub(super) type Seed = [u8; 32];

/// What a proof says, apart from shares: equal at all parties.
pub(super) struct Statement {
    session_id: [u8; 32],
    step: [u8; 20],
    passes: Seed,
    shape: Shape,
}

impl Statement {
    pub(super) fn of(session_id: [u8; 32], step: &Step, passes: &[Arc<Pass>], shape: Shape) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof passes v1");
        for pass in passes {
            hasher.update(&pass.step.key_bytes());
            for size in [pass.n, pass.cast.first, pass.lanes.len()] {
                hasher.update(&(size as u64).to_le_bytes());
            }
            for lane in &pass.lanes {
                hasher.update(&[lane.is_words.into(), lane.row_bytes as u8]);
            }
        }
        Statement { session_id, step: step.key_bytes(), passes: *hasher.finalize().as_bytes(), shape }
    }
}

/// The running hash `S` of one prover's proof.
#[derive(Clone)]
pub(super) struct Transcript(Seed);

impl Transcript {
    /// `S_0`, from the coins of the left and the right verifier.
    pub(super) fn new(statement: &Statement, prover: usize, coins: &[Seed; 2]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof statement v1");
        hasher.update(&statement.session_id);
        hasher.update(&statement.step);
        hasher.update(&[prover as u8]);
        hasher.update(&(statement.shape.n_elements as u64).to_le_bytes());
        hasher.update(&statement.passes);
        hasher.update(&coins[0]);
        hasher.update(&coins[1]);
        Transcript(*hasher.finalize().as_bytes())
    }

    /// Goes on to the next `S`.
    pub(super) fn absorb(&mut self, digest: &Seed) {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof round v1");
        hasher.update(&self.0);
        hasher.update(digest);
        self.0 = *hasher.finalize().as_bytes();
    }

    /// The state: at the end, what the parties compare.
    pub(super) fn state(&self) -> &Seed {
        &self.0
    }

    /// The next point, neither 0 nor 1.
    pub(super) fn point(&self) -> Gf128 {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof point v1");
        let mut stream = hasher.update(&self.0).finalize_xof();
        loop {
            let mut bytes = [0; 16];
            stream.fill(&mut bytes);
            let point = Gf128(u128::from_le_bytes(bytes));
            if point.0 > 1 {
                return point;
            }
        }
    }
}

/// The digest of a round's left share. Without a salt the right verifier, which knows its own
/// share of the same values, could test guesses of them.
pub(super) fn digest(salt: &Seed, elements: &[Gf128; 2]) -> Seed {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof share v1");
    hasher.update(salt);
    hasher.update(bytemuck::cast_slice(elements));
    *hasher.finalize().as_bytes()
}

/// The weights of words and of rows.
pub(super) struct Weights {
    words: Prg,
    rows: Prg,
}

impl Weights {
    /// From the first state of a transcript.
    pub(super) fn of(transcript: &Transcript) -> Self {
        let key = |purpose: u8| {
            let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof weights v1");
            let hash = hasher.update(&transcript.0).update(&[purpose]).finalize();
            Prg::new(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"))
        };
        Weights { words: key(0), rows: key(1) }
    }

    /// `κ` of `n` words, from an even one on.
    pub(super) fn of_words(&self, first: usize, n: usize) -> Vec<Gf64> {
        let mut keys = vec![Gf64(0); n];
        // Two words to a block.
        self.words.fill_items((first / 2) as u64, &mut keys);
        keys
    }

    /// `γ` of rows from the `first` on.
    pub(super) fn of_rows(&self, first: usize, out: &mut [Gf128]) {
        self.rows.fill_items(first as u64, out);
    }
}
