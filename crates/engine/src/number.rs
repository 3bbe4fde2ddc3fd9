//! A secret column of integers, in whichever forms it has been needed.

use std::sync::{Arc, OnceLock};

use math::{Ring as _, Z64, Z128};
use mpc::{Shared, SharedBits};
use oblivious::Cells;
use plan::types::Range;

use crate::context::{Context, Result};
use crate::kernel;

/// Arithmetic shares, in the narrowest ring that holds every value.
#[derive(Clone, Debug)]
pub(crate) enum Ring {
    /// Modulo 2^64.
    Z64(Shared<Z64>),
    /// Modulo 2^128.
    Z128(Shared<Z128>),
}

/// Which ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RingKind {
    Z64,
    Z128,
}

impl RingKind {
    /// The narrowest ring for signed numbers of a range.
    pub(crate) fn of(range: Range) -> RingKind {
        if i64::try_from(range.low).is_ok() && i64::try_from(range.high).is_ok() {
            RingKind::Z64
        } else {
            RingKind::Z128
        }
    }
}

/// `$body` with `$x` bound to the column of either ring, back in a `Ring`.
macro_rules! each_ring {
    ($ring:expr, $x:ident => $body:expr) => {
        match $ring {
            Ring::Z64($x) => Ring::Z64($body),
            Ring::Z128($x) => Ring::Z128($body),
        }
    };
}

impl Ring {
    pub(crate) fn kind(&self) -> RingKind {
        match self {
            Ring::Z64(_) => RingKind::Z64,
            Ring::Z128(_) => RingKind::Z128,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Ring::Z64(x) => x.len(),
            Ring::Z128(x) => x.len(),
        }
    }

    pub(crate) fn constant(cx: &Context, n_rows: usize, kind: RingKind, value: i128) -> Ring {
        let s = cx.session();
        match kind {
            RingKind::Z64 => Ring::Z64(Shared::constant(s, n_rows, Z64::from_signed(value))),
            RingKind::Z128 => Ring::Z128(Shared::constant(s, n_rows, Z128::from_signed(value))),
        }
    }

    pub(crate) fn scale(&self, factor: i128) -> Ring {
        match self {
            Ring::Z64(x) => Ring::Z64(x.scale(Z64::from_signed(factor))),
            Ring::Z128(x) => Ring::Z128(x.scale(Z128::from_signed(factor))),
        }
    }

    /// The sum with a column of the same ring.
    pub(crate) fn add(&self, other: &Ring) -> Ring {
        match (self, other) {
            (Ring::Z64(x), Ring::Z64(y)) => Ring::Z64(x.add(y)),
            (Ring::Z128(x), Ring::Z128(y)) => Ring::Z128(x.add(y)),
            _ => unreachable!("the caller brings both to one ring"),
        }
    }

    /// The sum of all rows: one row.
    pub(crate) fn total(&self) -> Cells {
        match self {
            Ring::Z64(x) => x.total().into(),
            Ring::Z128(x) => x.total().into(),
        }
    }

    pub(crate) fn rows(&self, rows: std::ops::Range<usize>) -> Ring {
        each_ring!(self, x => x.rows(rows))
    }

    /// The elements at public positions.
    pub(crate) fn gather(&self, index: &[u32]) -> Ring {
        each_ring!(self, x => x.gather(index))
    }

    pub(crate) fn concat(list: &[&Ring]) -> Ring {
        match list[0] {
            Ring::Z64(_) => {
                let list: Vec<_> = list
                    .iter()
                    .map(|ring| match ring {
                        Ring::Z64(x) => x,
                        Ring::Z128(_) => unreachable!("the caller brings all to one ring"),
                    })
                    .collect();
                Ring::Z64(Shared::concat(&list))
            }
            Ring::Z128(_) => {
                let list: Vec<_> = list
                    .iter()
                    .map(|ring| match ring {
                        Ring::Z128(x) => x,
                        Ring::Z64(_) => unreachable!("the caller brings all to one ring"),
                    })
                    .collect();
                Ring::Z128(Shared::concat(&list))
            }
        }
    }
}

/// Planes of a number between `range.low` and `range.high`: two's complement
/// if it can be negative, else unsigned. One at least.
pub(crate) fn width_of(range: Range) -> usize {
    range.width_bits().max(1) as usize
}

/// A column of integers whose valid rows lie in a public range.
///
/// At least one form is there; others are made from it when needed, once for
/// all clones of the column.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    n_rows: usize,
    range: Range,
    forms: Arc<Forms>,
}

#[derive(Debug, Default)]
struct Forms {
    bits: OnceLock<SharedBits>,
    z64: OnceLock<Shared<Z64>>,
    z128: OnceLock<Shared<Z128>>,
}

impl Number {
    /// From planes of the range's width.
    pub(crate) fn from_bits(range: Range, bits: SharedBits) -> Number {
        debug_assert_eq!(bits.width(), width_of(range), "planes of the range's width");
        let forms = Forms::default();
        let n_rows = bits.n_rows();
        let _ = forms.bits.set(bits);
        Number { n_rows, range, forms: Arc::new(forms) }
    }

    /// From arithmetic shares in a ring that holds the range.
    pub(crate) fn from_ring(range: Range, ring: Ring) -> Number {
        let forms = Forms::default();
        let n_rows = ring.len();
        match ring {
            Ring::Z64(x) => drop(forms.z64.set(x)),
            Ring::Z128(x) => drop(forms.z128.set(x)),
        }
        Number { n_rows, range, forms: Arc::new(forms) }
    }

    /// A public number in every row.
    pub(crate) fn constant(cx: &Context, n_rows: usize, value: i128) -> Number {
        let range = Range::point(value);
        let s = cx.session();
        let number =
            Number::from_bits(range, SharedBits::constant(s, n_rows, width_of(range), value as u128));
        match Ring::constant(cx, n_rows, RingKind::of(range), value) {
            Ring::Z64(x) => drop(number.forms.z64.set(x)),
            Ring::Z128(x) => drop(number.forms.z128.set(x)),
        }
        number
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Between which numbers valid rows lie.
    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// Whether planes exist already.
    pub(crate) fn has_bits(&self) -> bool {
        self.forms.bits.get().is_some()
    }

    /// The arithmetic form that exists already, if any.
    pub(crate) fn known_ring(&self) -> Option<Ring> {
        let z64 = self.forms.z64.get().map(|x| Ring::Z64(x.clone()));
        z64.or_else(|| self.forms.z128.get().map(|x| Ring::Z128(x.clone())))
    }

    /// Its planes, [`width_of`] its range.
    pub(crate) fn bits(&self, cx: &mut Context) -> Result<SharedBits> {
        if let Some(bits) = self.forms.bits.get() {
            return Ok(bits.clone());
        }
        let width = width_of(self.range);
        let bits = match self.known_ring() {
            Some(ring) => kernel::ring_to_bits(cx, &ring, width)?,
            None => unreachable!("a number has a form"),
        };
        let _ = self.forms.bits.set(bits.clone());
        Ok(bits)
    }

    /// Its planes as those of a wider range.
    pub(crate) fn bits_as(&self, cx: &mut Context, range: Range) -> Result<SharedBits> {
        let bits = self.bits(cx)?;
        Ok(extend(cx, &bits, self.range, range))
    }

    /// Its arithmetic shares in a ring that holds its range.
    pub(crate) fn ring(&self, cx: &mut Context, kind: RingKind) -> Result<Ring> {
        match kind {
            RingKind::Z64 => {
                if let Some(x) = self.forms.z64.get() {
                    return Ok(Ring::Z64(x.clone()));
                }
                if let Some(x) = self.forms.z128.get() {
                    return Ok(Ring::Z64(x.narrow()));
                }
                let bits = self.bits(cx)?;
                let x = kernel::bits_to_ring(cx, &bits, self.range.low < 0)?;
                let _ = self.forms.z64.set(Shared::clone(&x));
                Ok(Ring::Z64(x))
            }
            RingKind::Z128 => {
                if let Some(x) = self.forms.z128.get() {
                    return Ok(Ring::Z128(x.clone()));
                }
                let bits = self.bits(cx)?;
                let x = kernel::bits_to_ring(cx, &bits, self.range.low < 0)?;
                let _ = self.forms.z128.set(Shared::clone(&x));
                Ok(Ring::Z128(x))
            }
        }
    }

    /// The forms that exist, planes first.
    pub(crate) fn forms(&self) -> (Option<SharedBits>, Vec<Ring>) {
        let z64 = self.forms.z64.get().map(|x| Ring::Z64(x.clone()));
        let z128 = self.forms.z128.get().map(|x| Ring::Z128(x.clone()));
        (self.forms.bits.get().cloned(), z64.into_iter().chain(z128).collect())
    }

    /// A number of this range with the given forms, at least one.
    pub(crate) fn from_forms(
        n_rows: usize,
        range: Range,
        bits: Option<SharedBits>,
        rings: Vec<Ring>,
    ) -> Number {
        let forms = Forms::default();
        if let Some(bits) = bits {
            let _ = forms.bits.set(bits);
        }
        for ring in rings {
            match ring {
                Ring::Z64(x) => drop(forms.z64.set(x)),
                Ring::Z128(x) => drop(forms.z128.set(x)),
            }
        }
        Number { n_rows, range, forms: Arc::new(forms) }
    }

    /// The same number in the form that is wanted, if it exists; else as it is.
    pub(crate) fn keeping(&self, bits: bool, rings: bool) -> Number {
        let (has_bits, has_rings) = self.forms();
        match (bits && has_bits.is_some(), rings && !has_rings.is_empty()) {
            (true, true) | (false, false) => self.clone(),
            (true, false) => Number::from_forms(self.n_rows, self.range, has_bits, Vec::new()),
            (false, true) => Number::from_forms(self.n_rows, self.range, None, has_rings),
        }
    }

    /// Its arithmetic shares in the ring of a range that holds its own.
    pub(crate) fn ring_for(&self, cx: &mut Context, range: Range) -> Result<Ring> {
        self.ring(cx, RingKind::of(range))
    }

    /// The same numbers under another range: a wider one, or one that its
    /// valid rows have been tested for.
    pub(crate) fn with_range(&self, cx: &Context, range: Range) -> Number {
        if range == self.range {
            return self.clone();
        }
        let forms = Forms::default();
        if let Some(bits) = self.forms.bits.get() {
            let bits = extend(cx, bits, self.range, range);
            let _ = forms.bits.set(bits);
        }
        // A number that lay in 64 bits still does, whatever the range says now.
        if let Some(x) = self.forms.z64.get() {
            let _ = forms.z64.set(x.clone());
        } else if let (Some(x), RingKind::Z64) = (self.forms.z128.get(), RingKind::of(range)) {
            let _ = forms.z64.set(x.narrow());
        }
        if let Some(x) = self.forms.z128.get() {
            let _ = forms.z128.set(x.clone());
        }
        Number { n_rows: self.n_rows, range, forms: Arc::new(forms) }
    }
}

/// Planes of a number in `from` as planes of the same number in `to`. Where
/// `to` is narrower, numbers outside it lose their high bits.
pub(crate) fn extend(cx: &Context, bits: &SharedBits, from: Range, to: Range) -> SharedBits {
    let width = width_of(to);
    if from.low < 0 { bits.sign_extended(width) } else { bits.resized(cx.session(), width) }
}
