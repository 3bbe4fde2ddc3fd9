//! Window functions, made of those that the engine has.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{
    Expr as LogicalExpr, Window, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use super::calls::{At, Windows, holds_current};
use super::facts::Facts;
use super::frames::{bit_func, by_keys, edge, frame, from_the_end, mean_type, shown, sum_type};
use super::inexact::refuse_inexact;
use super::nearby::{Nearby, Totals, add_totals};
use super::operators::{Extended, project};
use super::scalar::Scalars;
use super::typed::{self, ArithOp};
use super::{Lowering, Relation, float};
use crate::error::PlanError;
use crate::secure::{Comparison, Expr, Frame, FrameEdge, SortKey, WindowFunc};
use crate::types::{Range, Type, Value};

/// How one window expression is made of calls.
enum Plan {
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
    Mean {
        sum: At,
        count: At,
        ty: Type,
    },
    /// Over the frame of this number that goes by keys.
    Near {
        frame: usize,
        of: Total,
        ty: Type,
    },
}

/// What a function over a frame by keys makes of its sum and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Total {
    Count,
    Sum,
    Mean,
}

/// A frame by keys, before it is known where ranks come out.
struct Wanted {
    partition: Vec<usize>,
    near: Nearby,
    /// The ranks that are the keys, for GROUPS.
    ranks: Option<At>,
}

impl Lowering<'_> {
    pub(super) fn window(&self, window: &Window) -> Result<Relation, PlanError> {
        let input = self.relation(&window.input)?;
        let n_columns = input.facts.fields.len();
        let scalars = self.scalars(window.input.schema(), &input.facts);
        let mut extended = Extended::new(&input);
        let mut windows = Windows::default();
        let mut wanted = Vec::new();
        let mut plans = Vec::new();
        for expr in &window.window_expr {
            let function = match expr.clone().unalias() {
                LogicalExpr::WindowFunction(function) => function,
                other => {
                    return Err(PlanError::unsupported(format!("{} OVER", other.human_display()), ""));
                }
            };
            let place = self.locator.word("OVER");
            let plan =
                self.window_plan(&function, (&input, &scalars), &mut extended, &mut windows, &mut wanted);
            plans.push(plan.map_err(|error| error.placed(place))?);
        }
        let mut relation = windows.over(extended.over(input))?;
        let mut totals = Vec::new();
        for Wanted { partition, near, ranks } in wanted {
            let key = ranks.map_or(near.key, |ranks| windows.index(ranks));
            let (with_totals, columns) = add_totals(relation, &partition, Nearby { key, ..near })?;
            relation = with_totals;
            totals.push(columns);
        }
        let fields = &relation.facts.fields;
        let mut exprs: Vec<Expr> = (0..n_columns).map(|index| typed::column(index, &fields[index])).collect();
        for plan in plans {
            exprs.push(finish(plan, &windows, &totals, &relation.facts)?);
        }
        let names = window.schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(project(relation, exprs, names))
    }

    fn window_plan(
        &self,
        function: &WindowFunction,
        (input, scalars): (&Relation, &Scalars<'_>),
        columns: &mut Extended,
        windows: &mut Windows,
        wanted: &mut Vec<Wanted>,
    ) -> Result<Plan, PlanError> {
        let params = &function.params;
        let name = match &function.fun {
            WindowFunctionDefinition::AggregateUDF(function) => function.name(),
            WindowFunctionDefinition::WindowUDF(function) => function.name(),
        };
        let refuse = |what: &str| Err(PlanError::unsupported(format!("{name}(){what} on shares"), ""));
        if params.distinct {
            return refuse(" of DISTINCT values OVER a window");
        }
        let mut ignores_nulls = params.null_treatment == Some(NullTreatment::IgnoreNulls);
        if ignores_nulls && !matches!(name, "first_value" | "last_value") {
            return refuse(" IGNORE NULLS");
        }
        let mut partition = Vec::new();
        for expr in &params.partition_by {
            let key = scalars.lower(expr)?;
            refuse_inexact(&key, input, "PARTITION BY")?;
            partition.push(columns.index(key));
        }
        let mut order = Vec::new();
        for key in &params.order_by {
            let value = scalars.lower(&key.expr)?;
            refuse_inexact(&value, input, "a window's ORDER BY")?;
            let column = columns.index(value);
            order.push(SortKey { column, descending: !key.asc, nulls_first: key.nulls_first });
        }
        let ordered = !order.is_empty();
        let of_the_frame = !matches!(
            name,
            "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist" | "ntile" | "lag" | "lead"
        );
        let by_keys = of_the_frame && by_keys(&params.window_frame);
        let backwards = !by_keys && of_the_frame && from_the_end(&params.window_frame);
        let by_rows = params.window_frame.units == WindowFrameUnits::Rows;
        let group = match backwards {
            true => windows.turned(partition.clone(), order.clone(), by_rows),
            false => windows.group(partition.clone(), order.clone()),
        };
        let whole = |index: usize| match params.args.get(index) {
            None => Ok(None),
            Some(LogicalExpr::Literal(value, _)) if value.is_null() => Ok(None),
            Some(LogicalExpr::Literal(value, _)) => value.cast_to(&Type::Int64.arrow()).map_or(
                Err(PlanError::unsupported(format!("{name}() by {value}"), "")),
                |value| match value {
                    ScalarValue::Int64(value) => Ok(value),
                    _ => Ok(None),
                },
            ),
            Some(_) => Err(PlanError::unsupported(format!("{name}() by an expression"), "write a number")),
        };
        let mut argument = params.args.first().map(|argument| scalars.lower(argument)).transpose()?;
        if let Some(filter) = &params.filter {
            let condition = scalars.lower(filter)?;
            let kept = argument.map(|value| {
                let null = typed::literal(Value::Null, value.ty);
                typed::case(vec![(condition, value)], null)
            });
            argument = kept.transpose()?;
        }
        let mut call = |func, input| windows.call(group, func, input, Type::UInt64);
        if by_keys {
            let ranks = (params.window_frame.units == WindowFrameUnits::Groups)
                .then(|| call(WindowFunc::DenseRank, None));
            let (Some(value), "count" | "sum" | "avg") = (argument, name) else {
                return refuse(&format!(" over {}", shown(&params.window_frame)));
            };
            let (of, ty) = match name {
                "count" => (Total::Count, Type::Int64),
                _ if !value.ty.is_exact_number() => return refuse(&format!(" of {} values", value.ty)),
                "sum" => (Total::Sum, sum_type(value.ty)),
                _ => (Total::Mean, mean_type(value.ty)),
            };
            let key = order.first().filter(|_| order.len() == 1 || ranks.is_some());
            let Some(key) = key else { return refuse(" by offsets without a key, or with several") };
            let field = columns.expr(key.column);
            let edge = |bound: &WindowFrameBound| match ranks {
                Some(_) => edge(bound, Type::UInt64),
                None => edge(bound, field.ty),
            };
            let frame = &params.window_frame;
            let (Some(low), Some(high)) = (edge(&frame.start_bound), edge(&frame.end_bound)) else {
                return refuse(&format!(" over {} by {} keys", shown(frame), field.ty));
            };
            if let (Some(low), Some(high)) = (low, high)
                && low > high
            {
                return refuse(&format!(" over {}", shown(frame)));
            }
            let near = Nearby {
                key: key.column,
                descending: key.descending && ranks.is_none(),
                nulls_first: key.nulls_first && ranks.is_none(),
                low,
                high,
                value: columns.index(value),
            };
            wanted.push(Wanted { partition, near, ranks });
            return Ok(Plan::Near { frame: wanted.len() - 1, of, ty });
        }
        match (name, argument) {
            ("row_number", _) => Ok(Plan::Call(call(WindowFunc::RowNumber, None))),
            ("rank", _) => Ok(Plan::Call(call(WindowFunc::Rank, None))),
            ("dense_rank", _) => Ok(Plan::Call(call(WindowFunc::DenseRank, None))),
            ("percent_rank", _) => {
                Ok(Plan::PercentRank(call(WindowFunc::Rank, None), call(WindowFunc::Rows, None)))
            }
            ("cume_dist", _) => {
                Ok(Plan::CumeDist(call(WindowFunc::LastPeer, None), call(WindowFunc::Rows, None)))
            }
            ("ntile", _) => {
                let Some(tiles) = whole(0)?.filter(|tiles| *tiles > 0) else { return refuse(" of no tiles") };
                let (number, rows) = (call(WindowFunc::RowNumber, None), call(WindowFunc::Rows, None));
                Ok(Plan::Ntile { tiles: tiles.into(), number, rows })
            }
            ("lag" | "lead", Some(value)) => {
                let by = whole(1)?.unwrap_or(1);
                let by = if name == "lag" { Some(by) } else { by.checked_neg() };
                let Some(by) = by else { return refuse(" by so many rows") };
                let default = match params.args.get(2) {
                    Some(default) => Some(typed::cast(scalars.lower(default)?, value.ty)?),
                    None => None,
                };
                let ty = value.ty;
                let value = Some(columns.index(value));
                let value = windows.call(group, WindowFunc::Lag(by), value, ty);
                let Some(default) = default.filter(|default| !typed::is_null_literal(default)) else {
                    return Ok(Plan::Call(value));
                };
                let number = windows.call(group, WindowFunc::RowNumber, None, Type::UInt64);
                let rows = windows.call(group, WindowFunc::Rows, None, Type::UInt64);
                Ok(Plan::Shifted { value, number, rows, by, default })
            }
            (name, argument) => {
                let frame = match backwards {
                    true => frame(&params.window_frame.reverse(), ordered),
                    false => frame(&params.window_frame, ordered),
                };
                let Some(frame) = frame else {
                    return refuse(&format!(" over {}", shown(&params.window_frame)));
                };
                let name = match name {
                    "first_value" if backwards => "last_value",
                    "last_value" if backwards => "first_value",
                    "nth_value" if backwards => return refuse(" from a frame's end"),
                    _ => name,
                };
                ignores_nulls &= argument.as_ref().is_some_and(|argument| argument.nullable);
                let nth = match name {
                    "nth_value" => whole(1)?.unwrap_or(0),
                    _ => 1,
                };
                self.framed((name, nth, ignores_nulls), argument, frame, group, columns, windows)
            }
        }
    }

    /// Functions of a frame.
    fn framed(
        &self,
        (name, nth, ignores_nulls): (&str, i64, bool),
        argument: Option<Expr>,
        frame: Frame,
        group: usize,
        columns: &mut Extended,
        windows: &mut Windows,
    ) -> Result<Plan, PlanError> {
        let refuse = |what: String| Err(PlanError::unsupported(format!("{name}(){what} on shares"), ""));
        let Some(value) = argument else { return refuse(" OVER a window".to_owned()) };
        let ty = value.ty;
        let from_start = frame.start == FrameEdge::Partition;
        let whole_partition = from_start && frame.end == FrameEdge::Partition;
        let by_rows = match (frame.start, frame.end) {
            (FrameEdge::Rows(start), FrameEdge::Rows(end)) => start <= end,
            _ => false,
        };
        let count = |value: &Expr, columns: &mut Extended, windows: &mut Windows| {
            let input = value.nullable.then(|| columns.index(value.clone()));
            windows.call(group, WindowFunc::Count(frame), input, Type::Int64)
        };
        match name {
            "count" => Ok(Plan::Call(count(&value, columns, windows))),
            "sum" | "avg" if !ty.is_exact_number() => refuse(format!(" of {ty} values")),
            "sum" => {
                let sum = WindowFunc::Sum(frame);
                Ok(Plan::Call(windows.call(group, sum, Some(columns.index(value)), sum_type(ty))))
            }
            "avg" => {
                let total = Type::Decimal { precision: 38, scale: ty.scale() };
                let mean = mean_type(ty);
                let count = count(&value, columns, windows);
                let sum = windows.call(group, WindowFunc::Sum(frame), Some(columns.index(value)), total);
                Ok(Plan::Mean { sum, count, ty: mean })
            }
            "min" | "max" | "bool_and" | "bool_or" if from_start || by_rows => {
                let column = columns.index(value);
                let func = match name {
                    "min" | "bool_and" => WindowFunc::Min(frame),
                    _ => WindowFunc::Max(frame),
                };
                Ok(Plan::Call(windows.call(group, func, Some(column), ty)))
            }
            "bit_and" | "bit_or" | "bit_xor" if whole_partition && ty.is_integer() => {
                let func = WindowFunc::Bits(bit_func(name));
                Ok(Plan::Call(windows.call(group, func, Some(columns.index(value)), ty)))
            }
            "first_value" | "last_value" if ignores_nulls => {
                let reached = matches!(frame.end, FrameEdge::Rows(n) if n > 0);
                if !from_start || reached {
                    return refuse(format!(" IGNORE NULLS from {} to {}", frame.start, frame.end));
                }
                let func = match name {
                    "first_value" => WindowFunc::FirstPresent(frame.end),
                    _ => WindowFunc::LastPresent(frame.end),
                };
                Ok(Plan::Call(windows.call(group, func, Some(columns.index(value)), ty)))
            }
            "first_value" | "last_value" | "nth_value" if nth > 0 && (from_start || by_rows) => {
                let column = Some(columns.index(value));
                let mut call = |func| windows.call(group, func, column, ty);
                // The row counted from the frame's beginning, where it begins that far from the current
                // one, or from the partition's; for the last value likewise from the end.
                let (by, near, far) = match (name, frame.start, frame.end) {
                    ("last_value", _, FrameEdge::Rows(end)) => {
                        (-end, call(WindowFunc::Lag(-end)), call(WindowFunc::Last(FrameEdge::Partition)))
                    }
                    ("last_value", _, edge) => {
                        let last = call(WindowFunc::Last(edge));
                        (0, last, last)
                    }
                    (_, FrameEdge::Rows(start), _) => {
                        let by = start.saturating_add(nth - 1).saturating_neg();
                        (-start, call(WindowFunc::Lag(by)), call(WindowFunc::Nth(nth.unsigned_abs())))
                    }
                    _ => {
                        let first = call(WindowFunc::Nth(nth.unsigned_abs()));
                        (0, first, first)
                    }
                };
                // Before the partition begins its first rows stand, and behind its end its last one.
                let clipped = match name {
                    "last_value" => by < 0,
                    _ => by > 0,
                };
                let plan = match clipped {
                    true => {
                        let number = windows.call(group, WindowFunc::RowNumber, None, Type::UInt64);
                        let rows = windows.call(group, WindowFunc::Rows, None, Type::UInt64);
                        Plan::Reached { by, number, rows, near, far }
                    }
                    false => Plan::Call(near),
                };
                if nth == 1 && holds_current(frame) {
                    return Ok(plan);
                }
                let of = windows.call(group, WindowFunc::Count(frame), None, Type::Int64);
                Ok(Plan::Where { least: nth, of, value: Box::new(plan) })
            }
            _ => refuse(format!(" from {} to {}", frame.start, frame.end)),
        }
    }
}

/// The value of a window expression, over the relation that has the columns of all calls.
fn finish(plan: Plan, windows: &Windows, totals: &[Totals], facts: &Facts) -> Result<Expr, PlanError> {
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
        Plan::Mean { sum, count, ty } => {
            // Where there is no value the sum is NULL.
            let total = column(sum);
            let mut count = column(count);
            count.range = Some(Range::new(1, n_rows));
            match ty {
                Type::Float64 => float::exact_ratio(total, count),
                _ => typed::arith(ArithOp::Div, total, count, ty)?,
            }
        }
    })
}
