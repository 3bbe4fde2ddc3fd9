//! The five flights of a proof. Each party is prover, left and right verifier at once.

use math::prime::{Pair, Prime};
use net::PartyId;

use super::integer::Integer;
use super::lanes::{self, ProverLanes};
use super::operand::Kept;
use super::prover::{self, Proof};
use super::shape::{QUOTIENT_BYTES, Shape};
use super::sides::{Side, Terms, weighed_integers};
use super::transcript::{Challenge, Selections, Statement, Transcript};
use super::verifier::{self, Outcome, Points};
use crate::check::RingBatch;
use crate::check::flights::{bytes_of, named_coins, receive_coins, receive_seed};
use crate::check::rounds::{self, Seed};
use crate::error::{Deviation, ProtocolError};
use crate::prss::Roots;
use crate::rep3::Seat;
use crate::session::{Session, guard};
use crate::step::Step;

/// The parts of a message, which number it on the wire too.
pub(super) const COIN: u8 = 0;
pub(super) const QUOTIENTS: u8 = 1;
pub(super) const PRIME: u8 = 2;
pub(super) const PROOF: u8 = 3;
pub(super) const ANSWER: u8 = 4;

/// One party's side of a batch: `P_{i+1}`'s proof it verifies from the left, `P_{i-1}`'s from the right.
pub(super) struct Parties<'a> {
    seat: Seat,
    step: &'a Step,
    roots: &'a Roots,
    batch: &'a RingBatch,
    statement: Statement,
    shape: Shape,
}

/// One prover's proof before its prime is known.
struct Opened<'a> {
    step: Step,
    transcript: Transcript,
    side: Side<'a>,
}

impl<'a> Parties<'a> {
    pub(super) fn of(
        s: &Session,
        step: &'a Step,
        roots: &'a Roots,
        batch: &'a RingBatch,
        shape: Shape,
    ) -> Self {
        let seat = s.seat().expect("only compute parties prove");
        let statement = Statement::of(s.core.session_id, step, batch, shape);
        Parties { seat, step, roots, batch, statement, shape }
    }

    pub(super) fn run(&self, s: &mut Session) -> Result<(), ProtocolError> {
        let Seat { index: me, prev, next, .. } = self.seat;
        let [own, to_next] = &self.roots.0;
        let (right_of, left_of) = ((me + 2) % 3, (me + 1) % 3);

        // The prover lacks the key of its coins: K_{i+2} is our own where we stand left of it.
        let are_reused = guard!(s, RingProofCoinsReused, false);
        let [named_left, named_right] =
            [left_of, right_of].map(|prover| named_coins(s, self.step, prover, are_reused));
        let [left_coin, left_right_coin, second_coin] = lanes::coins(&named_left, own);
        let [right_left_coin, right_coin, right_second_coin] = lanes::coins(&named_right, to_next);
        let is_early = guard!(s, RingProofPrimeEarly, false);
        if is_early {
            s.send(self.step, PRIME, next, bytes_of(&second_coin))?;
        }
        s.send(self.step, COIN, next, bytes_of(&left_coin))?;
        s.send(self.step, COIN, prev, bytes_of(&right_coin))?;
        let coins = receive_coins(s, self.step, COIN, &self.seat)?;

        let mine = self.opened(me, &coins);
        let shares = lanes::right_quotients(&mine.step, to_next, self.shape);
        let quotients = mine.side.quotients([own, to_next]);
        let left = quotients.iter().zip(&shares).map(|(whole, right)| whole.minus(right).to_bytes());
        s.send(self.step, QUOTIENTS, prev, bytes_of(left.collect::<Vec<_>>().as_flattened()))?;

        // The prime is drawn once the quotients can no longer change.
        let left_quotients = self.receive_quotients(s)?;
        if !is_early {
            s.send(self.step, PRIME, next, bytes_of(&second_coin))?;
        }
        let second = receive_seed(s, self.step, PRIME, prev)?;
        let last = self.prove(s, mine, &second)?;
        s.send(self.step, PROOF, next, bytes_of(&last))?;

        self.answer(s, self.opened(left_of, &[left_coin, left_right_coin]), &second_coin, &left_quotients)?;
        self.verify(s, self.opened(right_of, &[right_left_coin, right_coin]), &right_second_coin)
    }

    /// The prover: shares of the proof to the left, the last state for both. Gives the latter.
    fn prove(&self, s: &mut Session, mine: Opened<'_>, second: &Seed) -> Result<Seed, ProtocolError> {
        let [own, to_next] = &self.roots.0;
        let (transcript, challenge) = self.challenge(mine.transcript, second);
        let lanes = ProverLanes::of(&mine.step, [own, to_next], self.shape, &challenge.prime);
        let [mut u, mut v] = [(); 2].map(|()| Kept::new(self.shape));
        mine.side.left(0, &challenge, None, &mut u);
        mine.side.right(1, &challenge, None, &mut v);
        let Proof { left, last } =
            prover::prove(self.shape, transcript, &challenge.prime, [u, v].map(Kept::ended), &lanes);
        let message = [bytemuck::cast_slice(&left), &last[..]].concat();
        s.send(self.step, PROOF, self.seat.prev, bytes_of(&message))?;
        Ok(last)
    }

    /// The left verifier of the next party: digests, operand and claim to the one before.
    fn answer(
        &self,
        s: &mut Session,
        theirs: Opened<'_>,
        second: &Seed,
        quotients: &[Integer],
    ) -> Result<(), ProtocolError> {
        let Seat { prev, next, .. } = self.seat;
        let root = &self.roots.0[1];
        let (transcript, challenge) = self.challenge(theirs.transcript, second);
        let prime = &challenge.prime;
        let [_, proof_bytes, _] = self.shape.message_bytes();
        let proof = s.recv(self.step, PROOF, next, proof_bytes)?;
        let (words, last) = proof.bytes().split_at(8 * self.shape.n_words());
        let words = words_of(words);
        let digests =
            verifier::digests(self.shape, &words, &rounds::salts(&theirs.step, root, self.shape.n_digests()));
        let points = Points::of(transcript, prime, &digests, last);
        let points = points.ok_or_else(|| self.deviated(Deviation::ProofsDiffer, None))?;
        self.are_elements(prime, &words, next)?;
        let mut operand = points.folded(prime, self.shape);
        let claim = theirs.side.left(1, &challenge, Some(Terms { part: 1, root }), &mut operand);
        let claim = prime.plus(claim, of_quotients(&challenge, quotients));
        let mask = lanes::mask_left(&theirs.step, root, prime);
        let Outcome { operand, claim } = points.outcome(prime, claim, &words, &operand, mask);
        let answer = [bytemuck::cast_slice(&digests), bytemuck::cast_slice(&[operand, claim])].concat();
        s.send(self.step, ANSWER, prev, bytes_of(&answer))
    }

    /// The right verifier of the party before.
    fn verify(&self, s: &mut Session, theirs: Opened<'_>, second: &Seed) -> Result<(), ProtocolError> {
        let Seat { prev, next, .. } = self.seat;
        let root = &self.roots.0[0];
        let (transcript, challenge) = self.challenge(theirs.transcript, second);
        let prime = &challenge.prime;
        let last = receive_seed(s, self.step, PROOF, prev)?;
        let [_, _, answer_bytes] = self.shape.message_bytes();
        let answer = s.recv(self.step, ANSWER, next, answer_bytes)?;
        let (digests, answer) = answer.bytes().split_at(32 * self.shape.n_digests());
        let Some(points) = Points::of(transcript, prime, bytemuck::cast_slice(digests), &last) else {
            return Err(self.deviated(Deviation::ProofsDiffer, None));
        };
        let answer = words_of(answer);
        self.are_elements(prime, &answer, next)?;
        let [operand, claim] = bytemuck::cast_slice::<u64, [Pair; 2]>(&answer)[0];
        let left = Outcome { operand, claim };

        let mut operand = points.folded(prime, self.shape);
        let claim = theirs.side.right(0, &challenge, Some(root), &mut operand);
        let quotients = lanes::right_quotients(&theirs.step, root, self.shape);
        let claim = prime.plus(claim, of_quotients(&challenge, &quotients));
        let words = lanes::right_shares(&theirs.step, root, self.shape, prime);
        let mask = lanes::mask_right(&theirs.step, root, prime);
        let outcome = points.outcome(prime, claim, &words, &operand, mask);
        if guard!(s, RingProofUnchecked, outcome.agrees_with(prime, &left)) {
            Ok(())
        } else {
            Err(self.deviated(Deviation::FalseProof, None))
        }
    }

    fn named(&self, prover: usize) -> Step {
        rounds::of_prover(self.step, prover)
    }

    fn opened(&self, prover: usize, coins: &[Seed; 2]) -> Opened<'a> {
        let transcript = Transcript::new(&self.statement, prover, coins);
        let selections = Selections::of(&transcript, self.shape);
        let side = Side { batch: self.batch, shape: self.shape, selections };
        Opened { step: self.named(prover), transcript, side }
    }

    fn challenge(&self, mut transcript: Transcript, second: &Seed) -> (Transcript, Challenge) {
        transcript.absorb(second);
        let challenge = Challenge::of(&transcript, self.shape);
        (transcript, challenge)
    }

    /// The left shares of the next party's quotients. Their bytes bound them.
    fn receive_quotients(&self, s: &mut Session) -> Result<Vec<Integer>, ProtocolError> {
        let [n_bytes, ..] = self.shape.message_bytes();
        let payload = s.recv(self.step, QUOTIENTS, self.seat.next, n_bytes)?;
        let (shares, _) = payload.bytes().as_chunks::<QUOTIENT_BYTES>();
        Ok(shares.iter().map(Integer::from_bytes).collect())
    }

    /// Whether a party sent elements of the field: one that went by the same challenges, or it could
    /// have had another prime in mind.
    fn are_elements(&self, prime: &Prime, words: &[u64], from: PartyId) -> Result<(), ProtocolError> {
        let fit = words.iter().fold(true, |fit, word| fit & (*word < prime.value()));
        if fit { Ok(()) } else { Err(self.deviated(Deviation::FalseProof, Some(from))) }
    }

    fn deviated(&self, deviation: Deviation, culprit: Option<PartyId>) -> ProtocolError {
        ProtocolError::PeerDeviated { step: self.step.clone(), deviation, culprit }
    }
}

/// What the quotients add to a verifier's share of the claim: `Σ β_t W_t`.
pub(super) fn of_quotients(challenge: &Challenge, quotients: &[Integer]) -> u64 {
    let weights: Vec<u64> = challenge.betas.iter().map(|beta| challenge.prime.weight(*beta)).collect();
    weighed_integers(challenge, &weights, quotients)
}

fn words_of(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

/// The messages of a proof, by size.
pub(super) fn count(s: &mut Session, shape: Shape) {
    let [quotient_bytes, proof_bytes, answer_bytes] = shape.message_bytes();
    let compute = s.core.compute;
    // From each party to those before and after it.
    let mut both = |left: usize, right: usize| {
        let flight = [0, 1, 2].map(|i| {
            let (prev, next) = (compute[(i + 2) % 3], compute[(i + 1) % 3]);
            [(compute[i], prev, left), (compute[i], next, right)]
        });
        let flight: Vec<_> = flight.into_iter().flatten().filter(|(.., n_bytes)| *n_bytes > 0).collect();
        s.count_messages(&flight);
    };
    let seed = size_of::<Seed>();
    both(seed, seed);
    both(quotient_bytes, 0);
    both(0, seed);
    both(proof_bytes, seed);
    both(answer_bytes, 0);
}
