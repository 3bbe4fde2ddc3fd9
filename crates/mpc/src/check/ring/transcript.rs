//! What the challenges of a proof hang on, and what is drawn from them.

use buf::Buf;
use math::prg::Prg;
use math::prime::{Pair, Prime};
use math::subsets::{SUBSETS, SubsetWeights};

use super::shape::{MATRIX_SUBSETS, Shape};
use super::word::{Word, each_ring};
use crate::check::rounds::Seed;
use crate::check::{Form, ProductStep, RingBatch};
use crate::step::Step;

/// What a proof says, apart from shares: equal at all parties.
pub(super) struct Statement {
    session_id: [u8; 32],
    step: [u8; 20],
    steps: Seed,
    shape: Shape,
}

impl Statement {
    pub(super) fn of(session_id: [u8; 32], step: &Step, batch: &RingBatch, shape: Shape) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 ring proof steps v1");
        each_ring!(batch, list => {
            hasher.update(&(list.len() as u64).to_le_bytes());
            list.iter().for_each(|product| absorb_shape(&mut hasher, product));
        });
        Statement { session_id, step: step.key_bytes(), steps: *hasher.finalize().as_bytes(), shape }
    }
}

fn absorb_shape<R: Word>(hasher: &mut blake3::Hasher, product: &ProductStep<R>) {
    hasher.update(&product.step.key_bytes());
    let mut sizes = |kind: u8, sizes: &[usize]| {
        hasher.update(&[kind]);
        hasher.update(&(sizes.len() as u64).to_le_bytes());
        sizes.iter().for_each(|size| {
            hasher.update(&(*size as u64).to_le_bytes());
        });
    };
    match &product.form {
        Form::Rows(segments) => {
            // Pairs and rows of each segment.
            let shapes =
                segments.iter().map(|pairs| [pairs.len(), pairs.first().map_or(0, |(x, _)| x.len())]);
            sizes(0, shapes.collect::<Vec<_>>().as_flattened());
        }
        Form::Inner(x, _) => sizes(1, &[x.len()]),
        Form::Matrix { shape, .. } => sizes(2, shape),
        Form::Moved(pass, lane) => sizes(3, &[pass.n, *lane, pass.cast.first]),
    }
}

/// The running hash `S` of one prover's proof.
#[derive(Clone)]
pub(super) struct Transcript(Seed);

impl Transcript {
    /// `S_0`, from the coins of the left and the right verifier.
    pub(super) fn new(statement: &Statement, prover: usize, coins: &[Seed; 2]) -> Self {
        let Shape { n_gates, n_matrices, n_elements, n_terms } = statement.shape;
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 ring proof statement v1");
        hasher.update(&statement.session_id);
        hasher.update(&statement.step);
        hasher.update(&[prover as u8]);
        for size in [n_gates as u64, n_matrices as u64, n_elements as u64, n_terms] {
            hasher.update(&size.to_le_bytes());
        }
        hasher.update(&statement.steps);
        hasher.update(&coins[0]);
        hasher.update(&coins[1]);
        Transcript(*hasher.finalize().as_bytes())
    }

    /// Goes on to the next `S`.
    pub(super) fn absorb(&mut self, digest: &Seed) {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 ring proof round v1");
        hasher.update(&self.0);
        hasher.update(digest);
        self.0 = *hasher.finalize().as_bytes();
    }

    /// The state: at the end, what the parties compare.
    pub(super) fn state(&self) -> &Seed {
        &self.0
    }

    /// The next `n` points, none of them 0 or 1.
    pub(super) fn points(&self, prime: &Prime, n: usize) -> Vec<Pair> {
        let hasher = &mut blake3::Hasher::new_derive_key("junto 2026 ring proof point v1");
        let mut stream = Elements(hasher.update(&self.0).finalize_xof());
        let mut point = || loop {
            let [re, im] = [(); 2].map(|()| stream.next(prime));
            if im != 0 || re > 1 {
                return Pair { re, im };
            }
        };
        (0..n).map(|_| point()).collect()
    }

    /// The next point.
    pub(super) fn point(&self, prime: &Prime) -> Pair {
        self.points(prime, 1)[0]
    }

    fn selection_key(&self, purpose: u8) -> Prg {
        let mut hasher = blake3::Hasher::new_derive_key("junto 2026 ring proof selection v1");
        let hash = hasher.update(&self.0).update(&[purpose]).finalize();
        Prg::new(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"))
    }
}

/// Uniform elements from a public stream.
struct Elements(blake3::OutputReader);

impl Elements {
    fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn next(&mut self, prime: &Prime) -> u64 {
        loop {
            let word = self.word();
            if word < prime.value() {
                return word;
            }
        }
    }
}

/// The digest of a round's left share. Without a salt the right verifier, which knows its own
/// share of the same values, could test guesses of them.
pub(super) fn digest(salt: &Seed, words: &[u64]) -> Seed {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 ring proof share v1");
    hasher.update(salt);
    hasher.update(bytemuck::cast_slice(words));
    *hasher.finalize().as_bytes()
}

/// The subsets that products belong to: from the first coins.
pub(super) struct Selections {
    gates: Buf,
    lines: Prg,
}

/// The subsets that the rows, or the columns, of a matrix belong to.
pub(super) type LineSelections = Vec<[u64; 3]>;

impl Selections {
    pub(super) fn of(transcript: &Transcript, shape: Shape) -> Self {
        let mut gates = Buf::stale(8 * shape.n_gates);
        transcript.selection_key(0).fill_items::<u64>(0, gates.as_mut_slice());
        Selections { gates, lines: transcript.selection_key(1) }
    }

    /// A word for each product outside matrices, one bit a subset.
    pub(super) fn gates(&self) -> &[u64] {
        self.gates.as_slice()
    }

    /// Those of the rows and the columns of the matrix that comes after `next_block` blocks of the
    /// stream.
    pub(super) fn of_matrix(&self, next_block: &mut u64, sizes: [usize; 2]) -> [LineSelections; 2] {
        sizes.map(|n| {
            let mut lines = vec![[0; 3]; n];
            self.lines.fill_items(*next_block, &mut lines);
            *next_block += (24 * n as u64).div_ceil(16);
            lines
        })
    }
}

/// What the second coin adds: the prime, and a weight for each subset.
pub(super) struct Challenge {
    pub(super) prime: Prime,
    /// β: a uniform element for each subset.
    pub(super) betas: Vec<u64>,
}

impl Challenge {
    pub(super) fn of(transcript: &Transcript, shape: Shape) -> Self {
        let hasher = &mut blake3::Hasher::new_derive_key("junto 2026 ring proof prime v1");
        let mut stream = Elements(hasher.update(&transcript.0).finalize_xof());
        let prime = Prime::sample(|| stream.word());
        let betas = (0..shape.n_subsets()).map(|_| stream.next(&prime)).collect();
        Challenge { prime, betas }
    }

    /// `β_t/2^k`, as weights.
    pub(super) fn scaled<R: Word>(&self) -> Vec<u64> {
        let unit = (0..R::BITS).fold(self.prime.weight(1), |x, _| self.prime.half(x));
        self.betas.iter().map(|beta| self.prime.times(self.prime.weight(unit), *beta)).collect()
    }

    /// The weights of products in a ring by the subsets they belong to: `Σ β_t/2^k`, as weights.
    pub(super) fn of_gates<R: Word>(&self) -> SubsetWeights {
        let scaled = self.scaled::<R>();
        let weights: [u64; SUBSETS] = std::array::from_fn(|t| self.prime.weight(scaled[t]));
        SubsetWeights::new(&self.prime, &weights)
    }
}

const _: () = assert!(MATRIX_SUBSETS <= 3 * 64, "a bit for each subset");
