//! The three flights of a proof. Each party is prover, left and right verifier at once.

use math::gf::Gf128;

use super::gates::{self, Lines, Summand};
use super::prover;
use super::shape::{Factor, Shape};
use super::transcript::Statement;
use super::verifier::Claim;
use crate::check::AndStep;
use crate::check::flights::{bytes_of, receive_coins, receive_seed, send_coins};
use crate::check::rounds::{self, Proof, ProverLanes, Seed};
use crate::error::{Deviation, ProtocolError};
use crate::prss::Roots;
use crate::rep3::Seat;
use crate::session::{Session, guard};
use crate::step::Step;

/// The parts of a message, which number it on the wire too.
pub(super) const COIN: u8 = 0;
pub(super) const PROOF: u8 = 1;
pub(super) const ANSWER: u8 = 2;

/// One party's side of a batch: `P_{i+1}`'s proof it verifies from the left, `P_{i-1}`'s from the right.
pub(super) struct Parties<'a> {
    seat: Seat,
    step: &'a Step,
    roots: &'a Roots,
    /// What each of the three proves.
    batches: [Vec<&'a AndStep>; 3],
    statement: Statement,
}

impl<'a> Parties<'a> {
    pub(super) fn of(
        s: &Session,
        step: &'a Step,
        roots: &'a Roots,
        batch: &'a [AndStep],
        shapes: [Shape; 3],
    ) -> Self {
        let seat = s.seat().expect("only compute parties prove");
        let statement = Statement::of(s.core.session_id, step, batch, shapes);
        let batches = [0, 1, 2].map(|prover| gates::of_prover(batch, prover));
        Parties { seat, step, roots, batches, statement }
    }

    pub(super) fn run(&self, s: &mut Session) -> Result<(), ProtocolError> {
        let Seat { index: me, prev, next, .. } = self.seat;
        let [own, to_next] = &self.roots.0;
        let (right_of, left_of) = ((me + 2) % 3, (me + 1) % 3);
        let [step_me, step_left, step_right] =
            [me, left_of, right_of].map(|prover| rounds::of_prover(self.step, prover));

        let are_reused = guard!(s, BitProofCoinsReused, false);
        let [coins_left, coins_right] = send_coins(s, self.step, COIN, &self.seat, self.roots, are_reused)?;

        // Our parts: `own` is the prover's `next` where we stand right of it, and the other way round.
        let factors = |prover: usize, part: usize| {
            let (batch, shape) = (&self.batches[prover], self.statement.shapes[prover]);
            [Factor::Left, Factor::Right].map(|factor| Lines::factors(batch, factor, me, part, shape))
        };
        let (of_left, of_right) = (factors(left_of, 1), factors(right_of, 0));
        let left = self.left_claim(left_of, &coins_left);
        let right = self.right_claim(right_of, &coins_right, &of_right);
        let ([x, y], [x_next, y_next]) = (factors(me, 0), factors(me, 1));
        let operands = [[x, x_next], [y, y_next]].map(gates::operand);

        let coins = receive_coins(s, self.step, COIN, &self.seat)?;
        let transcript = self.statement.transcript(me, &coins);
        let shapes = self.statement.shapes;
        let lanes =
            ProverLanes::of(&step_me, [own, to_next], shapes[me].n_elements(), shapes[me].n_digests());
        let [x, y] = operands.each_ref().map(|operand| operand.as_slice());
        let Proof { message, last } = prover::prove(shapes[me], transcript, [x, y], &lanes);
        drop(operands);
        s.send(self.step, PROOF, prev, message.freeze())?;
        s.send(self.step, PROOF, next, bytes_of(&last))?;

        let shape = shapes[left_of];
        let proof = s.recv(self.step, PROOF, next, shape.message_bytes()[0])?;
        let (shares, last) = proof.bytes().split_at(16 * shape.n_elements());
        let shares: &[Gf128] = bytemuck::cast_slice(shares);
        let digests = left.digests(shares, &rounds::salts(&step_left, to_next, shape.n_digests()));
        let masks = rounds::masks_left(&step_left, to_next);
        let outcome = left.follow(&digests, last, shares, of_left.each_ref(), masks);
        let outcome = outcome.ok_or_else(|| self.deviated(Deviation::ProofsDiffer))?;
        let answer = [bytemuck::cast_slice(&digests), bytemuck::cast_slice(&outcome.told())].concat();
        s.send(self.step, ANSWER, prev, bytes_of(&answer))?;

        let last = receive_seed(s, self.step, PROOF, prev)?;
        let shape = shapes[right_of];
        let answer = s.recv(self.step, ANSWER, next, shape.message_bytes()[1])?;
        let shares = rounds::right_shares(&step_right, own, shape.n_elements());
        let masks = rounds::masks_right(&step_right, own);
        let (digests, told) = answer.bytes().split_at(32 * shape.n_digests());
        let digests = bytemuck::cast_slice(digests);
        let mine = right.follow(digests, &last, shares.as_slice(), of_right.each_ref(), masks);
        let mine = mine.ok_or_else(|| self.deviated(Deviation::ProofsDiffer))?;
        if guard!(s, BitProofUnchecked, mine.agrees_with(bytemuck::cast_slice(told))) {
            Ok(())
        } else {
            Err(self.deviated(Deviation::FalseProof))
        }
    }

    /// `e = z_i ⊕ F(K_i)`, known to the left verifier of `P_i`.
    fn left_claim(&self, prover: usize, coins: &[Seed; 2]) -> Claim {
        let (batch, shape) = (&self.batches[prover], self.statement.shapes[prover]);
        let masks = gates::masks(batch, &self.roots.0[1]);
        let (z, masks) = (Lines::z_next(batch, shape), Lines::masks(batch, &masks, shape));
        let transcript = self.statement.transcript(prover, coins);
        Claim::new(shape, transcript, &Summand::Sums([z, masks]))
    }

    /// `f = x_{i+1}∧y_{i+1} ⊕ F(K_{i+1})`, known to the right verifier of `P_i`.
    fn right_claim(&self, prover: usize, coins: &[Seed; 2], factors: &[Lines<'_>; 2]) -> Claim {
        let (batch, shape) = (&self.batches[prover], self.statement.shapes[prover]);
        let masks = gates::masks(batch, &self.roots.0[0]);
        let masks = Lines::masks(batch, &masks, shape);
        let transcript = self.statement.transcript(prover, coins);
        Claim::new(shape, transcript, &Summand::Rest(factors, masks))
    }

    fn deviated(&self, deviation: Deviation) -> ProtocolError {
        ProtocolError::PeerDeviated { step: self.step.clone(), deviation, culprit: None }
    }
}

/// The messages of the three proofs, by size.
pub(super) fn count(s: &mut Session, shapes: [Shape; 3]) {
    let compute = s.core.compute;
    s.count_both_ways(size_of::<Seed>());
    let neighbours = |i: usize| (compute[(i + 2) % 3], compute[(i + 1) % 3]);
    let flight = [0, 1, 2].map(|i| {
        let (left, right) = neighbours(i);
        [(compute[i], left, shapes[i].message_bytes()[0]), (compute[i], right, size_of::<Seed>())]
    });
    s.count_messages(flight.as_flattened());
    // From the left verifier of each proof to the right one.
    let answers = [0, 1, 2].map(|i| {
        let (left, right) = neighbours(i);
        (left, right, shapes[i].message_bytes()[1])
    });
    s.count_messages(&answers);
}
