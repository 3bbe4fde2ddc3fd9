//! What becomes known: everything is verified first, and every share that is sent is compared with
//! its second copy.

use math::{Column, Group, Planes};
use net::PartyId;

use crate::bits::SharedBits;
use crate::error::ProtocolError;
use crate::rep3;
use crate::session::Session;
use crate::share::{Parts, Shared, Verified};
use crate::step::Label;

/// Checks every product that `value` depends on, by proving all that this session has yet to.
///
/// - **Cost:** nothing in semi-honest sessions, which trust their peers to follow the protocol,
///   nor where all is proved and accepted already. Otherwise 1 round and two bytes to hear that all accept,
///   after 3 rounds and few bytes to prove products of bits that nobody has proved yet.
/// - **Model:** one active corruption of three, with abort.
///
/// # Errors
/// `OpenInChunk` inside a chunk, where a barrier would cost its latency each time;
/// `PeerDeviated` if a product is not what it must be; `Link`.
pub fn verify<T>(s: &mut Session, value: T) -> Result<Verified<T>, ProtocolError> {
    if s.in_chunk {
        return Err(ProtocolError::OpenInChunk { step: s.step.clone() });
    }
    #[cfg(feature = "lab")]
    if s.core.lab.lacks(crate::lab::Mutant::OpensUnverified) {
        drop(s.pending.take());
        return Ok(Verified(value));
    }
    #[cfg(feature = "lab")]
    if s.core.lab.lacks(crate::lab::Mutant::VerifiesLate) {
        return Ok(Verified(value));
    }
    s.prove_all()?;
    Ok(Verified(value))
}

/// Opens a column to the compute parties. `None` where there are no values: at a party
/// that does not compute, and in counting runs.
///
/// - **Cost:** 1 round, the column's bytes per compute party; 32 more in malicious sessions.
/// - **Model:** under one active corruption, whoever returns a value returns the right one: the
///   share that a party lacks comes from one holder and its digest from the other.
///
/// # Errors
/// As [`crate::mul`]; `OpenInChunk`; `PeerDeviated` if two copies of a share differ.
pub fn open<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    x: Verified<Shared<G>>,
) -> Result<Option<Column<G>>, ProtocolError> {
    let step = s.begin_open(label)?;
    let n = x.0.len();
    match x.0.parts() {
        Parts::Two([own, next]) => {
            let missing: Column<G> =
                rep3::missing_share(s, &step, own.bytes().clone(), || next.bytes().clone())?.into();
            Ok(Some(own.zip(next, G::plus).zip(&missing, G::plus)))
        }
        Parts::One([value]) => Ok(Some(value.clone())),
        Parts::Zero => {
            rep3::count_missing_share(s, n * G::BYTES);
            Ok(None)
        }
    }
}

/// [`open`] for boolean columns. Bits past the last row are not shown.
///
/// # Errors
/// As [`open`].
pub fn open_bits(
    s: &mut Session,
    label: impl Into<Label>,
    x: Verified<SharedBits>,
) -> Result<Option<Planes>, ProtocolError> {
    let step = s.begin_open(label)?;
    let (n_rows, width) = (x.0.n_rows(), x.0.width());
    match x.0.parts() {
        Parts::Two([own, next]) => {
            let own = own.masked();
            let copy = || next.masked().dense_bytes();
            let missing = rep3::missing_share(s, &step, own.dense_bytes(), copy)?;
            let missing = Planes::from_buf(missing, n_rows, width);
            Ok(Some(own.zip(next, |a, b| a ^ b).zip(&missing, |a, b| a ^ b).masked()))
        }
        Parts::One([value]) => Ok(Some(value.masked())),
        Parts::Zero => {
            rep3::count_missing_share(s, width * math::planes::words_per_plane(n_rows) * 8);
            Ok(None)
        }
    }
}

/// Opens a column to one party, which may be one that does not compute. `None` elsewhere.
///
/// - **Cost:** 1 round; one party sends the column's bytes to a recipient that computes,
///   all three to one that does not. Each share comes with a digest of 32 bytes from its other
///   holder in malicious sessions.
///
/// # Errors
/// As [`open`].
pub fn open_to<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    recipient: PartyId,
    x: Verified<Shared<G>>,
) -> Result<Option<Column<G>>, ProtocolError> {
    let step = s.begin_open(label)?;
    let n = x.0.len();
    if let Parts::One([value]) = x.0.parts() {
        return Ok(Some(value.clone()));
    }
    let held = match x.0.parts() {
        Parts::Two(parts) => Some(parts.each_ref().map(|part| part.bytes().clone())),
        _ => None,
    };
    let arrived = rep3::send_shares_to(s, &step, recipient, held, n * G::BYTES)?;
    let Some(arrived) = arrived else { return Ok(None) };
    let mut sum = match x.0.parts() {
        Parts::Two([own, next]) => own.zip(next, G::plus),
        _ => Column::filled(n, G::ZERO),
    };
    for share in arrived {
        sum = sum.zip(&Column::from(share), G::plus);
    }
    Ok(Some(sum))
}

/// [`open_to`] for boolean columns.
///
/// # Errors
/// As [`open`].
pub fn open_bits_to(
    s: &mut Session,
    label: impl Into<Label>,
    recipient: PartyId,
    x: Verified<SharedBits>,
) -> Result<Option<Planes>, ProtocolError> {
    let step = s.begin_open(label)?;
    let (n_rows, width) = (x.0.n_rows(), x.0.width());
    if let Parts::One([value]) = x.0.parts() {
        return Ok(Some(value.masked()));
    }
    let held = match x.0.parts() {
        Parts::Two(parts) => Some(parts.each_ref().map(|part| part.masked().dense_bytes())),
        _ => None,
    };
    let n_bytes = width * math::planes::words_per_plane(n_rows) * 8;
    let Some(arrived) = rep3::send_shares_to(s, &step, recipient, held, n_bytes)? else { return Ok(None) };
    let mut sum = match x.0.parts() {
        Parts::Two([own, next]) => own.zip(next, |a, b| a ^ b),
        _ => Planes::zeroed(n_rows, width),
    };
    for share in arrived {
        sum = sum.zip(&Planes::from_buf(share, n_rows, width), |a, b| a ^ b);
    }
    Ok(Some(sum.masked()))
}

/// Checks that a column is zero, without opening it.
///
/// For checks only: a neighbour can test guesses of a non-zero value offline, so a
/// non-zero value must come from a cheater's own choice.
///
/// - **Cost:** 1 round, 64 bytes per compute party, whatever the length.
///
/// # Errors
/// `PeerDeviated` if it is not zero; as [`open`] otherwise.
pub fn check_zero<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    x: Verified<Shared<G>>,
) -> Result<(), ProtocolError> {
    let step = s.begin_open(label)?;
    match x.0.parts() {
        Parts::Two([own, next]) => rep3::check_zero(s, &step, own, next),
        Parts::One([value]) => {
            if value.items().iter().all(|item| *item == G::ZERO) {
                Ok(())
            } else {
                Err(rep3::non_zero(&step))
            }
        }
        Parts::Zero => {
            s.count_both_ways(32);
            Ok(())
        }
    }
}
