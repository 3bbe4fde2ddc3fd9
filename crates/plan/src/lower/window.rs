//! Window functions: those that the engine has, and those that are made of them.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{
    Expr as LogicalExpr, Window, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use super::facts::{Facts, aggregated, field};
use super::float;
use super::operators::{Extended, project};
use super::scalar::Scalars;
use super::typed::{self, ArithOp};
use super::{Lowering, Relation};
use crate::error::PlanError;
use crate::secure::{
    AggFunc, Comparison, Expr, Field, Frame, FrameEdge, Op, Overflow, Place, SortKey, WindowCall, WindowFunc,
};
use crate::types::{Range, Type, Value};

/// Functions over the same partition and order.
pub(super) struct Group {
    pub(super) partition: Vec<usize>,
    pub(super) order: Vec<SortKey>,
    calls: Vec<(WindowFunc, Option<usize>, Type)>,
    /// Where the columns of the calls come out, once there are any.
    first: usize,
}

/// The windows over one relation.
#[derive(Default)]
pub(super) struct Windows {
    groups: Vec<Group>,
}

/// A call: its group and its place there.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(usize, usize);

impl Windows {
    /// The group of this partition and order.
    pub(super) fn group(&mut self, partition: Vec<usize>, order: Vec<SortKey>) -> usize {
        let same = |group: &Group| group.partition == partition && group.order == order;
        match self.groups.iter().position(same) {
            Some(group) => group,
            None => {
                self.groups.push(Group { partition, order, calls: Vec::new(), first: 0 });
                self.groups.len() - 1
            }
        }
    }

    /// A call of a group; each different one once.
    pub(super) fn call(&mut self, group: usize, func: WindowFunc, input: Option<usize>, ty: Type) -> At {
        let calls = &mut self.groups[group].calls;
        let at = calls.iter().position(|known| *known == (func, input, ty)).unwrap_or_else(|| {
            calls.push((func, input, ty));
            calls.len() - 1
        });
        At(group, at)
    }

    /// The relation with a column for every call.
    pub(super) fn over(&mut self, mut relation: Relation) -> Relation {
        for group in self.groups.iter_mut().filter(|group| !group.calls.is_empty()) {
            group.first = relation.facts.fields.len();
            relation = compute(relation, group);
        }
        relation
    }

    /// The column of a call.
    pub(super) fn column(&self, at: At, facts: &Facts) -> Expr {
        let index = self.groups[at.0].first + at.1;
        typed::column(index, &facts.fields[index])
    }
}

fn compute(input: Relation, group: &Group) -> Relation {
    let mut facts = input.facts.clone();
    facts.sorted = Vec::new();
    let mut calls = Vec::new();
    for (func, column, ty) in &group.calls {
        let argument = column.map(|column| &input.facts.fields[column]);
        let (field, overflow) = result(*func, *ty, argument, input.facts.bound);
        facts.fields.push(field);
        calls.push(WindowCall { func: *func, input: *column, ty: *ty, overflow });
    }
    let op = Op::Window { partition: group.partition.clone(), order: group.order.clone(), calls };
    Relation { op, place: Place::Shared, facts, inputs: vec![input] }
}

/// What a call gives over at most `n_rows` rows.
fn result(func: WindowFunc, ty: Type, input: Option<&Field>, n_rows: u64) -> (Field, Overflow) {
    let name = func.name();
    let numbers = |low: i128| field(name, ty, false, Some(Range::new(low, n_rows.max(1).into())), 0);
    let passed = |nullable: bool| {
        let mut field = input.cloned().unwrap_or_else(|| numbers(0));
        (field.name, field.nullable) = (name.to_owned(), field.nullable || nullable);
        (field, Overflow::Impossible)
    };
    match func {
        WindowFunc::RowNumber
        | WindowFunc::Rank
        | WindowFunc::DenseRank
        | WindowFunc::LastPeer
        | WindowFunc::Rows => (numbers(1), Overflow::Impossible),
        WindowFunc::Count(_) => (numbers(0), Overflow::Impossible),
        WindowFunc::Lag(_) => passed(true),
        WindowFunc::First | WindowFunc::Last(_) => passed(false),
        WindowFunc::Min(frame) | WindowFunc::Max(frame) => passed(!holds_current(frame)),
        WindowFunc::Sum(frame) => {
            let (mut field, overflow) = aggregated(name, AggFunc::Sum, ty, input, n_rows, true);
            field.nullable |= !holds_current(frame);
            (field, overflow)
        }
    }
}

/// Whether the current row is always in the frame.
fn holds_current(frame: Frame) -> bool {
    let starts = !matches!(frame.start, FrameEdge::Rows(n) if n > 0);
    starts && !matches!(frame.end, FrameEdge::Rows(n) if n < 0)
}

/// How one window expression is made of calls.
enum Plan {
    Call(At),
    PercentRank(At, At),
    CumeDist(At, At),
    Ntile { tiles: i128, number: At, rows: At },
    Shifted { value: At, number: At, rows: At, by: i64, default: Expr },
    Mean { sum: At, count: At, ty: Type },
}

impl Lowering<'_> {
    pub(super) fn window(&self, window: &Window) -> Result<Relation, PlanError> {
        let input = self.relation(&window.input)?;
        let n_columns = input.facts.fields.len();
        let scalars = self.scalars(window.input.schema(), &input.facts);
        let mut extended = Extended::new(&input);
        let mut windows = Windows::default();
        let mut plans = Vec::new();
        for expr in &window.window_expr {
            let function = match expr.clone().unalias() {
                LogicalExpr::WindowFunction(function) => function,
                other => {
                    return Err(PlanError::unsupported(format!("{} OVER", other.human_display()), ""));
                }
            };
            let place = self.locator.word("OVER");
            let plan = self.window_plan(&function, &scalars, &mut extended, &mut windows);
            plans.push(plan.map_err(|error| error.placed(place))?);
        }
        let relation = windows.over(extended.over(input));
        let fields = &relation.facts.fields;
        let mut exprs: Vec<Expr> = (0..n_columns).map(|index| typed::column(index, &fields[index])).collect();
        for plan in plans {
            exprs.push(finish(plan, &windows, &relation.facts)?);
        }
        let names = window.schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(project(relation, exprs, names))
    }

    fn window_plan(
        &self,
        function: &WindowFunction,
        scalars: &Scalars<'_>,
        columns: &mut Extended,
        windows: &mut Windows,
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
        if params.null_treatment == Some(NullTreatment::IgnoreNulls) {
            return refuse(" IGNORE NULLS");
        }
        let mut partition = Vec::new();
        for expr in &params.partition_by {
            partition.push(columns.key(scalars.lower(expr)?, "PARTITION BY")?);
        }
        let mut order = Vec::new();
        for key in &params.order_by {
            let column = columns.key(scalars.lower(&key.expr)?, "ORDER BY")?;
            order.push(SortKey { column, descending: !key.asc, nulls_first: key.nulls_first });
        }
        let ordered = !order.is_empty();
        let group = windows.group(partition, order);
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
                let by = if name == "lag" { by } else { -by };
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
            (_, argument) => {
                let frame = frame(&params.window_frame, ordered);
                let Some(frame) = frame else {
                    return refuse(&format!(" over {}", params.window_frame));
                };
                self.framed(name, argument, frame, group, columns, windows)
            }
        }
    }

    /// Functions of a frame.
    fn framed(
        &self,
        name: &str,
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
        let by_rows = match (frame.start, frame.end) {
            (FrameEdge::Rows(start), FrameEdge::Rows(end)) => start <= end,
            _ => false,
        };
        let to_edge = from_start && !matches!(frame.end, FrameEdge::Rows(n) if n != 0);
        let count = |value: &Expr, columns: &mut Extended, windows: &mut Windows| {
            let input = value.nullable.then(|| columns.index(value.clone()));
            windows.call(group, WindowFunc::Count(frame), input, Type::Int64)
        };
        match name {
            "count" => Ok(Plan::Call(count(&value, columns, windows))),
            "sum" | "avg" if !ty.is_exact_number() => refuse(format!(" of {ty} values")),
            "sum" => {
                let total = match ty {
                    Type::Decimal { precision, scale } => {
                        Type::Decimal { precision: (precision + 10).min(38), scale }
                    }
                    Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64 => Type::UInt64,
                    _ => Type::Int64,
                };
                Ok(Plan::Call(windows.call(group, WindowFunc::Sum(frame), Some(columns.index(value)), total)))
            }
            "avg" => {
                let total = Type::Decimal { precision: 38, scale: ty.scale() };
                let mean = match ty {
                    Type::Decimal { precision, scale } => {
                        Type::Decimal { precision: (precision + 4).min(38), scale: (scale + 4).min(38) }
                    }
                    _ => Type::Float64,
                };
                let count = count(&value, columns, windows);
                let sum = windows.call(group, WindowFunc::Sum(frame), Some(columns.index(value)), total);
                Ok(Plan::Mean { sum, count, ty: mean })
            }
            "min" | "max" | "bool_and" | "bool_or" if from_start || by_rows => {
                let column = columns.key(value, name)?;
                let func = match name {
                    "min" | "bool_and" => WindowFunc::Min(frame),
                    _ => WindowFunc::Max(frame),
                };
                Ok(Plan::Call(windows.call(group, func, Some(column), ty)))
            }
            "first_value" if from_start && holds_current(frame) => {
                Ok(Plan::Call(windows.call(group, WindowFunc::First, Some(columns.index(value)), ty)))
            }
            "last_value" if to_edge => {
                let func = match frame.end {
                    FrameEdge::Rows(_) => WindowFunc::Lag(0),
                    edge => WindowFunc::Last(edge),
                };
                Ok(Plan::Call(windows.call(group, func, Some(columns.index(value)), ty)))
            }
            _ => refuse(format!(" from {} to {}", frame.start, frame.end)),
        }
    }
}

/// The frame in our terms, if it is one that the engine has.
fn frame(frame: &WindowFrame, ordered: bool) -> Option<Frame> {
    let by_rows = frame.units == WindowFrameUnits::Rows;
    let number = |value: &ScalarValue| match value.cast_to(&Type::Int64.arrow()) {
        Ok(ScalarValue::Int64(Some(number))) if by_rows => Some(FrameEdge::Rows(number)),
        _ => None,
    };
    let edge = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow if by_rows => Some(FrameEdge::Rows(0)),
        WindowFrameBound::CurrentRow if ordered => Some(FrameEdge::Peers),
        WindowFrameBound::CurrentRow => Some(FrameEdge::Partition),
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) if value.is_null() => {
            Some(FrameEdge::Partition)
        }
        WindowFrameBound::Following(value) => number(value),
        WindowFrameBound::Preceding(value) => match number(value)? {
            FrameEdge::Rows(number) => Some(FrameEdge::Rows(-number)),
            other => Some(other),
        },
    };
    let (start, end) = (edge(&frame.start_bound)?, edge(&frame.end_bound)?);
    // What begins with its end, or ends with its beginning, or with the first of its peers.
    let begins_late = matches!(&frame.start_bound, WindowFrameBound::Following(value) if value.is_null());
    let ends_early = matches!(&frame.end_bound, WindowFrameBound::Preceding(value) if value.is_null());
    (!begins_late && !ends_early && start != FrameEdge::Peers).then_some(Frame { start, end })
}

/// The value of a window expression, over the relation that has the columns of all calls.
fn finish(plan: Plan, windows: &Windows, facts: &Facts) -> Result<Expr, PlanError> {
    let column = |at: At| windows.column(at, facts);
    let n_rows = i128::from(facts.bound.max(1));
    let whole = |value: i128| typed::literal(Value::Int(value), Type::Int64);
    let sum = |op, left, right| typed::arith(op, left, right, Type::Int64);
    let number = |at: At| float::assumed(column(at), Type::Int64, Range::new(0, n_rows));
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
            let inside = if by >= 0 {
                typed::compare(Comparison::Gt, number(at), whole(by.into()))?
            } else {
                let below = sum(ArithOp::Sub, number(rows), number(at))?;
                typed::compare(Comparison::Ge, below, whole(-i128::from(by)))?
            };
            typed::case(vec![(inside, column(value))], default)?
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
