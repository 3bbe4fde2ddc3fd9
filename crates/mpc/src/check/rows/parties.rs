//! The four flights of a proof. Each party is prover, left and right verifier at once.

use std::sync::Arc;

use buf::{Buf, Bytes};
use math::gf::Gf128;
use net::PartyId;

use super::proof::{self, Lanes, Outcome, Points, Proof, Shape};
use super::sides::Side;
use super::transcript::{Seed, Statement, Transcript};
use crate::error::{Deviation, ProtocolError};
use crate::prss::{Roots, Use};
use crate::rep3::Seat;
use crate::session::{Session, guard};
use crate::shuffle::stages::Pass;
use crate::step::Step;

/// The parts of a message, which number it on the wire too.
pub(super) const COIN: u8 = 0;
pub(super) const PROOF: u8 = 1;
pub(super) const ANSWER: u8 = 2;
pub(super) const VERDICT: u8 = 3;

/// The only verdict that accepts.
const ACCEPTED: u8 = 1;

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
            [me, left_of, right_of].map(|prover| self.step.child(("prover", prover).into()));

        // The prover lacks the key of its coins: K_{i+2} is our own where we stand left of it.
        let [named_left, named_right] = [&step_left, &step_right];
        #[cfg(feature = "lab")]
        let reused = [left_of, right_of].map(|at| Step::root(s.session_id()).child(("prover", at).into()));
        #[cfg(feature = "lab")]
        let [named_left, named_right] = match s.core.lab.lacks(crate::lab::Mutant::RowProofCoinsReused) {
            true => [&reused[0], &reused[1]],
            false => [named_left, named_right],
        };
        let coins_left = Lanes { step: named_left, root: own }.coins();
        let coins_right = Lanes { step: named_right, root: to_next }.coins();
        s.send(self.step, COIN, next, bytes_of(&coins_left[0]))?;
        s.send(self.step, COIN, prev, bytes_of(&coins_right[1]))?;
        let start = |prover, coins: &[Seed; 2]| Transcript::new(&self.statement, prover, coins);
        let (shape, passes) = (self.shape, self.passes);
        let coins = [self.receive_seed(s, COIN, prev)?, self.receive_seed(s, COIN, next)?];
        let transcript = start(me, &coins);
        let mut u = Side::left(passes, shape, &transcript, 0);
        let mut v = Side::right(passes, shape, &transcript, 1);
        let lanes = [own, to_next].map(|root| Lanes { step: &step_me, root });
        let Proof { left: shares, last } =
            proof::prove(shape, transcript, [u.elements(), v.elements()], lanes.each_ref());
        drop([u, v]);
        s.send(self.step, PROOF, prev, bytes_of(&[bytemuck::cast_slice(&shares), &last[..]].concat()))?;
        s.send(self.step, PROOF, next, bytes_of(&last))?;

        let [proof_bytes, answer_bytes] = shape.message_bytes();
        let proof = s.recv(self.step, PROOF, next, proof_bytes)?;
        let (shares, last) = proof.bytes().split_at(32 * shape.rounds());
        let shares: &[[Gf128; 2]] = bytemuck::cast_slice(shares);
        let lanes = Lanes { step: &step_left, root: to_next };
        let digests = proof::digests(shares, &lanes.salts(shape));
        let transcript = start(left_of, &coins_left);
        let points = Points::of(transcript.clone(), &digests, last);
        let points = points.ok_or_else(|| self.deviated(Deviation::ProofsDiffer))?;
        let mut left = Side::left(passes, shape, &transcript, 1);
        let claim = left.claim;
        let Outcome { operand, claim } =
            points.outcome(claim, shares, left.elements(), lanes.mask(Use::ProofMaskLeft));
        drop(left);
        let answer = [bytemuck::cast_slice(&digests), bytemuck::cast_slice(&[operand, claim])].concat();
        s.send(self.step, ANSWER, prev, bytes_of(&answer))?;

        let last = self.receive_seed(s, PROOF, prev)?;
        let answer = s.recv(self.step, ANSWER, next, answer_bytes)?;
        let lanes = Lanes { step: &step_right, root: own };
        let (digests, outcome) = answer.bytes().split_at(32 * shape.rounds());
        let transcript = start(right_of, &coins_right);
        let verdict = match Points::of(transcript.clone(), digests.as_chunks().0, &last) {
            Some(points) => {
                let mut right = Side::right(passes, shape, &transcript, 0);
                let (claim, mask) = (right.claim, lanes.mask(Use::ProofMaskRight));
                let mine = points.outcome(claim, &lanes.shares(shape), right.elements(), mask);
                let fits = mine.agrees_with(bytemuck::cast_slice(outcome));
                if guard!(s, RowProofUnchecked, fits) { Ok(()) } else { Err(Deviation::RowsChanged) }
            }
            None => Err(Deviation::ProofsDiffer),
        };
        let byte = if verdict.is_ok() { ACCEPTED } else { 0 };
        let told = [prev, next].map(|party| s.send(self.step, VERDICT, party, bytes_of(&[byte])));
        // Who hears a refusal may end the session before the other is told: ours is the cause.
        verdict.map_err(|deviation| self.deviated(deviation))?;
        for sent in told {
            sent?;
        }
        for party in [next, prev] {
            let accepted = s.recv(self.step, VERDICT, party, 1)?.bytes() == [ACCEPTED];
            if !guard!(s, RowProofVerdictIgnored, accepted) {
                return Err(self.deviated(Deviation::ProofRefused));
            }
        }
        Ok(())
    }

    fn receive_seed(&self, s: &mut Session, part: u8, from: PartyId) -> Result<Seed, ProtocolError> {
        let payload = s.recv(self.step, part, from, size_of::<Seed>())?;
        Ok(payload.bytes().try_into().expect("a payload of the size asked for"))
    }

    fn deviated(&self, deviation: Deviation) -> ProtocolError {
        ProtocolError::PeerDeviated { step: self.step.clone(), deviation, culprit: None }
    }
}

fn bytes_of(bytes: &[u8]) -> Bytes {
    Buf::copy_of(bytes).freeze()
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
    s.count_both_ways(1);
}
