//! CASE.

use mpc::SharedBits;
use plan::secure::Expr;
use plan::types::{Range, Value};

use super::{Rows, Scalar, constant, text};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, RingKind};
use crate::relation::{Column, Data, Text};

impl Rows<'_> {
    /// The value beside the first condition that is true, or else `otherwise`.
    ///
    /// All values are computed for all rows; what fails in a branch counts only
    /// where the branch is taken.
    pub(super) fn case(
        &self,
        cx: &mut Context,
        expr: &Expr,
        branches: &[(Expr, Expr)],
        otherwise: &Expr,
        guard: &SharedBits,
    ) -> Result<Scalar> {
        let mut rest = guard.clone();
        let mut taken = Vec::with_capacity(branches.len());
        let can_fail = expr.operands().into_iter().any(Expr::can_fail);
        for (condition, value) in branches {
            let is_true = self.condition(cx, condition, &rest)?;
            let mut inside = rest.clone();
            if can_fail {
                // The rows that come this far and take the branch, and those that go on.
                inside = kernel::and(cx, &rest, &is_true)?;
                rest = rest.xor(&inside);
            }
            taken.push((is_true, self.column_as(cx, expr, value, &inside)?));
        }
        let mut result = self.column_as(cx, expr, otherwise, &rest)?;
        for (is_true, value) in taken.into_iter().rev() {
            result = self.select(cx, &is_true, &value, &result)?;
        }
        result.ty = expr.ty;
        if !expr.nullable {
            result.present = None;
        }
        Ok(Scalar::secret(result))
    }

    /// A branch's value; a NULL without a type takes the CASE's.
    fn column_as(&self, cx: &mut Context, case: &Expr, value: &Expr, guard: &SharedBits) -> Result<Column> {
        match self.eval(cx, value, guard)? {
            Scalar::Public(Value::Null) => {
                constant::constant(cx, case.ty, 0, &Value::Null, self.n_rows(), self.rule)
            }
            value => self.secret(cx, case.ty, case.width_bytes as usize, value),
        }
    }

    /// `x` where `bit` is set, else `y`.
    fn select(&self, cx: &mut Context, bit: &SharedBits, x: &Column, y: &Column) -> Result<Column> {
        let n_rows = self.n_rows();
        let present = if x.present.is_some() || y.present.is_some() {
            let (x, y) = (x.present(cx, n_rows), y.present(cx, n_rows));
            Some(kernel::select(cx, bit, &x, &y)?)
        } else {
            None
        };
        let data = match (&x.data, &y.data) {
            (Data::Text(x), Data::Text(y)) => Data::Text(select_text(cx, bit, x, y)?),
            (Data::Number(x), Data::Number(y)) => Data::Number(select_number(cx, bit, x, y)?),
            (Data::Opaque(x), Data::Opaque(y)) => Data::Opaque(kernel::select(cx, bit, x, y)?),
            // A NULL among doubles that only pass through is a number by its looks.
            (Data::Opaque(x), Data::Number(_)) => Data::Opaque(kernel::and(cx, bit, x)?),
            (Data::Number(_), Data::Opaque(y)) => {
                let other = bit.not(cx.session());
                Data::Opaque(kernel::and(cx, &other, y)?)
            }
            _ => return Err(cx.wrong_plan("a CASE between columns that do not fit together")),
        };
        let is_zeroed = |column: &Column| column.zeroed || column.present.is_none();
        Ok(Column { ty: x.ty, data, zeroed: is_zeroed(x) && is_zeroed(y), present })
    }
}

fn select_number(cx: &mut Context, bit: &SharedBits, x: &Number, y: &Number) -> Result<Number> {
    let range: Range = x.range().union(y.range());
    if x.has_bits() && y.has_bits() {
        let (x, y) = (x.bits_as(cx, range)?, y.bits_as(cx, range)?);
        return Ok(Number::from_bits(range, kernel::select(cx, bit, &x, &y)?));
    }
    let kind = RingKind::of(range);
    let (x, y) = (x.ring(cx, kind)?, y.ring(cx, kind)?);
    let chosen = kernel::inject(cx, bit, &x.add(&y.scale(-1)))?;
    Ok(Number::from_ring(range, chosen.add(&y)))
}

fn select_text(cx: &mut Context, bit: &SharedBits, x: &Text, y: &Text) -> Result<Text> {
    let width_bytes = x.width_bytes.max(y.width_bytes);
    let key = match (&x.key, &y.key) {
        (Some(x), Some(y)) => Some(kernel::select(cx, bit, x, y)?),
        _ => None,
    };
    let bytes = match (&x.bytes, &y.bytes) {
        (Some(a), Some(b)) => {
            let a = text::widen(cx, a, x.width_bytes, width_bytes);
            let b = text::widen(cx, b, y.width_bytes, width_bytes);
            Some(kernel::select(cx, bit, &a, &b)?)
        }
        _ => None,
    };
    // Where they have no form in common, only their validity is looked at.
    Ok(Text { width_bytes, key, bytes })
}
