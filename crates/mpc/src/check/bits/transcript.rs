//! What the challenges of a proof hang on, and the weights made from it.

use std::sync::LazyLock;

use bytemuck::Zeroable;
use math::gf::lines::Weight;
use math::gf::{Field, Gf128};

use super::field::scaled;
use super::shape::{Kind, Scale, Shape};
use crate::check::AndStep;
use crate::check::rounds::{Seed, Transcript};
use crate::step::Step;

/// What a proof says, apart from shares: equal at all parties.
pub(super) struct Statement {
    session_id: [u8; 32],
    step: [u8; 20],
    steps: Seed,
    /// The size of each party's proof.
    pub(super) shapes: [Shape; 3],
}

impl Statement {
    pub(super) fn of(session_id: [u8; 32], step: &Step, batch: &[AndStep], shapes: [Shape; 3]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 bit proof steps v2");
        for and in batch {
            hasher.update(&and.step.key_bytes());
            hasher.update(&and.provers.map(u8::from));
            hasher.update(&[u8::from(and.is_apart)]);
            let sizes = [and.z.n_rows(), and.pairs.len(), and.second.len(), and.twins.len()];
            for size in sizes.iter().chain(&and.twins) {
                hasher.update(&(*size as u64).to_le_bytes());
            }
            for width in and.pairs.iter().chain(&and.second).flat_map(|(x, y)| [x.width(), y.width()]) {
                hasher.update(&(width as u64).to_le_bytes());
            }
        }
        Statement { session_id, step: step.key_bytes(), steps: *hasher.finalize().as_bytes(), shapes }
    }

    /// `S_0`, from the coins of the left and the right verifier.
    pub(super) fn transcript(&self, prover: usize, coins: &[Seed; 2]) -> Transcript {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 bit proof statement v3");
        hasher.update(&self.session_id);
        hasher.update(&self.step);
        let shape = self.shapes[prover];
        hasher.update(&[prover as u8, shape.skip() as u8]);
        for size in shape.n_lines().each() {
            hasher.update(&(size as u64).to_le_bytes());
        }
        hasher.update(&self.steps);
        hasher.update(&coins[0]);
        hasher.update(&coins[1]);
        Transcript::starting(*hasher.finalize().as_bytes())
    }
}

/// `√X^j` for the bits of an element's lower half, and again for those of the upper one.
static ROOT_POWERS: LazyLock<Vec<Gf128>> = LazyLock::new(|| {
    let root = Gf128::X.root();
    let powers = std::iter::successors(Some(Gf128::ONE), |power| Some(power.times(root)));
    powers.take(64).collect::<Vec<_>>().repeat(2)
});

/// The weights `w(b, q, h, j) = β_{b,h} · ω_q² · X^j` of the gates.
pub(super) struct Weights {
    /// `β_{b,h}`: polynomials of degree below 64, two for each block. A sum's terms weigh the same.
    pub(super) blocks: Vec<Weight>,
    /// `ω_q²`.
    pub(super) elements: [Gf128; 4],
    /// `ω_q · √X^j` at `128·q + 64·h + j`: what each side of the products of two lines is multiplied by.
    pub(super) roots: Vec<Gf128>,
}

pub(super) fn weight_stream(transcript: &Transcript) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 bit proof weights v2");
    hasher.update(transcript.state()).finalize_xof()
}

impl Weights {
    pub(super) fn of(transcript: &Transcript, shape: Shape) -> Self {
        let mut stream = weight_stream(transcript);
        let mut blocks = vec![[0; 2]; shape.n_claims()];
        stream.fill(bytemuck::cast_slice_mut(&mut blocks));
        blocks.extend_from_within(shape.blocks(Kind::FirstTerm));
        let mut omegas = [Gf128::zeroed(); 4];
        stream.fill(bytemuck::cast_slice_mut(&mut omegas));
        let roots = omegas.map(|omega| scaled(&ROOT_POWERS, omega)).concat();
        Weights { blocks, elements: omegas.map(Field::square), roots }
    }

    /// By what a block's operand is multiplied, for each half `h`.
    pub(super) fn scales(&self, block: usize, scale: Scale) -> [Gf128; 2] {
        self.blocks[block].map(|weight| match scale {
            Scale::One => Gf128::ONE,
            Scale::Root => Gf128(weight.into()).root(),
            Scale::Whole => Gf128(weight.into()),
        })
    }
}
