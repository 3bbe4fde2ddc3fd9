//! How an owner's data becomes shares.

use std::marker::PhantomData;

use buf::Buf;
use math::{Column, Group, Planes};
use net::PartyId;
use zeroize::Zeroizing;

use crate::bits::SharedBits;
use crate::check::copies::DIGEST_BYTES;
use crate::error::ProtocolError;
use crate::prss::{Root, Stream, Use};
use crate::session::{Role, Session, guard};
use crate::share::{Parts, Shared};
use crate::step::{Label, Step};

/// Shares a column that one party owns.
///
/// - **Shape:** `n` elements, given at the owner alone.
/// - **Cost:** 1 round. An owner that computes sends the column once; one that does not
///   sends it twice, and 128 bytes of seeds. In malicious sessions the compute parties then
///   compare what such an owner sent: 1 round, 64 bytes each.
/// - **Model:** whatever an owner that computes sends is a well-formed sharing of something; so
///   is what another owner sends, as long as it sends both copies alike, which malicious
///   sessions check before anything is computed with them.
///
/// # Errors
/// `Unsupported` at an owner without values; `Shape` if they are not `n`; `InputRefused` if an
/// owner's copies differ, or a holder says so; `Link`.
pub fn input<G: Group>(
    s: &mut Session,
    label: impl Into<Label>,
    owner: PartyId,
    n: usize,
    values: Option<&Column<G>>,
) -> Result<Shared<G>, ProtocolError> {
    let step = s.begin(label)?;
    if let Some(values) = values
        && values.len() != n
    {
        return Err(ProtocolError::Shape { step, left: n, right: values.len() });
    }
    let parts = deal(s, &step, owner, n * G::BYTES, values, Additive { n, element: PhantomData })?;
    Ok(Shared::from_parts(n, parts))
}

/// [`input`] for boolean columns of `width` planes.
///
/// # Errors
/// As [`input`].
pub fn input_bits(
    s: &mut Session,
    label: impl Into<Label>,
    owner: PartyId,
    [n_rows, width]: [usize; 2],
    values: Option<&Planes>,
) -> Result<SharedBits, ProtocolError> {
    let step = s.begin(label)?;
    if let Some(values) = values
        && (values.n_rows(), values.width()) != (n_rows, width)
    {
        return Err(ProtocolError::Shape {
            step,
            left: n_rows * width,
            right: values.n_rows() * values.width(),
        });
    }
    let n_bytes = width * math::planes::words_per_plane(n_rows) * 8;
    let parts = deal(s, &step, owner, n_bytes, values, Boolean { n_rows, width })?;
    Ok(SharedBits::from_parts(n_rows, width, parts))
}

/// What dealing needs to know of a kind of column.
trait Kind {
    type Column: Clone;
    fn draw(&self, stream: &Stream) -> Self::Column;
    fn less(&self, a: &Self::Column, b: &Self::Column) -> Self::Column;
    fn zero(&self) -> Self::Column;
    fn bytes(&self, column: &Self::Column) -> buf::Bytes;
    fn parse(&self, buf: Buf) -> Self::Column;
    /// The bytes of the rows alone.
    fn shown(&self, column: &Self::Column) -> buf::Bytes;
}

struct Additive<G> {
    n: usize,
    element: PhantomData<G>,
}

struct Boolean {
    n_rows: usize,
    width: usize,
}

fn deal<K: Kind>(
    s: &mut Session,
    step: &Step,
    owner: PartyId,
    n_bytes: usize,
    values: Option<&K::Column>,
    kind: K,
) -> Result<Parts<K::Column>, ProtocolError> {
    let compute = s.core.compute;
    let seat_of_owner = compute.iter().position(|party| *party == owner);
    let core = s.core.clone();
    let missing = || ProtocolError::Unsupported {
        step: step.clone(),
        reason: "the owner of an input has no values for it",
    };
    match (&core.role, seat_of_owner) {
        (Role::Plain, _) => Ok(Parts::One([values.ok_or_else(missing)?.clone()])),
        (Role::Count(_), Some(index)) => {
            s.count_messages(&[(owner, compute[(index + 1) % 3], n_bytes)]);
            Ok(Parts::Zero)
        }
        (Role::Count(_), None) => {
            let [a, b, c] = compute;
            s.count_messages(&[(owner, a, 64), (owner, b, 32 + n_bytes), (owner, c, 32 + n_bytes)]);
            if s.compares_copies() {
                s.count_both_ways(DIGEST_BYTES);
            }
            Ok(Parts::Zero)
        }
        // x_i is drawn from K_i, which P_{i-1} holds too; x_{i+1} makes up the value; x_{i+2} is zero.
        (Role::Rep3 { index, roots }, Some(seat)) => match (index + 3 - seat) % 3 {
            0 => {
                let own = kind.draw(&roots.0[0].stream(step, Use::Share));
                let next = kind.less(values.ok_or_else(missing)?, &own);
                s.send(step, 0, compute[(seat + 1) % 3], kind.bytes(&next))?;
                Ok(Parts::Two([own, next]))
            }
            1 => Ok(Parts::Two([kind.parse(s.recv(step, 0, owner, n_bytes)?), kind.zero()])),
            _ => Ok(Parts::Two([kind.zero(), kind.draw(&roots.0[1].stream(step, Use::Share))])),
        },
        (Role::Observer, None) if core.me == owner => {
            let seeds = [fresh_seed(step)?, fresh_seed(step)?];
            let [zero, one] =
                seeds.each_ref().map(|seed| kind.draw(&Root::new(seed).stream(step, Use::Share)));
            let rest = kind.bytes(&kind.less(&kind.less(values.ok_or_else(missing)?, &zero), &one));
            let [a, b, c] = compute;
            s.send(step, 0, a, Buf::copy_of(&[*seeds[0], *seeds[1]]).freeze())?;
            s.send(step, 0, b, Buf::copy_of(&*seeds[1]).freeze())?;
            s.send(step, 1, b, rest.clone())?;
            s.send(step, 0, c, Buf::copy_of(&*seeds[0]).freeze())?;
            s.send(step, 1, c, rest)?;
            Ok(Parts::Zero)
        }
        (Role::Observer, _) => Ok(Parts::Zero),
        (Role::Rep3 { index, .. }, None) => {
            let seeds = s.recv(step, 0, owner, if *index == 0 { 64 } else { 32 })?;
            let mut drawn = seeds.bytes().chunks(32).map(|seed| {
                let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).expect("chunks of 32 bytes"));
                kind.draw(&Root::new(&seed).stream(step, Use::Share))
            });
            let first = drawn.next().expect("one seed at least");
            let parts = match index {
                0 => [first, drawn.next().expect("two seeds at the first party")],
                1 => [first, kind.parse(s.recv(step, 1, owner, n_bytes)?)],
                _ => [kind.parse(s.recv(step, 1, owner, n_bytes)?), first],
            };
            if s.compares_copies() {
                compare(s, step, owner, parts.each_ref().map(|part| kind.shown(part)))?;
            }
            Ok(Parts::Two(parts))
        }
    }
}

/// Both holders of each share of an outside owner's input compare what they hold, before anything
/// is computed with it: a proof about shares that differ would tell one holder about the other's.
fn compare(s: &mut Session, step: &Step, owner: PartyId, held: [buf::Bytes; 2]) -> Result<(), ProtocolError> {
    const FIRST: u8 = 2;
    const SECOND: u8 = 3;
    let seat = s.seat().expect("only compute parties hold shares");
    let [own, next] = [0, 1].map(|at| s.share_digest(step, (seat.index + at) % 3, held[at].bytes()));
    s.send_digest(step, FIRST, seat.prev, &own)?;
    s.send_digest(step, SECOND, seat.next, &next)?;
    let agrees_prev = s.digest_agrees(step, SECOND, seat.prev, &own)?;
    let agrees_next = s.digest_agrees(step, FIRST, seat.next, &next)?;
    if guard!(s, InputUncompared, agrees_prev && agrees_next) {
        return Ok(());
    }
    let error = ProtocolError::InputRefused { step: step.clone(), owner };
    s.give_up(&error);
    Err(error)
}

fn fresh_seed(step: &Step) -> Result<Zeroizing<[u8; 32]>, ProtocolError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| ProtocolError::Unsupported {
        step: step.clone(),
        reason: "the operating system gave no randomness",
    })?;
    Ok(seed)
}

impl<G: Group> Kind for Additive<G> {
    type Column = Column<G>;
    fn draw(&self, stream: &Stream) -> Column<G> {
        stream.column(self.n)
    }
    fn less(&self, a: &Column<G>, b: &Column<G>) -> Column<G> {
        a.zip(b, G::minus)
    }
    fn zero(&self) -> Column<G> {
        Column::filled(self.n, G::ZERO)
    }
    fn bytes(&self, column: &Column<G>) -> buf::Bytes {
        column.bytes().clone()
    }
    fn parse(&self, buf: Buf) -> Column<G> {
        buf.into()
    }
    fn shown(&self, column: &Column<G>) -> buf::Bytes {
        column.bytes().clone()
    }
}

impl Kind for Boolean {
    type Column = Planes;
    fn draw(&self, stream: &Stream) -> Planes {
        stream.planes(self.n_rows, self.width)
    }
    fn less(&self, a: &Planes, b: &Planes) -> Planes {
        a.zip(b, |a, b| a ^ b)
    }
    fn zero(&self) -> Planes {
        Planes::zeroed(self.n_rows, self.width)
    }
    fn bytes(&self, column: &Planes) -> buf::Bytes {
        column.dense_bytes()
    }
    fn parse(&self, buf: Buf) -> Planes {
        Planes::from_buf(buf, self.n_rows, self.width)
    }
    fn shown(&self, column: &Planes) -> buf::Bytes {
        column.masked().dense_bytes()
    }
}
