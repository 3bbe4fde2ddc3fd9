//! What the challenges of a proof hang on, and what is drawn from them.

use std::sync::Arc;

use math::gf::{Gf64, Gf128};
use math::prg::Prg;

use super::proof::Shape;
use crate::check::rounds::{Seed, Transcript};
use crate::shuffle::stages::Pass;
use crate::step::Step;

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

    /// `S_0`, from the coins of the left and the right verifier.
    pub(super) fn transcript(&self, prover: usize, coins: &[Seed; 2]) -> Transcript {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 row proof statement v1");
        hasher.update(&self.session_id);
        hasher.update(&self.step);
        hasher.update(&[prover as u8]);
        hasher.update(&(self.shape.n_elements as u64).to_le_bytes());
        hasher.update(&self.passes);
        hasher.update(&coins[0]);
        hasher.update(&coins[1]);
        Transcript::starting(*hasher.finalize().as_bytes())
    }
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
            let hash = hasher.update(transcript.state()).update(&[purpose]).finalize();
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
