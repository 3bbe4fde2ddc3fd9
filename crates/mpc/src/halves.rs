//! Ring elements as two summands that parties know in clear: short ways to bits.
//!
//! Of `x = x_0 + x_1 + x_2`, `P_0` knows `a = x_0 + x_1`, and `P_1` and `P_2` know `b = x_2`. One
//! message from `P_0` then does what a carry-save layer does, and an AND with a bit of `b` costs
//! two messages instead of three. In semi-honest sessions `P_0` inputs `a`. In malicious ones it
//! sends the carries of the sum, one for each bit, as products that it proves ([`proved`]).

use std::fmt;

mod proved;

use math::{Column, Planes, PlanesMut, Ring, kernel};

use crate::bits::{SharedBits, planes_of};
use crate::error::ProtocolError;
use crate::prss::Use;
use crate::session::{Role, Security, Session};
use crate::share::{Parts, Shared};
use crate::step::{Label, Step};

/// `x = a + b` modulo `2^w`, row by row: planes of `a` at `P_0`, of `b` at the other two.
pub struct Halves {
    n_rows: usize,
    width: usize,
    a: Option<Planes>,
    b: Option<Planes>,
    /// In malicious sessions, all three summands, as they are shared.
    summands: Option<SharedBits>,
}

/// What addition carries along, for digits of one or two bits.
pub struct Carries {
    /// The top bit of `a ⊕ b`.
    pub top: SharedBits,
    /// Whether each digit below the top bit carries where it hands nothing on, the lowest digit
    /// first: any bit where it does.
    pub generate: SharedBits,
    /// Whether each digit but the lowest hands a carry on.
    pub propagate: SharedBits,
}

impl Halves {
    /// The low `width` bits of the halves of `x − minus + plus`; `plus` goes to `b`.
    ///
    /// # Errors
    /// `Shape` if the lengths differ.
    ///
    /// # Panics
    /// If an element has fewer bits.
    pub fn new<R: Ring>(
        s: &Session,
        x: &Shared<R>,
        minus: Option<&Shared<R>>,
        plus: R,
        width: usize,
    ) -> Result<Self, ProtocolError> {
        let n_rows = x.len();
        if let Some(minus) = minus
            && minus.len() != n_rows
        {
            return Err(ProtocolError::Shape { step: s.step().clone(), left: n_rows, right: minus.len() });
        }
        assert!(width <= R::BITS as usize, "an element has {} bits", R::BITS);
        // The sum of some parts, in one pass each way.
        let sum = |at: &[usize], plus: R| {
            let parts =
                |x: &Shared<R>| at.iter().map(|at| x.parts().as_slice()[*at].clone()).collect::<Vec<_>>();
            let (x, minus) = (parts(x), minus.map(parts).unwrap_or_default());
            Column::build(n_rows, |out| kernel::sum_of(out, &lists(&x), &lists(&minus), plus))
        };
        let planes = |column: Column<R>| planes_of(&column, width);
        let is_malicious = s.security() == Security::Malicious;
        let (a, b) = match &s.core.role {
            Role::Rep3 { index, .. } if is_malicious => {
                // `plus` belongs to slot 2.
                let part = |at: usize| {
                    let slot = (index + at) % 3;
                    planes_of(&sum(&[at], if slot == 2 { plus } else { R::ZERO }), width)
                };
                let summands = SharedBits::from_parts(n_rows, width, Parts::Two([part(0), part(1)]));
                return Ok(Halves { n_rows, width, a: None, b: None, summands: Some(summands) });
            }
            Role::Observer | Role::Count(_) if is_malicious => {
                let summands = SharedBits::from_parts(n_rows, width, Parts::Zero);
                return Ok(Halves { n_rows, width, a: None, b: None, summands: Some(summands) });
            }
            Role::Rep3 { index: 0, .. } => (Some(sum(&[0, 1], R::ZERO)), None),
            Role::Rep3 { index, .. } => (None, Some(sum(&[2 - index], plus))),
            Role::Plain => {
                // The oracle makes summands up.
                let [masks, _] = s.test_masks(n_rows);
                let a = Column::from_fn(n_rows, |row| R::from_word(masks[row]));
                let b = sum(&[0], plus).zip(&a, R::minus);
                (Some(a), Some(b))
            }
            Role::Observer | Role::Count(_) => (None, None),
        };
        Ok(Halves { n_rows, width, a: a.map(planes), b: b.map(planes), summands: None })
    }

    /// Both halves as boolean sharings.
    ///
    /// - **Cost:** 1 round; `P_0` sends `w` bits per row to `P_1`; in malicious sessions `w − 1` to
    ///   `P_2`, which it alone proves.
    /// - **Model:** the session's. `b` is there already.
    ///
    /// # Errors
    /// `Link`.
    pub fn share(&self, s: &mut Session, label: impl Into<Label>) -> Result<[SharedBits; 2], ProtocolError> {
        let step = s.begin(label)?;
        if let Some(summands) = &self.summands {
            return proved::share(s, step, summands);
        }
        let (n_rows, width) = (self.n_rows, self.width);
        let zero = || Planes::zeroed(n_rows, width);
        let third = |s: &Session| self.b.clone().filter(|_| s.seat().is_some());
        let a = match self.input(s, &step, self.a.clone(), width)? {
            Input::First(own, next) => Parts::Two([own, next]),
            Input::Second(own) => Parts::Two([own, zero()]),
            Input::Third(next) => Parts::Two([zero(), next]),
            Input::Plain(a) => Parts::One([a]),
            Input::Nothing => Parts::Zero,
        };
        let b = match (s.seat().map(|seat| seat.index), third(s)) {
            (Some(0), _) => Parts::Two([zero(), zero()]),
            (Some(1), Some(b)) => Parts::Two([zero(), b]),
            (Some(_), Some(b)) => Parts::Two([b, zero()]),
            _ => self.b.clone().map_or(Parts::Zero, |b| Parts::One([b])),
        };
        Ok([a, b].map(|parts| SharedBits::from_parts(n_rows, width, parts)))
    }

    /// `a ⊕ b`. Cost and model: as [`Halves::share`]; the planes that are there are its shares.
    ///
    /// # Errors
    /// `Link`.
    pub fn xor(&self, s: &mut Session, label: impl Into<Label>) -> Result<SharedBits, ProtocolError> {
        let step = s.begin(label)?;
        if let Some(summands) = &self.summands {
            return proved::xor(s, step, summands);
        }
        let b = || self.b.clone().expect("known to all but the first party");
        let parts = match self.input(s, &step, self.a.clone(), self.width)? {
            Input::First(own, next) => Parts::Two([own, next]),
            Input::Second(own) => Parts::Two([own, b()]),
            Input::Third(next) => Parts::Two([b(), next]),
            Input::Plain(a) => Parts::One([a.xor(&b())]),
            Input::Nothing => Parts::Zero,
        };
        Ok(SharedBits::from_parts(self.n_rows, self.width, parts))
    }

    /// What the digits of `a + b` carry: the lowest digit has one bit if `w` is even, all others two.
    ///
    /// - **Cost:** 2 rounds. Of `n = w − 1` low bits in `d = ⌈n/2⌉` digits: `P_0` sends
    ///   `w + ⌊n/2⌋` bits per row to `P_1`; `P_1` and `P_2` send `2d − 1` each to `P_0`.
    ///   In malicious sessions the lowest digit has two bits nowhere: of an even `n`, the lowest
    ///   two digits have one each. `P_0` sends `n` bits and one for each digit of two to `P_2`; `P_1`
    ///   and `P_2` send as many as there are digits and digits of two to the left.
    /// - **Model:** the session's. `P_1` sees `a` under a key that it lacks, `P_0` sees products under a
    ///   key that it lacks, and `P_2` sees nothing. Malicious: each sees its left message of ANDs.
    /// - **Source:** what a digit carries is linear in the monomials of `a`'s bits, of which `P_0`
    ///   inputs the products too: for bits `a_1 a_0` and `b_1 b_0`, it generates
    ///   `a_1·b_1 ⊕ a_1a_0·b_0 ⊕ a_0·b_1b_0` and propagates `(a_1 ⊕ b_1)(a_0 ⊕ b_0)`.
    ///
    /// # Errors
    /// `Link`.
    ///
    /// # Panics
    /// If there are fewer than two planes.
    pub fn carries(&self, s: &mut Session, label: impl Into<Label>) -> Result<Carries, ProtocolError> {
        assert!(self.width > 1, "a bit below the top one");
        s.scope(label, |s| match &self.summands {
            Some(summands) => proved::carries(s, summands),
            None => self.carries_here(s),
        })
    }

    fn carries_here(&self, s: &mut Session) -> Result<Carries, ProtocolError> {
        let (n_rows, width) = (self.n_rows, self.width);
        let step = s.begin("monomials")?;
        let (single, pairs) = ((width - 1) % 2, (width - 1) / 2);
        let monomials = self.a.as_ref().map(|a| {
            let [high, low] = digits(a);
            Planes::build(n_rows, width + pairs, |plane, out| match plane.checked_sub(width) {
                None => out.copy_from_slice(a.plane(plane)),
                Some(pair) => {
                    out.copy_from_slice(high.plane(pair));
                    kernel::and_into(out, low.plane(pair));
                }
            })
        });
        let input = self.input(s, &step, monomials, width + pairs)?;
        let n_generate = single + pairs;
        let n_out = 2 * n_generate - 1;
        // Step 2: P_1 and P_2 hold the monomials in two parts, and b, hence the products in two parts.
        let step = s.begin("products")?;
        let b = || self.b.as_ref().expect("known to all but the first party");
        let top = |planes: &Planes| planes.planes(width - 1..width);
        let core = s.core.clone();
        let roots = match &core.role {
            Role::Rep3 { roots, .. } => Some(roots),
            _ => None,
        };
        let [first, second, third] = core.compute;
        let n_bytes = n_out * math::planes::words_per_plane(n_rows) * 8;
        let stream =
            |at: usize, purpose| roots.expect("only compute parties input").0[at].stream(&step, purpose);
        let (top, products) = match input {
            Input::First(own, next) => {
                let from = |s: &mut Session, peer| -> Result<Planes, ProtocolError> {
                    Ok(Planes::from_buf(s.recv(&step, 0, peer, n_bytes)?, n_rows, n_out))
                };
                let (from_third, from_second) = (from(s, third)?, from(s, second)?);
                (Parts::Two([top(&own), top(&next)]), Parts::Two([from_third, from_second]))
            }
            Input::Second(own) => {
                let mut out = PlanesMut::stale(n_rows, n_out);
                stream(1, Use::Mask).fill_planes(n_rows, n_out, out.words_mut());
                add_digits(&mut out, &own, b(), false);
                let out = out.freeze();
                s.send(&step, 0, first, out.dense_bytes())?;
                (
                    Parts::Two([top(&own), top(b())]),
                    Parts::Two([out, stream(1, Use::Share).planes(n_rows, n_out)]),
                )
            }
            Input::Third(next) => {
                let mut out = PlanesMut::stale(n_rows, n_out);
                let own = stream(0, Use::Share).planes(n_rows, n_out);
                stream(0, Use::Mask).fill_planes(n_rows, n_out, out.words_mut());
                kernel::xor_words(out.words_mut(), own.words());
                add_digits(&mut out, &next, b(), true);
                let out = out.freeze();
                s.send(&step, 0, first, out.dense_bytes())?;
                (Parts::Two([top(b()), top(&next)]), Parts::Two([own, out]))
            }
            Input::Plain(monomials) => {
                let mut out = PlanesMut::zeroed(n_rows, n_out);
                add_digits(&mut out, &monomials, b(), true);
                (Parts::One([top(&monomials).xor(&top(b()))]), Parts::One([out.freeze()]))
            }
            Input::Nothing => {
                s.count_messages(&[(second, first, n_bytes), (third, first, n_bytes)]);
                (Parts::Zero, Parts::Zero)
            }
        };
        let products = SharedBits::from_parts(n_rows, n_out, products);
        Ok(Carries {
            top: SharedBits::from_parts(n_rows, 1, top),
            generate: products.planes(0..n_generate),
            propagate: products.planes(n_generate..n_out),
        })
    }

    /// `P_0` inputs planes: masked by its key with `P_2` for `P_1`.
    fn input(
        &self,
        s: &mut Session,
        step: &Step,
        planes: Option<Planes>,
        width: usize,
    ) -> Result<Input, ProtocolError> {
        let n_rows = self.n_rows;
        let n_bytes = width * math::planes::words_per_plane(n_rows) * 8;
        let core = s.core.clone();
        let [first, second, _] = core.compute;
        Ok(match (&core.role, planes) {
            (Role::Rep3 { index: 0, roots }, Some(planes)) => {
                let own = roots.0[0].stream(step, Use::Share).planes(n_rows, width);
                let next = planes.xor(&own);
                s.send(step, 0, second, next.dense_bytes())?;
                Input::First(own, next)
            }
            (Role::Rep3 { index: 1, .. }, _) => {
                Input::Second(Planes::from_buf(s.recv(step, 0, first, n_bytes)?, n_rows, width))
            }
            (Role::Rep3 { roots, .. }, _) => {
                Input::Third(roots.0[1].stream(step, Use::Share).planes(n_rows, width))
            }
            (Role::Plain, Some(planes)) => Input::Plain(planes),
            _ => {
                s.count_messages(&[(first, second, n_bytes)]);
                Input::Nothing
            }
        })
    }
}

fn lists<R: Ring>(columns: &[Column<R>]) -> Vec<&[R]> {
    columns.iter().map(Column::items).collect()
}

/// What each party holds of planes that `P_0` has input.
enum Input {
    First(Planes, Planes),
    Second(Planes),
    Third(Planes),
    Plain(Planes),
    Nothing,
}

/// The high and the low bits of all digits of two bits.
fn digits(bits: &Planes) -> [Planes; 2] {
    let low_bits = bits.width() - 1;
    let (single, pairs) = (low_bits % 2, low_bits / 2);
    [1, 0].map(|at| bits.every((single + at).min(bits.width()), 2).planes(0..pairs))
}

/// Adds one party's part of what the digits carry: from its part of the monomials of `a`, and `b`.
/// One of the two parties also adds what follows from `b` alone.
fn add_digits(out: &mut PlanesMut, monomials: &Planes, b: &Planes, b_alone: bool) {
    let width = b.width();
    let (single, pairs) = ((width - 1) % 2, (width - 1) / 2);
    let [a_high, a_low] = digits(&monomials.planes(0..width));
    let [b_high, b_low] = digits(b);
    if single == 1 {
        kernel::add_and(out.plane_mut(0), monomials.plane(0), b.plane(0));
    }
    for pair in 0..pairs {
        let a = [a_high.plane(pair), a_low.plane(pair), monomials.plane(width + pair)];
        let b = [b_high.plane(pair), b_low.plane(pair)];
        kernel::add_generate(out.plane_mut(single + pair), a, b);
        // The lowest digit of all has nothing to hand on.
        if let Some(at) = (single + pair).checked_sub(1) {
            kernel::add_propagate(out.plane_mut(single + pairs + at), a, b, b_alone);
        }
    }
}

// Halves are secrets.
impl fmt::Debug for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Halves(<{} x {} hidden>)", self.n_rows, self.width)
    }
}
