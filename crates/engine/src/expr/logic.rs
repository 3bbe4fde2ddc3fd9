//! Three-valued logic.
//!
//! A truth is two planes: where it is true, and where it is known. Since a NULL
//! has zero beside it, "false" is their XOR, and neither NOT nor IS NULL costs
//! anything.

use mpc::SharedBits;
use plan::secure::Expr;
use plan::types::{Type, Value};

use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::kernel;
use crate::relation::Column;

/// Where a condition is true, and where it is known.
pub(super) struct Truth {
    pub(super) is_true: SharedBits,
    present: Option<SharedBits>,
}

impl Truth {
    fn is_false(&self, cx: &Context) -> SharedBits {
        match &self.present {
            Some(present) => present.xor(&self.is_true),
            None => self.is_true.not(cx.session()),
        }
    }
}

impl Rows<'_> {
    pub(super) fn truth(&self, cx: &mut Context, value: Scalar) -> Result<Truth> {
        let column = self.secret(cx, Type::Bool, 0, value)?.zeroed(cx)?;
        let is_true = column.as_number(cx)?.bits(cx)?.plane(0);
        Ok(Truth { is_true, present: column.present })
    }

    fn truths(&self, cx: &mut Context, all: &[Expr], guard: &SharedBits) -> Result<Vec<Truth>> {
        let mut truths = Vec::with_capacity(all.len());
        for expr in all {
            let value = self.eval(cx, expr, guard)?;
            truths.push(self.truth(cx, value)?);
        }
        Ok(truths)
    }

    /// True where all are true, false where one is false, else NULL.
    pub(super) fn and(&self, cx: &mut Context, all: &[Expr], guard: &SharedBits) -> Result<Scalar> {
        let truths = self.truths(cx, all, guard)?;
        self.all_true(cx, truths)
    }

    fn all_true(&self, cx: &mut Context, truths: Vec<Truth>) -> Result<Scalar> {
        let is_true = kernel::and_all(cx, truths.iter().map(|truth| truth.is_true.clone()).collect())?;
        let present = if truths.iter().any(|truth| truth.present.is_some()) {
            let is_false = truths.iter().map(|truth| truth.is_false(cx)).collect();
            Some(kernel::or_all(cx, is_false)?.xor(&is_true))
        } else {
            None
        };
        Ok(Scalar::secret(Column::truth(is_true, present)))
    }

    /// True where one is true, false where all are false, else NULL.
    pub(super) fn or(&self, cx: &mut Context, all: &[Expr], guard: &SharedBits) -> Result<Scalar> {
        // By De Morgan: NOT is free.
        let truths = self.truths(cx, all, guard)?;
        let inverted = truths
            .into_iter()
            .map(|truth| Truth { is_true: truth.is_false(cx), present: truth.present })
            .collect();
        let none = self.all_true(cx, inverted)?;
        self.not(cx, none)
    }

    /// True where it is false and false where it is true.
    pub(super) fn not(&self, cx: &mut Context, value: Scalar) -> Result<Scalar> {
        if let Scalar::Public(value) = &value {
            return Ok(Scalar::Public(match value {
                Value::Bool(truth) => Value::Bool(!truth),
                _ => Value::Null,
            }));
        }
        let truth = self.truth(cx, value)?;
        let is_false = truth.is_false(cx);
        Ok(Scalar::secret(Column::truth(is_false, truth.present)))
    }

    /// Where there is no value.
    pub(super) fn is_null(&self, cx: &Context, value: Scalar) -> Scalar {
        match value {
            Scalar::Public(value) => Scalar::Public(Value::Bool(value == Value::Null)),
            Scalar::Secret(column) => match column.present {
                Some(present) => Scalar::secret(Column::truth(present.not(cx.session()), None)),
                None => Scalar::Public(Value::Bool(false)),
            },
        }
    }
}
