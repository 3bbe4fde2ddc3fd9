//! Checks that make shares trustworthy when a party may cheat.
//!
//! Share types, protocol code and the messages of a step are those of semi-honest sessions. A
//! malicious session records its products besides ([`recorder`]), and proves them in batches
//! before it opens anything ([`crate::verify`]). What covers each message of such a session:
//!
//! | step | message | covered by |
//! |---|---|---|
//! | `and`, `and_many`, `and_onto`, `and_sums`, `bit_dot` | `z_i` to the left | [`bits`], before anything is opened |
//! | `mul`, `mul_many`, `dot`, `inner_product`, `matmul` | `z_i` to the left | [`ring`], before anything is opened |
//! | `open`, `open_bits`, `open_to`, `open_bits_to` | a share | the digest of its other holder, before the value is used |
//! | `word_finish` | a share, between the holders of slot 0 | the digest of its other holder |
//! | `check_zero` | two digests | both sides of each pair compare |
//! | `input` of a compute party | a masked value | nothing: whatever it is, it is a sharing |
//! | `input` of another party | seeds and a share | digests that the two holders of each share compare at once |
//! | proofs | coins, shares, digests | the proofs' own transcripts |
//! | before an opening | that proofs are accepted | nothing: who refuses one says so to nobody, and ends the session |
//! | `Session::establish` | nonces and keys | the session id, which all compare |
//! | `Shuffler` | rows that moved | [`rows`] where they are words, [`ring`] where they are numbers, before anything is opened |
//! | `Halves` | the carries of `P_0`'s sum, products | [`bits`]: each message has its prover |
//! | `compare_digits` | `z_i` to the left | nothing: malicious sessions refuse it |
//!
//! `random`, `random_bits` and `word_masks` send nothing.

pub(crate) mod bits;
pub(crate) mod copies;
mod flights;
pub(crate) mod recorder;
pub(crate) mod ring;
mod rounds;
pub(crate) mod rows;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use math::{Ring, Z8, Z16, Z32, Z64, Z128};

use crate::bits::SharedBits;
use crate::rep3;
use crate::share::Shared;
use crate::shuffle::stages::Pass;
use crate::step::Step;

/// One step's recorded ANDs. Clones are counted references; masks are made again from
/// `(step, Use::Mask)` by the two parties that know each key.
#[derive(Clone)]
pub(crate) struct AndStep {
    pub(crate) step: Step,
    pub(crate) pairs: Vec<(SharedBits, SharedBits)>,
    /// Pairs whose ANDs were added to those of the last pairs, one each and of their shape.
    pub(crate) second: Vec<(SharedBits, SharedBits)>,
    /// The numbers of pairs that have the left factor of the pair before, and its shape: no two in a row.
    pub(crate) twins: Vec<usize>,
    pub(crate) z: SharedBits,
    /// Whose messages the products took: each proves its own.
    pub(crate) provers: [bool; 3],
    /// Whether the left factors have no part in slot 2, and the right ones no other.
    pub(crate) is_apart: bool,
}

impl AndStep {
    /// Whether the proof covers every gate: all have as many rows, both terms of a sum are as wide, and so are
    /// both twins, which have the pair before for themselves; of what is apart, two parties prove their products.
    pub(crate) fn fits_together(&self) -> bool {
        let n_single = self.pairs.len() - self.second.len();
        let same = |(x, y): &(SharedBits, SharedBits), (x_next, y_next): &(SharedBits, SharedBits)| {
            rep3::n_pairs(x, y) == rep3::n_pairs(x_next, y_next)
        };
        let width: usize = self.pairs.iter().map(|(x, y)| rep3::n_pairs(x, y)).sum();
        let twins = self.twins.iter().all(|at| {
            let is_alone = *at > 0 && *at < n_single && !self.twins.contains(&(at - 1));
            is_alone
                && same(&self.pairs[at - 1], &self.pairs[*at])
                && self.pairs[at - 1].0.width() == self.pairs[*at].0.width()
        });
        let terms =
            self.pairs[n_single..].iter().zip(&self.second).all(|(first, second)| same(first, second));
        let n_rows = self.z.n_rows();
        let rows =
            self.pairs.iter().chain(&self.second).all(|(x, y)| [x, y].map(SharedBits::n_rows) == [n_rows; 2]);
        // P_0 holds nothing of either factor.
        let apart = !self.is_apart || self.twins.is_empty() && self.provers == [false, true, true];
        width == self.z.width() && rows && terms && twins && apart
    }
}

/// One step's recorded ring products, under the masks `(step, Use::Mask)`.
#[derive(Clone)]
pub(crate) struct ProductStep<R: Ring> {
    pub(crate) step: Step,
    pub(crate) form: Form<R>,
    pub(crate) z: Shared<R>,
}

/// What ring elements a step made of which.
#[derive(Clone)]
pub(crate) enum Form<R: Ring> {
    /// `z` is the concatenation over segments of `Σ_t x_t·y_t`, element by element: one segment
    /// of one pair for `mul`, of several for `dot`, several segments for `mul_many`.
    Rows(Vec<Vec<(Shared<R>, Shared<R>)>>),
    /// `z[0] = Σ_k x_k·y_k`.
    Inner(Shared<R>, Shared<R>),
    /// `z = x·y`, row by row, for `shape = [rows, inner, columns]`.
    Matrix { x: Shared<R>, y: Shared<R>, shape: [usize; 3] },
    /// `z` is a lane of a shuffle, by its number, after a pass: no product, but messages like
    /// those of products.
    Moved(Arc<Pass>, usize),
}

impl<R: Ring> Form<R> {
    /// Elements of all factors, or before each stage of a pass.
    fn n_factors(&self) -> usize {
        match self {
            Form::Rows(segments) => segments.iter().flatten().map(|(x, y)| x.len() + y.len()).sum(),
            Form::Inner(x, y) | Form::Matrix { x, y, .. } => x.len() + y.len(),
            Form::Moved(pass, _) => 3 * pass.n,
        }
    }
}

/// Recorded ring products by ring, each in recording order.
#[derive(Default)]
pub(crate) struct RingBatch {
    pub(crate) z8: Vec<ProductStep<Z8>>,
    pub(crate) z16: Vec<ProductStep<Z16>>,
    pub(crate) z32: Vec<ProductStep<Z32>>,
    pub(crate) z64: Vec<ProductStep<Z64>>,
    pub(crate) z128: Vec<ProductStep<Z128>>,
}

impl RingBatch {
    /// Records a step, unless its ring is none of the five.
    pub(crate) fn push<R: Ring>(&mut self, product: ProductStep<R>) -> bool {
        let lists: [&mut dyn Any; 5] =
            [&mut self.z8, &mut self.z16, &mut self.z32, &mut self.z64, &mut self.z128];
        let list = lists.into_iter().find_map(|list| list.downcast_mut::<Vec<ProductStep<R>>>());
        list.map(|list| list.push(product)).is_some()
    }

    /// The steps recorded.
    #[cfg(feature = "lab")]
    pub(crate) fn steps(&self) -> Vec<&Step> {
        let mut steps: Vec<_> = self.z8.iter().map(|product| &product.step).collect();
        steps.extend(self.z16.iter().map(|product| &product.step));
        steps.extend(self.z32.iter().map(|product| &product.step));
        steps.extend(self.z64.iter().map(|product| &product.step));
        steps.extend(self.z128.iter().map(|product| &product.step));
        steps
    }

    /// Takes over what another recorder has, after one's own.
    pub(crate) fn append(&mut self, other: RingBatch) {
        self.z8.extend(other.z8);
        self.z16.extend(other.z16);
        self.z32.extend(other.z32);
        self.z64.extend(other.z64);
        self.z128.extend(other.z128);
    }
}
