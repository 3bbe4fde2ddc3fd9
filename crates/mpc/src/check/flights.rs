//! What the flights of all proofs have in common.

use buf::{Buf, Bytes};
use net::PartyId;

use super::rounds::{Seed, coins, of_prover};
use crate::error::{Deviation, ProtocolError};
use crate::prss::Roots;
use crate::rep3::Seat;
use crate::session::Session;
use crate::step::Step;

/// The only verdict that accepts.
const ACCEPTED: u8 = 1;

pub(super) fn bytes_of(bytes: &[u8]) -> Bytes {
    Buf::copy_of(bytes).freeze()
}

pub(super) fn receive_seed(
    s: &mut Session,
    step: &Step,
    part: u8,
    from: PartyId,
) -> Result<Seed, ProtocolError> {
    let payload = s.recv(step, part, from, size_of::<Seed>())?;
    Ok(payload.bytes().try_into().expect("a payload of the size asked for"))
}

/// The step below which the coins of a prover's proof are named. A mutant has the same ones for all batches.
pub(super) fn named_coins(s: &Session, step: &Step, prover: usize, are_reused: bool) -> Step {
    if are_reused { of_prover(&Step::root(s.session_id()), prover) } else { of_prover(step, prover) }
}

/// Sends the next and the previous party their coins. Gives both coins of either's proof. The prover
/// lacks their key: `K_{i+2}` is our own where we stand left of it.
pub(super) fn send_coins(
    s: &mut Session,
    step: &Step,
    part: u8,
    seat: &Seat,
    roots: &Roots,
    are_reused: bool,
) -> Result<[[Seed; 2]; 2], ProtocolError> {
    let [own, to_next] = &roots.0;
    let of_next = coins(&named_coins(s, step, (seat.index + 1) % 3, are_reused), own);
    let of_prev = coins(&named_coins(s, step, (seat.index + 2) % 3, are_reused), to_next);
    s.send(step, part, seat.next, bytes_of(&of_next[0]))?;
    s.send(step, part, seat.prev, bytes_of(&of_prev[1]))?;
    Ok([of_next, of_prev])
}

/// The coins of the left and the right verifier of one's own proof.
pub(super) fn receive_coins(
    s: &mut Session,
    step: &Step,
    part: u8,
    seat: &Seat,
) -> Result<[Seed; 2], ProtocolError> {
    Ok([receive_seed(s, step, part, seat.prev)?, receive_seed(s, step, part, seat.next)?])
}

/// Tells both others this verifier's verdict, and hears theirs. A mutant goes on whatever they are.
pub(super) fn exchange_verdicts(
    s: &mut Session,
    step: &Step,
    part: u8,
    seat: &Seat,
    refused: Option<Deviation>,
    ignores_others: bool,
) -> Result<(), ProtocolError> {
    let deviated = |deviation| ProtocolError::PeerDeviated { step: step.clone(), deviation, culprit: None };
    let byte = if refused.is_none() { ACCEPTED } else { 0 };
    let told = [seat.prev, seat.next].map(|party| s.send(step, part, party, bytes_of(&[byte])));
    // Who hears a refusal may end the session before the other is told: ours is the cause.
    if let Some(deviation) = refused {
        return Err(deviated(deviation));
    }
    for sent in told {
        sent?;
    }
    for party in [seat.next, seat.prev] {
        let is_accepted = s.recv(step, part, party, 1)?.bytes() == [ACCEPTED];
        if !(is_accepted || ignores_others) {
            return Err(deviated(Deviation::ProofRefused));
        }
    }
    Ok(())
}
