//! Totals to results: tests, NULL over no value, and means.

use mpc::SharedBits;
use plan::secure::{Agg, AggFunc, Field, Node, Overflow};
use plan::types::{Range, Type};

use super::super::keys;
use super::gather::{Gathered, Want, is_wanted, parts, total_range};
use crate::context::{Context, Result};
use crate::errors::FailureKind;
use crate::expr::{WIDEST, divide_by_count, outside, scaled_by, with_zero};
use crate::kernel;
use crate::number::Number;
use crate::relation::{Column, Data, FLOAT_BITS, Relation, stored_range};

/// The columns of the aggregates. `valid` says which groups there are.
pub(super) fn columns(
    cx: &mut Context,
    node: &Node,
    aggs: &[Agg],
    input: &Relation,
    gathered: &Gathered,
    valid: &SharedBits,
    bound: u64,
) -> Result<Vec<Column>> {
    let n_group = node.schema.len().saturating_sub(aggs.len());
    let mut columns = Vec::with_capacity(aggs.len());
    for (index, agg) in aggs.iter().enumerate() {
        let Some(field) = node.schema.get(n_group + index) else {
            return Err(cx.wrong_plan("an aggregate without a column"));
        };
        if !is_wanted(node, n_group + index, agg) {
            columns.push(Column { ty: agg.ty, data: Data::Dropped, present: None, zeroed: true });
            continue;
        }
        let finish = Finish { field, agg, input, gathered, valid, bound };
        columns.push(finish.column(cx)?);
    }
    Ok(columns)
}

struct Finish<'a> {
    field: &'a Field,
    agg: &'a Agg,
    input: &'a Relation,
    gathered: &'a Gathered,
    valid: &'a SharedBits,
    bound: u64,
}

impl Finish<'_> {
    fn column(&self, cx: &mut Context) -> Result<Column> {
        match (self.agg.func, self.agg.input) {
            (AggFunc::Count | AggFunc::CountStar, _) => {
                let want = parts(self.agg, self.input).remove(0);
                Ok(Column::number(self.agg.ty, self.count(cx, want)?))
            }
            (AggFunc::Sum, Some(column)) => self.sum(cx, column),
            (AggFunc::Avg, Some(column)) => self.mean(cx, column),
            (AggFunc::Min, Some(column)) => self.extreme(cx, column, Want::Min(column)),
            (AggFunc::Max, Some(column)) => self.extreme(cx, column, Want::Max(column)),
            _ => Err(cx.wrong_plan("an aggregate without an input")),
        }
    }

    fn count(&self, cx: &Context, want: Want) -> Result<Number> {
        self.gathered.number(cx, want, Range { low: 0, high: self.bound.into() })
    }

    /// The exact sum, and how many values went into it.
    fn total(&self, cx: &Context, column: usize) -> Result<(Number, Number)> {
        let term = self.input.column(cx, column)?.as_number(cx)?.range();
        let range = total_range(term, self.bound).unwrap_or(WIDEST);
        let total = self.gathered.number(cx, Want::Sum(column), range)?;
        let want = parts(self.agg, self.input).pop().unwrap_or(Want::Rows);
        Ok((total, self.count(cx, want)?))
    }

    /// Where there was a value, if that is in doubt.
    fn any(&self, cx: &mut Context, count: &Number) -> Result<Option<SharedBits>> {
        if !self.field.nullable {
            return Ok(None);
        }
        let bits = count.bits(cx)?;
        Ok(Some(kernel::is_zero(cx, &bits)?.not(cx.session())))
    }

    /// Reports groups whose number leaves `allowed`.
    fn test(&self, cx: &mut Context, number: &Number, allowed: Range) -> Result<()> {
        if self.agg.overflow == Overflow::Impossible {
            return Ok(());
        }
        if let Some(failed) = outside(cx, number, allowed)? {
            let rows = kernel::and(cx, &failed, self.valid)?;
            cx.report(FailureKind::Overflow, rows);
        }
        Ok(())
    }

    fn sum(&self, cx: &mut Context, column: usize) -> Result<Column> {
        let (total, count) = self.total(cx, column)?;
        let ty = self.agg.ty;
        let allowed = ty.range().ok_or_else(|| cx.wrong_plan(format!("a sum as {ty}")))?;
        self.test(cx, &total, allowed)?;
        let range = with_zero(self.field.range.unwrap_or(allowed));
        let present = self.any(cx, &count)?;
        let data = Data::Number(total.with_range(cx, range));
        Ok(Column { ty, data, present, zeroed: true })
    }

    fn mean(&self, cx: &mut Context, column: usize) -> Result<Column> {
        let (total, count) = self.total(cx, column)?;
        let ty = self.agg.ty;
        let present = self.any(cx, &count)?;
        let number = if ty == Type::Float64 {
            let digits = Type::Decimal { precision: 38, scale: 0 }.range();
            self.test(cx, &total, digits.unwrap_or(WIDEST))?;
            let range = with_zero(stored_range(cx, ty, self.field.range)?);
            divide_by_count(cx, &total, &count, FLOAT_BITS)?.with_range(cx, range)
        } else {
            let allowed = ty.range().ok_or_else(|| cx.wrong_plan(format!("a mean as {ty}")))?;
            let up = ty.scale().saturating_sub(self.input.column(cx, column)?.ty.scale());
            let dividend = scaled_by(cx, &total, up)?;
            let mean = divide_by_count(cx, &dividend, &count, 0)?;
            self.test(cx, &mean, allowed)?;
            mean.with_range(cx, with_zero(self.field.range.unwrap_or(allowed)))
        };
        // The quotient by zero is zero.
        Ok(Column { ty, data: Data::Number(number), present, zeroed: true })
    }

    fn extreme(&self, cx: &mut Context, column: usize, want: Want) -> Result<Column> {
        let column = self.input.column(cx, column)?;
        let (cells, any) = self.gathered.get(cx, want)?;
        let planes = cells.bits().ok_or_else(|| cx.wrong_plan("an extreme of ring elements"))?;
        let data = keys::from_order(cx, column, planes);
        let present = any.filter(|_| self.field.nullable).cloned();
        Ok(Column { ty: column.ty, data, zeroed: present.is_none(), present })
    }
}
