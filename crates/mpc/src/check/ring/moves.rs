//! Numbers that a shuffle moved: each stage's two messages are gates of their provers.
//!
//! `P_i` sends `P_{i+1}` what the factor `f` of `K_i` makes of `x_{i+1}`, and `P_{i-1}` what that of `K_{i+1}` makes
//! of `x_i`, each under a mask ([`crate::shuffle::stages`]). Row `g` of such a message is a gate:
//! `x[f(g)] = e_g + f_g` in the ring, where the receiver knows `x` and the message, and the other one the
//! factor and the negated mask. A gate's weight is known wherever the coins are, so whoever knows the
//! factor knows by what each row of `x` is multiplied: that is its side of the inner product.
//!
//! Whether both holders of `x` have the same one is not asked here: inputs are compared before, and within
//! a pass a share is made by both of its holders from the same things, or sent by one to the other.

use std::marker::PhantomData;

use buf::Buf;
use math::prime::{Prime, scale_into};
use math::subsets::SubsetSums;
use math::{Column, Group};

use super::gates::weighed_sum;
use super::operand::{Operand, TILE};
use super::word::Word;
use crate::check::{Form, ProductStep};
use crate::shuffle::stages::Pass;

/// One lane of a pass at one party.
pub(super) struct Move<'a, R> {
    pass: &'a Pass,
    lane: usize,
    ring: PhantomData<R>,
}

impl<'a, R: Word> Move<'a, R> {
    /// Of a step, if it is one.
    pub(super) fn of(product: &'a ProductStep<R>) -> Option<Self> {
        let Form::Moved(pass, lane) = &product.form else { return None };
        Some(Move { pass, lane: *lane, ring: PhantomData })
    }

    /// Rows of both messages of a prover: those to the right come first.
    pub(super) fn n_gates(&self) -> usize {
        2 * self.pass.n
    }

    fn key(&self, slot: usize) -> usize {
        (self.pass.index() + slot) % 3
    }

    /// This party's share in a slot before a key's stage.
    fn before(&self, key: usize, slot: usize) -> &[R] {
        self.pass.before(key, slot, self.lane).as_slice()
    }

    /// And after it.
    fn after(&self, key: usize, slot: usize) -> &[R] {
        self.pass.after(key, slot, self.lane).as_slice()
    }

    fn negated_masks(&self, slot: usize, is_first: bool) -> Column<R> {
        self.pass.masks::<R>(slot, is_first, self.lane).map(Group::negated)
    }

    /// Adds each gate's `(x[f(g)] − e − f)/2^k` to its subsets' sums: −1 if `x` is less than the
    /// message, which is one of both, and 0 if not. Of this party's own messages.
    pub(super) fn quotients(&self, selections: &[u64], sums: &mut SubsetSums) {
        let (to_right, to_left) = selections.split_at(self.pass.n);
        for (of_key, slot, selections) in [(0, 1, to_right), (1, 0, to_left)] {
            let key = self.key(of_key);
            let (x, message, from) =
                (self.before(key, slot), self.after(key, slot), self.pass.factor(of_key));
            let mut quotients = [0; TILE];
            for (tile, selections) in selections.chunks(TILE).enumerate() {
                let rows = tile * TILE..tile * TILE + selections.len();
                let quotients = &mut quotients[..selections.len()];
                let gates = message[rows.clone()].iter().zip(&from[rows]);
                for (quotient, (message, from)) in quotients.iter_mut().zip(gates) {
                    *quotient = -borrow(x[*from as usize].word(), message.word());
                }
                sums.add_all(selections, quotients, None);
            }
        }
    }

    /// Adds the weights of the rows of `x_{i+1}`, and the elements of `x_i`, to the left operand, for the
    /// prover `i` that is `part` further than this party.
    pub(super) fn left_operand(&self, part: usize, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        self.moved_weights(part, prime, &weights[..self.pass.n], out);
        elements(prime, self.before(self.key(part + 1), part), out);
    }

    /// Adds the elements of `x_{i+1}`, and the weights of the rows of `x_i`, to the right operand, where
    /// `i + 1` is `part` further than this party.
    pub(super) fn right_operand(&self, part: usize, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        elements(prime, self.before(self.key(part + 2), part), out);
        self.moved_weights(part, prime, &weights[self.pass.n..], out);
    }

    /// `Σ weight·e` of the next party's gates.
    pub(super) fn left_claim(&self, prime: &Prime, weights: &[u64]) -> u64 {
        let (to_right, to_left) = weights.split_at(self.pass.n);
        let masks = weighed_sum(prime, to_right, self.negated_masks(1, true).items());
        prime.plus(masks, weighed_sum(prime, to_left, self.after(self.key(2), 1)))
    }

    /// `Σ weight·f` of the gates of the party before.
    pub(super) fn right_claim(&self, prime: &Prime, weights: &[u64]) -> u64 {
        let (to_right, to_left) = weights.split_at(self.pass.n);
        let masks = weighed_sum(prime, to_left, self.negated_masks(0, false).items());
        prime.plus(masks, weighed_sum(prime, to_right, self.after(self.key(2), 0)))
    }

    /// The weight of each row before the stage: that of the gate to which the factor of the key in a
    /// slot brings it.
    fn moved_weights(&self, slot: usize, prime: &Prime, weights: &[u64], out: &mut impl Operand) {
        let mut moved = Buf::stale(8 * self.pass.n);
        let moved: &mut [u64] = moved.as_mut_slice();
        for (weight, from) in weights.iter().zip(self.pass.factor(slot)) {
            moved[*from as usize] = *weight;
        }
        for weights in moved.chunks(TILE) {
            out.extend(weights.len(), |out| scale_into(prime, out, weights, &[1; TILE][..weights.len()]));
        }
    }
}

/// 1 if `x < y`, else 0: without a comparison, which might become a branch.
#[inline(always)]
fn borrow(x: u128, y: u128) -> i64 {
    ((!x & y | (!x | y) & x.wrapping_sub(y)) >> 127) as i64
}

fn elements<R: Word>(prime: &Prime, list: &[R], out: &mut impl Operand) {
    for items in list.chunks(TILE) {
        out.extend(items.len(), |out| R::elements(prime, items, out));
    }
}
