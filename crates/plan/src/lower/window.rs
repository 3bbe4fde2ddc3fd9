//! Window functions, made of those that the engine has.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{
    Expr as LogicalExpr, Window, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use super::calls::{At, Windows, holds_current};
use super::frames::{bit_func, by_keys, edge, frame, from_the_end, mean_type, shown, sum_type};
use super::functions::without_cast;
use super::inexact::refuse_inexact;
use super::measure::{Statistic, moments, pair};
use super::nearby::{Nearby, add_totals};
use super::operators::{Extended, project};
use super::over::{Plan, Total, finish};
use super::scalar::Scalars;
use super::typed;
use super::{Lowering, Relation, float};
use crate::error::PlanError;
use crate::secure::{Expr, Frame, FrameEdge, SortKey, WindowFunc};
use crate::types::{MAX_PRECISION, Type, Value};

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
        if let (Some(statistic), false) = (Statistic::of(name), by_keys) {
            let frame = frame_of(&params.window_frame, backwards, ordered);
            let Some(frame) = frame else { return refuse(&format!(" over {}", shown(&params.window_frame))) };
            let arguments = params.args.iter().map(|argument| scalars.lower(argument));
            let filter = params.filter.as_deref().map(|filter| scalars.lower(filter)).transpose()?;
            let pair = pair(name, arguments.collect::<Result<_, _>>()?, filter.as_ref())?;
            let sums = moments(pair, &mut |expr| columns.index(expr))?;
            let mut sum = |at: usize| {
                let scale = columns.expr(at).ty.scale();
                let ty = Type::Decimal { precision: MAX_PRECISION, scale };
                windows.call(group, WindowFunc::Sum(frame), Some(at), ty)
            };
            let [x, y, xx, xy, yy] = sums.map(&mut sum);
            let counted = columns.expr(sums[0]).nullable.then_some(sums[0]);
            let n = windows.call(group, WindowFunc::Count(frame), counted, Type::Int64);
            return Ok(Plan::Statistic(statistic, [n, x, y, xx, xy, yy]));
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
                let Some(frame) = frame_of(&params.window_frame, backwards, ordered) else {
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
            "sum" if ty.is_exact_number() => {
                let sum = WindowFunc::Sum(frame);
                Ok(Plan::Call(windows.call(group, sum, Some(columns.index(value)), sum_type(ty))))
            }
            "sum" | "avg" => {
                // A double is a number before it was cast, or a whole one of 2^-52.
                let exact = without_cast(value);
                let (number, raw) = match (exact.ty.is_exact_number(), float::raw(exact.clone())) {
                    (true, _) => (exact, false),
                    (false, Some(raw)) => (raw, true),
                    (false, None) => return refuse(format!(" of {ty} values")),
                };
                let total = Type::Decimal { precision: MAX_PRECISION, scale: number.ty.scale() };
                let count = count(&number, columns, windows);
                let sum = windows.call(group, WindowFunc::Sum(frame), Some(columns.index(number)), total);
                Ok(match name {
                    "sum" => Plan::Double { sum, raw },
                    _ => Plan::Mean { sum, count, ty: mean_type(ty), raw },
                })
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

/// The frame, in the order turned round if it is counted from the partition's end.
fn frame_of(window: &WindowFrame, backwards: bool, ordered: bool) -> Option<Frame> {
    if backwards { frame(&window.reverse(), ordered) } else { frame(window, ordered) }
}
