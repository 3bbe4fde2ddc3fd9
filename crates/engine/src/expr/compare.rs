//! Comparisons and IN.

use mpc::SharedBits;
use plan::secure::Comparison;
use plan::types::{Range, Type, Value};

use super::constant::number_of;
use super::{Rows, Scalar, text};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, Ring, RingKind, width_of};
use crate::ops::double_order;
use crate::relation::{Column, Data};

impl Rows<'_> {
    /// `x op y`, NULL where one of them is.
    pub(super) fn compare(
        &self,
        cx: &mut Context,
        op: Comparison,
        (x_ty, x): (Type, Scalar),
        (y_ty, y): (Type, Scalar),
    ) -> Result<Scalar> {
        if x.is_null() || y.is_null() {
            return Ok(Scalar::Public(Value::Null));
        }
        let present = self.both_present(cx, &x, &y)?;
        let (x, y) = (self.secret(cx, x_ty, 0, x)?, self.secret(cx, y_ty, 0, y)?);
        // Every comparison is `=` or `<`, perhaps with its sides or its answer turned round.
        let (x, y) = match op {
            Comparison::Gt | Comparison::Le => (y, x),
            _ => (x, y),
        };
        let answer = match op {
            Comparison::Eq | Comparison::Ne => self.equal(cx, &x, &y)?,
            _ => self.less(cx, &x, &y)?,
        };
        let answer = match op {
            Comparison::Ne | Comparison::Le | Comparison::Ge => answer.not(cx.session()),
            _ => answer,
        };
        truth(cx, answer, present)
    }

    fn equal(&self, cx: &mut Context, x: &Column, y: &Column) -> Result<SharedBits> {
        if let (Data::Opaque(x), Data::Opaque(y)) = (&x.data, &y.data) {
            return kernel::equal(cx, x, y);
        }
        if x.ty == Type::Utf8 {
            let (x, y) = text::equality_keys(cx, x.as_text(cx)?, y.as_text(cx)?, self.rule)?;
            return kernel::equal(cx, &x, &y);
        }
        let (x, y) = (x.as_number(cx)?, y.as_number(cx)?);
        if let Some(difference) = ring_difference(cx, x, y)? {
            let bits = difference.bits(cx)?;
            return kernel::is_zero(cx, &bits);
        }
        let range = x.range().union(y.range());
        let (x, y) = (x.bits_as(cx, range)?, y.bits_as(cx, range)?);
        kernel::equal(cx, &x, &y)
    }

    fn less(&self, cx: &mut Context, x: &Column, y: &Column) -> Result<SharedBits> {
        if let (Data::Opaque(x), Data::Opaque(y)) = (&x.data, &y.data) {
            let (x, y) = (double_order(cx, x), double_order(cx, y));
            return kernel::less(cx, &x, &y, false);
        }
        if x.ty == Type::Utf8 {
            let (x, y) = text::order_keys(cx, x.as_text(cx)?, y.as_text(cx)?)?;
            return kernel::less(cx, &x, &y, false);
        }
        less_numbers(cx, x.as_number(cx)?, y.as_number(cx)?)
    }

    /// Whether the operand is one of `list`; NULL where it is NULL.
    pub(super) fn in_list(&self, cx: &mut Context, ty: Type, x: Scalar, list: &[Value]) -> Result<Scalar> {
        if x.is_null() {
            return Ok(Scalar::Public(Value::Null));
        }
        let x = self.secret(cx, ty, 0, x)?;
        let mut pairs = Vec::with_capacity(list.len());
        for value in list {
            let y = self.secret(cx, ty, 0, Scalar::Public(value.clone()))?;
            if ty == Type::Utf8 {
                pairs.push(text::equality_keys(cx, x.as_text(cx)?, y.as_text(cx)?, self.rule)?);
                continue;
            }
            let number = x.as_number(cx)?;
            let constant = number_of(cx, ty, value)?;
            if number.range().holds(constant) {
                let range = number.range();
                let bits =
                    SharedBits::constant(cx.session(), self.n_rows(), width_of(range), constant as u128);
                pairs.push((number.bits(cx)?, bits));
            }
        }
        if pairs.is_empty() {
            let none = SharedBits::constant(cx.session(), self.n_rows(), 1, 0);
            return truth(cx, none, x.present);
        }
        let matches = kernel::equal_each(cx, &pairs)?;
        let any = kernel::or_all(cx, matches)?;
        truth(cx, any, x.present)
    }
}

/// A truth with zero beside its NULLs.
pub(super) fn truth(cx: &mut Context, answer: SharedBits, present: Option<SharedBits>) -> Result<Scalar> {
    let answer = match &present {
        Some(present) => kernel::and(cx, &answer, present)?,
        None => answer,
    };
    Ok(Scalar::secret(Column::truth(answer, present)))
}

/// Where `x < y`.
pub(super) fn less_numbers(cx: &mut Context, x: &Number, y: &Number) -> Result<SharedBits> {
    if x.range().low > y.range().high || x.range().high < y.range().low {
        let always = u128::from(x.range().high < y.range().low);
        return Ok(SharedBits::constant(cx.session(), x.n_rows(), 1, always));
    }
    // One side of a single value is public.
    if x.range().low == x.range().high {
        let bits = y.bits(cx)?;
        return kernel::greater_public(cx, &bits, x.range().low, y.range().low < 0);
    }
    if y.range().low == y.range().high {
        let bits = x.bits(cx)?;
        return kernel::less_public(cx, &bits, y.range().low, x.range().low < 0);
    }
    if let Some(difference) = ring_difference(cx, x, y)? {
        let bits = difference.bits(cx)?;
        return Ok(match difference.range().low < 0 {
            true => bits.plane(bits.width() - 1),
            false => SharedBits::constant(cx.session(), bits.n_rows(), 1, 0),
        });
    }
    let range = x.range().union(y.range());
    let (x, y) = (x.bits_as(cx, range)?, y.bits_as(cx, range)?);
    kernel::less(cx, &x, &y, range.low < 0)
}

/// Where a number leaves `low..=high`; `None` if it cannot.
pub(crate) fn outside(cx: &mut Context, x: &Number, allowed: Range) -> Result<Option<SharedBits>> {
    let mut failed: Option<SharedBits> = None;
    if x.range().low < allowed.low {
        let low = Number::constant(cx, x.n_rows(), allowed.low);
        failed = Some(less_numbers(cx, x, &low)?);
    }
    if x.range().high > allowed.high {
        let high = Number::constant(cx, x.n_rows(), allowed.high);
        let above = less_numbers(cx, &high, x)?;
        // It is below or above, never both.
        failed = Some(failed.map_or(above.clone(), |below| below.xor(&above)));
    }
    Ok(failed)
}

/// `x - y` in a ring, if one of them is known only so: then one conversion does for both.
fn ring_difference(cx: &mut Context, x: &Number, y: &Number) -> Result<Option<Number>> {
    if x.has_bits() && y.has_bits() {
        return Ok(None);
    }
    let (low, high) = (x.range().low.checked_sub(y.range().high), x.range().high.checked_sub(y.range().low));
    let (Some(low), Some(high)) = (low, high) else { return Ok(None) };
    let range = Range::new(low, high);
    let kind = RingKind::of(range);
    let fits = |number: &Number| {
        number.known_ring().is_some_and(|ring| kind == RingKind::Z64 || ring.kind() == kind)
    };
    if !fits(x) || !fits(y) {
        return Ok(None);
    }
    let (x, y): (Ring, Ring) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    Ok(Some(Number::from_ring(range, x.add(&y.scale(-1)))))
}
