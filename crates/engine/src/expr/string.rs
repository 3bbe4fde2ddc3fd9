//! Functions of text on shares: bytes in public places, the first one highest, zeros behind the
//! last.
//!
//! Characters beyond ASCII have several bytes; where characters are counted or changed one by
//! one, a row that has one fails.

use std::collections::BTreeSet;

use math::Z64;
use mpc::{Shared, SharedBits};
use plan::secure::{Expr, TextFunc};
use plan::types::{Range, Type};

use super::compare::truth;
use super::{Rows, Scalar, text};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::kernel;
use crate::number::{Number, Ring, width_of};
use crate::relation::{Column, Data, Text};

impl Rows<'_> {
    /// `func(args)`, NULL where one of them is; `Concat` leaves NULLs out.
    pub(super) fn text_function(
        &self,
        cx: &mut Context,
        expr: &Expr,
        func: &TextFunc,
        args: &[Expr],
        guard: &SharedBits,
    ) -> Result<Scalar> {
        if let (TextFunc::Written(writing), [number]) = (func, args) {
            return self.written(cx, expr, *writing, number, guard);
        }
        let mut columns = Vec::with_capacity(args.len());
        for arg in args {
            let value = self.eval(cx, arg, guard)?;
            columns.push(self.secret(cx, Type::Utf8, arg.width_bytes as usize, value)?);
        }
        if let TextFunc::Concat { skip_nulls } = func {
            return self.concat(cx, columns, *skip_nulls);
        }
        let [column] =
            <[Column; 1]>::try_from(columns).map_err(|_| cx.wrong_plan("a function of one text"))?;
        let column = column.zeroed(cx)?;
        let bytes = Bytes::of(cx, column.as_text(cx)?)?;
        let present = column.present.clone();
        if func.counts_characters() {
            let failed = bytes.beyond_ascii(cx)?;
            self.report(cx, FailureKind::OutOfDomain, failed, guard, present.as_ref())?;
        }
        let number = |number: Number, present| {
            let zeroed = true;
            Scalar::secret(Column { ty: expr.ty, data: Data::Number(number), present, zeroed })
        };
        Ok(match func {
            TextFunc::OctetLength => number(bytes.length(cx)?, present),
            TextFunc::Length => number(bytes.characters(cx)?, present),
            TextFunc::Substr { from, to } => {
                bytes.part(cx, *from as usize, *to as usize).into_scalar(present)
            }
            TextFunc::Upper => bytes.with_case(cx, b'a'..=b'z')?.into_scalar(present),
            TextFunc::Lower => bytes.with_case(cx, b'A'..=b'Z')?.into_scalar(present),
            TextFunc::Like(pattern) => {
                let matches = bytes.like(cx, pattern)?;
                truth(cx, matches, present)?
            }
            TextFunc::Right(many) => bytes.last(cx, *many as usize)?.into_scalar(present),
            TextFunc::Reverse => bytes.reversed(cx)?.into_scalar(present),
            TextFunc::Position(part) => {
                let number = bytes.position(cx, part.as_bytes())?;
                // Nothing is found at the first place, beside a NULL too.
                let zeroed = !part.is_empty() || present.is_none();
                Scalar::secret(Column { ty: expr.ty, data: Data::Number(number), present, zeroed })
            }
            TextFunc::Trim { set, start, end } => {
                let signs: BTreeSet<u8> = set.bytes().collect();
                let bytes = if *end { bytes.without_end(cx, &signs)? } else { bytes };
                let bytes = if *start { bytes.without_start(cx, &signs)? } else { bytes };
                bytes.into_scalar(present)
            }
            TextFunc::Replace { from, to } => {
                bytes.replaced(cx, from.as_bytes(), to.as_bytes())?.into_scalar(present)
            }
            TextFunc::Translate { from, to } => {
                bytes.translated(cx, from.as_bytes(), to.as_bytes())?.into_scalar(present)
            }
            TextFunc::Concat { .. } | TextFunc::Written(_) => {
                return Err(cx.wrong_plan("a text beside another"));
            }
        })
    }

    fn concat(&self, cx: &mut Context, columns: Vec<Column>, skip_nulls: bool) -> Result<Scalar> {
        let mut present: Option<SharedBits> = None;
        let mut all: Option<Bytes> = None;
        for column in columns {
            let column = column.zeroed(cx)?;
            if !skip_nulls {
                present = match (present, &column.present) {
                    (Some(x), Some(y)) => Some(kernel::and(cx, &x, y)?),
                    (x, y) => x.or(y.clone()),
                };
            }
            let bytes = Bytes::of(cx, column.as_text(cx)?)?;
            all = Some(match all {
                None => bytes,
                Some(first) => first.followed_by(cx, &bytes)?,
            });
        }
        let all = all.ok_or_else(|| cx.wrong_plan("a text of nothing"))?;
        let column = all.into_column(present);
        // What stands beside a NULL is part of a text.
        Ok(Scalar::secret(Column { zeroed: column.present.is_none(), ..column }))
    }
}

/// Text as planes, 8 for each byte.
pub(super) struct Bytes {
    pub(super) width: usize,
    pub(super) bits: SharedBits,
}

impl Bytes {
    pub(super) fn of(cx: &Context, text: &Text) -> Result<Bytes> {
        let bits = text.bytes.clone().ok_or_else(|| cx.wrong_plan("a text whose bytes are not there"))?;
        Ok(Bytes { width: text.width_bytes, bits })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.bits.n_rows()
    }

    pub(super) fn into_column(self, present: Option<SharedBits>) -> Column {
        let text = Text { width_bytes: self.width, key: None, bytes: Some(self.bits) };
        Column { ty: Type::Utf8, data: Data::Text(text), present, zeroed: true }
    }

    pub(super) fn into_scalar(self, present: Option<SharedBits>) -> Scalar {
        Scalar::secret(self.into_column(present))
    }

    pub(super) fn byte(&self, at: usize) -> SharedBits {
        let end = 8 * (self.width - at);
        self.bits.planes(end - 8..end)
    }

    pub(super) fn bytes(&self) -> impl Iterator<Item = SharedBits> + '_ {
        (0..self.width).map(|at| self.byte(at))
    }

    pub(super) fn none(&self, cx: &Context) -> SharedBits {
        SharedBits::constant(cx.session(), self.n_rows(), 1, 0)
    }

    /// Where a byte is beyond ASCII.
    fn beyond_ascii(&self, cx: &mut Context) -> Result<SharedBits> {
        let tops: Vec<SharedBits> = self.bytes().map(|byte| byte.plane(7)).collect();
        if tops.is_empty() { Ok(self.none(cx)) } else { kernel::or_all(cx, tops) }
    }

    /// For each place, whether a byte is there: ones, then zeros.
    pub(super) fn there(&self, cx: &mut Context) -> Result<Vec<SharedBits>> {
        let inverted = self.bytes().map(|byte| byte.not(cx.session())).collect();
        let absent = kernel::all_set(cx, inverted)?;
        Ok(absent.into_iter().map(|plane| plane.not(cx.session())).collect())
    }

    /// How many bytes: each place that has one changes the number of those before it by one.
    fn length_bits(&self, cx: &mut Context) -> Result<SharedBits> {
        let width = width_of(Range { low: 0, high: self.width as i128 });
        let mut planes = vec![self.none(cx); width];
        for (at, there) in self.there(cx)?.iter().enumerate() {
            let changes = at ^ (at + 1);
            for (plane, out) in planes.iter_mut().enumerate().filter(|(plane, _)| changes >> plane & 1 == 1) {
                let _ = plane;
                *out = out.xor(there);
            }
        }
        Ok(SharedBits::stack(&planes.iter().collect::<Vec<_>>()))
    }

    fn length(&self, cx: &mut Context) -> Result<Number> {
        let bits = self.length_bits(cx)?;
        Ok(Number::from_bits(Range { low: 0, high: self.width as i128 }, bits))
    }

    /// How many characters: bytes that do not go on with one.
    fn characters(&self, cx: &mut Context) -> Result<Number> {
        let range = Range { low: 0, high: self.width as i128 };
        if self.width == 0 {
            return Ok(Number::constant(cx, self.n_rows(), 0).with_range(cx, range));
        }
        let there = self.there(cx)?;
        let second: Vec<(SharedBits, SharedBits)> =
            self.bytes().map(|byte| (byte.plane(7), byte.plane(6).not(cx.session()))).collect();
        let goes_on = kernel::and_many(cx, &second.iter().map(|(x, y)| (x, y)).collect::<Vec<_>>())?;
        // What goes on is there.
        let starts: Vec<SharedBits> = there.iter().zip(&goes_on).map(|(there, on)| there.xor(on)).collect();
        let rows = SharedBits::concat(&starts.iter().collect::<Vec<_>>());
        let ones: Shared<Z64> = kernel::bit_to_ring(cx, &rows)?;
        let n = self.n_rows();
        let parts = (0..self.width).map(|at| ones.rows(at * n..(at + 1) * n));
        let sum = parts.reduce(|sum, part| sum.add(&part)).ok_or_else(|| cx.wrong_plan("no bytes"))?;
        Ok(Number::from_ring(range, Ring::Z64(sum)))
    }

    /// The bytes from one place to before another.
    pub(super) fn part(&self, cx: &Context, from: usize, to: usize) -> Bytes {
        let (from, to) = (from.min(self.width), to.min(self.width));
        if from >= to {
            return Bytes { width: 0, bits: self.none(cx) };
        }
        let bits = self.bits.planes(8 * (self.width - to)..8 * (self.width - from));
        Bytes { width: to - from, bits }
    }

    /// The other case for the letters of one.
    fn with_case(&self, cx: &mut Context, letters: std::ops::RangeInclusive<u8>) -> Result<Bytes> {
        if self.width == 0 {
            return Ok(Bytes { width: 0, bits: self.bits.clone() });
        }
        let all: Vec<SharedBits> = self.bytes().collect();
        let rows = SharedBits::concat(&all.iter().collect::<Vec<_>>());
        let below = kernel::less_public(cx, &rows, (*letters.start()).into(), false)?;
        let within = kernel::less_public(cx, &rows, i128::from(*letters.end()) + 1, false)?;
        // What is below the first is below the last.
        let is_letter = below.xor(&within);
        let n = self.n_rows();
        let changed = all.iter().enumerate().rev().map(|(at, byte)| {
            let is_letter = is_letter.copy_rows(at * n..(at + 1) * n);
            let case = byte.plane(5).xor(&is_letter);
            SharedBits::stack(&[&byte.planes(0..5), &case, &byte.planes(6..8)])
        });
        let changed: Vec<SharedBits> = changed.collect();
        Ok(Bytes { width: self.width, bits: SharedBits::stack(&changed.iter().collect::<Vec<_>>()) })
    }

    /// The other text right behind the last byte: moved by each bit of the length.
    pub(super) fn followed_by(&self, cx: &mut Context, other: &Bytes) -> Result<Bytes> {
        let width = self.width + other.width;
        if self.width == 0 || other.width == 0 {
            let one = if self.width == 0 { other } else { self };
            return Ok(Bytes { width: one.width, bits: one.bits.clone() });
        }
        let length = self.length_bits(cx)?;
        let first = text::widen(cx, &self.bits, self.width, width);
        let mut moved = text::widen(cx, &other.bits, other.width, width);
        for bit in 0..length.width() {
            let by = 8 << bit;
            if by >= 8 * width {
                continue;
            }
            let zeros = SharedBits::constant(cx.session(), self.n_rows(), by, 0);
            let further = SharedBits::stack(&[&moved.planes(by..8 * width), &zeros]);
            moved = kernel::select(cx, &length.plane(bit), &further, &moved)?;
        }
        Ok(Bytes { width, bits: first.xor(&moved) })
    }

    /// Whether the text is like a pattern of bytes, `_` for one character and `%` for any.
    ///
    /// Where the parts between `%` can end, from left to right: a part fits behind any end of the
    /// one before it.
    fn like(&self, cx: &mut Context, pattern: &str) -> Result<SharedBits> {
        let parts: Vec<&[u8]> = pattern.as_bytes().split(|byte| *byte == b'%').collect();
        let fits = self.fits(cx, &parts, Some(b'_'))?;
        let never = self.none(cx);
        // ends[i]: the parts so far can end before place i.
        let mut ends = vec![never.clone(); self.width + 1];
        let last = parts.len() - 1;
        for (index, part) in parts.iter().enumerate() {
            let mut next = vec![never.clone(); self.width + 1];
            if index == 0 {
                if part.len() <= self.width {
                    next[part.len()] = fits[0][0].clone();
                }
            } else {
                let reached = running_or(cx, ends)?;
                let places = 0..(self.width + 1).saturating_sub(part.len());
                let pairs: Vec<_> = places.clone().map(|at| (&reached[at], &fits[index][at])).collect();
                let found = kernel::and_many(cx, &pairs)?;
                for (at, found) in places.zip(found) {
                    next[at + part.len()] = found;
                }
            }
            ends = next;
        }
        // After a last `%` anything may follow, else nothing.
        if last > 0 && parts[last].is_empty() {
            return kernel::or_all(cx, ends);
        }
        let mut over: Vec<SharedBits> =
            self.there(cx)?.into_iter().map(|there| there.not(cx.session())).collect();
        over.push(SharedBits::constant(cx.session(), self.n_rows(), 1, 1));
        let pairs: Vec<_> = ends.iter().zip(&over).collect();
        let ended = kernel::and_many(cx, &pairs)?;
        kernel::or_all(cx, ended)
    }

    /// For each part and place, whether the part stands there; `any` stands for every byte.
    pub(super) fn fits(
        &self,
        cx: &mut Context,
        parts: &[&[u8]],
        any: Option<u8>,
    ) -> Result<Vec<Vec<SharedBits>>> {
        let mut signs: Vec<u8> = parts.concat();
        signs.sort_unstable();
        signs.dedup();
        let there = self.there(cx)?;
        // For each different byte of the pattern, where it stands.
        let mut columns = Vec::new();
        for sign in signs.iter().filter(|sign| Some(**sign) != any) {
            columns.extend(self.bytes().map(|byte| byte.xor_constant(cx.session(), u128::from(!sign))));
        }
        let mut equal = kernel::all_set(cx, columns)?.into_iter();
        let places: Vec<(u8, Vec<SharedBits>)> = signs
            .iter()
            .map(|sign| match any {
                Some(any) if any == *sign => (*sign, there.clone()),
                _ => (*sign, equal.by_ref().take(self.width).collect()),
            })
            .collect();
        let stands = |sign: u8, at: usize| {
            let found = places.iter().find(|(known, _)| *known == sign);
            found.map(|(_, places)| places[at].clone())
        };
        let always = SharedBits::constant(cx.session(), self.n_rows(), 1, 1);
        let mut all = Vec::new();
        for part in parts {
            for at in 0..(self.width + 1).saturating_sub(part.len()) {
                let signs: Vec<SharedBits> =
                    part.iter().enumerate().filter_map(|(next, sign)| stands(*sign, at + next)).collect();
                all.push(match signs.is_empty() {
                    true => always.clone(),
                    false => SharedBits::stack(&signs.iter().collect::<Vec<_>>()),
                });
            }
        }
        let mut fits = kernel::all_set(cx, all)?.into_iter();
        Ok(parts
            .iter()
            .map(|part| fits.by_ref().take((self.width + 1).saturating_sub(part.len())).collect())
            .collect())
    }
}

/// The OR of each plane and all before it.
pub(super) fn running_or(cx: &mut Context, mut planes: Vec<SharedBits>) -> Result<Vec<SharedBits>> {
    let mut by = 1;
    while by < planes.len() {
        let inverted: Vec<SharedBits> = planes.iter().map(|plane| plane.not(cx.session())).collect();
        let pairs: Vec<_> = (by..planes.len()).map(|at| (&inverted[at], &inverted[at - by])).collect();
        let neither = kernel::and_many(cx, &pairs)?;
        for (at, neither) in (by..planes.len()).zip(neither) {
            planes[at] = neither.not(cx.session());
        }
        by *= 2;
    }
    Ok(planes)
}
