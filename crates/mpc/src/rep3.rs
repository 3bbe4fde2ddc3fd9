//! Replicated secret sharing among three parties, one of which may be corrupted.
//!
//! `x = x_0 + x_1 + x_2`; party `P_i` holds `x_i` (*own*) and `x_{i+1}` (*next*)
//! and misses `x_{i+2}`. Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016;
//! Mohassel and Rindal, ABY3, ePrint 2018/403.

use buf::{Buf, Bytes};
use math::planes::words_per_plane;
use math::{Column, Group, Planes, PlanesMut, Ring};
use net::PartyId;
use subtle::ConstantTimeEq;

use crate::bits::SharedBits;
use crate::check::copies::DIGEST_BYTES;
use crate::error::{Deviation, ProtocolError};
use crate::prss::{Roots, Stream, Use};
use crate::session::{Role, Session, guard};
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
    let mut out = PlanesMut::stale(n_rows, width);
    and_planes_into(out.words_mut(), roots, step, n_rows, triples);
    out.freeze()
}

/// [`and_planes`] into these words.
pub(crate) fn and_planes_into(
    out: &mut [u64],
    roots: &Roots,
    step: &Step,
    n_rows: usize,
    triples: &[Triple<'_>],
) {
    let [own, next] = roots.streams(step, Use::Mask);
    let stride = words_per_plane(n_rows);
    // One pass if every plane starts on a block of the streams; narrow columns take two.
    let one_pass = stride.is_multiple_of(2);
    if !one_pass {
        Stream::zero_planes(&own, &next, n_rows, out);
    }
    let shape = (n_rows, out.len().checked_div(stride).unwrap_or(0));
    let mut planes = out.chunks_exact_mut(stride.max(1)).enumerate();
    for (x, y, onto) in triples {
        let onto = onto.map(|onto| &onto.parts().as_slice()[0]);
        let (x_parts, y_parts) = (x.parts().as_slice(), y.parts().as_slice());
        for ((plane, (left, right)), (at, out)) in plane_pairs(x, y).enumerate().zip(&mut planes) {
            let x = [x_parts[0].plane(left), x_parts[1].plane(left)];
            let y = [y_parts[0].plane(right), y_parts[1].plane(right)];
            if one_pass {
                Stream::and_masked(&own, &next, shape, (at, out), x, y);
            } else {
                math::kernel::and_terms(out, x, y);
            }
            if let Some(onto) = onto {
                math::kernel::xor_words(out, onto.plane(plane));
            }
        }
    }
}

/// Which planes of both sides meet: a side of one plane meets all of the other.
pub(crate) fn plane_pairs(x: &SharedBits, y: &SharedBits) -> impl Iterator<Item = (usize, usize)> {
    let (single_x, single_y) = (x.width() == 1, y.width() == 1);
    (0..n_pairs(x, y)).map(move |plane| (if single_x { 0 } else { plane }, if single_y { 0 } else { plane }))
}

/// How many planes of two columns meet.
pub(crate) fn n_pairs(x: &SharedBits, y: &SharedBits) -> usize {
    if y.width() == 1 { x.width() } else { y.width() }
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

/// The message of this step with a share, and the one with the digest of its second copy.
const SHARE: u8 = 0;
const COPY: u8 = 1;

/// Brings every party the share it lacks: `P_{i-1}` sends `P_i` its first, `own`. In malicious
/// sessions `P_{i+1}`, whose second share, `next`, it is too, sends its digest, and the share is
/// compared with that before anybody uses it.
pub(crate) fn missing_share(
    s: &mut Session,
    step: &Step,
    own: Bytes,
    next: impl FnOnce() -> Bytes,
) -> Result<Buf, ProtocolError> {
    let (seat, n_bytes) = (seated(s), own.len());
    s.send(step, SHARE, seat.next, own)?;
    if s.compares_copies() {
        let digest = s.share_digest(step, (seat.index + 1) % 3, next().bytes());
        s.send_digest(step, COPY, seat.prev, &digest)?;
    }
    let missing = s.recv(step, SHARE, seat.prev, n_bytes)?;
    if s.compares_copies() {
        let digest = s.share_digest(step, (seat.index + 2) % 3, missing.bytes());
        s.same_copy(step, COPY, seat.next, &digest)?;
    }
    Ok(missing)
}

/// The messages of [`missing_share`].
pub(crate) fn count_missing_share(s: &mut Session, n_bytes: usize) {
    let [a, b, c] = s.core.compute;
    let shares = [(a, b, n_bytes), (b, c, n_bytes), (c, a, n_bytes)];
    let copies = [(b, a, DIGEST_BYTES), (c, b, DIGEST_BYTES), (a, c, DIGEST_BYTES)];
    let n_copies = if s.compares_copies() { 3 } else { 0 };
    s.count_messages(&[&shares[..], &copies[..n_copies]].concat());
}

/// Brings one party the shares it lacks: `x_{i+2}` if it computes, all three otherwise; in
/// malicious sessions each with the digest of its second copy, compared before it is returned.
/// `held` are this party's shares, if it computes. The shares come at the recipient alone.
pub(crate) fn send_shares_to(
    s: &mut Session,
    step: &Step,
    recipient: PartyId,
    held: Option<[Bytes; 2]>,
    n_bytes: usize,
) -> Result<Option<Vec<Buf>>, ProtocolError> {
    let compute = s.core.compute;
    let slots: Vec<usize> = match compute.iter().position(|party| *party == recipient) {
        Some(index) => vec![(index + 2) % 3],
        None => vec![0, 1, 2],
    };
    // Share x_j is the first of P_j and the second of P_{j-1}.
    let holders = |slot: usize| (compute[slot], compute[(slot + 2) % 3]);
    let has_copies = s.compares_copies();
    if s.is_count() {
        let of_slot = |slot: &usize| {
            let (first, second) = holders(*slot);
            let copy = (second, recipient, DIGEST_BYTES);
            [(first, recipient, n_bytes)].into_iter().chain(has_copies.then_some(copy))
        };
        s.count_messages(&slots.iter().flat_map(of_slot).collect::<Vec<_>>());
        return Ok(None);
    }
    let me = s.me();
    if let Some([own, next]) = held {
        for slot in &slots {
            let (first, second) = holders(*slot);
            if me == first {
                s.send(step, SHARE, recipient, own.clone())?;
            }
            if has_copies && me == second {
                let digest = s.share_digest(step, *slot, next.bytes());
                s.send_digest(step, COPY, recipient, &digest)?;
            }
        }
    }
    if me != recipient {
        return Ok(None);
    }
    let mut shares = Vec::with_capacity(slots.len());
    for slot in slots {
        let (first, second) = holders(slot);
        let share = s.recv(step, SHARE, first, n_bytes)?;
        if has_copies {
            let digest = s.share_digest(step, slot, share.bytes());
            s.same_copy(step, COPY, second, &digest)?;
        }
        shares.push(share);
    }
    Ok(Some(shares))
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
    let fine = bool::from(rest.ct_eq(theirs_prev.bytes()) & sum.ct_eq(theirs_next.bytes()));
    if guard!(s, ZeroUncompared, fine) {
        return Ok(());
    }
    let error = non_zero(step);
    s.give_up(&error);
    Err(error)
}

pub(crate) fn non_zero(step: &Step) -> ProtocolError {
    ProtocolError::PeerDeviated { step: step.clone(), deviation: Deviation::NonZero, culprit: None }
}

/// Shows planes to the two holders of slot 0, which put them there: an XOR sharing of the
/// value in slot 0 alone. In malicious sessions the third party, which holds both shares that the
/// two lack, sends their digests.
pub(crate) fn reveal_to_slot_0(
    s: &mut Session,
    step: &Step,
    x: &SharedBits,
) -> Result<Parts<Planes>, ProtocolError> {
    let (n_rows, width) = (x.n_rows(), x.width());
    let n_bytes = width * words_per_plane(n_rows) * 8;
    let [zero_holder, third, two_holder] = s.core.compute;
    let has_copies = s.compares_copies();
    let (own, next) = match x.parts() {
        Parts::Two([own, next]) => (own, next),
        Parts::One([value]) => return Ok(Parts::One([value.clone()])),
        Parts::Zero => {
            let shares = [(zero_holder, two_holder, n_bytes), (two_holder, zero_holder, n_bytes)];
            let copies = [(third, two_holder, DIGEST_BYTES), (third, zero_holder, DIGEST_BYTES)];
            s.count_messages(&[&shares[..], &copies[..if has_copies { 2 } else { 0 }]].concat());
            return Ok(Parts::Zero);
        }
    };
    let seat = seated(s);
    // P_0 lacks x_2, which P_2 holds first; P_2 lacks x_1, which P_0 holds second; P_1 has both.
    let (mine, peer, lacking) = match seat.index {
        0 => (next, two_holder, 2),
        2 => (own, zero_holder, 1),
        _ => {
            if has_copies {
                for (slot, share, to) in [(1, own, two_holder), (2, next, zero_holder)] {
                    let digest = s.share_digest(step, slot, share.masked().dense_bytes().bytes());
                    s.send_digest(step, COPY, to, &digest)?;
                }
            }
            return Ok(Parts::Two([Planes::zeroed(n_rows, width), Planes::zeroed(n_rows, width)]));
        }
    };
    s.send(step, SHARE, peer, mine.masked().dense_bytes())?;
    let missing = s.recv(step, SHARE, peer, n_bytes)?;
    if has_copies {
        let digest = s.share_digest(step, lacking, missing.bytes());
        s.same_copy(step, COPY, third, &digest)?;
    }
    let missing = Planes::from_buf(missing, n_rows, width);
    let value = own.zip(next, |a, b| a ^ b).zip(&missing, |a, b| a ^ b);
    let zero = Planes::zeroed(n_rows, width);
    Ok(Parts::Two(if seat.index == 0 { [value, zero] } else { [zero, value] }))
}
