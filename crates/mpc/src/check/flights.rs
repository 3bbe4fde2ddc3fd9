//! What the flights of all proofs have in common.

use buf::{Buf, Bytes};
use net::PartyId;

use super::rounds::{Seed, coins, of_prover};
use crate::error::{Deviation, ProtocolError};
use crate::prss::Roots;
use crate::rep3::Seat;
use crate::session::{Session, guard};
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

/// The part of a message that says a verdict, beside the parts of the proof it is about.
pub(crate) const VERDICT: u8 = 7;

/// Tells both others that this party accepts all proofs up to this one, whose step it is, and hears the
/// same of them. Who refuses one ends the session instead.
///
/// - **Cost:** 1 round.
///
/// # Errors
/// `PeerDeviated` if a party says something else; `Link`.
pub(super) fn confirm(s: &mut Session, step: &Step) -> Result<(), ProtocolError> {
    let Some(seat) = s.seat() else {
        s.count_both_ways(1);
        return Ok(());
    };
    for party in [seat.prev, seat.next] {
        s.send(step, VERDICT, party, bytes_of(&[ACCEPTED]))?;
    }
    for party in [seat.next, seat.prev] {
        let is_accepted = s.recv(step, VERDICT, party, 1)?.bytes() == [ACCEPTED];
        if !guard!(s, VerdictIgnored, is_accepted) {
            let (step, deviation) = (step.clone(), Deviation::ProofRefused);
            return Err(ProtocolError::PeerDeviated { step, deviation, culprit: None });
        }
    }
    Ok(())
}
