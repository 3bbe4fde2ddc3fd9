//! What window functions make of the calls that the engine has.

use super::calls::{At, Windows};
use super::facts::Facts;
use super::float;
use super::measure::{Final, Moments, Results, Statistic, combined};
use super::nearby::Totals;
use super::typed::{self, ArithOp};
use crate::error::PlanError;
use crate::secure::{Comparison, Expr};
use crate::types::{Range, Type, Value};

/// How one window expression is made of calls.
pub(super) enum Plan {
    Call(At),
    PercentRank(At, At),
    CumeDist(At, At),
    Ntile {
        tiles: i128,
        number: At,
        rows: At,
    },
    Shifted {
        value: At,
        number: At,
        rows: At,
        by: i64,
        default: Expr,
    },
    /// The value where the frame has as many rows.
    Where {
        least: i64,
        of: At,
        value: Box<Plan>,
    },
    /// The one where the row so many above is in the partition, or below if negative; else the other.
    Reached {
        by: i64,
        number: At,
        rows: At,
        near: At,
        far: At,
    },
    /// A double that is the sum of exact numbers, or of whole numbers of 2^-52 if `raw`.
    Double {
        sum: At,
        raw: bool,
    },
    Mean {
        sum: At,
        count: At,
        ty: Type,
        raw: bool,
    },
    Statistic(Statistic, [At; 6]),
    /// Over the frame of this number that goes by keys.
    Near {
        frame: usize,
        of: Total,
        ty: Type,
    },
}

/// What a function over a frame by keys makes of its sum and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Total {
    Count,
    Sum,
    Mean,
}

/// The value of a window expression, over the relation that has the columns of all calls.
pub(super) fn finish(
    plan: Plan,
    windows: &Windows,
    totals: &[Totals],
    facts: &Facts,
) -> Result<Expr, PlanError> {
    let column = |at: At| windows.column(at, facts);
    let n_rows = i128::from(facts.bound.max(1));
    let whole = |value: i128| typed::literal(Value::Int(value), Type::Int64);
    let sum = |op, left, right| typed::arith(op, left, right, Type::Int64);
    let number = |at: At| float::assumed(column(at), Type::Int64, Range::new(0, n_rows));
    // One at least, wherever it is looked at.
    let some = |count: Expr| float::assumed(count, Type::Int64, Range::new(1, n_rows));
    let inside = |at: At, rows: At, by: i64| {
        if by >= 0 {
            typed::compare(Comparison::Gt, number(at), whole(by.into()))
        } else {
            let below = sum(ArithOp::Sub, number(rows), number(at))?;
            typed::compare(Comparison::Ge, below, whole(-i128::from(by)))
        }
    };
    Ok(match plan {
        Plan::Call(at) => column(at),
        Plan::PercentRank(rank, rows) => {
            // Nothing, over nothing where there is one row: which is nothing.
            let below = sum(ArithOp::Sub, number(rank), whole(1))?;
            let others = sum(ArithOp::Sub, number(rows), whole(1))?;
            let others = float::assumed(others, Type::Int64, Range::new(1, n_rows));
            Expr { range: Some(Range::new(0, 1)), ..float::ratio(below, others, 0, 0) }
        }
        Plan::CumeDist(last, rows) => {
            let rows = float::assumed(column(rows), Type::Int64, Range::new(1, n_rows));
            Expr { range: Some(Range::new(0, 1)), ..float::ratio(number(last), rows, 0, 0) }
        }
        Plan::Ntile { tiles, number: at, rows } => {
            // As many rows in each tile, and one more in the first ones.
            let index = sum(ArithOp::Sub, number(at), whole(1))?;
            let few = sum(ArithOp::Div, number(rows), whole(tiles))?;
            let larger = sum(ArithOp::Rem, number(rows), whole(tiles))?;
            let many = sum(ArithOp::Add, few.clone(), whole(1))?;
            let end = sum(ArithOp::Mul, larger.clone(), many.clone())?;
            let first = sum(ArithOp::Div, index.clone(), many)?;
            let few = float::assumed(few, Type::Int64, Range::new(1, n_rows));
            let second = sum(ArithOp::Div, sum(ArithOp::Sub, index.clone(), end.clone())?, few)?;
            let second = sum(ArithOp::Add, larger, second)?;
            let early = typed::compare(Comparison::Lt, index, end)?;
            let tile = sum(ArithOp::Add, typed::case(vec![(early, first)], second)?, whole(1))?;
            float::assumed(tile, Type::UInt64, Range::new(1, tiles.min(n_rows)))
        }
        Plan::Shifted { value, number: at, rows, by, default } => {
            typed::case(vec![(inside(at, rows, by)?, column(value))], default)?
        }
        Plan::Reached { by, number: at, rows, near, far } => {
            typed::case(vec![(inside(at, rows, by)?, column(near))], column(far))?
        }
        Plan::Where { least, of, value } => {
            let enough = typed::compare(Comparison::Ge, number(of), whole(least.into()))?;
            let value = finish(*value, windows, totals, facts)?;
            let null = typed::literal(Value::Null, value.ty);
            typed::case(vec![(enough, value)], null)?
        }
        Plan::Near { frame, of, ty } => {
            let at = |index: usize| typed::column(index, &facts.fields[index]);
            let Totals { sum, count } = totals[frame];
            let count = float::assumed(at(count), Type::Int64, Range::new(0, n_rows));
            let (Some(sum), false) = (sum, of == Total::Count) else { return Ok(count) };
            let any = typed::compare(Comparison::Gt, count.clone(), whole(0))?;
            let value = match (of, ty) {
                (Total::Mean, Type::Float64) => float::exact_ratio(at(sum), some(count)),
                (Total::Mean, _) => typed::arith(ArithOp::Div, at(sum), some(count), ty)?,
                _ => typed::cast(at(sum), ty)?,
            };
            typed::case(vec![(any, value)], typed::literal(Value::Null, ty))?
        }
        Plan::Double { sum, raw: true } => float::of_raw(column(sum)),
        Plan::Double { sum, raw: false } => typed::cast(column(sum), Type::Float64)?,
        Plan::Mean { sum, count, ty, raw } => {
            // Where there is no value the sum is NULL.
            let total = column(sum);
            let mut count = column(count);
            count.range = Some(Range::new(1, n_rows));
            match ty {
                Type::Float64 if raw => {
                    float::exact_ratio(total, combined(ArithOp::Mul, count, whole(1 << 52))?)
                }
                Type::Float64 => float::exact_ratio(total, count),
                _ => typed::arith(ArithOp::Div, total, count, ty)?,
            }
        }
        Plan::Statistic(statistic, sums) => {
            let [n, x, y, xx, xy, yy] = sums.map(|at| windows.index(at));
            Results { facts, first: 0 }
                .value(&Final::Statistic(statistic, Moments { n, x, y, xx, xy, yy }))?
        }
    })
}
