//! Replicated secret sharing among three parties, one of which may be corrupted.
//!
//! `x = x_0 + x_1 + x_2`; party `P_i` holds `x_i` (*own*) and `x_{i+1}` (*next*)
//! and misses `x_{i+2}`. Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016;
//! Mohassel and Rindal, ABY3, ePrint 2018/403.

use buf::{Buf, Bytes};
use math::{Column, Group, Planes, PlanesMut, Ring};
use net::PartyId;
use subtle::ConstantTimeEq;

use crate::bits::SharedBits;
use crate::error::{Deviation, ProtocolError};
use crate::prss::{Roots, Stream, Use};
use crate::session::{Role, Session};
use crate::share::{Parts, Shared};
use crate::step::Step;

/// This party's number among the three, and its neighbours.
#[derive(Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) index: usize,
    pub(crate) prev: PartyId,
    pub(crate) next: PartyId,
}

impl Session {
    /// This party's seat, if it computes over links.
    pub(crate) fn seat(&self) -> Option<Seat> {
        match self.core.role {
            Role::Rep3 { index, .. } => Some(Seat {
                index,
                prev: self.core.compute[(index + 2) % 3],
                next: self.core.compute[(index + 1) % 3],
            }),
            _ => None,
        }
    }

    /// Counts one message from every compute party to the one after it.
    pub(crate) fn count_right(&mut self, n_bytes: usize) {
        let [a, b, c] = self.core.compute;
        self.count_messages(&[(a, b, n_bytes), (b, c, n_bytes), (c, a, n_bytes)]);
    }

    /// Counts one message from every compute party to each of the other two.
    pub(crate) fn count_both_ways(&mut self, n_bytes: usize) {
        let [a, b, c] = self.core.compute;
        self.count_messages(&[
            (a, b, n_bytes),
            (b, c, n_bytes),
            (c, a, n_bytes),
            (b, a, n_bytes),
            (c, b, n_bytes),
            (a, c, n_bytes),
        ]);
    }
}

fn seated(s: &Session) -> Seat {
    s.seat().expect("only compute parties reach protocol code")
}

/// What this party sends of a product: `write` puts the masked cross terms, from the streams
/// of both its keys, into `n` elements.
pub(crate) fn masked<R: Ring>(
    roots: &Roots,
    step: &Step,
    n: usize,
    write: impl FnOnce(&mut [R], &Stream, &Stream),
) -> Column<R> {
    let [own, next] = roots.streams(step, Use::Mask);
    Column::build(n, |out| write(out, &own, &next))
}

/// Both parts of a sharing at a compute party.
pub(crate) fn two<R: Group>(x: &Shared<R>) -> [&[R]; 2] {
    let parts = x.parts().as_slice();
    [parts[0].items(), parts[1].items()]
}

/// Two sides of a product of bits, and what is added to it, if anything is.
pub(crate) type Triple<'a> = (&'a SharedBits, &'a SharedBits, Option<&'a SharedBits>);

/// Masked cross terms of all products, plane after plane.
pub(crate) fn and_planes(
    roots: &Roots,
    step: &Step,
    n_rows: usize,
    width: usize,
    triples: &[Triple<'_>],
) -> Planes {
    let [own, next] = roots.streams(step, Use::Mask);
    let mut out = PlanesMut::stale(n_rows, width);
    // One pass if every plane starts on a block of the streams; narrow columns take two.
    let one_pass = out.stride().is_multiple_of(2);
    if !one_pass {
        Stream::zero_planes(&own, &next, &mut out);
    }
    let mut at = 0;
    for (x, y, onto) in triples {
        let onto = onto.map(|onto| &onto.parts().as_slice()[0]);
        let (x_parts, y_parts) = (x.parts().as_slice(), y.parts().as_slice());
        for (plane, (left, right)) in plane_pairs(x, y).enumerate() {
            let x = [x_parts[0].plane(left), x_parts[1].plane(left)];
            let y = [y_parts[0].plane(right), y_parts[1].plane(right)];
            if one_pass {
                Stream::and_masked(&own, &next, &mut out, at, x, y);
            } else {
                math::kernel::and_terms(out.plane_mut(at), x, y);
            }
            if let Some(onto) = onto {
                math::kernel::xor_words(out.plane_mut(at), onto.plane(plane));
            }
            at += 1;
        }
    }
    out.freeze()
}

/// Which planes of both sides meet: a side of one plane meets all of the other.
pub(crate) fn plane_pairs(x: &SharedBits, y: &SharedBits) -> impl Iterator<Item = (usize, usize)> {
    let (single_x, single_y) = (x.width() == 1, y.width() == 1);
    let width = if single_y { x.width() } else { y.width() };
    (0..width).map(move |plane| (if single_x { 0 } else { plane }, if single_y { 0 } else { plane }))
}

/// The same for plaintext.
pub(crate) fn plain_and_planes(n_rows: usize, width: usize, triples: &[Triple<'_>]) -> Planes {
    let mut out = PlanesMut::stale(n_rows, width);
    let mut at = 0;
    for (x, y, onto) in triples {
        let (planes_x, planes_y) = (&x.parts().as_slice()[0], &y.parts().as_slice()[0]);
        for (plane, (left, right)) in plane_pairs(x, y).enumerate() {
            let (x, y) = (planes_x.plane(left), planes_y.plane(right));
            for (out, (x, y)) in out.plane_mut(at).iter_mut().zip(x.iter().zip(y)) {
                *out = x & y;
            }
            if let Some(onto) = onto {
                math::kernel::xor_words(out.plane_mut(at), onto.parts().as_slice()[0].plane(plane));
            }
            at += 1;
        }
    }
    out.freeze()
}

/// Sends to `P_{i-1}` and receives as much from `P_{i+1}`.
pub(crate) fn pass_left(s: &mut Session, step: &Step, payload: Bytes) -> Result<Buf, ProtocolError> {
    let (seat, n_bytes) = (seated(s), payload.len());
    s.send(step, 0, seat.prev, payload)?;
    s.recv(step, 0, seat.next, n_bytes)
}

/// Sends to `P_{i+1}` and receives as much from `P_{i-1}`.
pub(crate) fn pass_right(s: &mut Session, step: &Step, payload: Bytes) -> Result<Buf, ProtocolError> {
    let (seat, n_bytes) = (seated(s), payload.len());
    s.send(step, 0, seat.next, payload)?;
    s.recv(step, 0, seat.prev, n_bytes)
}

/// Brings one party the shares it lacks: `x_{i+2}` if it computes, all three otherwise.
/// `own` is this party's first part, if it computes. The shares come at the recipient alone.
pub(crate) fn send_shares_to(
    s: &mut Session,
    step: &Step,
    recipient: PartyId,
    own: Option<Bytes>,
    n_bytes: usize,
) -> Result<Option<Vec<Buf>>, ProtocolError> {
    let compute = s.core.compute;
    let seat_of_recipient = compute.iter().position(|party| *party == recipient);
    let senders: Vec<PartyId> = match seat_of_recipient {
        Some(index) => vec![compute[(index + 2) % 3]],
        None => compute.to_vec(),
    };
    if s.is_count() {
        let messages: Vec<_> = senders.iter().map(|sender| (*sender, recipient, n_bytes)).collect();
        s.count_messages(&messages);
        return Ok(None);
    }
    let me = s.me();
    if let (Some(own), true) = (own, senders.contains(&me)) {
        s.send(step, 0, recipient, own)?;
    }
    if me != recipient {
        return Ok(None);
    }
    senders.iter().map(|sender| s.recv(step, 0, *sender, n_bytes)).collect::<Result<_, _>>().map(Some)
}

/// Compares keyed hashes so that both sides of each pair learn whether `x_i + x_{i+1} = −x_{i+2}`.
pub(crate) fn check_zero<G: Group>(
    s: &mut Session,
    step: &Step,
    own: &Column<G>,
    next: &Column<G>,
) -> Result<(), ProtocolError> {
    let seat = seated(s);
    let key =
        blake3::derive_key("junto 2026 zero test v1", &[&s.core.session_id[..], &step.key_bytes()].concat());
    let digest = |column: &Column<G>| *blake3::keyed_hash(&key, column.bytes().bytes()).as_bytes();
    let sum = digest(&own.zip(next, G::plus));
    let rest = digest(&next.map(G::negated));
    s.send(step, 0, seat.next, Buf::copy_of(&sum).freeze())?;
    s.send(step, 1, seat.prev, Buf::copy_of(&rest).freeze())?;
    let theirs_prev = s.recv(step, 0, seat.prev, 32)?;
    let theirs_next = s.recv(step, 1, seat.next, 32)?;
    let fine = rest.ct_eq(theirs_prev.bytes()) & sum.ct_eq(theirs_next.bytes());
    if bool::from(fine) { Ok(()) } else { Err(non_zero(step)) }
}

pub(crate) fn non_zero(step: &Step) -> ProtocolError {
    ProtocolError::PeerDeviated { step: step.clone(), deviation: Deviation::NonZero, culprit: None }
}

/// Shows planes to the two holders of slot 0, which put them there: an XOR sharing of the
/// value in slot 0 alone.
pub(crate) fn reveal_to_slot_0(
    s: &mut Session,
    step: &Step,
    x: &SharedBits,
) -> Result<Parts<Planes>, ProtocolError> {
    let (n_rows, width) = (x.n_rows(), x.width());
    let n_bytes = width * math::planes::words_per_plane(n_rows) * 8;
    let [zero_holder, _, two_holder] = s.core.compute;
    let (own, next) = match x.parts() {
        Parts::Two([own, next]) => (own, next),
        Parts::One([value]) => return Ok(Parts::One([value.clone()])),
        Parts::Zero => {
            s.count_messages(&[(zero_holder, two_holder, n_bytes), (two_holder, zero_holder, n_bytes)]);
            return Ok(Parts::Zero);
        }
    };
    let seat = seated(s);
    // P_0 lacks x_2, which P_2 holds first; P_2 lacks x_1, which P_0 holds second.
    let (mine, peer) = match seat.index {
        0 => (next, two_holder),
        2 => (own, zero_holder),
        _ => return Ok(Parts::Two([Planes::zeroed(n_rows, width), Planes::zeroed(n_rows, width)])),
    };
    s.send(step, 0, peer, mine.masked().dense_bytes())?;
    let missing = Planes::from_buf(s.recv(step, 0, peer, n_bytes)?, n_rows, width);
    let value = own.zip(next, |a, b| a ^ b).zip(&missing, |a, b| a ^ b);
    let zero = Planes::zeroed(n_rows, width);
    Ok(Parts::Two(if seat.index == 0 { [value, zero] } else { [zero, value] }))
}
