//! The three flights of a proof. Each party is prover, left and right verifier at once.

use std::sync::Arc;

use math::gf::Gf128;

use super::proof::{self, Shape};
use super::sides::Side;
use super::transcript::Statement;
use crate::check::flights::{bytes_of, receive_coins, receive_seed, send_coins};
use crate::check::rounds::{self, Proof, ProverLanes, Rounds, Seed};
use crate::error::{Deviation, ProtocolError};
use crate::prss::Roots;
use crate::rep3::Seat;
use crate::session::{Session, guard};
use crate::shuffle::stages::Pass;
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
    passes: &'a [Arc<Pass>],
    shape: Shape,
    statement: Statement,
}

impl<'a> Parties<'a> {
    pub(super) fn of(
        s: &Session,
        step: &'a Step,
        roots: &'a Roots,
        passes: &'a [Arc<Pass>],
        shape: Shape,
    ) -> Self {
        let seat = s.seat().expect("only compute parties prove");
        let statement = Statement::of(s.core.session_id, step, passes, shape);
        Parties { seat, step, roots, passes, shape, statement }
    }

    pub(super) fn run(&self, s: &mut Session) -> Result<(), ProtocolError> {
        let Seat { index: me, prev, next, .. } = self.seat;
        let [own, to_next] = &self.roots.0;
        let (right_of, left_of) = ((me + 2) % 3, (me + 1) % 3);
        let [step_me, step_left, step_right] =
            [me, left_of, right_of].map(|prover| rounds::of_prover(self.step, prover));

        let are_reused = guard!(s, RowProofCoinsReused, false);
        let [coins_left, coins_right] = send_coins(s, self.step, COIN, &self.seat, self.roots, are_reused)?;
        let (shape, passes) = (self.shape, self.passes);
        let coins = receive_coins(s, self.step, COIN, &self.seat)?;
        let transcript = self.statement.transcript(me, &coins);
        let mut u = Side::left(passes, shape, &transcript, 0);
        let mut v = Side::right(passes, shape, &transcript, 1);
        let lanes = ProverLanes::of(&step_me, [own, to_next], 2 * shape.rounds(), shape.rounds());
        let Proof { message, last } = Rounds::new(transcript, &lanes).finish(u.elements(), v.elements());
        drop([u, v]);
        s.send(self.step, PROOF, prev, message.freeze())?;
        s.send(self.step, PROOF, next, bytes_of(&last))?;

        let [proof_bytes, answer_bytes] = shape.message_bytes();
        let proof = s.recv(self.step, PROOF, next, proof_bytes)?;
        let (shares, last) = proof.bytes().split_at(32 * shape.rounds());
        let shares: &[Gf128] = bytemuck::cast_slice(shares);
        let digests = proof::digests(shares, &rounds::salts(&step_left, to_next, shape.rounds()));
        let transcript = self.statement.transcript(left_of, &coins_left);
        let points = transcript.clone().follow(&digests, last);
        let points = points.ok_or_else(|| self.deviated(Deviation::ProofsDiffer))?;
        let left = Side::left(passes, shape, &transcript, 1);
        let outcome = proof::outcome(left, shares, &points, rounds::masks_left(&step_left, to_next));
        let answer = [bytemuck::cast_slice(&digests), bytemuck::cast_slice(&outcome.told())].concat();
        s.send(self.step, ANSWER, prev, bytes_of(&answer))?;

        let last = receive_seed(s, self.step, PROOF, prev)?;
        let answer = s.recv(self.step, ANSWER, next, answer_bytes)?;
        let (digests, told) = answer.bytes().split_at(32 * shape.rounds());
        let transcript = self.statement.transcript(right_of, &coins_right);
        let points = transcript.clone().follow(digests.as_chunks().0, &last);
        let points = points.ok_or_else(|| self.deviated(Deviation::ProofsDiffer))?;
        let right = Side::right(passes, shape, &transcript, 0);
        let shares = rounds::right_shares(&step_right, own, 2 * shape.rounds());
        let masks = rounds::masks_right(&step_right, own);
        let mine = proof::outcome(right, shares.as_slice(), &points, masks);
        if guard!(s, RowProofUnchecked, mine.agrees_with(bytemuck::cast_slice(told))) {
            Ok(())
        } else {
            Err(self.deviated(Deviation::RowsChanged))
        }
    }

    fn deviated(&self, deviation: Deviation) -> ProtocolError {
        ProtocolError::PeerDeviated { step: self.step.clone(), deviation, culprit: None }
    }
}

/// The messages of the three proofs, by size.
pub(super) fn count(s: &mut Session, shape: Shape) {
    let [a, b, c] = s.core.compute;
    let (seed, [proof, answer]) = (size_of::<Seed>(), shape.message_bytes());
    s.count_both_ways(seed);
    s.count_messages(&[
        (a, c, proof),
        (b, a, proof),
        (c, b, proof),
        (a, b, seed),
        (b, c, seed),
        (c, a, seed),
    ]);
    // From the left verifier of each proof to the right one: two places on, or one back.
    s.count_messages(&[(a, c, answer), (b, a, answer), (c, b, answer)]);
}
