//! Functions that move or change the bytes of a text.

use std::collections::BTreeSet;

use mpc::SharedBits;
use plan::types::Range;

use super::string::{Bytes, running_or};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, width_of};

impl Bytes {
    /// The text without as many bytes at its beginning as `gone` has ones, which come first.
    pub(super) fn without_first(self, cx: &mut Context, gone: &[SharedBits]) -> Result<Bytes> {
        let n_rows = self.n_rows();
        let mut bits = self.bits;
        for (plane, bit) in counted(cx, n_rows, gone, |count| count as u128).iter().enumerate() {
            let by = 8 << plane;
            if by > bits.width() {
                continue;
            }
            let zeros = SharedBits::constant(cx.session(), n_rows, by, 0);
            let moved = match bits.width() - by {
                0 => zeros,
                kept => SharedBits::stack(&[&zeros, &bits.planes(0..kept)]),
            };
            bits = kernel::select(cx, bit, &moved, &bits)?;
        }
        Ok(Bytes { width: self.width, bits })
    }

    /// The last `many` characters of one byte.
    pub(super) fn last(self, cx: &mut Context, many: usize) -> Result<Bytes> {
        // One goes for each that stands further than so many from the beginning.
        let gone = self.there(cx)?.split_off(many.min(self.width));
        let moved = self.without_first(cx, &gone)?;
        Ok(moved.part(cx, 0, many))
    }

    /// The bytes from the last to the first.
    pub(super) fn reversed(self, cx: &mut Context) -> Result<Bytes> {
        if self.width == 0 {
            return Ok(self);
        }
        let mut absent: Vec<SharedBits> =
            self.there(cx)?.into_iter().map(|there| there.not(cx.session())).collect();
        absent.reverse();
        let turned: Vec<SharedBits> = self.bytes().collect();
        let bits = SharedBits::stack(&turned.iter().collect::<Vec<_>>());
        Bytes { width: self.width, bits }.without_first(cx, &absent)
    }

    /// The place of the first that is like `part`, from 1; 0 if there is none.
    pub(super) fn position(&self, cx: &mut Context, part: &[u8]) -> Result<Number> {
        let range = Range { low: 0, high: (self.width as i128).max(1) };
        if part.is_empty() {
            return Ok(Number::constant(cx, self.n_rows(), 1).with_range(cx, range));
        }
        let found = self.fits(cx, &[part], None)?.remove(0);
        let found = running_or(cx, found)?;
        // Ones as long as it has not been found.
        let sought: Vec<SharedBits> = found.iter().map(|found| found.not(cx.session())).collect();
        let place = |count: usize| if count == sought.len() { 0 } else { count as u128 + 1 };
        let mut planes = counted(cx, self.n_rows(), &sought, place);
        planes.resize(width_of(range), self.none(cx));
        Ok(Number::from_bits(range, SharedBits::stack(&planes.iter().collect::<Vec<_>>())))
    }

    /// For each byte, whether it is one of the signs.
    fn among(&self, cx: &mut Context, signs: &BTreeSet<u8>) -> Result<Vec<SharedBits>> {
        let mut all = vec![self.none(cx); self.width];
        for of_sign in self.equal_to(cx, &signs.iter().copied().collect::<Vec<_>>())? {
            // A byte is one sign alone.
            all.iter_mut().zip(of_sign).for_each(|(out, found)| *out = out.xor(&found));
        }
        Ok(all)
    }

    /// For each sign and byte, whether they are equal.
    fn equal_to(&self, cx: &mut Context, signs: &[u8]) -> Result<Vec<Vec<SharedBits>>> {
        let mut columns = Vec::with_capacity(signs.len() * self.width);
        for sign in signs {
            columns.extend(self.bytes().map(|byte| byte.xor_constant(cx.session(), u128::from(!sign))));
        }
        let mut equal = kernel::all_set(cx, columns)?.into_iter();
        Ok(signs.iter().map(|_| equal.by_ref().take(self.width).collect()).collect())
    }

    /// Without the signs at the beginning.
    pub(super) fn without_start(self, cx: &mut Context, signs: &BTreeSet<u8>) -> Result<Bytes> {
        let others: Vec<SharedBits> =
            self.among(cx, signs)?.into_iter().map(|one| one.not(cx.session())).collect();
        // Ones until a byte is none of the signs, or is not there.
        let begun = running_or(cx, others)?;
        let gone: Vec<SharedBits> = begun.into_iter().map(|begun| begun.not(cx.session())).collect();
        self.without_first(cx, &gone)
    }

    /// Without the signs at the end.
    pub(super) fn without_end(self, cx: &mut Context, signs: &BTreeSet<u8>) -> Result<Bytes> {
        if self.width == 0 {
            return Ok(self);
        }
        let (among, there) = (self.among(cx, signs)?, self.there(cx)?);
        // A byte that is there and none of the signs: what stands before one stays.
        let mut stays: Vec<SharedBits> =
            there.iter().zip(&among).map(|(there, one)| there.xor(one)).collect();
        stays.reverse();
        let mut stays = running_or(cx, stays)?;
        stays.reverse();
        let bytes: Vec<SharedBits> = self.bytes().collect();
        let pairs: Vec<_> = stays.iter().zip(&bytes).collect();
        let mut kept = kernel::and_many(cx, &pairs)?;
        kept.reverse();
        Ok(Bytes { width: self.width, bits: SharedBits::stack(&kept.iter().collect::<Vec<_>>()) })
    }

    /// With `to` wherever there is `from`, which has as many bytes and does not overlap itself.
    pub(super) fn replaced(self, cx: &mut Context, from: &[u8], to: &[u8]) -> Result<Bytes> {
        let found = self.fits(cx, &[from], None)?.remove(0);
        let changes = from.iter().zip(to).enumerate().flat_map(|(offset, (from, to))| {
            found.iter().enumerate().map(move |(at, found)| (at + offset, from ^ to, found))
        });
        Ok(self.changed(changes))
    }

    /// With each sign of `from` as the one of `to` at its place.
    pub(super) fn translated(self, cx: &mut Context, from: &[u8], to: &[u8]) -> Result<Bytes> {
        let equal = self.equal_to(cx, from)?;
        let changes = equal.iter().zip(from.iter().zip(to)).flat_map(|(found, (from, to))| {
            found.iter().enumerate().map(move |(at, found)| (at, from ^ to, found))
        });
        Ok(self.changed(changes))
    }

    /// With some bits of some bytes turned where a plane says so, at most one plane for each byte.
    fn changed<'a>(&self, changes: impl Iterator<Item = (usize, u8, &'a SharedBits)>) -> Bytes {
        if self.width == 0 {
            return Bytes { width: 0, bits: self.bits.clone() };
        }
        let mut planes: Vec<SharedBits> = (0..8 * self.width).map(|plane| self.bits.plane(plane)).collect();
        for (at, turned, found) in changes {
            let first = 8 * (self.width - 1 - at);
            for bit in (0..8).filter(|bit| turned >> bit & 1 == 1) {
                planes[first + bit] = planes[first + bit].xor(found);
            }
        }
        Bytes { width: self.width, bits: SharedBits::stack(&planes.iter().collect::<Vec<_>>()) }
    }
}

/// The planes of `value(count)`, where `ones` are so many ones and then zeros: each one more changes
/// the value by what is public.
fn counted(
    cx: &Context,
    n_rows: usize,
    ones: &[SharedBits],
    value: impl Fn(usize) -> u128,
) -> Vec<SharedBits> {
    let most = (0..=ones.len()).map(&value).max().unwrap_or(0);
    let width = (128 - most.leading_zeros()) as usize;
    let mut planes: Vec<SharedBits> = (0..width)
        .map(|plane| SharedBits::constant(cx.session(), n_rows, 1, value(0) >> plane & 1))
        .collect();
    for (count, one) in ones.iter().enumerate() {
        let changes = value(count) ^ value(count + 1);
        for (plane, out) in planes.iter_mut().enumerate() {
            if changes >> plane & 1 == 1 {
                *out = out.xor(one);
            }
        }
    }
    planes
}
