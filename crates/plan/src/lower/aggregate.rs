//! GROUP BY: what the functions are made of, and the groups.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr as LogicalExpr};

use super::facts::{Derived, aggregated};
use super::float;
use super::functions::without_cast;
use super::grouping::{Expanded, expand, grouping};
use super::measure::{Basics, Final, Moments, Results, Statistic, place};
use super::operators::{Columns, Extended, project, refuse_float};
use super::scalar::Scalars;
use super::typed::{self, ArithOp};
use super::window::{At, Windows};
use super::{Lowering, Relation};
use crate::error::PlanError;
use crate::secure::{
    Agg, AggFunc, Comparison, Expr, Field, Frame, FrameEdge, Op, Place, SortKey, WindowFunc,
};
use crate::types::{MAX_PRECISION, Range, Type, Value};

/// An aggregate function over columns that are counted in [`Columns`].
enum Measure {
    Basic(AggFunc, Option<usize>, Type),
    /// A sum, a mean or an extreme that is a double: of exact numbers, or of whole numbers of 2^-52.
    Double(AggFunc, usize, Kind),
    /// Each different value once.
    Distinct(AggFunc, usize, Type),
    Statistic(Statistic, [usize; 2], Products),
    /// The value in the first row of an order.
    First(usize, Vec<SortKey>),
    Percentile {
        column: usize,
        part: i128,
        whole: i128,
        ty: Type,
    },
}

/// What a double is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Raw,
}

/// The columns of products behind a statistic.
struct Products {
    xx: usize,
    xy: usize,
    yy: usize,
}

impl Lowering<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<Relation, PlanError> {
        let input = self.relation(&aggregate.input)?;
        let scalars = self.scalars(aggregate.input.schema(), &input.facts);
        let mut columns = Columns::default();
        let (group_exprs, sets) = grouping(&aggregate.group_expr)?;
        let mut group = Vec::new();
        for expr in group_exprs {
            let expr = scalars.lower(expr)?;
            refuse_float(&expr, "GROUP BY")?;
            group.push(columns.index(expr));
        }
        let names = aggregate.schema.fields();
        let n_group = group.len() + usize::from(sets.is_some());
        let mut measures = Vec::new();
        for (expr, name) in aggregate.aggr_expr.iter().zip(names.iter().skip(n_group)) {
            let Some(ty) = Type::from_arrow(name.data_type()) else {
                let construct = format!("{} of type {}", expr.human_display(), name.data_type());
                return Err(PlanError::unsupported(construct, ""));
            };
            measures.push(self.measure(expr, ty, &scalars, &mut columns)?);
        }
        let (mut input, moved) = columns.over(input);
        let mut group: Vec<usize> = group.into_iter().map(|index| moved[index]).collect();
        let mut real = None;
        if let Some(sets) = sets {
            let mark = Type::from_arrow(names[group.len()].data_type()).unwrap_or(Type::UInt64);
            Expanded { relation: input, group, real } = expand(input, &group, sets, mark)?;
        }
        let (input, basics, finals) = prepared(input, &group, measures, &moved, real)?;
        let mut aggs = Vec::new();
        let mut fields = Vec::new();
        for (func, argument, ty) in &basics.all {
            let column = argument.map(|index| &input.facts.fields[index]);
            let (mut field, overflow) =
                aggregated(func.name(), *func, *ty, column, input.facts.bound, !group.is_empty());
            if *func == AggFunc::CountStar {
                field.name = "count(*)".to_owned();
            }
            fields.push(field);
            aggs.push(Agg { func: *func, input: *argument, ty: *ty, overflow });
        }
        let name_of = |index: usize| names[index].name().clone();
        let plain =
            finals.iter().enumerate().all(|(at, of)| matches!(of, Final::Basic(index) if *index == at))
                && finals.len() == aggs.len();
        if plain {
            let aggregate_names = fields.iter_mut().enumerate();
            aggregate_names.for_each(|(at, field)| field.name = name_of(group.len() + at));
        }
        let derive = |(index, column): (usize, &usize)| {
            let mut field = input.facts.fields[*column].clone();
            field.name = name_of(index);
            Derived { field, from: Some(*column) }
        };
        let facts = input.facts.aggregate(group.iter().enumerate().map(derive).collect(), fields);
        let n_group = group.len();
        let grouped =
            Relation { op: Op::Aggregate { group, aggs }, place: Place::Shared, facts, inputs: vec![input] };
        if plain {
            return Ok(grouped);
        }
        let results = Results { facts: &grouped.facts, first: n_group };
        let passed = (0..n_group).map(|index| Ok(typed::column(index, &grouped.facts.fields[index])));
        let exprs = passed.chain(finals.iter().map(|of| results.value(of)));
        let exprs = exprs.collect::<Result<Vec<_>, PlanError>>()?;
        let names = names.iter().map(|field| field.name().clone()).collect();
        Ok(project(grouped, exprs, names))
    }

    /// An aggregate expression in terms of columns.
    fn measure(
        &self,
        expr: &LogicalExpr,
        ty: Type,
        scalars: &Scalars<'_>,
        columns: &mut Columns,
    ) -> Result<Measure, PlanError> {
        let function = match expr {
            LogicalExpr::Alias(alias) => return self.measure(&alias.expr, ty, scalars, columns),
            LogicalExpr::AggregateFunction(function) => function,
            other => {
                return Err(PlanError::unsupported(format!("the aggregate {}", other.human_display()), ""));
            }
        };
        let place = self.locator.call(function.func.name());
        let measure = self.function_measure(function, ty, scalars, columns);
        measure.map_err(|error| error.placed(place))
    }

    fn function_measure(
        &self,
        AggregateFunction { func, params }: &AggregateFunction,
        ty: Type,
        scalars: &Scalars<'_>,
        columns: &mut Columns,
    ) -> Result<Measure, PlanError> {
        let name = func.name();
        let refuse = |construct: String| Err(PlanError::unsupported(construct, ""));
        let filter = params.filter.as_deref().map(|filter| scalars.lower(filter)).transpose()?;
        let filtered = |value: Expr| match &filter {
            Some(condition) => {
                let null = typed::literal(Value::Null, value.ty);
                typed::case(vec![(condition.clone(), value)], null)
            }
            None => Ok(value),
        };
        if let Some((statistic, two)) = Statistic::of(name) {
            if params.distinct {
                return refuse(format!("{name}(DISTINCT …) on shares"));
            }
            let arguments = params.args.iter().map(|argument| Ok(without_cast(scalars.lower(argument)?)));
            let arguments = arguments.collect::<Result<Vec<_>, PlanError>>()?;
            if let Some(wrong) = arguments.iter().find(|argument| !argument.ty.is_exact_number()) {
                return refuse(format!("{name}() of {} values on shares", wrong.ty));
            }
            let arguments = arguments.into_iter().map(filtered).collect::<Result<Vec<_>, _>>()?;
            return match (two, arguments.as_slice()) {
                (false, [x]) => statistic_of(statistic, x.clone(), x.clone(), columns),
                // The dependent variable comes first.
                (true, [y, x]) => {
                    let (x, y) = (beside(x, y)?, beside(y, x)?);
                    statistic_of(statistic, x, y, columns)
                }
                _ => refuse(format!("{name}() of {} arguments", arguments.len())),
            };
        }
        if matches!(name, "median" | "percentile_cont") {
            if params.distinct {
                return refuse(format!("{name}(DISTINCT …) on shares"));
            }
            let (part, whole) = match params.args.get(1) {
                None => (1, 2),
                Some(LogicalExpr::Literal(share, _)) => share_of(share)?,
                Some(_) => return refuse(format!("{name}() at a share that is no constant")),
            };
            let descending = params.order_by.first().is_some_and(|key| !key.asc);
            let part = if descending { whole - part } else { part };
            let value = without_cast(scalars.lower(&params.args[0])?);
            if !value.ty.is_exact_number() {
                return refuse(format!("{name}() of {} values on shares", value.ty));
            }
            let column = columns.index(filtered(value)?);
            return Ok(Measure::Percentile { column, part, whole, ty });
        }
        if matches!(name, "first_value" | "last_value" | "any_value") {
            let [argument] = params.args.as_slice() else {
                return refuse(format!("{name}() of {} arguments", params.args.len()));
            };
            let value = scalars.lower(argument)?;
            refuse_float(&value, name)?;
            if filter.is_some() || params.null_treatment.is_some() || name == "any_value" && value.nullable {
                return refuse(format!("{name}() with FILTER or without NULLs on shares"));
            }
            let mut order = Vec::new();
            for key in &params.order_by {
                let expr = scalars.lower(&key.expr)?;
                if expr.range.is_none() {
                    refuse_float(&expr, "ORDER BY")?;
                }
                let backwards = name == "last_value";
                order.push(SortKey {
                    column: columns.index(expr),
                    descending: key.asc == backwards,
                    nulls_first: key.nulls_first != backwards,
                });
            }
            return Ok(Measure::First(columns.index(value), order));
        }
        let which = match name {
            "count" => AggFunc::Count,
            "sum" => AggFunc::Sum,
            "avg" => AggFunc::Avg,
            "min" | "bool_and" => AggFunc::Min,
            "max" | "bool_or" => AggFunc::Max,
            _ => return refuse(format!("the aggregate {name}() on shares")),
        };
        if !params.order_by.is_empty() {
            return refuse(format!("ORDER BY inside {name}()"));
        }
        let [argument] = params.args.as_slice() else {
            return refuse(format!("{name}() of {} arguments", params.args.len()));
        };
        let argument = filtered(scalars.lower(argument)?)?;
        let summed = matches!(which, AggFunc::Sum | AggFunc::Avg | AggFunc::Min | AggFunc::Max);
        if argument.ty == Type::Float64 && summed && !params.distinct {
            let exact = without_cast(argument.clone());
            if exact.ty.is_exact_number() {
                return Ok(Measure::Double(which, columns.index(exact), Kind::Exact));
            }
            if let Some(raw) = float::raw(exact) {
                return Ok(Measure::Double(which, columns.index(raw), Kind::Raw));
            }
        }
        match which {
            AggFunc::Sum | AggFunc::Avg if !argument.ty.is_exact_number() => {
                return refuse(format!("{name}() of {} values on shares", argument.ty));
            }
            AggFunc::Min | AggFunc::Max => refuse_float(&argument, name)?,
            _ => {}
        }
        if params.distinct && !matches!(which, AggFunc::Min | AggFunc::Max) {
            refuse_float(&argument, "DISTINCT")?;
            return Ok(Measure::Distinct(which, columns.index(argument), ty));
        }
        if which == AggFunc::Count && !argument.nullable {
            return Ok(Measure::Basic(AggFunc::CountStar, None, ty));
        }
        Ok(Measure::Basic(which, Some(columns.index(argument)), ty))
    }
}

/// The value where there is another beside it.
fn beside(value: &Expr, other: &Expr) -> Result<Expr, PlanError> {
    if !other.nullable || value == other {
        return Ok(value.clone());
    }
    let present = typed::not(typed::is_null(other.clone()));
    let null = typed::literal(Value::Null, value.ty);
    typed::case(vec![(present, value.clone())], null)
}

fn statistic_of(statistic: Statistic, x: Expr, y: Expr, columns: &mut Columns) -> Result<Measure, PlanError> {
    let mut product = |a: &Expr, b: &Expr| {
        let scale = a.ty.scale() + b.ty.scale();
        if scale > MAX_PRECISION {
            return Err(PlanError::TooWide { expression: "a product inside a statistic".to_owned() });
        }
        let ty = Type::Decimal { precision: MAX_PRECISION, scale };
        let product = typed::arith(ArithOp::Mul, a.clone(), b.clone(), ty)?;
        let square = a == b && product.range.is_some_and(|range| range.low < 0);
        let product = match (square, product.range) {
            (true, Some(range)) => Expr { range: Some(Range::new(0, range.high.max(0))), ..product },
            _ => product,
        };
        Ok(columns.index(product))
    };
    let products = Products { xx: product(&x, &x)?, xy: product(&x, &y)?, yy: product(&y, &y)? };
    Ok(Measure::Statistic(statistic, [columns.index(x), columns.index(y)], products))
}

/// A share as a fraction.
fn share_of(share: &ScalarValue) -> Result<(i128, i128), PlanError> {
    let refuse = || PlanError::unsupported(format!("a percentile at {share}"), "it lies between 0 and 1");
    let text = match share {
        ScalarValue::Float64(Some(share)) => format!("{share}"),
        ScalarValue::Decimal128(Some(value), _, scale) if (0..=18).contains(scale) => {
            let whole = 10i128.pow(*scale as u32);
            return if (0..=whole).contains(value) { Ok((*value, whole)) } else { Err(refuse()) };
        }
        ScalarValue::Int64(Some(share)) => format!("{share}"),
        _ => return Err(refuse()),
    };
    let (digits, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = if fraction.len() <= 9 { 10i128.pow(fraction.len() as u32) } else { return Err(refuse()) };
    let part: i128 = format!("{digits}{fraction}").parse().map_err(|_| refuse())?;
    if (0..=whole).contains(&part) { Ok((part, whole)) } else { Err(refuse()) }
}

/// Window functions that some measures need.
enum Prepared {
    Ready(Final),
    Distinct(AggFunc, usize, Type, At),
    Percentile { column: usize, part: i128, whole: i128, ty: Type, number: At, count: At },
}

/// The relation with all columns that the basic aggregates read, and what to make of them.
fn prepared(
    input: Relation,
    group: &[usize],
    measures: Vec<Measure>,
    moved: &[usize],
    real: Option<usize>,
) -> Result<(Relation, Basics, Vec<Final>), PlanError> {
    let mut basics = Basics::default();
    let mut windows = Windows::default();
    let mut plans = Vec::new();
    for measure in measures {
        plans.push(match measure {
            Measure::Basic(func, column, ty) => {
                let basic = match (func, real) {
                    (AggFunc::CountStar, Some(real)) => (AggFunc::Count, Some(real), ty),
                    _ => (func, column.map(|column| moved[column]), ty),
                };
                // Each stands at its own place, so that a plain aggregate needs nothing after it.
                basics.all.push(basic);
                Prepared::Ready(Final::Basic(basics.all.len() - 1))
            }
            Measure::Double(func, column, kind) => {
                let column = moved[column];
                let ty =
                    Type::Decimal { precision: MAX_PRECISION, scale: input.facts.fields[column].ty.scale() };
                let (func, ty, mean) = match func {
                    AggFunc::Min | AggFunc::Max => (func, input.facts.fields[column].ty, false),
                    _ => (AggFunc::Sum, ty, func == AggFunc::Avg),
                };
                let sum = basics.index((func, Some(column), ty));
                Prepared::Ready(match (kind, mean) {
                    (Kind::Exact, false) => Final::Cast(sum),
                    (Kind::Raw, false) => Final::Double(sum),
                    (kind, true) => {
                        let n = counted(&mut basics, column, &input.facts.fields);
                        match kind {
                            Kind::Exact => Final::Mean { sum, n },
                            Kind::Raw => Final::DoubleMean { sum, n },
                        }
                    }
                })
            }
            Measure::Statistic(statistic, [x, y], products) => {
                let fields = &input.facts.fields;
                let mut sum = |column: usize| {
                    let column = moved[column];
                    let ty = Type::Decimal { precision: MAX_PRECISION, scale: fields[column].ty.scale() };
                    basics.index((AggFunc::Sum, Some(column), ty))
                };
                let (sx, sy) = (sum(x), sum(y));
                let (xx, xy, yy) = (sum(products.xx), sum(products.xy), sum(products.yy));
                let n = counted(&mut basics, moved[x], fields);
                Prepared::Ready(Final::Statistic(statistic, Moments { n, x: sx, y: sy, xx, xy, yy }))
            }
            Measure::Distinct(func, column, ty) => {
                let column = moved[column];
                let mut partition = group.to_vec();
                partition.push(column);
                let rows = windows.group(partition, Vec::new());
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                Prepared::Distinct(func, column, ty, number)
            }
            Measure::First(column, order) => {
                // A row that stands for a set comes behind all others.
                let real = real.map(|column| SortKey { column, descending: false, nulls_first: false });
                let order = order.into_iter().map(|key| SortKey { column: moved[key.column], ..key });
                let rows = windows.group(group.to_vec(), real.into_iter().chain(order).collect());
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                let column = moved[column];
                // One row for each group: its least value is its value.
                Prepared::Distinct(AggFunc::Min, column, input.facts.fields[column].ty, number)
            }
            Measure::Percentile { column, part, whole, ty } => {
                let column = moved[column];
                let order = vec![SortKey { column, descending: false, nulls_first: false }];
                let rows = windows.group(group.to_vec(), order);
                let number = windows.call(rows, WindowFunc::RowNumber, None, Type::UInt64);
                let frame = Frame { start: FrameEdge::Partition, end: FrameEdge::Partition };
                let nullable = input.facts.fields[column].nullable;
                let count =
                    windows.call(rows, WindowFunc::Count(frame), nullable.then_some(column), Type::Int64);
                Prepared::Percentile { column, part, whole, ty, number, count }
            }
        });
    }
    let input = windows.over(input);
    let mut columns = Extended::new(&input);
    let mut finals = Vec::new();
    for plan in plans {
        finals.push(match plan {
            Prepared::Ready(of) => of,
            Prepared::Distinct(func, column, ty, number) => {
                let value = typed::column(column, &input.facts.fields[column]);
                let first = number_is(windows.column(number, &input.facts), 1)?;
                let null = typed::literal(Value::Null, value.ty);
                let once = columns.index(typed::case(vec![(first, value)], null)?);
                Final::Basic(basics.index((func, Some(once), ty)))
            }
            Prepared::Percentile { column, part, whole, ty, number, count } => {
                let value = typed::column(column, &input.facts.fields[column]);
                let number = windows.column(number, &input.facts);
                let (at, _) = place(windows.column(count, &input.facts), part, whole)?;
                let mut chosen = |further: i128| -> Result<usize, PlanError> {
                    let at = typed::arith(
                        ArithOp::Add,
                        at.clone(),
                        typed::literal(Value::Int(further), Type::Int64),
                        Type::Int64,
                    )?;
                    let range = at.range.unwrap_or(Range::point(0));
                    let at = float::assumed(at, number.ty, range);
                    let here = typed::compare(Comparison::Eq, number.clone(), at)?;
                    let null = typed::literal(Value::Null, value.ty);
                    let chosen = columns.index(typed::case(vec![(here, value.clone())], null)?);
                    Ok(basics.index((AggFunc::Min, Some(chosen), value.ty)))
                };
                let (low, high) = (chosen(1)?, chosen(2)?);
                let n = counted(&mut basics, column, &input.facts.fields);
                Final::Percentile { low, high, n, part, whole, ty }
            }
        });
    }
    Ok((columns.over(input), basics, finals))
}

/// How many values a column has.
fn counted(basics: &mut Basics, column: usize, fields: &[Field]) -> usize {
    match fields[column].nullable {
        true => basics.index((AggFunc::Count, Some(column), Type::Int64)),
        false => basics.index((AggFunc::CountStar, None, Type::Int64)),
    }
}

fn number_is(number: Expr, value: i128) -> Result<Expr, PlanError> {
    let value = typed::literal(Value::Int(value), number.ty);
    typed::compare(Comparison::Eq, number, value)
}
