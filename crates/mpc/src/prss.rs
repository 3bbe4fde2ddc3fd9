//! Pseudorandom secret sharing: masks that two parties draw alike without talking.
//!
//! Key `K_i` is shared by `P_{i-1}` and `P_i`, so `P_i` owns `K_i` and
//! `K_{i+1}`. A step's stream is AES-128 in counter mode under a key derived
//! from the root and the step path: a pure function of (step, position), which
//! any thread may evaluate.

use math::planes::words_per_plane;
use math::prg::Prg;
use math::{Column, Group, Planes, Ring, kernel};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::step::Step;

/// What a stream of one step is used for. Streams with different uses are independent.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Use {
    /// The masks of a product.
    Mask = 1,
    /// A share that nobody sends.
    Share = 2,
    /// A permutation.
    Permutation = 3,
    /// A new share of a shuffle's lane.
    ShuffleShare = 4,
    /// The masks of a shuffle's lane. Lanes are no steps that [`crate::Session::begin`] knows of:
    /// their two uses are theirs alone.
    ShuffleMask = 5,
    /// The right verifier's share of a proof. This and the uses below name the prover in
    /// the step.
    ProofShare = 6,
    /// The salts of a proof's digests.
    ProofSalt = 7,
    /// What hides the left verifier's operands at the end of a proof.
    ProofMaskLeft = 8,
    /// What hides the right verifier's.
    ProofMaskRight = 9,
    /// The left verifier's coin.
    ProofCoinLeft = 10,
    /// The right verifier's coin.
    ProofCoinRight = 11,
    /// The masks of a step in which the three parties' parts differ: one stream for each name
    /// below the step, names that [`crate::Session::begin`] does not know of either.
    Part = 12,
    /// The right verifier's shares of quotients.
    ProofQuotient = 17,
    /// The left verifier's second coin, from which the prime comes.
    ProofCoinPrime = 18,
    /// The masks of a lane in one stage of a shuffle, in the message of the party whose first key this
    /// is. As with a shuffle's lanes, the uses are theirs alone.
    StageMask = 19,
    /// And in the other party's message.
    StageMaskBack = 20,
}

/// A key that two parties share for one session.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Root {
    // On the heap, so that moving a root leaves no copy behind.
    key: Box<[u8]>,
    #[cfg(feature = "lab")]
    #[zeroize(skip)]
    script: Option<crate::lab::ScriptedKey>,
}

/// `K_i` and `K_{i+1}` at `P_i`.
pub(crate) struct Roots(pub(crate) [Root; 2]);

impl Root {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Root {
            key: Box::from(&key[..]),
            #[cfg(feature = "lab")]
            script: None,
        }
    }

    #[cfg(feature = "lab")]
    pub(crate) fn scripted(script: crate::lab::ScriptedKey) -> Self {
        Root { key: Box::from([0; 32]), script: Some(script) }
    }

    /// The stream of one step and use.
    pub(crate) fn stream(&self, step: &Step, purpose: Use) -> Stream {
        #[cfg(feature = "lab")]
        if let Some(script) = &self.script {
            return Stream::Scripted(script.stream(step, purpose as u8));
        }
        let mut input = [0; 21];
        input[..20].copy_from_slice(&step.key_bytes());
        input[20] = purpose as u8;
        let key: &[u8; 32] = (&*self.key).try_into().expect("roots have 32 bytes");
        let hash = Zeroizing::new(*blake3::keyed_hash(key, &input).as_bytes());
        let key = Zeroizing::new(<[u8; 16]>::try_from(&hash[..16]).expect("16 of 32 bytes"));
        Stream::Aes(Box::new(Prg::new(&key)))
    }
}

impl Roots {
    /// This step's streams under `K_i` and `K_{i+1}`.
    pub(crate) fn streams(&self, step: &Step, purpose: Use) -> [Stream; 2] {
        [self.0[0].stream(step, purpose), self.0[1].stream(step, purpose)]
    }
}

/// The pseudorandom stream of one step under one key.
pub(crate) enum Stream {
    Aes(Box<Prg>),
    #[cfg(feature = "lab")]
    Scripted(crate::lab::ScriptedStream),
}

/// The planes of a stream.
pub(crate) enum Masks {
    Drawn(Drawn),
    There(Planes),
}

/// Planes that are drawn as they are read. Each starts on a block of the stream.
pub(crate) struct Drawn {
    prg: Box<Prg>,
    words_per_plane: usize,
    /// Room for one of them.
    plane: Vec<u64>,
}

impl Masks {
    /// One of the planes.
    pub(crate) fn plane(&mut self, plane: usize) -> &[u64] {
        match self {
            Masks::Drawn(Drawn { prg, words_per_plane, plane: out }) => {
                out.resize(*words_per_plane, 0);
                prg.fill_items((plane * out.len() / 2) as u64, out);
                out
            }
            Masks::There(planes) => planes.plane(plane),
        }
    }
}

impl Drawn {
    /// Words of the planes, which lie one behind the other, from an even one on.
    pub(crate) fn read(&self, first: usize, out: &mut [u64]) {
        assert!(first.is_multiple_of(2), "a block of the stream has two words");
        self.prg.fill_items((first / 2) as u64, out);
    }
}

impl Stream {
    /// Writes the first elements of the stream.
    pub(crate) fn fill<G: Group>(&self, out: &mut [G]) {
        match self {
            Stream::Aes(prg) => prg.fill_items(0, out),
            #[cfg(feature = "lab")]
            Stream::Scripted(script) => script.fill(out),
        }
    }

    /// A column of the stream's first `n` elements.
    pub(crate) fn column<G: Group>(&self, n: usize) -> Column<G> {
        Column::build(n, |out| self.fill(out))
    }

    /// Writes planes, as dense words.
    pub(crate) fn fill_planes(&self, n_rows: usize, width: usize, out: &mut [u64]) {
        #[cfg(not(feature = "lab"))]
        let _ = (n_rows, width);
        match self {
            Stream::Aes(prg) => prg.fill_items(0, out),
            #[cfg(feature = "lab")]
            Stream::Scripted(script) => script.fill_planes(n_rows, width, out),
        }
    }

    /// Planes of the stream's first bits.
    pub(crate) fn planes(&self, n_rows: usize, width: usize) -> Planes {
        let mut planes = math::PlanesMut::stale(n_rows, width);
        self.fill_planes(n_rows, width, planes.words_mut());
        planes.freeze()
    }

    /// [`Stream::planes`], of which one at a time is drawn.
    pub(crate) fn masks(self, n_rows: usize, width: usize) -> Masks {
        let words = words_per_plane(n_rows);
        match self {
            // Each plane starts on a block of the stream.
            Stream::Aes(prg) if words.is_multiple_of(2) => {
                Masks::Drawn(Drawn { prg, words_per_plane: words, plane: Vec::new() })
            }
            stream => Masks::There(stream.planes(n_rows, width)),
        }
    }

    /// Writes this party's share of `n` zeros: its own stream less the next one's.
    pub(crate) fn zero_share<G: Group>(own: &Stream, next: &Stream, out: &mut [G]) {
        match (own, next) {
            (Stream::Aes(own), Stream::Aes(next)) => math::prg::zero_share(own, next, 0, out),
            #[cfg(feature = "lab")]
            _ => {
                own.fill(out);
                kernel::sub_into(out, next.column(out.len()).items());
            }
        }
    }

    /// [`Stream::zero_share`] for planes of so many rows, as dense words.
    pub(crate) fn zero_planes(own: &Stream, next: &Stream, n_rows: usize, out: &mut [u64]) {
        #[cfg(not(feature = "lab"))]
        let _ = n_rows;
        match (own, next) {
            (Stream::Aes(own), Stream::Aes(next)) => {
                math::prg::zero_share::<math::X64>(own, next, 0, bytemuck::cast_slice_mut(out));
            }
            #[cfg(feature = "lab")]
            _ => {
                let width = out.len().checked_div(words_per_plane(n_rows)).unwrap_or(0);
                own.fill_planes(n_rows, width, out);
                kernel::xor_words(out, next.planes(n_rows, width).words());
            }
        }
    }

    /// The masked cross terms of products, in one pass.
    pub(crate) fn mul_masked<R: Ring>(
        own: &Stream,
        next: &Stream,
        out: &mut [R],
        x: [&[R]; 2],
        y: [&[R]; 2],
    ) {
        match (own, next) {
            (Stream::Aes(own), Stream::Aes(next)) => kernel::mul_masked(out, own, next, 0, x, y),
            #[cfg(feature = "lab")]
            _ => {
                Stream::zero_share(own, next, out);
                kernel::mul_terms(out, x, y);
            }
        }
    }

    /// The masked cross terms of ANDs for plane `plane` of `width`, which starts on a block of the streams.
    pub(crate) fn and_masked(
        own: &Stream,
        next: &Stream,
        (n_rows, width): (usize, usize),
        (plane, out): (usize, &mut [u64]),
        x: [&[u64]; 2],
        y: [&[u64]; 2],
    ) {
        #[cfg(not(feature = "lab"))]
        let _ = (n_rows, width);
        match (own, next) {
            (Stream::Aes(own), Stream::Aes(next)) => {
                let first_block = (plane * out.len() / 2) as u64;
                kernel::and_masked(out, own, next, first_block, x, y);
            }
            #[cfg(feature = "lab")]
            _ => {
                let masks = [own, next].map(|stream| stream.planes(n_rows, width));
                out.copy_from_slice(masks[0].plane(plane));
                kernel::xor_words(out, masks[1].plane(plane));
                kernel::and_terms(out, x, y);
            }
        }
    }

    /// A uniform permutation of `0..n`.
    pub(crate) fn permutation(&self, n: usize) -> Vec<u32> {
        match self {
            Stream::Aes(prg) => prg.permutation(n),
            #[cfg(feature = "lab")]
            Stream::Scripted(script) => script.permutation(n),
        }
    }
}
