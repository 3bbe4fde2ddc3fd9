//! GROUP BY: what the functions are made of, and the groups.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr as LogicalExpr};

use super::facts::{Derived, aggregated};
use super::float;
use super::frames::bit_func;
use super::functions::without_cast;
use super::gather::{Kind, Measure, prepared};
use super::grouping::{Expanded, expand, grouping};
use super::inexact::{refuse_computed, refuse_rounded};
use super::measure::{Final, Results, Statistic, moments, pair};
use super::operators::{Columns, project};
use super::scalar::Scalars;
use super::typed;
use super::{Lowering, Relation};
use crate::checked::fraction;
use crate::error::PlanError;
use crate::secure::{Agg, AggFunc, Expr, Op, Place, SortKey};
use crate::types::{Type, Value};

impl Lowering<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<Relation, PlanError> {
        let input = self.relation(&aggregate.input)?;
        let scalars = self.scalars(aggregate.input.schema(), &input.facts);
        let mut columns = Columns::default();
        let (group_exprs, sets) = grouping(&aggregate.group_expr)?;
        let mut group = Vec::new();
        for expr in group_exprs {
            let expr = scalars.lower(expr)?;
            refuse_rounded(&expr, &input, "GROUP BY")?;
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
            measures.push(self.measure(expr, ty, (&input, &scalars), &mut columns)?);
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
        over: (&Relation, &Scalars<'_>),
        columns: &mut Columns,
    ) -> Result<Measure, PlanError> {
        let function = match expr {
            LogicalExpr::Alias(alias) => return self.measure(&alias.expr, ty, over, columns),
            LogicalExpr::AggregateFunction(function) => function,
            other => {
                return Err(PlanError::unsupported(format!("the aggregate {}", other.human_display()), ""));
            }
        };
        let place = self.locator.call(function.func.name());
        let measure = self.function_measure(function, ty, over, columns);
        measure.map_err(|error| error.placed(place))
    }

    fn function_measure(
        &self,
        AggregateFunction { func, params }: &AggregateFunction,
        ty: Type,
        (input, scalars): (&Relation, &Scalars<'_>),
        columns: &mut Columns,
    ) -> Result<Measure, PlanError> {
        let name = func.name();
        let refuse = |construct: String| Err(PlanError::unsupported(construct, ""));
        let refuse_type = |ty: Type| {
            let hint = if ty == Type::Float64 { float::TO_DECIMAL } else { "" };
            Err(PlanError::unsupported(format!("{name}() of {ty} values on shares"), hint))
        };
        let filter = params.filter.as_deref().map(|filter| scalars.lower(filter)).transpose()?;
        let filtered = |value: Expr| match &filter {
            Some(condition) => {
                let null = typed::literal(Value::Null, value.ty);
                typed::case(vec![(condition.clone(), value)], null)
            }
            None => Ok(value),
        };
        if let Some(statistic) = Statistic::of(name) {
            if params.distinct {
                return refuse(format!("{name}(DISTINCT …) on shares"));
            }
            let arguments = params.args.iter().map(|argument| scalars.lower(argument));
            let pair = pair(name, arguments.collect::<Result<_, _>>()?, filter.as_ref())?;
            let sums = moments(pair, &mut |expr| columns.index(expr))?;
            return Ok(Measure::Statistic(statistic, sums));
        }
        if matches!(name, "median" | "percentile_cont" | "percentile_disc") {
            if params.distinct {
                return refuse(format!("{name}(DISTINCT …) on shares"));
            }
            let (part, whole) = match params.args.get(1) {
                None => (1, 2),
                Some(LogicalExpr::Literal(share, _)) => share_of(share)?,
                Some(_) => return refuse(format!("{name}() at a share that is no constant")),
            };
            let descending = params.order_by.first().is_some_and(|key| !key.asc);
            if name == "percentile_disc" {
                let value = filtered(scalars.lower(&params.args[0])?)?;
                refuse_computed(&value, name)?;
                return Ok(Measure::Rank { column: columns.index(value), part, whole, descending });
            }
            let part = if descending { whole - part } else { part };
            let value = without_cast(scalars.lower(&params.args[0])?);
            if !value.ty.is_exact_number() {
                return refuse_type(value.ty);
            }
            let column = columns.index(filtered(value)?);
            return Ok(Measure::Percentile { column, part, whole, ty });
        }
        if matches!(name, "first_value" | "last_value" | "any_value") {
            let [argument] = params.args.as_slice() else {
                return refuse(format!("{name}() of {} arguments", params.args.len()));
            };
            let value = scalars.lower(argument)?;
            refuse_computed(&value, name)?;
            if filter.is_some() || params.null_treatment.is_some() || name == "any_value" && value.nullable {
                return refuse(format!("{name}() with FILTER or without NULLs on shares"));
            }
            let mut order = Vec::new();
            for key in &params.order_by {
                let expr = scalars.lower(&key.expr)?;
                let backwards = name == "last_value";
                order.push(SortKey {
                    column: columns.index(expr),
                    descending: key.asc == backwards,
                    nulls_first: key.nulls_first != backwards,
                });
            }
            return Ok(Measure::First(columns.index(value), order));
        }
        if matches!(name, "bit_and" | "bit_or" | "bit_xor") {
            let value = filtered(scalars.lower(&params.args[0])?)?;
            if params.distinct || !value.ty.is_integer() {
                return refuse(format!("{name}() of {} values or DISTINCT on shares", value.ty));
            }
            return Ok(Measure::Bits(bit_func(name), columns.index(value)));
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
                return refuse_type(argument.ty);
            }
            AggFunc::Min | AggFunc::Max => refuse_computed(&argument, name)?,
            _ => {}
        }
        if params.distinct && !matches!(which, AggFunc::Min | AggFunc::Max) {
            refuse_rounded(&argument, input, "DISTINCT")?;
            return Ok(Measure::Distinct(which, columns.index(argument), ty));
        }
        if which == AggFunc::Count && !argument.nullable {
            return Ok(Measure::Basic(AggFunc::CountStar, None, ty));
        }
        Ok(Measure::Basic(which, Some(columns.index(argument)), ty))
    }
}

/// A share as a fraction.
fn share_of(share: &ScalarValue) -> Result<(i128, i128), PlanError> {
    let refuse = || PlanError::unsupported(format!("a percentile at {share}"), "it lies between 0 and 1");
    fraction(share).ok_or_else(refuse)
}
