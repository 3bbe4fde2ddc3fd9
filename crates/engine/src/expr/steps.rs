//! Functions that are constant between public thresholds.

use mpc::SharedBits;
use plan::secure::Expr;
use plan::types::Range;

use super::arith::with_zero;
use super::{Rows, Scalar};
use crate::context::{Context, Result};
use crate::kernel;
use crate::number::{Number, width_of};
use crate::relation::Column;

impl Rows<'_> {
    /// `first` below all thresholds, and from each of them on the value beside it.
    ///
    /// The thresholds are compared side by side. A row has passed one threshold more than another
    /// only if all between them, so the value is the XOR of what each passed one changes in it.
    pub(super) fn steps(
        &self,
        cx: &mut Context,
        expr: &Expr,
        column: Column,
        first: i128,
        steps: &[(i128, i128)],
    ) -> Result<Scalar> {
        let number = column.as_number(cx)?.clone();
        let values = steps.iter().map(|(_, value)| Range::point(*value));
        let range = with_zero(values.fold(Range::point(first), Range::union));
        let width = width_of(range);
        let bits = number.bits(cx)?;
        let mut planes: Vec<SharedBits> = (0..width)
            .map(|plane| {
                SharedBits::constant(cx.session(), number.n_rows(), 1, (first >> plane.min(127) & 1) as u128)
            })
            .collect();
        let within = number.range();
        let inside: Vec<i128> = steps
            .iter()
            .map(|(threshold, _)| *threshold)
            .filter(|threshold| within.low < *threshold && *threshold <= within.high)
            .collect();
        let below = match inside.is_empty() {
            true => None,
            false => Some(kernel::less_each(cx, &bits, &inside, within.low < 0)?),
        };
        let (mut last, mut at) = (first, 0);
        for (threshold, value) in steps {
            let passed = if *threshold <= within.low {
                SharedBits::constant(cx.session(), number.n_rows(), 1, 1)
            } else if *threshold > within.high {
                break;
            } else {
                at += 1;
                let below = below.as_ref().ok_or_else(|| cx.wrong_plan("a step that was not compared"))?;
                below.plane(at - 1).not(cx.session())
            };
            let changes = last ^ value;
            last = *value;
            for (plane, out) in planes.iter_mut().enumerate() {
                if changes >> plane.min(127) & 1 == 1 {
                    *out = out.xor(&passed);
                }
            }
        }
        let bits = SharedBits::stack(&planes.iter().collect::<Vec<_>>());
        let wanted = with_zero(expr.range.unwrap_or(range));
        let number = Number::from_bits(range, bits).with_range(cx, wanted);
        Ok(Scalar::secret(Column { ty: expr.ty, data: number.into(), zeroed: false, ..column }))
    }
}
