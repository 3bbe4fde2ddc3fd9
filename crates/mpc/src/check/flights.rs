//! What the flights of all proofs have in common.

use buf::{Buf, Bytes};
use net::PartyId;

use super::rounds::Seed;
use crate::error::{Deviation, ProtocolError};
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
